"""Extend Snapshot: give a thick snapshot more copy-on-write space before it overflows. Hearth asks for it by itself.

From: available. The status does not change; a snapshot that nobody could give more room says so where it is listed.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext, gettext_noop

from volumes import placement
from volumes.engine import outbox
from volumes.engine.protocol import Next, Step, register
from volumes.errors import Conflict
from volumes.models import NEARLY_FULL_PERCENT, Operation, Pool, Snapshot, SnapshotStatus
from volumes.nodes.commands import Result, change
from volumes.nodes.errors import NodeError
from volumes.nodes.lvm import change as lvm
from volumes.operations import common, create_snapshot

SHARE = 25
"""Percent of its volume's size by which it grows at a time."""


def nearly_full() -> list[Snapshot]:
    """Thick snapshots that will soon overflow, could still use more space, and are not being given any."""
    full = Snapshot.objects.filter(
        status=SnapshotStatus.AVAILABLE, snap_percent__gte=NEARLY_FULL_PERCENT, volume__pool__thin_pool_name=""
    )
    busy = Operation.objects.unfinished().filter(target_kind="snapshot").values("target_id")
    rows = full.exclude(pk__in=busy).select_related("volume__pool__node", "project")
    return [row for row in rows if row.cow_bytes < _most(row, common.pool_of(row))]


def _most(snapshot: Snapshot, pool: Pool) -> int:
    """LVM takes one extent less than what `full_cow_bytes` asks, to have room for rounding."""
    return create_snapshot.full_cow_bytes(snapshot.size_bytes, pool.extent_size_bytes) - pool.extent_size_bytes


def request(snapshot: Snapshot) -> Operation | None:
    """Ask for it; None where its pool has no room, or somebody else is at work on the snapshot."""
    with transaction.atomic():
        locked = Pool.objects.select_for_update().get(pk=common.pool_of(snapshot).pk)
        pool = Pool.objects.with_promises().get(pk=locked.pk)
        room = placement.room_bytes(pool) if placement.why_unusable(pool, growing=True) is None else 0
        extent = pool.extent_size_bytes
        wanted = min(snapshot.size_bytes * SHARE // 100, _most(snapshot, pool) - snapshot.cow_bytes, room)
        if wanted < extent:
            return None
        operation = Operation(
            verb="extend_snapshot",
            title=gettext("Give snapshot %(name)s more room") % {"name": snapshot},
            project=snapshot.project,
            actor_name="Hearth",
            target_kind=snapshot.kind,
            target_id=snapshot.pk,
            target_name=str(snapshot),
            target_size_gib=snapshot.size_gib,
            node=pool.node,
            args={"from_bytes": snapshot.cow_bytes, "to_bytes": snapshot.cow_bytes + -(-wanted // extent) * extent},
        )
        try:
            common.save_new(operation)
        except Conflict:
            return None
        outbox.send_on_commit(operation)
    return operation


class ExtendSnapshot(common.SnapshotVerb):
    """The verb."""

    name = "extend_snapshot"

    def steps(self, operation: Operation) -> list[Step]:
        """One command, and the look that it worked."""
        snapshot = self.snapshot(operation)
        vg, to_bytes = common.pool_of(snapshot).vg_name, int(operation.args["to_bytes"])

        def check(results: Sequence[Result]) -> str:
            lv = common.ours(snapshot, common.parse(results[-1], snapshot).lv)
            Snapshot.objects.filter(pk=snapshot.pk).update(cow_bytes=lv.size_bytes, snap_percent=lv.snap_percent)
            return gettext("read back: %(bytes)d bytes, %(percent).1f %% used") % {
                "bytes": lv.size_bytes,
                "percent": lv.snap_percent or 0.0,
            }

        def looked(results: Sequence[Result]) -> str:
            lv = common.ours(snapshot, common.parse(results[-1], snapshot).lv)
            if lv.snapshot_invalid or not lv.is_thick_snapshot:
                raise TooLate(lv=lv.name)
            return ""

        return [
            Step(
                key="look",
                title=gettext("See that it is there, ours, and not lost yet"),
                commands=[common.ask(snapshot)],
                check=looked,
            ),
            Step(
                key="grow",
                title=gettext("Give its copy-on-write space %(mib)d MiB")
                % {"mib": (to_bytes - int(operation.args["from_bytes"])) // 1024**2},
                commands=[change(lvm.extend(vg, snapshot.lv_name, to_bytes)), common.ask(snapshot)],
                check=check,
                done=lambda facts: (
                    gettext("It has that already.") if facts.lv and facts.lv.size_bytes >= to_bytes else ""
                ),
            ),
        ]

    def fail(self, operation: Operation, reason: str) -> Next:
        """The snapshot is what it was; the next look tries again."""
        return Next.FAIL


class TooLate(NodeError):
    """It overflowed meanwhile, or is no snapshot any more."""

    sentence = gettext_noop("%(lv)s has overflowed already, so more room would not help.")


register(ExtendSnapshot())
