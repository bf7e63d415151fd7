"""The overview: what needs me, capacity, activity; at the side quota and what runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from volumes import rules
from volumes.models import UNLIMITED, Node, Operation, Pool, Project
from volumes.views import access, activity, attention, pools
from volumes.views.operations import with_progress

if TYPE_CHECKING:
    from volumes.views.access import Request

RECENT = 8
RUNNING = 6


@require_safe
def overview(request: Request) -> HttpResponse:
    """Live: slowly while all rests, for nodes and pools change by themselves."""
    request.slow_poll = request.user.is_administrator  # type: ignore[attr-defined]
    project = access.current(request)
    context: dict[str, Any] = {"live": True, "project": project, "nodes": [], "pools": []}
    if request.user.is_administrator:
        context["nodes"] = list(Node.objects.defer("facts"))
        context["up"] = sum(1 for node in context["nodes"] if node.is_up)
        context["pools"] = pools.bars(list(Pool.objects.with_promises().defer("facts", "node__facts")))
    if project is None:
        return render(request, "overview/nothing.html", context)
    used = (*project.used(), project.snapshots.count())
    may_act = access.may_act(request, project)
    under_way = activity.running(request.user).filter(project=project)
    done = Operation.objects.filter(project=project).exclude(finished_at=None)
    context |= {
        "concerns": attention.everything(request, project, used, may_act=may_act),
        "quotas": quotas(project, used),
        "running": with_progress(under_way.select_related("node")[:RUNNING]),
        "running_total": under_way.count(),
        "waiting_total": under_way.filter(waits_for=Operation.Waits.PLACE).count(),
        "recent": done.select_related("node").order_by("-finished_at")[:RECENT],
        "why_not_create": access.why_not_act(request, project) or rules.why_not_create(project),
        "volume_count": used[0],
    }
    context["needing"] = sum(1 for concern in context["concerns"] if concern.kind != "rest")
    return render(request, "overview/overview.html", context)


def quotas(project: Project, used: tuple[int, int, int]) -> list[dict[str, Any]]:
    """The quota bars."""
    count, gib, snapshots = used
    rows = (
        (_("Volume space"), gib, project.quota_gib, "GiB"),
        (_("Volumes"), count, project.quota_volumes, ""),
        (_("Snapshots"), snapshots, project.quota_snapshots, ""),
    )
    return [
        {"title": title, "used": have, "limit": limit, "unit": unit, "unlimited": limit == UNLIMITED}
        for title, have, limit, unit in rows
    ]
