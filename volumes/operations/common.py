"""What the verbs on volumes share: the row, its LV's facts, and the words for both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from volumes.engine.link import session
from volumes.engine.protocol import Next
from volumes.engine.protocol import Step as Plan
from volumes.errors import Conflict
from volumes.models import Node, Operation, Pool, Snapshot, User, Volume
from volumes.nodes.commands import Command, Result, read
from volumes.nodes.errors import DeviceBusy, NodeError, NoSuchLogicalVolume, NotOurs
from volumes.nodes.holders import explain_busy
from volumes.nodes.lvm.report import LogicalVolume, find_lv, parse_lv

GOING_AWAY = "hearth.deleting"


Owned = Volume | Snapshot
"""What has an LV of its own."""


@dataclass(frozen=True)
class Facts:
    """What the node says of an LV; None where there is none."""

    lv: LogicalVolume | None


def ask(owned: Owned) -> Command:
    """Ask the node for the LV. Fails when the volume group is not there; an absent LV is an answer."""
    return read(find_lv(pool_of(owned).vg_name, owned.lv_name))


def pool_of(owned: Owned) -> Pool:
    """The pool it is in."""
    if owned.pool is None:
        raise LookupError(f"{owned} is in no pool.")
    return owned.pool


def parse(result: Result) -> Facts:
    """The answer to `ask`."""
    return Facts(parse_lv(result.stdout))


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

    def facts_command(self, operation: Operation) -> Command | None:
        """The LV's facts, once there is a pool it could be in."""
        owned = self.owned(operation)
        return ask(owned) if owned.pool else None

    def facts(self, operation: Operation, result: Result) -> Facts:
        """The answer, parsed."""
        return parse(result)

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
