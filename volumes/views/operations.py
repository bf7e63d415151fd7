"""The list of operations: of the current project, or of the whole installation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Case, Count, IntegerField, Q, QuerySet, Value, When
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from volumes import tables
from volumes.filters import OPERATION_GROUPS, OperationFilter
from volumes.models import Node, Operation
from volumes.views import access, listing, progress

if TYPE_CHECKING:
    from volumes.models import Project
    from volumes.views.access import Request


@require_safe
def operation_list(request: Request) -> HttpResponseBase:
    """Those of the current project."""
    project = access.current_project(request)
    return show(request, Operation.objects.filter(project=project), project)


@require_safe
@access.administrators_only
def all_operations(request: Request) -> HttpResponseBase:
    """Those of all projects, and those on nodes."""
    return show(request, Operation.objects.all(), None)


def show(request: Request, everything: QuerySet[Operation], project: Project | None) -> HttpResponseBase:
    """The list, its CSV, or the rows that a poll asks for."""
    urgency = Case(
        When(status__in=OPERATION_GROUPS["bad"], then=Value(2)),
        When(finished_at=None, then=Value(1)),
        default=Value(0),
        output_field=IntegerField(),
    )
    rows = everything.select_related("project", "node").annotate(urgency=urgency).defer("traceback", "args", "state")
    nodes = Node.objects.filter(operations__in=everything).distinct()
    chosen = OperationFilter(request.GET, queryset=rows, nodes=nodes)
    group = request.GET.get("group", "")
    found = chosen.qs.filter(status__in=OPERATION_GROUPS[group]) if group in OPERATION_GROUPS else chosen.qs
    if listing.wants_csv(request):
        return listing.as_csv("operations", tables.OPERATION_CSV, found.iterator(chunk_size=500))
    counts = listing.count_statuses(everything)
    context = {
        "chosen": chosen,
        "group": group if group in OPERATION_GROUPS else "",
        "tabs": tabs(chosen.qs),
        "total": sum(counts.values()),
        "project": project,
    }
    if listing.is_poll(request):
        asked = with_progress(rows.filter(pk__in=listing.asked_rows(request)))
        columns = listing.shown_columns(request, tables.Operations) - (set() if project is None else {"project"})
        context |= {"rows": asked, "shown": columns, "found": found.count()}
    else:
        table = listing.lay_out(request, tables.Operations(found))
        if project is not None:
            table.columns.hide("project")
        asked = with_progress(row.record for row in table.paginated_rows)
        context |= {"table": table, "rows": asked, "shown": table.shown, "found": table.page.paginator.count}
        context |= {"statuses": listing.statuses(request, Operation.Status.choices, counts), **listing.carried(request)}
    request.moving = sum(1 for operation, _progress in asked if not operation.is_finished)  # type: ignore[attr-defined]
    return render(request, "operations/list.html", context)


def with_progress(operations: Any) -> list[tuple[Operation, progress.Progress | None]]:
    """Operations with how far each has come; one query more."""
    listed = list(operations)
    found = progress.of_operations(listed)
    return [(operation, found.get(operation.pk)) for operation in listed]


def tabs(rows: QuerySet[Operation]) -> list[dict[str, Any]]:
    """Counts over the filtered set, in one query."""
    counts = rows.aggregate(
        all=Count("pk"), **{key: Count("pk", filter=Q(status__in=value)) for key, value in OPERATION_GROUPS.items()}
    )
    words = {
        "": _("All"),
        "running": _("Under way"),
        "bad": _("Failed"),
        "done": _("Done"),
        "cancelled": _("Cancelled"),
    }
    icons = {"running": ("loader-2", "move"), "bad": ("alert-octagon", "bad")}
    return [
        {"key": key, "title": title, "count": counts[key or "all"], "icon": icons.get(key)}
        for key, title in words.items()
    ]
