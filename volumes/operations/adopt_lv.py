"""Adopt: make an LV that Hearth did not make a volume of a project. Its bytes stay; its name becomes ours, and it is tagged.

Who: administrators. The volume's row is written with the request, `creating`, and holds its quota; -> available. A node that
says no (in use, a snapshot, no whole GiB), or a cancel: the LV has its old name and no tag of ours, and the row is gone.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from volumes import rules
from volumes.engine.facts import lv_entry
from volumes.engine.link import session
from volumes.engine.protocol import Next, Step, register
from volumes.errors import QuotaExceeded, Refused
from volumes.models import GIB, Operation, Pool, Project, Status, User, Volume
from volumes.nodes.commands import Command, Result, change
from volumes.nodes.errors import DeviceBusy, NodeError, NoSuchLogicalVolume
from volumes.nodes.holders import explain_busy
from volumes.nodes.lvm import change as lvm
from volumes.nodes.lvm.report import LogicalVolume, Report
from volumes.operations import pool_verb


def request(pool: Pool, *, lv: str, project: Project, actor: User, name: str = "") -> Operation:
    """Ask for it; the volume is called like the LV unless named. Quota is taken here. Raises Refused with the obstacle."""

    def prepare(pool: Pool) -> Operation:
        if reason := rules.why_not_touch_pool(pool):
            raise Refused(reason)
        listed: list[dict[str, Any]] = pool.facts.get("lvs", [])
        entry = next((entry for entry in listed if entry["name"] == lv), None)
        if entry is None:
            raise Refused(gettext("%(lv)s is not in %(pool)s.") % {"lv": lv, "pool": pool}, field="lv")
        if reason := rules.why_not_adopt(entry, listed, pool.vg_name):
            raise Refused(reason, field="lv")
        title = gettext("Adopt %(lv)s as a volume of %(project)s") % {"lv": f"{pool}: {lv}", "project": project}
        operation = pool_verb.new_operation("adopt_lv", title, pool, actor)
        operation.project = project
        operation.target_size_gib = entry["size_bytes"] // GIB
        operation.args = {"lv": lv, "uuid": entry["uuid"], "volume": str(uuid.uuid4()), "name": name or lv}
        _make_row(operation, pool, actor)
        return operation

    return pool_verb.request(pool, actor, prepare)


def plan(pool: Pool, lv: str) -> list[pool_verb.Planned]:
    """What it would do now."""
    operation = Operation(verb="adopt_lv", target_id=pool.pk, args={"lv": lv, "uuid": "", "volume": "…"})
    return pool_verb.planned(AdoptLv().steps(operation), pool)


def _make_row(operation: Operation, pool: Pool, actor: User | None) -> None:
    """The volume that it is going to be, and its quota."""
    if operation.project_id is None:
        raise Refused(gettext("Its project is gone."))
    project = Project.objects.select_for_update().get(pk=operation.project_id)
    size_gib = operation.target_size_gib or 0
    if reason := rules.why_not_create(project, size_gib=size_gib):
        raise QuotaExceeded(reason, field="project")
    volume = Volume(
        pk=operation.args["volume"],
        project=project,
        pool=pool,
        name=operation.args["name"],
        size_gib=size_gib,
        created_by=actor,
        last_operation=operation,
    )
    volume.save(force_insert=True)
    volume.remember("", volume.status, operation=operation, actor=actor)


class AdoptLv(pool_verb.PoolVerb):
    """The verb; `state` remembers whether the LV was active."""

    name = "adopt_lv"

    def steps(self, operation: Operation) -> list[Step]:
        """Look; prove that nothing holds it; tag; rename; read back."""
        pool, old, ident = self.pool(operation), str(operation.args["lv"]), str(operation.args["volume"])
        vg, new = pool.vg_name, f"{Volume.lv_prefix}{ident}"

        def tagged(report: Report) -> str:
            found = report.by_uuid(operation.args["uuid"])
            return gettext("It is tagged already.") if found is not None and found.hearth_id == ident else ""

        return [
            Step(
                key="look",
                title=gettext("See that it may be adopted"),
                commands=[pool_verb.ask(pool)],
                check=lambda results: _look(operation, pool, results),
            ),
            Step(
                key="idle",
                title=gettext("Prove that nothing holds it, and tag it"),
                commands=[change(lvm.deactivate(vg, old)), change(lvm.add_tag(vg, old, *lvm.own_tags(ident)))],
                done=tagged,
                skip=gettext("An earlier try has done it.") if operation.state.get("tagged") else "",
            ),
            Step(
                key="rename",
                title=gettext("Give it the volume's name"),
                commands=[change(lvm.rename(vg, old, new))],
                done=lambda report: gettext("It has it already.") if report.lv(vg, new) else "",
                skip=gettext("An earlier try has done it.") if operation.state.get("renamed") else "",
            ),
            Step(
                key="ready",
                title=gettext("Activate it and read it back"),
                commands=[change(lvm.activate(vg, new)), pool_verb.ask(pool)],
                check=lambda results: _ready(operation, pool, results),
            ),
        ]

    def undo(self, operation: Operation, facts: Report) -> Sequence[Command]:
        """Its old name, without our tags, active if it was."""
        pool, ident = self.pool(operation), str(operation.args["volume"])
        vg, old, found = pool.vg_name, str(operation.args["lv"]), facts.by_uuid(operation.args["uuid"])
        if found is None:
            return []
        commands: list[Command] = []
        if found.name == f"{Volume.lv_prefix}{ident}":
            commands.append(change(lvm.rename(vg, found.name, old)))
        if found.hearth_id == ident:
            commands.append(change(lvm.remove_tag(vg, old, *lvm.own_tags(ident))))
        if operation.state.get("was_active") and not found.active:
            commands.append(change(lvm.activate(vg, old)))
        return commands

    def succeed(self, operation: Operation) -> None:
        """It is a volume like any other."""
        volume = Volume.objects.get(pk=operation.args["volume"])
        why = gettext("Adopted: it was the LV %(lv)s.") % {"lv": operation.args["lv"]}
        volume.transition(
            expect={Status.CREATING}, to=Status.AVAILABLE, why=why, operation=operation, allocated_at=timezone.now()
        )
        Volume.objects.filter(pk=volume.pk).update(status_reason="")

    def fail(self, operation: Operation, reason: str) -> Next:
        """The row goes, and its quota comes back; unless the LV still looks like the volume's."""
        volume = Volume.objects.filter(pk=operation.args["volume"]).first()
        if volume is None:
            return Next.FAIL
        if operation.state.get("taken_back") == operation.round:
            volume.remember(volume.status, "deleted", why=reason, operation=operation)
            volume.delete()
        else:
            volume.transition(expect={Status.CREATING}, to=Status.ERROR, why=reason, operation=operation)
        return Next.FAIL

    def explain(self, operation: Operation, error: NodeError) -> NodeError:
        """A busy device: name what holds it."""
        if not isinstance(error, DeviceBusy):
            return error
        pool = self.pool(operation)
        return explain_busy(session(pool.node), pool.vg_name, operation.args["lv"], error)

    def reopen(self, operation: Operation, actor: User | None) -> None:
        """The row and its quota anew."""
        super().reopen(operation, actor)
        volume = Volume.objects.filter(pk=operation.args["volume"]).first()
        if volume is None:
            _make_row(operation, self.pool(operation), actor)
        else:
            volume.transition(expect={Status.ERROR}, to=Status.CREATING, operation=operation, actor=actor)

    def why_not(self, pool: Pool, operation: Operation) -> str | None:
        """As a new one; what the LV is now, the node says."""
        return rules.why_not_touch_pool(pool, retried=operation)


