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
from volumes.models import Node, Operation, User, Volume
from volumes.nodes.commands import Command, Result, read
from volumes.nodes.errors import DeviceBusy, NodeError
from volumes.nodes.holders import explain_busy
from volumes.nodes.lvm.report import LogicalVolume, find_lv, parse_lv

GOING_AWAY = "hearth.deleting"


@dataclass(frozen=True)
class Facts:
    """What the node says of a volume's LV; None where there is none."""

    lv: LogicalVolume | None


def ask(volume: Volume) -> Command:
    """Ask the node for the LV. Fails when the volume group is not there; an absent LV is an answer."""
    if volume.pool is None:
        raise LookupError(f"{volume} has no pool to ask.")
    return read(find_lv(volume.pool.vg_name, volume.lv_name))


def parse(result: Result) -> Facts:
    """The answer to `ask`."""
    return Facts(parse_lv(result.stdout))


def is_ours(volume: Volume, lv: LogicalVolume) -> bool:
    """Whether the LV carries the tags that make it this volume's."""
    return lv.hearth_id == str(volume.pk)


def new_operation(verb: str, title: str, volume: Volume, actor: User) -> Operation:
    """An operation on a volume, not yet saved. `title` has a place for the volume's name."""
    return Operation(
        verb=verb,
        title=title % {"name": volume},
        project=volume.project,
        actor=actor,
        actor_name=actor.get_username(),
        target_kind="volume",
        target_id=volume.pk,
        target_name=str(volume),
        target_size_gib=volume.size_gib,
        node=volume.pool.node if volume.pool else None,
    )


def save_new(operation: Operation) -> None:
    """Write it. Where an unfinished operation on the same target is there already, that one was first."""
    try:
        with transaction.atomic():
            operation.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(gettext("Something else is being done to it already.")) from error


class VolumeVerb:
    """The parts that every verb on a volume has in common."""

    name: ClassVar[str]

    def volume(self, operation: Operation) -> Volume:
        """The volume it is about."""
        return Volume.objects.select_related("pool__node", "project").get(pk=operation.target)

    def node(self, operation: Operation) -> Node | None:
        """Where the volume is."""
        pool = self.volume(operation).pool
        return pool.node if pool else None

    def facts_command(self, operation: Operation) -> Command | None:
        """The LV's facts, once there is a pool it could be in."""
        volume = self.volume(operation)
        return ask(volume) if volume.pool else None

    def facts(self, operation: Operation, result: Result) -> Facts:
        """The answer, parsed."""
        return parse(result)

    def begin(self, operation: Operation) -> None:
        """Nothing to do."""

    def explain(self, operation: Operation, error: NodeError) -> NodeError:
        """A busy device: name the mount point, the device on top or the process that holds it."""
        volume = self.volume(operation)
        if not isinstance(error, DeviceBusy) or volume.pool is None:
            return error
        return explain_busy(session(volume.pool.node), volume.pool.vg_name, volume.lv_name, error)

    def may_leave(self, operation: Operation) -> bool:
        """A volume that is somewhere cannot be worked on elsewhere: wait for its node."""
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
