"""Compare rows with nodes. What is provably wrong in a row is put right; everything else is shown as drift.

Nothing here ever changes or removes an LV.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext

from volumes.errors import Conflict
from volumes.models import (
    MOVING,
    OWNED,
    SNAPSHOT_MOVING,
    Drift,
    Node,
    Operation,
    Pool,
    Snapshot,
    SnapshotStatus,
    Status,
    StatusChange,
    Step,
    Volume,
)
from volumes.nodes.lvm.report import LogicalVolume
from volumes.nodes.units import UnitState

log = structlog.get_logger(__name__)
SETTLED = timedelta(seconds=20)
"""A row that changed later than this before the look is left to its operation."""
SKEW_S = 5.0
WARN_PERCENT = 80.0
STRAY: dict[str, str] = {
    Status.DELETING: Status.ERROR_DELETING,
    Status.EXTENDING: Status.ERROR_EXTENDING,
    Status.REVERTING: Status.ERROR_REVERTING,
}
"""What a row becomes that says it moves while nothing moves it; `error` where nothing is said here."""


def compare(node: Node, asked_at: datetime, units: Iterable[UnitState] = ()) -> None:
    """Everything that differs on this node, as of `asked_at`."""
    seen = _compare_units(node, units)
    for pool in node.pools.all():
        if not pool.present:
            seen.append(
                _drift(
                    node,
                    pool,
                    Drift.Kind.POOL_MISSING,
                    pool.lvm_name,
                    pool.missing_reason,
                )
            )
            continue
        seen += _compare_pool(node, pool, asked_at)
    skew = float(node.facts.get("clock_skew_s", 0.0))
    if abs(skew) > SKEW_S:
        detail = gettext("The clock of %(node)s is off by %(skew).0f s.") % {
            "node": node,
            "skew": skew,
        }
        seen.append(_drift(node, None, Drift.Kind.CLOCK_SKEW, node.name, detail))
    _store(node, seen, asked_at)
    settle_strays()


def _compare_units(node: Node, units: Iterable[UnitState]) -> list[Drift]:
    """Units that nobody waits for: those of ours that ended are cleaned away, the others are shown."""
    there = {unit.name: unit for unit in units}
    rows = Step.objects.filter(unit__in=there).select_related("operation")
    for row in rows:
        unit = there.pop(row.unit, None)
        if unit is not None and unit.ended and row.operation.is_finished and "clean_up" not in row.facts:
            row.facts = {**row.facts, "clean_up": True}
            row.save(update_fields=["facts"])
    detail = gettext("%(unit)s runs or ran on %(node)s, and no step of an operation knows it.")
    return [
        _drift(node, None, Drift.Kind.UNIT_WITHOUT_STEP, name, detail % {"unit": name, "node": node}) for name in there
    ]


def _drift(node: Node, pool: Pool | None, kind: str, subject: str, detail: str) -> Drift:
    return Drift(node=node, pool=pool, kind=kind, subject=subject, detail=detail)


def _compare_pool(node: Node, pool: Pool, asked_at: datetime) -> list[Drift]:
    listed = {lv["name"]: lv for lv in pool.facts.get("lvs", [])}
    busy = _at_work(asked_at)
    rows = pool.volumes.select_related("project", "pool__node")
    seen = [*_thin_warnings(node, pool)]
    known = set()
    for volume in rows:
        known.add(volume.lv_name)
        if volume.pk in busy or volume.updated_at > asked_at - SETTLED:
            continue
        seen += _compare_volume(node, pool, volume, listed.get(volume.lv_name))
    for snapshot in Snapshot.objects.filter(volume__pool=pool).select_related("project", "volume__pool__node"):
        known.add(snapshot.lv_name)
        if snapshot.pk not in busy:
            seen += _compare_snapshot(node, pool, snapshot, listed.get(snapshot.lv_name), asked_at)
    strangers = [lv for name, lv in listed.items() if name not in known and _uuid(lv["hearth_id"]) not in busy]
    for lv in strangers:
        if lv["segtype"] != "thin-pool":
            seen += _compare_stranger(node, pool, lv)
    now = {lv["name"]: [lv.get("uuid", ""), lv["size_bytes"]] for lv in strangers}
    ours = [lv for name, lv in listed.items() if name not in now or _is_our_thin_pool(lv)]
    _remember_strangers(pool, now, {lv.get("uuid") or lv["name"]: lv["size_bytes"] for lv in ours})
    return seen


def _at_work(asked_at: datetime) -> set[UUID | None]:
    """What an operation is under way on, or ended so lately that what the node said may be older than that.

    A volume that is deleted takes its snapshots along: they name its operation as their last. An LV that an operation makes
    for a while (room that is made ready, free space that is scrubbed, a new thin pool) carries the id of the operation, or
    of what that is about.
    """
    lately = Operation.objects.filter(Q(finished_at=None) | Q(finished_at__gte=asked_at - SETTLED))
    found: set[UUID | None] = {ident for pair in lately.values_list("target_id", "pk") for ident in pair}
    for model in OWNED.values():
        found |= set(model.objects.filter(last_operation__in=lately).values_list("pk", flat=True))
    return found


def _compare_volume(node: Node, pool: Pool, volume: Volume, lv: dict[str, object] | None) -> list[Drift]:
    subject = f"{pool.vg_name}/{volume.lv_name}"
    if lv is not None and lv["hearth_id"] != str(volume.pk):
        lv = None  # of the same name, and not ours
    if lv is None:
        if volume.allocated_at is None:
            return []
        detail = gettext("Volume %(name)s of project %(project)s has no LV in %(pool)s.") % {
            "name": volume,
            "project": volume.project,
            "pool": pool,
        }
        _missing_lv(volume, detail)
        return [_drift(node, pool, Drift.Kind.ROW_WITHOUT_LV, subject, detail)]
    more = int(str(lv["size_bytes"])) - volume.size_bytes  # LVM rounds up to whole extents
    if not 0 <= more < pool.extent_size_bytes and volume.allocated_at is not None:
        if more < 0:
            _no_longer_clean(pool, [subject])  # whoever shrank it wiped nothing
        detail = gettext("The row of %(name)s says %(row)d bytes, the node %(lv)d.") % {
            "name": volume,
            "row": volume.size_bytes,
            "lv": lv["size_bytes"],
        }
        return [_drift(node, pool, Drift.Kind.SIZE_DIFFERS, subject, detail)]
    _is_back(volume)
    return []


def _compare_snapshot(
    node: Node, pool: Pool, snapshot: Snapshot, lv: dict[str, Any] | None, asked_at: datetime
) -> list[Drift]:
    """How full a thick snapshot is, and whether it is lost; the rest as for volumes."""
    if lv is not None and lv["hearth_id"] != str(snapshot.pk):
        lv = None  # of the same name, and not ours
    if lv is not None and not pool.is_thin:
        _note_fill(snapshot, lv)
    if snapshot.updated_at > asked_at - SETTLED or snapshot.allocated_at is None or lv is not None:
        return []
    words = {"name": snapshot, "project": snapshot.project, "pool": pool}
    detail = gettext("Snapshot %(name)s of project %(project)s has no LV in %(pool)s.") % words
    if snapshot.status == SnapshotStatus.AVAILABLE:
        _move(snapshot, {SnapshotStatus.AVAILABLE}, SnapshotStatus.ERROR, detail)
    return [_drift(node, pool, Drift.Kind.ROW_WITHOUT_LV, f"{pool.vg_name}/{snapshot.lv_name}", detail)]


def _note_fill(snapshot: Snapshot, lv: dict[str, Any]) -> None:
    """The row says what the node says. What LVM calls invalid is lost, and says so at once."""
    percent, size = lv.get("snap_percent"), lv["size_bytes"]
    if (snapshot.snap_percent, snapshot.cow_bytes) != (percent, size):
        Snapshot.objects.filter(pk=snapshot.pk).update(snap_percent=percent, cow_bytes=size)
    if lv.get("snapshot_invalid"):
        why = gettext("Its copy-on-write space overflowed, so its content is lost. The volume is not touched by that.")
        _move(snapshot, {SnapshotStatus.AVAILABLE}, SnapshotStatus.INVALID, why)


def _move(owned: Volume | Snapshot, expect: set[str], to: str, why: str) -> None:
    """Unless somebody was faster, or it is that already."""
    if owned.status not in expect:
        return
    try:
        owned.transition(expect=expect, to=to, why=why)
    except Conflict:
        log.info("moved meanwhile", kind=owned.kind, id=str(owned.pk))


def _is_back(volume: Volume) -> None:
    """Only what this module itself called an error, for want of an LV, is called available again."""
    if volume.status != Status.ERROR or volume.allocated_at is None:
        return
    last = StatusChange.objects.filter(kind="volume", object_id=volume.pk).first()
    if last is None or last.operation_id is not None or last.from_status != Status.AVAILABLE:
        return
    _move(volume, {Status.ERROR}, Status.AVAILABLE, gettext("Its LV is there again."))


def _missing_lv(volume: Volume, detail: str) -> None:
    """A volume that is called available and is not there: say so where its owner looks."""
    if volume.status in (Status.AVAILABLE, Status.IN_USE):
        _move(volume, {volume.status}, Status.ERROR, detail)


def _compare_stranger(node: Node, pool: Pool, lv: dict[str, Any]) -> list[Drift]:
    subject = f"{pool.vg_name}/{lv['name']}"
    if lv["hearth_id"] is None:
        detail = gettext("%(lv)s was made outside Hearth. It stays untouched.") % {"lv": subject}
        return [_drift(node, pool, Drift.Kind.FOREIGN_LV, subject, detail)]
    ident = _uuid(lv["hearth_id"])
    if ident and any(model.objects.filter(pk=ident).exists() for model in OWNED.values()):
        detail = gettext("%(lv)s belongs to a row that is in another pool.") % {"lv": subject}
    else:
        detail = gettext("%(lv)s carries Hearth's tag and no row has its id.") % {"lv": subject}
    return [_drift(node, pool, Drift.Kind.LV_WITHOUT_ROW, subject, detail)]


def _uuid(text: str | None) -> UUID | None:
    """A tag is text: anybody with root on the node can write anything there."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _remember_strangers(pool: Pool, now: dict[str, list[Any]], ours: Mapping[str, int] = {}) -> None:
    """An LV of others that vanished, shrank or was made anew left its bytes in the free space: it is clean no more.

    One that appears counts already: whoever makes LVs here will remove them unwiped, perhaps between two looks. Those of the
    first look were there when a person said what the free space is like. `ours` has the size of each LV of ours by its UUID,
    which stays the same when an LV is renamed or adopted.
    """
    before: dict[str, list[Any]] | None = pool.facts.get("strangers_before")
    known = now if before is None else before
    sizes = {**{uuid or name: size for name, (uuid, size) in now.items()}, **ours}
    left = [name for name, (uuid, size) in known.items() if sizes.get(uuid or name, -1) < size]
    familiar = {*ours, *(uuid or name for name, (uuid, _) in known.items())}
    new = [name for name, (uuid, _) in now.items() if (uuid or name) not in familiar]
    if suspect := [*left, *new]:
        _no_longer_clean(pool, sorted(suspect))
    if before != now:
        pool.facts["strangers_before"] = now
        pool.set(facts=pool.facts)


