"""Reading LVM: the commands that report and the parser of what they print.

Numbers are bytes, percentages 0-100. An empty field means "does not apply" and becomes None.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_FORMAT = ["--reportformat", "json", "--units", "b", "--nosuffix"]
_VG_FIELDS = "vg_name,vg_uuid,vg_size,vg_free,vg_extent_size,vg_missing_pv_count,vg_attr,vg_tags"
_PV_FIELDS = "pv_name,pv_uuid,pv_size,pv_free,pv_missing,pv_allocatable"
_LV_FIELDS = (
    "vg_name,lv_name,lv_uuid,lv_path,lv_size,lv_tags,lv_attr,lv_active,lv_device_open,lv_kernel_major,lv_kernel_minor,"
    "origin,pool_lv,data_percent,metadata_percent,snap_percent,lv_snapshot_invalid,lv_health_status,lv_metadata_size"
)
_PIECE_FIELDS = (
    "pv_name,pvseg_start,pvseg_size,lv_name,segtype"  # names hidden LVs too, so that nothing more is asked for
)
_SEGMENT_FIELDS = "lv_uuid,segtype,chunk_size,zero,discards"  # LVM refuses these among an LV's in a full report
_VERSION = re.compile(r"LVM version:\s+(\d+(?:\.\d+)+)")
TAG = "hearth"
_ID_TAG = "hearth.id="


@dataclass(frozen=True)
class VolumeGroup:
    name: str
    uuid: str
    size_bytes: int
    free_bytes: int
    extent_size_bytes: int
    missing_pvs: int
    attr: str
    tags: frozenset[str]


@dataclass(frozen=True)
class PhysicalVolume:
    name: str
    uuid: str
    vg: str
    size_bytes: int
    free_bytes: int
    missing: bool
    allocatable: bool


@dataclass(frozen=True)
class LogicalVolume:
    """One LV as LVM sees it. `open` is the kernel's count of openers being above zero, mounts and holders included."""

    vg: str
    name: str
    uuid: str
    path: str
    size_bytes: int
    tags: frozenset[str]
    attr: str
    active: bool
    open: bool
    major: int | None
    minor: int | None
    origin: str
    pool: str
    data_percent: float | None
    metadata_percent: float | None
    snap_percent: float | None
    snapshot_invalid: bool
    segtype: str
    health: str
    metadata_size_bytes: int | None
    chunk_size_bytes: int | None
    zero: bool | None
    discards: str

    @property
    def hearth_id(self) -> str | None:
        """The id Hearth tagged it with; None for what is not ours."""
        ids = [tag.removeprefix(_ID_TAG) for tag in self.tags if tag.startswith(_ID_TAG)]
        return ids[0] if TAG in self.tags and len(ids) == 1 else None

    @property
    def is_thin(self) -> bool:
        return self.segtype == "thin"

    @property
    def is_thin_pool(self) -> bool:
        return self.segtype == "thin-pool"

    @property
    def is_thick_snapshot(self) -> bool:
        return self.attr[:1] in {"s", "S"}

    @property
    def is_merging(self) -> bool:
        """A thick snapshot is being merged into it, or will be when it is activated."""
        return self.attr[:1] == "O"

    @property
    def is_origin(self) -> bool:
        """Has thick snapshots; thin snapshots do not depend on their origin."""
        return self.attr[:1] in {"o", "O"}


@dataclass(frozen=True)
class Piece:
    """Physical extents of one PV that follow each other. `lv` is empty where they are free, and may be one that LVM hides."""

    vg: str
    pv: str
    start: int
    length: int
    lv: str


@dataclass(frozen=True)
class Report:
    """All of a node's LVM at one moment, or one group of it."""

    vgs: tuple[VolumeGroup, ...]
    pvs: tuple[PhysicalVolume, ...]
    lvs: tuple[LogicalVolume, ...]
    pieces: tuple[Piece, ...] = ()

    def vg(self, name: str) -> VolumeGroup | None:
        return next((vg for vg in self.vgs if vg.name == name), None)

    def lv(self, vg: str, name: str) -> LogicalVolume | None:
        return next((lv for lv in self.lvs if (lv.vg, lv.name) == (vg, name)), None)

    def by_uuid(self, uuid: str) -> LogicalVolume | None:
        """An LV whatever it is called by now."""
        return next((lv for lv in self.lvs if lv.uuid == uuid), None)

    @property
    def thin_pools(self) -> tuple[LogicalVolume, ...]:
        return tuple(lv for lv in self.lvs if lv.is_thin_pool)


def full_report(vg: str = "") -> list[str]:
    """Every volume group, physical and logical volume of the node, in one process and one scan of its disks.

    With `vg` only that group; fails when it is not there.
    """
    parts = (
        ("vg", _VG_FIELDS),
        ("pv", _PV_FIELDS),
        ("lv", _LV_FIELDS),
        ("pvseg", _PIECE_FIELDS),
        ("seg", _SEGMENT_FIELDS),
    )
    return [
        "lvm",
        "fullreport",
        *_FORMAT,
        *(word for kind, fields in parts for word in ("--configreport", kind, "-o", fields)),
        *([vg] if vg else []),
    ]


