"""A node's facts, into the rows: what it is, what its pools hold, and what differs from what the rows say."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from volumes.engine import reconcile
from volumes.engine.link import session
from volumes.models import Node, Operation, Pool
from volumes.nodes import facts as node_facts
from volumes.nodes.facts import NodeFacts
from volumes.nodes.lvm.extents import disks
from volumes.nodes.lvm.report import LogicalVolume, Report, VolumeGroup


def refresh(node: Node) -> NodeFacts:
    """Read everything in one round trip and write it down. Raises what the session raises."""
    asked_at = timezone.now()
    results = session(node).run(*node_facts.gather(), timeout_s=60)
    answered_at = timezone.now()
    if problems := node_facts.problems(results, node=node.name, user=node.ssh_user):
        raise problems[0]
    found = node_facts.parse(results)
    middle = asked_at + (answered_at - asked_at) / 2
    node.set(facts={**_kept(node), **_as_json(found, middle)}, facts_at=asked_at)
    for pool in node.pools.all():
        store_pool(pool, found, asked_at)
    reconcile.compare(node, asked_at, found.units)
    return found


def _kept(node: Node) -> dict[str, object]:
    """What a person is in the middle of deciding about."""
    fresh = Node.objects.values_list("facts", flat=True).get(pk=node.pk)
    return {key: fresh[key] for key in ("found_pools", "offered_key", "offered_fingerprint") if key in fresh}


def _as_json(found: NodeFacts, middle: datetime) -> dict[str, object]:
    return {
        "lvm_version": found.lvm_version,
        "kernel": found.kernel,
        "os": found.os,
        "boot_id": found.boot_id,
        "uptime_s": found.uptime_s,
        "clock_skew_s": round(found.epoch_s - middle.timestamp(), 2),
    }


def store_pool(pool: Pool, found: NodeFacts, asked_at: datetime) -> None:
    """Write one pool's figures, or that it is not there. `asked_at` is before the node was asked: see `with_promises`."""
    store_report(pool, found.lvm, asked_at)


def store_report(pool: Pool, found: Report, asked_at: datetime) -> None:
    """As `store_pool`, from what was said of one volume group."""
    vg = found.vg(pool.vg_name)
    problem = _missing(pool, vg, found)
    if problem or vg is None:
        pool.set(present=False, missing_reason=problem, facts_at=asked_at)
        return
    lvs = [lv for lv in found.lvs if lv.vg == pool.vg_name]
    fields: dict[str, object] = {
        "present": True,
        "missing_reason": "",
        "facts_at": asked_at,
    }
    fields |= {
        "extent_size_bytes": vg.extent_size_bytes,
        "vg_uuid": pool.vg_uuid or vg.uuid,
    }
    if pool.is_thin:
        fields |= _thin_figures(pool, lvs)
    else:
        fields |= {"size_bytes": vg.size_bytes, "free_bytes": vg.free_bytes + _being_scrubbed(pool, lvs)}
        if pool.size_bytes and vg.size_bytes > pool.size_bytes:
            fields["free_space_is_clean"] = False  # somebody added a disk, and nobody knows what is on it
    fields["facts"] = {**_lv_list(pool, lvs), "vg_free_bytes": vg.free_bytes, "map": _map(pool.vg_name, found)}
    pool.set(**fields)


def _being_scrubbed(pool: Pool, lvs: list[LogicalVolume]) -> int:
    """Free space that a scrub holds for a while is free space all the same; what one left behind is not."""
    held = sum(lv.size_bytes for lv in lvs if lv.name == pool.scrub_lv_name and lv.hearth_id == str(pool.pk))
    under_way = Operation.objects.unfinished().filter(target_kind="pool", target_id=pool.pk)
    return held if held and under_way.exists() else 0


def _map(vg_name: str, found: Report) -> list[dict[str, object]]:
    """The group's disks, each with its pieces as [first extent, extents, LV, how many]."""
    return [
        {
            "pv": disk.pv,
            "missing": disk.missing,
            "free": disk.free,
            "pieces": [[piece.start, piece.length, piece.lv, piece.count] for piece in disk.pieces],
        }
        for disk in disks(found, vg_name)
    ]


def _missing(pool: Pool, vg: VolumeGroup | None, found: Report) -> str:
    if vg is None:
        return f"Volume group {pool.vg_name} is not on the node."
    if pool.vg_uuid and vg.uuid != pool.vg_uuid:
        return f"Volume group {pool.vg_name} is not the one that was registered: its UUID is {vg.uuid}."
    if vg.missing_pvs:
        return f"Volume group {pool.vg_name} has lost {vg.missing_pvs} of its physical volumes."
    thin = found.lv(pool.vg_name, pool.thin_pool_name) if pool.is_thin else None
    if pool.is_thin and (thin is None or not thin.is_thin_pool):
        return f"Thin pool {pool.lvm_name} is not on the node."
    return ""


def _thin_figures(pool: Pool, lvs: list[LogicalVolume]) -> dict[str, object]:
    thin = next(lv for lv in lvs if lv.name == pool.thin_pool_name)
    used = thin.data_percent or 0.0
    return {
        "size_bytes": thin.size_bytes,
        "free_bytes": int(thin.size_bytes * (100 - used) / 100),
        "data_percent": thin.data_percent,
        "metadata_percent": thin.metadata_percent,
    }


def _lv_list(pool: Pool, lvs: list[LogicalVolume]) -> dict[str, object]:
    thin = next((lv for lv in lvs if pool.is_thin and lv.name == pool.thin_pool_name), None)
    mine = [lv for lv in lvs if (lv.pool == pool.thin_pool_name if pool.is_thin else not lv.pool)]
    listed = [lv_entry(lv) for lv in mine if lv is not thin]
    kept = {"strangers_before": pool.facts["strangers_before"]} if "strangers_before" in pool.facts else {}
    return {
        **kept,
        "lvs": listed,
        "zeroes_new_blocks": thin.zero is True if thin else True,
        "discards": thin.discards if thin else "",
        "metadata_bytes": thin.metadata_size_bytes if thin else None,
    }


def lv_entry(lv: LogicalVolume) -> dict[str, object]:
    """An LV as the pool's facts list it."""
    return {
        "name": lv.name,
        "uuid": lv.uuid,
        "size_bytes": lv.size_bytes,
        "hearth_id": lv.hearth_id,
        "tags": sorted(lv.tags),
        "attr": lv.attr,
        "open": lv.open,
        "active": lv.active,
        "segtype": lv.segtype,
        "data_percent": lv.data_percent,
        "metadata_percent": lv.metadata_percent,
        "origin": lv.origin,
        "snap_percent": lv.snap_percent,
        "snapshot_invalid": lv.snapshot_invalid,
    }