def begin_anew(pool: Pool, lvs: Iterable[LogicalVolume]) -> None:
    """All that is free is about to be made clean: the LVs of others that are there now count as those of the first look.

    `pool` is locked, and fresh.
    """
    known = {uuid for uuid, _ in pool.facts.get("strangers_before", {}).values()}
    strangers = [lv for lv in lvs if lv.hearth_id is None or lv.uuid in known]
    pool.set(facts={**pool.facts, "strangers_before": {lv.name: [lv.uuid, lv.size_bytes] for lv in strangers}})


def _is_our_thin_pool(lv: dict[str, Any]) -> bool:
    return lv["segtype"] == "thin-pool" and lv["hearth_id"] is not None


def _no_longer_clean(pool: Pool, vanished: list[str]) -> None:
    if pool.free_space_is_clean and not pool.is_thin:
        log.warning("free space no longer clean", pool=str(pool), vanished=vanished)
        pool.set(free_space_is_clean=False)


def _thin_warnings(node: Node, pool: Pool) -> list[Drift]:
    if not pool.is_thin:
        return []
    seen = []
    if not pool.facts.get("zeroes_new_blocks", True):
        detail = gettext(
            "%(pool)s does not zero new blocks; nothing is placed there until `lvchange --zero y %(lvm)s`."
        ) % {"pool": pool, "lvm": pool.lvm_name}
        seen.append(_drift(node, pool, Drift.Kind.NOT_ZEROING, pool.lvm_name, detail))
    for word, percent in (
        (gettext("data"), pool.data_percent),
        (gettext("metadata"), pool.metadata_percent),
    ):
        if percent is not None and percent >= WARN_PERCENT:
            detail = gettext("%(pool)s: %(what)s %(percent).0f %% full.") % {
                "pool": pool,
                "what": word,
                "percent": percent,
            }
            seen.append(_drift(node, pool, Drift.Kind.THIN_FULL, f"{pool.lvm_name} {word}", detail))
    return seen


