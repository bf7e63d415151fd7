"""Pools: list, page, settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from volumes import placement, tables
from volumes.forms import PoolForm
from volumes.models import Drift, Node, Pool, Volume
from volumes.views import access, acting, attention, listing, progress

if TYPE_CHECKING:
    from volumes.views.access import Request


@dataclass(frozen=True)
class Lv:
    """A line of the pool's LV table. Without a volume it is foreign, unless it says that it is ours: then its row is gone."""

    name: str
    size_bytes: int
    data_percent: float | None
    segtype: str
    open: bool
    hearth_id: str
    volume: Volume | None
    progress: progress.Progress | None

    @property
    def rank(self) -> tuple[int, str]:
        """Foreign ones first, then those without a row, then by name."""
        return (0 if not self.hearth_id else 1 if self.volume is None else 2, str(self.volume or self.name))


@require_safe
@access.administrators_only
def pool_list(request: Request) -> HttpResponseBase:
    """All pools, the fullest first."""
    request.slow_poll = True  # type: ignore[attr-defined]
    pools = list(Pool.objects.with_promises().defer("facts", "node__facts"))
    if listing.wants_csv(request):
        return listing.as_csv("pools", tables.POOL_CSV, pools)
    return render(request, "pools/list.html", {"live": True, "pools": bars(pools), "nodes": Node.objects.count()})


def bars(pools: list[Pool]) -> list[tuple[Pool, float, float, list[attention.Concern]]]:
    """Pools with used and promised percent and what is wrong with each, the fullest first."""
    rows = [(pool, *attention.shares(pool), attention.of_pool(pool)) for pool in pools]
    return sorted(rows, key=lambda row: (row[0].present, -row[1], row[0].label))


@require_safe
@access.administrators_only
def pool_page(request: Request, pool_id: UUID) -> HttpResponse:
    """Facts, capacity, and every LV: foreign ones first."""
    request.slow_poll = True  # type: ignore[attr-defined]
    pool = get_object_or_404(Pool.objects.with_promises(), pk=pool_id)
    used, promised = attention.shares(pool)
    lvs = lv_rows(pool)
    request.moving = sum(1 for lv in lvs if lv.volume and lv.volume.is_moving)  # type: ignore[attr-defined]
    context = {
        "live": True,
        "pool": pool,
        "used": used,
        "promised": promised,
        "concerns": attention.of_pool(pool),
        "room_bytes": placement.room_bytes(pool),
        "why_unusable": placement.why_unusable(pool),
        "lvs": lvs,
        "foreign": sum(1 for lv in lvs if not lv.hearth_id),
        "unmade": Volume.objects.filter(pool=pool)
        .exclude(pk__in=[lv.volume.pk for lv in lvs if lv.volume])
        .select_related("project"),
        "drifts": Drift.objects.filter(pool=pool).exclude(kind=Drift.Kind.FOREIGN_LV).select_related("node"),
        "sisters": Pool.objects.filter(node=pool.node, vg_name=pool.vg_name).exclude(pk=pool.pk).select_related("node"),
    }
    return render(request, "pools/detail.html", context)


def lv_rows(pool: Pool) -> list[Lv]:
    """The LVs the node listed last, each with its volume."""
    listed: list[dict[str, Any]] = pool.facts.get("lvs", [])
    volumes = {
        str(volume.pk): volume
        for volume in Volume.objects.filter(pool=pool).select_related("project", "last_operation")
    }
    found = progress.of_operations(volume.last_operation for volume in volumes.values() if volume.is_moving)
    rows = []
    for entry in listed:
        volume = volumes.get(entry.get("hearth_id") or "")
        operation = volume.last_operation_id if volume and volume.is_moving else None
        rows.append(
            Lv(
                name=entry["name"],
                size_bytes=entry["size_bytes"],
                data_percent=entry.get("data_percent"),
                segtype=entry.get("segtype") or "",
                open=bool(entry.get("open")),
                hearth_id=entry.get("hearth_id") or "",
                volume=volume,
                progress=found.get(operation) if operation else None,
            )
        )
    return sorted(rows, key=lambda lv: lv.rank)


@require_http_methods(["GET", "HEAD", "POST"])
@access.administrators_only
def pool_edit(request: Request, pool_id: UUID) -> HttpResponse:
    """Wipe method, over-subscription, whether it takes new volumes."""
    pool = get_object_or_404(Pool.objects.select_related("node"), pk=pool_id)
    form = PoolForm(request.POST or None, instance=pool, initial={"clean_was": pool.free_space_is_clean})
    back = acting.safe_next(request, reverse("pool", args=[pool.pk]))
    if request.method == "POST" and form.is_valid():
        pool.set(**form.changes())
        return acting.done(request, _("Changed %(name)s.") % {"name": pool}, back, [pool.pk])
    return render(request, "pools/edit.html", {"pool": pool, "form": form, "back": back})
