"""Release: let a volume go. Its LV stays with all its bytes, without our tags, under a name that a person gives; the row goes.

Who: administrators. From: available, without snapshots. Status: deleting -> gone; any failure: what it was. Nothing is wiped,
now or later: what becomes of the LV is from now on somebody else's business, and when they remove it, its bytes will lie in the
free space of a thick pool. So that is not called clean any more.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext, gettext_noop

from volumes import rules
from volumes.engine import outbox
from volumes.engine.protocol import Next, Step, register
from volumes.errors import NotAllowed, Refused
from volumes.models import Operation, Pool, Status, User, Volume
from volumes.nodes.commands import Command, Result, change, read
from volumes.nodes.errors import AlreadyExists, NodeError
from volumes.nodes.lvm import change as lvm
from volumes.nodes.lvm.report import LogicalVolume, find_lv
from volumes.operations import common, pool_verb


def request(volume: Volume, *, actor: User, lv_name: str = "") -> Operation:
    """Ask for it. The LV keeps its name unless it is given another. Raises Refused with the obstacle."""
    if not actor.is_administrator:
        raise NotAllowed(gettext("Only administrators release volumes."))
    with transaction.atomic():
        volume = common.locked(volume)
        if reason := rules.why_not_release(volume):
            raise Refused(reason)
        if lv_name and (reason := rules.why_not_lv_name(lv_name)):
            raise Refused(reason, field="lv_name")
        operation = common.new_operation("release_volume", gettext("Release volume %(name)s"), volume, actor)
        operation.args = {"lv_name": lv_name or volume.lv_name}
        volume.transition(
            expect={Status.AVAILABLE}, to=Status.DELETING, operation=operation, actor=actor, last_operation=operation
        )
        common.save_new(operation)
        outbox.send_on_commit(operation)
    return operation


def plan(volume: Volume, lv_name: str) -> list[pool_verb.Planned]:
    """What it would do now."""
    args = {"lv_name": lv_name or volume.lv_name}
    operation = Operation(verb="release_volume", target_id=volume.pk, args=args)
    return pool_verb.planned(ReleaseVolume().steps(operation), common.pool_of(volume))


class ReleaseVolume(common.VolumeVerb):
    """The verb; `state` remembers the LV's UUID, which stays whatever it is called."""

    name = "release_volume"

    def steps(self, operation: Operation) -> list[Step]:
        """Look; rename; take the tags off."""
        volume = self.volume(operation)
        vg, old, new = common.pool_of(volume).vg_name, volume.lv_name, str(operation.args["lv_name"])
        untag = lvm.remove_tag(vg, new, *lvm.own_tags(str(volume.pk)))
        return [
            Step(
                key="look",
                title=gettext("See that it is there and ours, and that its new name is free"),
                commands=[self._ask(volume, new)],
                check=lambda results: _look(operation, volume, new, results),
            ),
            Step(
                key="rename",
                title=gettext("Give it the name %(name)s") % {"name": new},
                commands=[change(lvm.rename(vg, old, new))],
                done=lambda facts: gettext("It has it already.") if _it(operation, facts, new) else "",
                skip=gettext("It keeps its name.") if new == old else "",
            ),
            Step(
                key="untag",
                title=gettext("Take Hearth's tags off"),
                commands=[change(untag), self._ask(volume, new)],
                check=lambda results: _let_go(operation, volume, new, results),
                done=lambda facts: _done(operation, facts, new),
            ),
        ]

    def _ask(self, volume: Volume, name: str) -> Command:
        return read(find_lv(common.pool_of(volume).vg_name, *dict.fromkeys((volume.lv_name, name))))

    def others(self, operation: Operation) -> list[str]:
        """The name it gets."""
        return [str(operation.args["lv_name"])]

    def undo(self, operation: Operation, facts: common.Facts) -> Sequence[Command]:
        """The volume's name and our tags."""
        volume, new = self.volume(operation), str(operation.args["lv_name"])
        vg, commands = common.pool_of(volume).vg_name, list[Command]()
        found = _it(operation, facts, new)
        if found is None:
            return []
        if new != volume.lv_name:
            commands.append(change(lvm.rename(vg, new, volume.lv_name)))
        if not common.is_ours(volume, found):
            commands.append(change(lvm.add_tag(vg, volume.lv_name, *lvm.own_tags(str(volume.pk)))))
        return commands

    def succeed(self, operation: Operation) -> None:
        """The row goes, and with it the quota it held."""
        volume = self.volume(operation)
        pool, why = common.pool_of(volume), gettext("Released: its LV stays on the node as %(lv)s. Nothing was wiped.")
        if not pool.is_thin:
            Pool.objects.filter(pk=pool.pk).update(free_space_is_clean=False)
        lv = f"{pool.vg_name}/{operation.args['lv_name']}"
        volume.remember(volume.status, "released", why=why % {"lv": lv}, operation=operation)
        volume.delete()

    def fail(self, operation: Operation, reason: str) -> Next:
        """What it was."""
        self.volume(operation).transition(
            expect={Status.DELETING}, to=Status.AVAILABLE, why=reason, operation=operation
        )
        return Next.FAIL

    def cancel(self, operation: Operation, reason: str) -> None:
        """As a failure."""
        self.fail(operation, reason)

    def reopen(self, operation: Operation, actor: User | None) -> None:
        """Try again, if it may still be done."""
        if actor is None or not actor.is_administrator:
            raise NotAllowed(gettext("Only administrators release volumes."))
        volume = common.locked(self.volume(operation))
        if reason := rules.why_not_release(volume):
            raise Refused(reason)
        volume.transition(expect={Status.AVAILABLE}, to=Status.DELETING, operation=operation, actor=actor)


def _look(operation: Operation, volume: Volume, new: str, results: Sequence[Result]) -> str:
    facts = common.parse(results[0], volume)
    lv = common.ours(volume, facts.lv)
    if new != volume.lv_name and new in facts.lvs:
        raise AlreadyExists(vg=lv.vg, lv=new)
    operation.state["uuid"] = lv.uuid
    operation.save(update_fields=["state", "updated_at"])
    return ""


def _it(operation: Operation, facts: common.Facts, name: str) -> LogicalVolume | None:
    """The LV, if it is called so now."""
    found = facts.lvs.get(name)
    return found if found is not None and found.uuid == operation.state.get("uuid") else None


def _done(operation: Operation, facts: common.Facts, new: str) -> str:
    found = _it(operation, facts, new)
    return gettext("They are off already.") if found is not None and found.hearth_id is None else ""


def _let_go(operation: Operation, volume: Volume, new: str, results: Sequence[Result]) -> str:
    if not _done(operation, common.parse(results[-1], volume), new):
        raise NotReleased(lv=new)
    return gettext("read back: it is not ours any more; its bytes are as they were")


class NotReleased(NodeError):
    """Every command succeeded, and it still is ours."""

    sentence = gettext_noop("%(lv)s was to be released, and still carries Hearth's tags.")


register(ReleaseVolume())