def one_lv(vg: str, name: str) -> list[str]:
    """The facts of one LV. Exits with 5 when it is not there."""
    return ["lvs", *_FORMAT, "-o", f"{_LV_FIELDS},{_SEGMENT_FIELDS}", f"{vg}/{name}"]


def find_lv(vg: str | Sequence[str], *names: str) -> list[str]:
    """As `one_lv`, but prints an empty report when the LV is not there and fails only when the group is not."""
    wanted = " || ".join(f'lv_name="{name}"' for name in names)
    return [
        "lvs",
        *_FORMAT,
        "-o",
        f"{_LV_FIELDS},{_SEGMENT_FIELDS}",
        "--select",
        wanted,
        *([vg] if isinstance(vg, str) else vg),
    ]


def where(vg: str, name: str) -> list[str]:
    """The physical extents of an LV, as `lvextend` and `lvcreate` take them: `/dev/sdb:0-255`, separated by blanks."""
    return ["lvs", "--noheadings", "-o", "seg_pe_ranges", f"{vg}/{name}"]


def parse_report(text: str) -> Report:
    """The output of `full_report`, or of `lvs` in the same format."""
    vgs: list[VolumeGroup] = []
    pvs: list[PhysicalVolume] = []
    lvs: dict[str, LogicalVolume] = {}
    pieces: list[Piece] = []
    for part in json.loads(text)["report"]:
        groups = [_vg(row) for row in part.get("vg", ()) if row["vg_uuid"]]
        vgs += groups
        pvs += [_pv(row, groups[0].name if groups else "") for row in part.get("pv", ())]
        pieces += [_piece(row, groups[0].name) for row in part.get("pvseg", ()) if groups]
        # An LV with several segments has a row for each; the first says all we use.
        segments = {row["lv_uuid"]: row for row in reversed(part.get("seg", []))}
        for row in part.get("lv", ()):
            lvs.setdefault(row["lv_uuid"], _lv({**row, **segments.get(row["lv_uuid"], {})}))
    return Report(tuple(vgs), tuple(pvs), tuple(lvs.values()), tuple(pieces))


def parse_lv(text: str) -> LogicalVolume | None:
    """The single LV in the output of `one_lv` or `find_lv`."""
    lvs = parse_report(text).lvs
    return lvs[0] if lvs else None


def parse_version(text: str) -> str:
    """`2.03.16` from the output of `lvm version`; empty where there is none."""
    found = _VERSION.search(text)
    return found[1] if found else ""


def _vg(row: Mapping[str, str]) -> VolumeGroup:
    return VolumeGroup(
        name=row["vg_name"],
        uuid=row["vg_uuid"],
        size_bytes=int(row["vg_size"]),
        free_bytes=int(row["vg_free"]),
        extent_size_bytes=int(row["vg_extent_size"]),
        missing_pvs=int(row["vg_missing_pv_count"]),
        attr=row["vg_attr"],
        tags=_tags(row["vg_tags"]),
    )


def _pv(row: Mapping[str, str], vg: str) -> PhysicalVolume:
    return PhysicalVolume(
        name=row["pv_name"],
        uuid=row["pv_uuid"],
        vg=vg,
        size_bytes=int(row["pv_size"]),
        free_bytes=int(row["pv_free"]),
        missing=bool(row["pv_missing"]),
        allocatable=bool(row["pv_allocatable"]),
    )


def _piece(row: Mapping[str, str], vg: str) -> Piece:
    return Piece(vg, row["pv_name"], int(row["pvseg_start"]), int(row["pvseg_size"]), row["lv_name"].strip("[]"))


def _lv(row: Mapping[str, str]) -> LogicalVolume:
    return LogicalVolume(
        vg=row["vg_name"],
        name=row["lv_name"],
        uuid=row["lv_uuid"],
        path=row["lv_path"],
        size_bytes=int(row["lv_size"]),
        tags=_tags(row["lv_tags"]),
        attr=row["lv_attr"],
        active=row["lv_active"] == "active",
        open=row["lv_device_open"] == "open",
        major=_device_number(row["lv_kernel_major"]),
        minor=_device_number(row["lv_kernel_minor"]),
        origin=row["origin"],
        pool=row["pool_lv"],
        data_percent=_percent(row["data_percent"]),
        metadata_percent=_percent(row["metadata_percent"]),
        snap_percent=_percent(row["snap_percent"]),
        snapshot_invalid=row["lv_snapshot_invalid"] not in {"", "unknown"},
        segtype=row["segtype"],
        health=row["lv_health_status"],
        metadata_size_bytes=_number(row["lv_metadata_size"]),
        chunk_size_bytes=_number(row["chunk_size"]) or None,
        zero=row["zero"] == "zero" if row["segtype"] == "thin-pool" else None,
        discards=row["discards"],
    )


def _tags(text: str) -> frozenset[str]:
    return frozenset(tag for tag in text.split(",") if tag)


def _number(text: str) -> int | None:
    return int(text) if text else None


def _device_number(text: str) -> int | None:
    """LVM prints -1 for an LV that is not active."""
    return int(text) if text and not text.startswith("-") else None


def _percent(text: str) -> float | None:
    return float(text) if text else None