def _store(node: Node, seen: list[Drift], at: datetime) -> None:
    """Keep the rows of differences that last, so that `first_seen_at` tells how long."""
    for drift in seen:
        _, is_new = Drift.objects.update_or_create(
            node=node,
            kind=drift.kind,
            subject=drift.subject,
            defaults={"pool": drift.pool, "detail": drift.detail, "last_seen_at": at},
        )
        if is_new and drift.pool is not None and drift.kind == Drift.Kind.ROW_WITHOUT_LV:
            _no_longer_clean(drift.pool, [drift.subject])  # whoever removed it wiped nothing
    node.drifts.filter(last_seen_at__lt=at).delete()


def settle_strays() -> int:
    """Rows that say they move while no operation moves them: give them a status people can leave. Returns how many."""
    why = gettext("Nothing was working on it any more. Look at its last operation, then retry or delete it.")
    working = Operation.objects.unfinished().filter(Q(target_id=OuterRef("pk")) | Q(pk=OuterRef("last_operation")))
    count = 0
    for model, moving in ((Volume, MOVING), (Snapshot, SNAPSHOT_MOVING)):
        strays = model.objects.filter(status__in=moving, updated_at__lt=timezone.now() - SETTLED)
        for stray in strays.exclude(Exists(working)):
            _move(stray, {stray.status}, STRAY.get(stray.status, Status.ERROR), why)
            count += 1
    return count
