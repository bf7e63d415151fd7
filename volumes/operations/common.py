"""What the verbs on volumes share: the row, its LV's facts, and the words for both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext, gettext_noop

from volumes.engine.link import session
from volumes.engine.protocol import Next
from volumes.engine.protocol import Step as Plan
from volumes.errors import Conflict
from volumes.models import Node, Operation, Pool, Snapshot, User, Volume
from volumes.models.step import Step as StepRow
from volumes.nodes.commands import Command, Result, read
from volumes.nodes.errors import DeviceBusy, NodeError, NoSuchLogicalVolume, NotOurs
from volumes.nodes.holders import explain_busy
from volumes.nodes.lvm.report import LogicalVolume, find_lv, parse_report

GOING_AWAY = "hearth.deleting"


Owned = Volume | Snapshot
"""What has an LV of its own."""


@dataclass(frozen=True)
class Facts:
    """What the node says of an LV, None where there is none; and of the other LVs that were asked for, by name."""

    lv: LogicalVolume | None
    lvs: Mapping[str, LogicalVolume] = field(default_factory=dict)


def ask(owned: Owned, *more: str) -> Command:
    """Ask the node for the LV, and for `more` by their names. Fails when the group is not there; an absent LV is an answer."""
    return read(find_lv(pool_of(owned).vg_name, owned.lv_name, *more))


def ask_in(vgs: Iterable[str], *names: str) -> Command:
    """The same for LVs of several volume groups."""
    return read(find_lv(sorted(vgs), *names))


def named(result: Result, name: str) -> LogicalVolume | None:
    """One LV out of the answer."""
    return next((lv for lv in parse_report(result.stdout).lvs if lv.name == name), None)


def pool_of(owned: Owned) -> Pool:
    """The pool it is in."""
    if owned.pool is None:
        raise LookupError(f"{owned} is in no pool.")
    return owned.pool


def parse(result: Result, owned: Owned) -> Facts:
    """The answer to `ask`."""
    lvs = {lv.name: lv for lv in parse_report(result.stdout).lvs}
    return Facts(lvs.get(owned.lv_name), lvs)


def is_ours(owned: Owned, lv: LogicalVolume) -> bool:
    """Whether the LV carries the tags that make it this row's."""
    return lv.hearth_id == str(owned.pk)


def ours(owned: Owned, lv: LogicalVolume | None) -> LogicalVolume:
    """The LV, which has to be there and ours. Raises NoSuchLogicalVolume, NotOurs."""
    vg = pool_of(owned).vg_name
    if lv is None:
        raise NoSuchLogicalVolume(lv=owned.lv_name, vg=vg)
    if not is_ours(owned, lv):
        raise NotOurs(vg=vg, lv=owned.lv_name, tag=f"hearth.id={owned.pk}")
    return lv


def gone(owned: Owned, results: Sequence[Result]) -> str:
    """The look after a removal: it has to be gone. Raises StillThere."""
    if (lv := parse(results[-1], owned).lv) is not None:
        raise StillThere(lv=lv.name)
    return gettext("read back: it is gone")


def note_absent(owned: Owned) -> str:
    """There is no LV where one was: say whose doing that is. If nobody wiped it, the pool's free space is not clean."""
    if owned.allocated_at is None:
        return gettext("No LV was ever made for it.")
    if was_removed_by_us(owned):
        return gettext("It is gone: an earlier try had removed it.")
    Pool.objects.filter(pk=pool_of(owned).pk).update(free_space_is_clean=False)
    return gettext(
        "Its LV is not there: somebody removed it outside Hearth. Nothing was wiped, so the pool's free space "
        "is no longer taken for clean."
    )


def was_removed_by_us(owned: Owned) -> bool:
    """Whether a removal was sent in an earlier round or operation; what was not wiped by then is booked already."""
    keys = Q(operation__target_id=owned.pk, key="remove") | Q(key=f"remove{mark_of(owned)}")
    sent = StepRow.objects.filter(keys).exclude(node=None)
    return sent.exclude(status__in=(StepRow.Status.WAITING, StepRow.Status.SKIPPED)).exists()


def mark_of(owned: Owned) -> str:
    """What tells its steps apart where an operation has the same ones for several; a step's key has 32 characters."""
    return f":{owned.pk.hex[:20]}"


