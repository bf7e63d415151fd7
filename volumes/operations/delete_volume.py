"""Delete Volume: mark the LV, prove that nothing holds it, wipe it, read it back, remove it, see that it is gone.

Who: members. From: available and the error statuses; never while attached. Status: deleting -> the row is gone. Its snapshots
lean on it: each has to be ticked to go along, and goes first.
A device that is busy, or any failure before the first byte: back to what it was. After the first byte: `error_deleting`,
for the content is partly erased; Retry reads the node and goes on. Thin volumes are discarded, for a thin pool hands out
zeroed blocks only. A pool whose wipe method is none keeps the bytes and says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext, gettext_noop, ngettext

from volumes import rules
from volumes.engine import doubt, outbox
from volumes.engine.protocol import Next, Step, register
from volumes.errors import NotAllowed, Refused
from volumes.models import (
    DELETABLE,
    SNAPSHOT_DELETABLE,
    Operation,
    Pool,
    Snapshot,
    SnapshotStatus,
    Status,
    User,
    Volume,
)
from volumes.models.step import Step as StepRow
from volumes.nodes.commands import Command, Result, change, read
from volumes.nodes.errors import NodeError, NoSuchVolumeGroup, NotOurs
from volumes.nodes.lvm.change import activate, deactivate, remove, remove_tag
from volumes.operations import common, delete_snapshot, unsnapping, wiping


def request(volume: Volume, *, actor: User, snapshots: Collection[UUID] = ()) -> Operation:
    """Ask for it; `snapshots` are those that go along, by id. Raises Refused with the obstacle, Conflict when somebody was faster."""
    if not rules.may_act(actor, volume.project):
        raise NotAllowed(gettext("You may look at this project, but not change it."))
    with transaction.atomic():
        volume = common.locked(volume)
        if reason := rules.why_not_delete(volume):
            raise Refused(reason)
        along = _along(volume, snapshots)
        before, why = volume.status, volume.status_reason
        operation = common.new_operation("delete_volume", gettext("Delete volume %(name)s"), volume, actor)
        operation.args = {"snapshots": {str(snapshot.pk): snapshot.status for snapshot in along}}
        operation.state = {"before": before, "before_why": why}
        volume.transition(
            expect={before},
            to=Status.DELETING,
            operation=operation,
            actor=actor,
            last_operation=operation,
        )
        common.save_new(operation)
        _take_along(operation, along, actor)
        outbox.send_on_commit(operation)
    return operation


def _along(volume: Volume, ticked: Collection[UUID]) -> list[Snapshot]:
    """Its snapshots, every one of which has to have been ticked. Raises Refused with their names."""
    snapshots = list(volume.snapshots.select_related("volume").order_by("created_at"))
    left = [snapshot for snapshot in snapshots if snapshot.pk not in set(ticked)]
    if left:
        said = ngettext(
            "It has %(n)d snapshot that was not ticked: %(names)s. Delete it too?",
            "It has %(n)d snapshots that were not ticked: %(names)s. Delete them too?",
            len(left),
        )
        raise Refused(said % {"n": len(left), "names": ", ".join(map(str, left))}, field="snapshots")
    for snapshot in snapshots:
        if reason := rules.why_not_delete_snapshot(snapshot):
            raise Refused(f"{snapshot}: {reason}", field="snapshots")
    return snapshots


def _take_along(operation: Operation, snapshots: Iterable[Snapshot], actor: User | None) -> None:
    for snapshot in snapshots:
        snapshot.transition(
            expect=SNAPSHOT_DELETABLE,
            to=SnapshotStatus.DELETING,
            operation=operation,
            actor=actor,
            last_operation=operation,
        )


class DeleteVolume(common.VolumeVerb):
    """The verb; `state` remembers the status before, and whether the first byte was overwritten."""

    name = "delete_volume"

    def steps(self, operation: Operation) -> list[Step]:
        """Look, mark, prove, wipe, remove. Where there is no LV, see that this is the right volume group instead."""
        volume = self.volume(operation)
        pool = volume.pool
        if pool is None:
            return []
        gone = gettext("There is no LV to do it to.") if operation.state.get("absent") else ""
        return [
            *self._snapshots_first(operation, volume, pool),
            Step(
                key="look",
                title=gettext("See that it is there and ours"),
                commands=[common.ask(volume)],
                check=lambda results: self._look(operation, volume, pool, results),
                proof=True,
            ),
            Step(
                key="idle",
                title=gettext("Mark it as going away and prove that nothing holds it"),
                commands=_idle(volume, pool),
                skip=gone,
                proof=True,
            ),
            *wiping.delete_steps(_block(operation, volume), pool, skip=gone),
            Step(
                key="remove",
                title=gettext("Remove it and see that it is gone"),
                commands=[
                    change(remove(pool.vg_name, volume.lv_name, ident=str(volume.pk))),
                    common.ask(volume),
                ],
                destroys=True,
                check=lambda results: common.gone(volume, results),
                done=lambda facts: "" if facts.lv else gettext("It is gone already."),
                skip=gone,
            ),
            *([_group_step(pool)] if gone else []),
        ]

    def snapshots(self, operation: Operation) -> list[Snapshot]:
        """Those that go along and are not gone yet."""
        rows = Snapshot.objects.select_related("volume__pool__node", "project")
        return list(rows.filter(pk__in=operation.args.get("snapshots", ())).order_by("created_at"))

    def others(self, operation: Operation) -> list[str]:
        """The snapshots' LVs."""
        return [snapshot.lv_name for snapshot in self.snapshots(operation)]

    def _snapshots_first(self, operation: Operation, volume: Volume, pool: Pool) -> list[Step]:
        """A volume that something holds is found out before the first of its snapshots is gone."""
        snapshots = self.snapshots(operation)
        if not snapshots or volume.allocated_at is None:
            return []
        vg, lv = pool.vg_name, volume.lv_name
        free = Step(
            key="free",
            title=gettext("Prove that nothing holds the volume, before its snapshots go"),
            commands=[change(deactivate(vg, lv, ident=str(volume.pk))), change(activate(vg, lv))],
        )
        going = [step for s in snapshots for step in unsnapping.steps(operation, s, mark=common.mark_of(s))]
        return [free, *going]

    def _look(
        self,
        operation: Operation,
        volume: Volume,
        pool: Pool,
        results: Sequence[Result],
    ) -> str:
        facts = common.parse(results[0], volume)
        if facts.lv is None:
            operation.state["absent"] = True
            operation.save(update_fields=["state", "updated_at"])
            return common.note_absent(volume)
        if not common.is_ours(volume, facts.lv):
            raise NotOurs(vg=pool.vg_name, lv=volume.lv_name, tag=f"hearth.id={volume.pk}")
        if facts.lv.is_origin:
            raise HasSnapshots(lv=f"{pool.vg_name}/{volume.lv_name}")
        operation.state["lv_bytes"] = facts.lv.size_bytes  # all of it is wiped, whatever the row says
        operation.save(update_fields=["state", "updated_at"])
        return ""

    def undo(self, operation: Operation, facts: common.Facts) -> Sequence[Command]:
        """Before the first byte: take the mark off and leave it active, as it was found."""
        volume = self.volume(operation)
        lv, pool = facts.lv, volume.pool
        if pool is None or lv is None or not common.is_ours(volume, lv) or self.has_begun(operation):
            return []
        commands = []
        if common.GOING_AWAY in lv.tags:
            commands.append(change(remove_tag(pool.vg_name, volume.lv_name, common.GOING_AWAY)))
        if not lv.active:
            commands.append(change(activate(pool.vg_name, volume.lv_name)))
        return commands

    def has_begun(self, operation: Operation) -> bool:
        """Whether a wipe or the removal was ever sent, in this round or before: from then on it is not whole.

        What was begun on a snapshot that goes along leaves the volume whole.
        """
        own = operation.steps.filter(key__in=("wipe", "verify", "discard", "remove"))
        sent = own.exclude(status__in=(StepRow.Status.WAITING, StepRow.Status.SKIPPED))
        return doubt.has_begun(operation) and (not operation.args.get("snapshots") or sent.exists())

    def succeed(self, operation: Operation) -> None:
        """The row goes, and with it the quota it held."""
        for snapshot in self.snapshots(operation):
            delete_snapshot.forget(operation, snapshot, mark=common.mark_of(snapshot))
        volume = self.volume(operation)
        pool = volume.pool
        if pool is not None and not operation.state.get("absent"):
            common.give_back(operation, pool, _block(operation, volume).size_bytes)
        volume.remember(volume.status, "deleted", operation=operation)
        volume.delete()

    def fail(self, operation: Operation, reason: str) -> Next:
        """Whole again, or partly erased."""
        self._settle(operation, reason)
        return Next.FAIL

    def cancel(self, operation: Operation, reason: str) -> None:
        """As a failure: what is zeroed stays zeroed."""
        self._settle(operation, reason)

    def _settle(self, operation: Operation, reason: str) -> None:
        volume = self.volume(operation)
        for snapshot in self.snapshots(operation):
            self._settle_snapshot(operation, snapshot, reason)
        if self.has_begun(operation):
            volume.transition(
                expect={Status.DELETING},
                to=Status.ERROR_DELETING,
                why=reason,
                operation=operation,
            )
            return
        before = operation.state.get("before", Status.AVAILABLE)
        kept = reason if before == Status.AVAILABLE else operation.state.get("before_why", reason)
        volume.transition(expect={Status.DELETING}, to=before, why=kept, operation=operation)

    def _settle_snapshot(self, operation: Operation, snapshot: Snapshot, reason: str) -> None:
        """Gone, in the middle of going, or as it was."""
        mark = common.mark_of(snapshot)
        removed = operation.steps.filter(key=f"remove{mark}", status=StepRow.Status.DONE)
        if removed.exists() or operation.state.get(f"absent{mark}"):
            delete_snapshot.forget(operation, snapshot, mark=mark)
            return
        before = operation.args["snapshots"][str(snapshot.pk)]
        delete_snapshot.settle(operation, snapshot, reason, mark=mark, before=before)

    def reopen(self, operation: Operation, actor: User | None) -> None:
        """Delete again, from whatever it became; snapshots taken since are not among those that were ticked."""
        for key in [key for key in operation.state if key.partition(":")[0] in {"absent", "plain"}]:
            operation.state.pop(key)
        volume = common.locked(self.volume(operation))
        _take_along(operation, _along(volume, [UUID(pk) for pk in operation.args.get("snapshots", ())]), actor)
        operation.state["before"] = operation.state.get("before", volume.status)
        operation.save(update_fields=["state", "updated_at"])
        volume.transition(expect=DELETABLE, to=Status.DELETING, operation=operation, actor=actor)