def _look(operation: Operation, pool: Pool, results: Sequence[Result]) -> str:
    """What the pool's facts said when it was asked for may no longer be so."""
    report, _ = pool_verb.group_of(pool, results)
    found, ident = report.by_uuid(operation.args["uuid"]), str(operation.args["volume"])
    if found is None:
        raise NoSuchLogicalVolume(vg=pool.vg_name, lv=operation.args["lv"])
    tagged = found.hearth_id == ident
    if not tagged:
        _refuse(operation, pool, report, found)
        operation.state["was_active"] = found.active
    operation.state |= {"tagged": tagged, "renamed": found.name == f"{Volume.lv_prefix}{ident}"}
    operation.save(update_fields=["state", "updated_at"])
    return gettext("It has %(bytes)d bytes.") % {"bytes": found.size_bytes}


def _refuse(operation: Operation, pool: Pool, report: Report, found: LogicalVolume) -> None:
    name = f"{pool.vg_name}/{found.name}"
    all_lvs = [lv_entry(lv) for lv in report.lvs if lv.vg == pool.vg_name]
    if reason := rules.why_not_adopt(lv_entry(found), all_lvs, pool.vg_name):
        raise NotAdoptable(lv=name, why=reason)
    if found.name != operation.args["lv"] or found.pool != pool.thin_pool_name:
        raise NotAdoptable(lv=name, why=gettext("It is no longer what it was when it was asked for."))
    if found.size_bytes != (operation.target_size_gib or 0) * GIB:
        raise NotAdoptable(lv=name, why=gettext("Its size has changed since it was asked for."))


def _ready(operation: Operation, pool: Pool, results: Sequence[Result]) -> str:
    report, _ = pool_verb.group_of(pool, results)
    found = report.lv(pool.vg_name, f"{Volume.lv_prefix}{operation.args['volume']}")
    if found is None or found.hearth_id != operation.args["volume"] or not found.active:
        raise NotAdopted(lv=operation.args["lv"])
    return gettext("read back: %(bytes)d bytes, ours") % {"bytes": found.size_bytes}


class NotAdoptable(NodeError):
    """The node says that it is something else than what can be a volume."""

    sentence = gettext_noop("%(lv)s cannot be adopted. %(why)s")
    way_out = gettext_noop("Nothing was changed.")


class NotAdopted(NodeError):
    """Every command succeeded, and it is not what it should be."""

    sentence = gettext_noop("%(lv)s was renamed and tagged, and is not there as an active LV of ours.")


register(AdoptLv())
