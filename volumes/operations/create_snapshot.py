"""Create Snapshot: freeze a volume's content of this moment, in the same pool. It leans on its volume; it is not a backup.

Who: members. From: a volume that is available or in use (then it is what a power failure would leave: crash-consistent). The
volume's status does not change. Snapshot: creating -> available, or `error` with the reason and nothing left on the node.
Thick: what the volume overwrites later is kept in copy-on-write space of the snapshot's own; when that is full, it is lost.
By default it has room for all of the volume and cannot overflow; where the pool has less, it gets less, and grows by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from volumes import placement, rules
from volumes.engine import outbox
from volumes.engine.protocol import Next, Step, register
from volumes.errors import NoRoom, NotAllowed, QuotaExceeded, Refused
from volumes.models import GIB, Operation, Pool, Snapshot, SnapshotStatus, User, Volume
from volumes.nodes.commands import Command, Result, change
from volumes.nodes.errors import AlreadyExists, NodeError
from volumes.nodes.lvm import change as lvm
from volumes.operations import common

LEAST_SHARE = 10
"""Percent of its volume's size below which a snapshot would be lost too soon to be worth taking."""


def full_cow_bytes(size_bytes: int, extent_bytes: int) -> int:
    """Copy-on-write space that no overwriting can fill: every 4 KiB chunk with its 16 bytes of metadata, in whole extents.

    One extent more than that is for the header and rounding; LVM cuts away what can never be used.
    """
    needed = size_bytes + size_bytes // 256 + extent_bytes
    return -(-needed // extent_bytes) * extent_bytes


def cow_bytes(volume: Volume, pool: Pool, room_bytes: int) -> int:
    """What a new snapshot of a thick volume gets; 0 where the pool has too little."""
    full = full_cow_bytes(volume.size_bytes, pool.extent_size_bytes)
    if full <= room_bytes:
        return full
    least = max(volume.size_bytes * LEAST_SHARE // 100, 16 * pool.extent_size_bytes)
    return room_bytes // pool.extent_size_bytes * pool.extent_size_bytes if room_bytes >= least else 0


def request(
    volume: Volume, *, actor: User, name: str = "", description: str = "", metadata: Mapping[str, str] | None = None
) -> Operation:
    """Ask for it. Quota is taken here: one snapshot, and its volume's GiB. Raises Refused with the obstacle."""
    if not rules.may_act(actor, volume.project):
        raise NotAllowed(gettext("You may look at this project, but not change it."))
    with transaction.atomic():
        project = type(volume.project).objects.select_for_update().get(pk=volume.project_id)
        volume = common.locked(volume)
        if reason := rules.why_not_snapshot(volume):
            raise Refused(reason)
        if reason := rules.why_not_snapshot_quota(project, volume.size_gib):
            raise QuotaExceeded(reason, field="name")
        snapshot = Snapshot(
            project=project,
            volume=volume,
            name=name,
            description=description,
            metadata=dict(metadata or {}),
            size_gib=volume.size_gib,
            cow_bytes=_space_for(volume),
            created_by=actor,
        )
        title = gettext("Create snapshot %(name)s of %(volume)s")
        operation = common.new_operation(
            "create_snapshot", title % {"name": "%(name)s", "volume": str(volume).replace("%", "%%")}, snapshot, actor
        )
        operation.save(force_insert=True)
        snapshot.last_operation = operation
        snapshot.save(force_insert=True)
        snapshot.remember("", snapshot.status, operation=operation, actor=actor)
        outbox.send_on_commit(operation)
    return operation


def _space_for(volume: Volume) -> int:
    """Copy-on-write space, promised under the pool's lock; 0 for thin. Raises NoRoom."""
    locked = Pool.objects.select_for_update().get(pk=common.pool_of(volume).pk)
    pool = Pool.objects.with_promises().get(pk=locked.pk)
    room = placement.room_bytes(pool)
    if reason := placement.why_unusable(pool, growing=True):
        raise NoRoom(f"{pool}: {reason}", field="name")
    if pool.is_thin:
        if volume.size_bytes > room:
            raise NoRoom(placement.why_not(pool, volume.size_bytes, room) or "", field="name")
        return 0
    space = cow_bytes(volume, pool, room)
    if not space:
        said = gettext(
            "%(pool)s has %(room)d MiB of room; a snapshot of %(size)d GiB needs at least a tenth of that for what will be "
            "overwritten."
        )
        raise NoRoom(said % {"pool": pool, "room": room // 1024**2, "size": volume.size_gib}, field="name")
    return space


class CreateSnapshot(common.SnapshotVerb):
    """The verb."""

    name = "create_snapshot"

    def steps(self, operation: Operation) -> list[Step]:
        """One command, and the look that it worked."""
        snapshot = self.snapshot(operation)
        pool = common.pool_of(snapshot)
        return [
            Step(
                key="origin",
                title=gettext("See that the volume is there and ours"),
                commands=[common.ask(snapshot.volume)],
                check=lambda results: _origin(snapshot, results),
            ),
            Step(
                key="make",
                title=gettext("Freeze it"),
                commands=[change(_make(snapshot, pool)), common.ask(snapshot)],
                check=lambda results: _made(operation, snapshot, results),
                done=lambda facts: _already(operation, snapshot, facts),
            ),
        ]

    def undo(self, operation: Operation, facts: common.Facts) -> Sequence[Command]:
        """Remove it, if there is one and it is ours."""
        snapshot = self.snapshot(operation)
        if facts.lv is None or not common.is_ours(snapshot, facts.lv):
            return []
        pool = common.pool_of(snapshot)
        if not pool.is_thin:  # what the volume has overwritten since is in there, and is not wiped here
            Pool.objects.filter(pk=pool.pk).update(free_space_is_clean=False)
        return [change(lvm.remove(pool.vg_name, snapshot.lv_name, ident=str(snapshot.pk)))]

    def succeed(self, operation: Operation) -> None:
        """It is there."""
        snapshot = self.snapshot(operation)
        snapshot.transition(
            expect={SnapshotStatus.CREATING},
            to=SnapshotStatus.AVAILABLE,
            operation=operation,
            allocated_at=timezone.now(),
            cow_bytes=operation.state.get("cow_bytes", snapshot.cow_bytes),
        )

    def fail(self, operation: Operation, reason: str) -> Next:
        """Not made."""
        self._give_up(operation, reason)
        return Next.FAIL

    def cancel(self, operation: Operation, reason: str) -> None:
        """Taken back; the row stays, so that nothing vanishes unexplained."""
        self._give_up(operation, reason)

    def _give_up(self, operation: Operation, reason: str) -> None:
        snapshot = self.snapshot(operation)
        left = operation.state.get("taken_back") != operation.round
        snapshot.transition(
            expect={SnapshotStatus.CREATING},
            to=SnapshotStatus.ERROR,
            why=reason,
            operation=operation,
            cow_bytes=snapshot.cow_bytes if left else 0,
        )

    def reopen(self, operation: Operation, actor: User | None) -> None:
        """Take it now: a snapshot is of the moment in which it is made, and its size is the volume's."""
        snapshot = self.snapshot(operation)
        volume = common.locked(snapshot.volume)
        if reason := rules.why_not_snapshot(volume):
            raise Refused(reason)
        snapshot.transition(
            expect={SnapshotStatus.ERROR},
            to=SnapshotStatus.CREATING,
            operation=operation,
            actor=actor,
            size_gib=volume.size_gib,
            cow_bytes=_space_for(volume),
        )


def _make(snapshot: Snapshot, pool: Pool) -> list[str]:
    tags = lvm.own_tags(str(snapshot.pk))
    origin, name = snapshot.volume.lv_name, snapshot.lv_name
    if pool.is_thin:
        return lvm.snapshot_thin(pool.vg_name, origin, name, tags=tags)
    return lvm.snapshot_thick(pool.vg_name, origin, name, snapshot.cow_bytes, tags=tags)


def _origin(snapshot: Snapshot, results: Sequence[Result]) -> str:
    lv = common.ours(snapshot.volume, common.parse(results[0], snapshot.volume).lv)
    if lv.size_bytes != snapshot.size_gib * GIB:
        raise OtherSize(lv=lv.name, found=lv.size_bytes, asked=snapshot.size_bytes)
    return gettext("It has %(bytes)d bytes.") % {"bytes": lv.size_bytes}


def _made(operation: Operation, snapshot: Snapshot, results: Sequence[Result]) -> str:
    return _note(operation, snapshot, common.parse(results[-1], snapshot))


def _already(operation: Operation, snapshot: Snapshot, facts: common.Facts) -> str:
    if facts.lv is None:
        return ""
    if not common.is_ours(snapshot, facts.lv):
        raise AlreadyExists(vg=facts.lv.vg, lv=facts.lv.name)
    return _note(operation, snapshot, facts)


def _note(operation: Operation, snapshot: Snapshot, facts: common.Facts) -> str:
    lv = common.ours(snapshot, facts.lv)
    if lv.origin != snapshot.volume.lv_name:
        raise OtherOrigin(lv=lv.name, found=lv.origin or "-", asked=snapshot.volume.lv_name)
    if lv.is_thin:
        return gettext("read back: it shares the blocks of %(origin)s") % {"origin": lv.origin}
    operation.state["cow_bytes"] = lv.size_bytes
    operation.save(update_fields=["state", "updated_at"])
    return gettext("read back: %(bytes)d bytes for what will be overwritten") % {"bytes": lv.size_bytes}


class OtherOrigin(NodeError):
    """It is a snapshot of something else."""

    sentence = gettext_noop("%(lv)s is a snapshot of %(found)s, not of %(asked)s.")


class OtherSize(NodeError):
    """The LV has another size than the row says."""

    sentence = gettext_noop("%(lv)s has %(found)s bytes where %(asked)s are on record. No snapshot was made.")
    way_out = gettext_noop("See on the pool's page what differs; an administrator decides which size is right.")


register(CreateSnapshot())
