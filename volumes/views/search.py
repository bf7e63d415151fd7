"""Search everything a person may see: volumes, snapshots, operations, and for administrators nodes and pools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from volumes.filters import by_name_or_id
from volumes.models import Node, Operation, Pool, Snapshot, Volume

if TYPE_CHECKING:
    from volumes.views.access import Request

ROWS = 20
HEAVY = ("volume__pool__facts", "volume__pool__node__facts")


@require_safe
def search(request: Request) -> HttpResponse:
    """One exact id opens its page at once; everything else is listed, those of all the person's projects."""
    text = request.GET.get("q", "").replace("\0", "").strip()
    volumes = by_name_or_id(Volume.objects.visible_to(request.user), text) if text else Volume.objects.none()
    snapshots = by_name_or_id(Snapshot.objects.visible_to(request.user), text) if text else Snapshot.objects.none()
    operations = Operation.objects.none()
    if text:
        visible = Operation.objects.visible_to(request.user)
        operations = by_name_or_id(visible, text, "title") | by_name_or_id(visible, text, "target_name", "target_id")
    nodes, pools = Node.objects.none(), Pool.objects.none()
    if text and request.user.is_administrator:
        nodes = by_name_or_id(Node.objects.all(), text) | Node.objects.filter(
            Q(address__icontains=text) | Q(zone__icontains=text)
        )
        pools = Pool.objects.filter(
            Q(vg_name__icontains=text) | Q(thin_pool_name__icontains=text) | Q(node__name__icontains=text)
        ).select_related("node")
    if len(text) >= 32:
        kinds = (("volume", volumes), ("snapshot", snapshots), ("operation", operations), ("node", nodes))
        for name, rows in kinds:
            only = list(rows[:2])
            if len(only) == 1 and str(only[0].pk).replace("-", "") == text.replace("-", "").lower():
                return redirect(name, only[0].pk)
    context = {
        "search_for": text,
        "volumes": volumes.select_related("project", "pool__node").defer("pool__facts", "pool__node__facts")[:ROWS],
        "snapshots": snapshots.select_related("project", "volume__pool__node").defer(*HEAVY)[:ROWS],
        "operations": operations.select_related("project", "node").distinct()[:ROWS],
        "nodes": nodes.distinct()[:ROWS],
        "pools": pools[:ROWS],
        "limit": ROWS,
    }
    return render(request, "search/results.html", context)
