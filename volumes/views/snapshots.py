"""The list of snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Case, Count, F, IntegerField, Prefetch, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from volumes import tables
from volumes.filters import NEARLY_FULL, SNAPSHOT_GROUPS, SnapshotFilter
from volumes.models import SNAPSHOT_BAD, SNAPSHOT_MOVING, Project, Snapshot, SnapshotStatus, Volume
from volumes.views import access, listing
from volumes.views.rows import rows_of

if TYPE_CHECKING:
    from volumes.views.access import Request

HEAVY = ("last_operation__args", "last_operation__state", "last_operation__traceback")
"""Columns that no row shows."""


def of_project(project: Project) -> QuerySet[Snapshot]:
    """The project's snapshots with everything a row shows. `urgency` is highest where somebody is needed."""
    urgency = Case(
        When(status__in=SNAPSHOT_BAD, then=Value(3)),
        When(NEARLY_FULL, then=Value(2)),
        When(status__in=SNAPSHOT_MOVING, then=Value(1)),
        default=Value(0),
        output_field=IntegerField(),
    )
    volumes = Volume.objects.with_leaning().select_related("project", "pool__node")
    volumes = volumes.defer("pool__facts", "pool__node__facts")
    rows = Snapshot.objects.filter(project=project).with_leaning().select_related("project", "last_operation")
    rows = rows.defer(*HEAVY).prefetch_related(Prefetch("volume", queryset=volumes))
    return rows.annotate(urgency=urgency, used=Coalesce(F("snap_percent"), Value(-1.0)))


@require_safe
def snapshot_list(request: Request) -> HttpResponseBase:
    """The list, its CSV, or the rows that a poll asks for."""
    project = access.current_project(request)
    everything = of_project(project)
    chosen = SnapshotFilter(request.GET, queryset=everything)  # type: ignore[no-untyped-call]
    group = request.GET.get("group", "")
    found = chosen.qs.filter(SNAPSHOT_GROUPS[group]) if group in SNAPSHOT_GROUPS else chosen.qs
    if listing.wants_csv(request):
        rows = found.order_by("-created_at", "id").iterator(chunk_size=500)
        return listing.as_csv("snapshots", tables.SNAPSHOT_CSV, rows)
    counts = listing.count_statuses(everything)
    context = {
        "chosen": chosen,
        "group": group if group in SNAPSHOT_GROUPS else "",
        "tabs": tabs(chosen.qs),
        "total": sum(counts.values()),
        "project": project,
    }
    if listing.is_poll(request):
        return render(request, "snapshots/list.html", context | moving_rows(request, everything, found))
    table = listing.lay_out(request, tables.Snapshots(found))
    shown = rows_of(request, [row.record for row in table.paginated_rows])
    request.moving = sum(1 for row in shown if row.owned.is_moving)  # type: ignore[attr-defined]
    context |= {
        "table": table,
        "found": table.page.paginator.count,
        "rows": shown,
        "statuses": listing.statuses(request, SnapshotStatus.choices, counts),
        **listing.carried(request),
    }
    return render(request, "snapshots/list.html", context)


def moving_rows(request: Request, everything: QuerySet[Snapshot], found: QuerySet[Snapshot]) -> dict[str, Any]:
    """The rows that moved, as they are now; those that are gone, to be taken out."""
    asked = listing.asked_rows(request)
    snapshots = list(everything.filter(pk__in=asked))
    request.moving = sum(1 for snapshot in snapshots if snapshot.is_moving)  # type: ignore[attr-defined]
    gone = set(asked) - {snapshot.pk for snapshot in snapshots}
    shown = listing.shown_columns(request, tables.Snapshots)
    return {"rows": rows_of(request, snapshots), "gone": gone, "shown": shown, "found": found.count()}


def tabs(rows: QuerySet[Snapshot]) -> list[dict[str, Any]]:
    """Counts over the filtered set, in one query."""
    counts = rows.aggregate(
        all=Count("pk"), **{key: Count("pk", filter=Q(condition)) for key, condition in SNAPSHOT_GROUPS.items()}
    )
    words = {"": _("All"), "available": _("Available"), "moving": _("Moving"), "bad": _("Needs you")}
    icons = {"moving": ("loader-2", "move"), "bad": ("alert-octagon", "bad")}
    return [
        {"key": key, "title": title, "count": counts[key or "all"], "icon": icons.get(key)}
        for key, title in words.items()
    ]