def _block(operation: Operation, volume: Volume) -> wiping.Lv:
    """Its LV, as large as the node says."""
    return wiping.Lv(volume.pk, volume.lv_name, int(operation.state.get("lv_bytes", 0)) or volume.size_bytes)


def _idle(volume: Volume, pool: Pool) -> list[Command]:
    """The tag says on the node itself what is going on; deactivating is LVM's own proof that nothing holds it open."""
    vg, lv = pool.vg_name, volume.lv_name
    return [change(deactivate(vg, lv, ident=str(volume.pk), tag=common.GOING_AWAY)), change(activate(vg, lv))]


def _group_step(pool: Pool) -> Step:
    """A missing LV counts as deleted only where the volume group is the very one that was registered."""

    def check(results: Sequence[Result]) -> str:
        found = results[0].stdout.strip()
        if pool.vg_uuid and found != pool.vg_uuid:
            raise OtherVolumeGroup(vg=pool.vg_name, node=pool.node.name, found=found)
        return gettext("It is.")

    return Step(
        key="group",
        title=gettext("See that this is the volume group that was registered"),
        commands=[read(["vgs", "--noheadings", "-o", "vg_uuid", pool.vg_name])],
        check=check,
    )


class HasSnapshots(NodeError):
    """Wiping an origin pushes its old bytes into its snapshots, until they overflow and are lost."""

    sentence = gettext_noop("%(lv)s has snapshots that were made outside Hearth. Nothing was changed.")
    way_out = gettext_noop("Look at them with `lvs` on the node and remove them there, then try again.")


