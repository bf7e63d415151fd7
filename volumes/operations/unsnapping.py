"""Removing a snapshot as steps, shared by Delete Snapshot and by a Delete Volume that takes its snapshots along.

Thick: the snapshot is parted from its origin, which fails while anything has it open; what is left is a plain LV with its
copy-on-write space, which holds bytes of the volume and so is wiped and read back as a deleted volume is. Thin: its blocks go
back to the thin pool, which hands out zeroed blocks only.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext, gettext_noop

from volumes.engine.protocol import Step
from volumes.models import Operation, Pool, Snapshot
from volumes.models.step import Step as StepRow
from volumes.nodes.commands import Command, Result, change
from volumes.nodes.errors import NodeError
from volumes.nodes.lvm import change as lvm
from volumes.nodes.lvm.report import LogicalVolume
from volumes.operations import common, wiping

TOUCHED = ("part", "wipe", "remove")
"""Keys of the steps after which a snapshot is no longer what it was."""


def steps(operation: Operation, snapshot: Snapshot, *, mark: str = "") -> list[Step]:
    """The steps. `mark` tells several snapshots of one operation apart."""
    pool = common.pool_of(snapshot)
    gone = gettext("There is no LV to do it to.") if operation.state.get(f"absent{mark}") else ""
    name = {"name": snapshot}
    look = Step(
        key=f"look{mark}",
        title=gettext("See that snapshot %(name)s is there and ours") % name,
        commands=[common.ask(snapshot)],
        check=lambda results: _look(operation, snapshot, mark, results),
    )
    return [
        look,
        *([] if pool.is_thin else _thick(operation, snapshot, pool, gone, mark)),
        Step(
            key=f"remove{mark}",
            title=gettext("Remove snapshot %(name)s and see that it is gone") % name,
            commands=[change(lvm.remove(pool.vg_name, snapshot.lv_name, ident=str(snapshot.pk))), common.ask(snapshot)],
            destroys=True,
            check=lambda results: common.gone(snapshot, results),
            done=lambda facts: "" if snapshot.lv_name in facts.lvs else gettext("It is gone already."),
            skip=gone,
        ),
    ]


def _thick(operation: Operation, snapshot: Snapshot, pool: Pool, gone: str, mark: str) -> list[Step]:
    vg, lv, ident = pool.vg_name, snapshot.lv_name, str(snapshot.pk)
    parting: list[Command] = [
        *([] if operation.state.get(f"split{mark}") else [change(lvm.split_snapshot(vg, lv))]),
        change(lvm.writable(vg, lv)),
        change(lvm.deactivate(vg, lv, ident=ident, tag=common.GOING_AWAY)),
        change(lvm.activate(vg, lv)),
    ]

    def parted(facts: common.Facts) -> str:
        found = facts.lvs.get(lv)
        if found is not None:
            _note_split(operation, mark, found)
        return gettext("It is parted from its volume already.") if found is not None and _is_parted(found) else ""

    part = Step(
        key=f"part{mark}",
        title=gettext("Part it from its volume; its content cannot be read from here on"),
        commands=[*parting, common.ask(snapshot)],
        check=lambda results: _see_parted(snapshot, results),
        done=parted,
        skip=gone or (gettext("It was parted by an earlier try.") if operation.state.get(f"plain{mark}") else ""),
        destroys=True,
    )
    size = int(operation.state.get(f"cow_bytes{mark}", 0)) or snapshot.cow_bytes or snapshot.size_bytes
    block = wiping.Lv(snapshot.pk, lv, size)
    return [part, *wiping.thick_steps(block, pool, skip=gone, mark=mark)]


def _look(operation: Operation, snapshot: Snapshot, mark: str, results: Sequence[Result]) -> str:
    facts = common.parse(results[0], snapshot)
    if facts.lv is None:
        operation.state[f"absent{mark}"] = True
        note = common.note_absent(snapshot)
    else:
        lv = common.ours(snapshot, facts.lv)
        operation.state[f"cow_bytes{mark}"] = lv.size_bytes
        operation.state[f"plain{mark}"] = _is_parted(lv)
        _note_split(operation, mark, lv)
        note = ""
    operation.save(update_fields=["state", "updated_at"])
    return note


def _note_split(operation: Operation, mark: str, lv: LogicalVolume) -> None:
    """What is a plain LV already cannot be parted again."""
    operation.state[f"split{mark}"] = not lv.is_thick_snapshot
    operation.save(update_fields=["state", "updated_at"])


def _is_parted(lv: LogicalVolume) -> bool:
    """A plain LV, marked, and activated anew after it was proven that nothing holds it."""
    return not lv.is_thick_snapshot and lv.active and common.GOING_AWAY in lv.tags


def _see_parted(snapshot: Snapshot, results: Sequence[Result]) -> str:
    lv = common.ours(snapshot, common.parse(results[-1], snapshot).lv)
    if lv.is_thick_snapshot:
        raise NotParted(lv=lv.name)
    return gettext("read back: a plain LV of %(bytes)d bytes, which nothing holds") % {"bytes": lv.size_bytes}


def touched(operation: Operation, mark: str = "") -> bool:
    """Whether a snapshot is no longer what it was: parting, wiping or removing it was sent, in this round or before."""
    rows = operation.steps.filter(key__in=[f"{key}{mark}" for key in TOUCHED])
    return rows.exclude(status__in=(StepRow.Status.WAITING, StepRow.Status.SKIPPED)).exists()


class NotParted(NodeError):
    """lvconvert said yes and it is a snapshot still."""

    sentence = gettext_noop("%(lv)s was to be parted from its volume, and is a snapshot still.")