def give_back(operation: Operation, pool: Pool, freed_bytes: int, *, mark: str = "") -> None:
    """The pool has its extents back. They are clean only if what was on them was seen to be zero."""
    if pool.is_thin:
        return
    wiped = operation.steps.filter(key=f"verify{mark}", status=StepRow.Status.DONE).exists()
    fields = {} if wiped else {"free_space_is_clean": False}
    Pool.objects.filter(pk=pool.pk).update(free_bytes=F("free_bytes") + freed_bytes, **fields)


def locked(volume: Volume) -> Volume:
    """The row, fresh, and nobody else's until the transaction ends: for whatever depends on more than its status.

    Raises Conflict when it is gone.
    """
    found = Volume.objects.select_for_update(of=("self",)).select_related("project", "pool__node").filter(pk=volume.pk)
    if (row := found.first()) is None:
        raise Conflict(gettext("%(name)s no longer exists.") % {"name": volume})
    return row


def new_operation(verb: str, title: str, owned: Owned, actor: User) -> Operation:
    """An operation on a volume or snapshot, not yet saved. `title` has a place for its name."""
    return Operation(
        verb=verb,
        title=title % {"name": owned},
        project=owned.project,
        actor=actor,
        actor_name=actor.get_username(),
        target_kind=owned.kind,
        target_id=owned.pk,
        target_name=str(owned),
        target_size_gib=owned.size_gib,
        node=owned.pool.node if owned.pool else None,
    )


def save_new(operation: Operation) -> None:
    """Write it. Where an unfinished operation on the same target is there already, that one was first."""
    try:
        with transaction.atomic():
            operation.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(gettext("Something else is being done to it already.")) from error


class OwnedVerb:
    """The parts that every verb on a volume or a snapshot has in common."""

    name: ClassVar[str]

    def owned(self, operation: Operation) -> Owned:
        """What it is about."""
        raise LookupError(f"{self.name} is about nothing.")

    def node(self, operation: Operation) -> Node | None:
        """Where it is."""
        pool = self.owned(operation).pool
        return pool.node if pool else None

    def others(self, operation: Operation) -> list[str]:
        """Names of the other LVs whose facts matter."""
        return []

    def facts_command(self, operation: Operation) -> Command | None:
        """The LV's facts, once there is a pool it could be in."""
        owned = self.owned(operation)
        return ask(owned, *self.others(operation)) if owned.pool else None

    def facts(self, operation: Operation, result: Result) -> Facts:
        """The answer, parsed."""
        return parse(result, self.owned(operation))

    def begin(self, operation: Operation) -> None:
        """Nothing to do."""

    def explain(self, operation: Operation, error: NodeError) -> NodeError:
        """A busy device: name the mount point, the device on top or the process that holds it."""
        owned = self.owned(operation)
        if not isinstance(error, DeviceBusy) or owned.pool is None:
            return error
        return explain_busy(session(owned.pool.node), owned.pool.vg_name, owned.lv_name, error)

    def may_leave(self, operation: Operation) -> bool:
        """What is somewhere cannot be worked on elsewhere: wait for its node."""
        return False

    def undo(self, operation: Operation, facts: Facts) -> Sequence[Command]:
        """Nothing to take back."""
        return []

    def steps(self, operation: Operation) -> list[Plan]:
        """The plan."""
        raise LookupError(f"{self.name} has no plan.")

    def succeed(self, operation: Operation) -> None:
        """Nothing more to do."""

    def fail(self, operation: Operation, reason: str) -> Next:
        """It failed for good."""
        return Next.FAIL

    def cancel(self, operation: Operation, reason: str) -> None:
        """Nothing more to do."""

    def reopen(self, operation: Operation, actor: User | None) -> None:
        """Nothing to move back."""


class VolumeVerb(OwnedVerb):
    """A verb on a volume."""

    def volume(self, operation: Operation) -> Volume:
        """The volume it is about."""
        return Volume.objects.select_related("pool__node", "project").get(pk=operation.target)

    def owned(self, operation: Operation) -> Owned:
        """The volume."""
        return self.volume(operation)


class SnapshotVerb(OwnedVerb):
    """A verb on a snapshot."""

    def snapshot(self, operation: Operation) -> Snapshot:
        """The snapshot it is about."""
        return Snapshot.objects.select_related("volume__pool__node", "project").get(pk=operation.target)

    def owned(self, operation: Operation) -> Owned:
        """The snapshot."""
        return self.snapshot(operation)


class StillThere(NodeError):
    """lvremove said yes and the LV is still listed."""

    sentence = gettext_noop("%(lv)s was removed, and is still there.")
