"""The list of volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Case, Count, IntegerField, Q, QuerySet, Value, When
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from volumes import rules, tables
from volumes.filters import GROUPS, VolumeFilter
from volumes.models import BAD, MOVING, Pool, Project, Status, Volume
from volumes.views import access, listing
from volumes.views.rows import rows_of

if TYPE_CHECKING:
    from volumes.views.access import Request

HEAVY = (
    "pool__facts",
    "pool__node__facts",
    "last_operation__args",
    "last_operation__state",
    "last_operation__traceback",
)
"""Columns that no row shows: a pool's facts list all its LVs, and would come along with every volume."""


def of_project(project: Project) -> QuerySet[Volume]:
    """The project's volumes with everything a row shows. `urgency` is highest where somebody is needed."""
    urgency = Case(
        When(status__in=BAD, then=Value(2)),
        When(status__in=MOVING, then=Value(1)),
        default=Value(0),
        output_field=IntegerField(),
    )
    related = ("project", "pool__node", "last_operation")
    rows = Volume.objects.filter(project=project).with_leaning().select_related(*related).defer(*HEAVY)
    return rows.annotate(urgency=urgency)


@require_safe
def volume_list(request: Request) -> HttpResponseBase:
    """The list, its CSV, or the rows that a poll asks for."""
    project = access.current_project(request)
    everything = of_project(project)
    pools = Pool.objects.filter(volumes__project=project).select_related("node").distinct()
    chosen = VolumeFilter(request.GET, queryset=everything, pools=pools)
    group = request.GET.get("group", "")
    found = chosen.qs.filter(status__in=GROUPS[group]) if group in GROUPS else chosen.qs
    if listing.wants_csv(request):
        return listing.as_csv(
            "volumes", tables.VOLUME_CSV, found.order_by("-created_at", "id").iterator(chunk_size=500)
        )
    counts = listing.count_statuses(everything)
    context = {
        "chosen": chosen,
        "group": group if group in GROUPS else "",
        "tabs": tabs(chosen.qs),
        "total": sum(counts.values()),
        "project": project,
    }
    if listing.is_poll(request):
        return render(request, "volumes/list.html", context | moving_rows(request, everything, found))
    table = listing.lay_out(request, tables.Volumes(found))
    shown = rows_of(request, [row.record for row in table.paginated_rows])
    request.moving = sum(1 for row in shown if row.owned.is_moving)  # type: ignore[attr-defined]
    context |= {
        "table": table,
        "found": table.page.paginator.count,
        "rows": shown,
        "statuses": listing.statuses(request, Status.choices, counts),
        "why_not_create": access.why_not_act(request, project) or rules.why_not_create(project),
        **listing.carried(request),
    }
    return render(request, "volumes/list.html", context)


def moving_rows(request: Request, everything: QuerySet[Volume], found: QuerySet[Volume]) -> dict[str, Any]:
    """The rows that moved, as they are now; those that are gone, to be taken out."""
    asked = listing.asked_rows(request)
    volumes = list(everything.filter(pk__in=asked))
    request.moving = sum(1 for volume in volumes if volume.is_moving)  # type: ignore[attr-defined]
    gone = set(asked) - {volume.pk for volume in volumes}
    shown = listing.shown_columns(request, tables.Volumes)
    return {"rows": rows_of(request, volumes), "gone": gone, "shown": shown, "found": found.count()}


def tabs(rows: QuerySet[Volume]) -> list[dict[str, Any]]:
    """Counts over the filtered set, in one query."""
    counts = rows.aggregate(
        all=Count("pk"),
        **{key.replace("-", "_"): Count("pk", filter=Q(status__in=value)) for key, value in GROUPS.items()},
    )
    words = {
        "": _("All"),
        "available": _("Available"),
        "in-use": _("In use"),
        "moving": _("Moving"),
        "bad": _("Needs you"),
    }
    icons = {"moving": ("loader-2", "move"), "bad": ("alert-octagon", "bad")}
    return [
        {"key": key, "title": title, "count": counts[key.replace("-", "_") or "all"], "icon": icons.get(key)}
        for key, title in words.items()
    ]
