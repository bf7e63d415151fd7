"""The LVs of a pool, as its page lists them: what each is, how it fares, and what may be done with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from volumes import rules
from volumes.models import Pool, Snapshot, Volume
from volumes.models.snapshot import NEARLY_FULL_PERCENT
from volumes.views import progress

if TYPE_CHECKING:
    from volumes.views.access import Request


@dataclass(frozen=True)
class Lv:
    """A line of the table. With neither volume, snapshot nor pool it is foreign, unless it says that it is ours: then its row is gone."""

    name: str
    size_bytes: int
    filled: float | None
    segtype: str
    open: bool
    hearth_id: str
    on: str
    volume: Volume | None = None
    snapshot: Snapshot | None = None
    thin_pool: Pool | None = None
    progress: progress.Progress | None = None
    why_not_adopt: str | None = None
    why_not_release: str | None = None

    @property
    def is_thin_pool(self) -> bool:
        """Whether it holds other LVs."""
        return self.segtype == "thin-pool"

    @property
    def is_at_work(self) -> bool:
        """Whether an operation holds it for a while."""
        return self.name.startswith(("scrub-", "grow-", "clone-")) and bool(self.hearth_id)

    @property
    def is_foreign(self) -> bool:
        """Whether Hearth never touches it."""
        return not self.hearth_id and not self.is_thin_pool

    @property
    def adopt_query(self) -> str:
        """What chooses it on the page of Adopt."""
        return f"?{urlencode({'lv': self.name})}"

    @property
    def rank(self) -> tuple[int, str]:
        """Foreign ones first, then those without a row, then by name."""
        known = self.volume or self.snapshot
        return (0 if self.is_foreign else 1 if known is None else 2, str(known or self.name))


def lv_rows(pool: Pool) -> list[Lv]:
    """The LVs the node listed last, each with its row."""
    listed: list[dict[str, Any]] = pool.facts.get("lvs", [])
    volumes = {
        str(volume.pk): volume
        for volume in Volume.objects.with_leaning().filter(pool=pool).select_related("project", "last_operation")
    }
    snapshots = {
        str(snapshot.pk): snapshot
        for snapshot in Snapshot.objects.filter(volume__pool=pool).select_related("project", "volume")
    }
    thin = Pool.objects.filter(node=pool.node_id, vg_name=pool.vg_name).exclude(thin_pool_name="")
    pools = {row.thin_pool_name: row for row in thin.select_related("node").defer("facts")}
    found = progress.of_operations(volume.last_operation for volume in volumes.values() if volume.is_moving)
    where = disks_of(pool)
    busy, leaning = rules.why_not_touch_pool(pool), [entry for entry in listed if entry.get("origin")]
    rows = []
    for entry in listed:
        ident = entry.get("hearth_id") or ""
        volume, snapshot = volumes.get(ident), snapshots.get(ident)
        operation = volume.last_operation_id if volume and volume.is_moving else None
        percent = entry.get("snap_percent") if snapshot and not pool.is_thin else entry.get("data_percent")
        foreign = not ident and entry.get("segtype") != "thin-pool"
        rows.append(
            Lv(
                name=entry["name"],
                size_bytes=entry["size_bytes"],
                filled=percent,
                segtype=entry.get("segtype") or "",
                open=bool(entry.get("open")),
                hearth_id=ident,
                on=", ".join(name.removeprefix("/dev/") for name in where.get(entry["name"], ())),
                volume=volume,
                snapshot=snapshot,
                thin_pool=pools.get(entry["name"]) if entry.get("segtype") == "thin-pool" else None,
                progress=found.get(operation) if operation else None,
                why_not_adopt=(rules.why_not_adopt(entry, leaning, pool.vg_name) or busy) if foreign else None,
                why_not_release=rules.why_not_release(volume) if volume else None,
            )
        )
    return sorted(rows, key=lambda lv: lv.rank)


def disks_of(pool: Pool) -> dict[str, list[str]]:
    """The disks each LV lies on; a thin pool's are those of its parts."""
    found: dict[str, list[str]] = {}
    for disk in pool.facts.get("map") or []:
        for name in {piece[2].removesuffix("_tdata").removesuffix("_tmeta") for piece in disk["pieces"] if piece[2]}:
            found.setdefault(name, []).append(disk["pv"])
    return found


def at_risk(pool: Pool, promised: float, lvs: Iterable[Lv]) -> tuple[str, list[Lv]]:
    """Why a thin pool may run out, and what in it could then no longer be written to; nothing where all is well."""
    reasons = []
    for word, percent in ((_("data"), pool.data_percent), (_("metadata"), pool.metadata_percent)):
        if percent is not None and percent >= NEARLY_FULL_PERCENT:
            reasons.append(_("its %(what)s is %(percent).0f %% full") % {"what": word, "percent": percent})
    if promised > 100:
        reasons.append(_("%(percent).0f %% of its size is promised") % {"percent": promised})
    if not pool.is_thin or not reasons:
        return "", []
    return ", ".join(reasons), [lv for lv in lvs if lv.segtype == "thin"]


def moving(request: Request, lvs: Iterable[Lv]) -> None:
    """Tell the frame how many lines of the table change by themselves."""
    count = sum(1 for lv in lvs if (lv.volume and lv.volume.is_moving) or lv.is_at_work)
    request.moving = count  # type: ignore[attr-defined]