class OtherVolumeGroup(NoSuchVolumeGroup):
    """The node has a volume group of that name, but it is not the one that was registered."""

    sentence = "Volume group %(vg)s on %(node)s is not the one that was registered: its UUID is %(found)s."
    way_out = "Check the node's disks. If the group was made anew on purpose, register it again."


@dataclass(frozen=True)
class Planned:
    """One line of what the dialog says will happen."""

    title: str
    estimate_s: float | None
    commands: list[str]


def plan(volume: Volume, snapshots: Iterable[Snapshot] = ()) -> list[Planned]:
    """What Delete would do, step by step, for the dialog: nothing is asked of the node. What it leaves out is left out."""
    operation = Operation(verb="delete_volume", target_id=volume.pk)
    operation.args = {"snapshots": {str(snapshot.pk): snapshot.status for snapshot in snapshots}}
    verb = DeleteVolume()
    lines = []
    for step in verb.steps(operation):
        if step.skip:
            continue
        commands = [str(c) for c in step.commands]
        if step.unit and step.phase == next(iter(step.unit.bytes_total)):
            commands += [str(c) for c in step.unit.start("hearth-…", 0)]
        lines.append(Planned(step.title, wiping.estimate_s(volume.pool, step), commands))
    return lines


def estimate_s(planned: Sequence[Planned]) -> float | None:
    """Seconds for all of it; None while a part of it was never measured on this node."""
    times = [step.estimate_s for step in planned]
    return None if None in times else sum(time or 0 for time in times)


register(DeleteVolume())
