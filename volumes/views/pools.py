"""Pools: list, page, settings."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from volumes import placement, rules, tables
from volumes.forms import PoolForm
from volumes.models import Drift, Node, Operation, Pool, Volume
from volumes.views import access, acting, attention, extents, listing, pool_lvs, progress

if TYPE_CHECKING:
    from volumes.views.access import Request


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
    lvs = pool_lvs.lv_rows(pool)
    pool_lvs.moving(request, lvs)
    sisters = Pool.objects.with_promises().filter(node=pool.node, vg_name=pool.vg_name).exclude(pk=pool.pk)
    shown = list(sisters.defer("facts", "node__facts"))
    risk, risky = pool_lvs.at_risk(pool, promised, lvs)
    running = Operation.objects.unfinished().filter(target_kind="pool", target_id=pool.pk).first()
    context = {
        "live": True,
        "pool": pool,
        "used": used,
        "promised": promised,
        "concerns": attention.of_pool(pool),
        "room_bytes": placement.room_bytes(pool),
        "why_unusable": placement.why_unusable(pool),
        "lvs": lvs,
        "foreign": sum(1 for lv in lvs if lv.is_foreign),
        "adoptable": sum(1 for lv in lvs if lv.is_foreign and not lv.why_not_adopt),
        "unmade": Volume.objects.filter(pool=pool)
        .exclude(pk__in=[lv.volume.pk for lv in lvs if lv.volume])
        .select_related("project"),
        "drifts": Drift.objects.filter(pool=pool).exclude(kind=Drift.Kind.FOREIGN_LV).select_related("node"),
        "sisters": shown,
        "thin_inside": [
            (sister, attention.shares(sister)[1]) for sister in shown if sister.is_thin and not pool.is_thin
        ],
        "picture": extents.picture(pool, {lv.name for lv in lvs}),
        "disks": pool.facts.get("map") or [],
        "missing_disks": sum(1 for disk in pool.facts.get("map") or [] if disk["missing"]),
        "risk": risk,
        "risky": risky,
        "running": running,
        "progress": progress.of_operations([running]).get(running.pk) if running else None,
        "why_not_scrub": rules.why_not_scrub(pool),
        "why_not_thin": rules.why_not_create_thin_pool(pool),
        "why_not_extend": rules.why_not_extend_thin_pool(pool),
    }
    return render(request, "pools/detail.html", context)


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
