"""What the pages of volumes and snapshots have in common: their operations, their history, and what is left when they are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from volumes.models import Operation, Snapshot, StatusChange, Volume
from volumes.views import listing, progress

if TYPE_CHECKING:
    from volumes.views.access import Request

ROWS = 100


def about(request: Request, owned: Volume | Snapshot, tabs: tuple[str, ...]) -> dict[str, Any]:
    """The tab that is open, and what it shows of operations and history."""
    wanted = request.GET.get("tab", "")
    tab = wanted if wanted in tabs else tabs[0]
    operations = Operation.objects.visible_to(request.user).filter(target_kind=owned.kind, target_id=owned.pk)
    context: dict[str, Any] = {"live": True, "tab": tab, "operation_count": operations.count()}
    if tab == "operations":
        newest = list(operations.select_related("node")[:ROWS])
        steps = progress.of_operations(newest)
        context["operations"] = [(operation, steps.get(operation.pk)) for operation in newest]
    elif tab == "history":
        context["changes"] = history(owned.kind, owned.pk)
    return context


def history(kind: str, object_id: UUID) -> list[StatusChange]:
    """What became of it, newest first."""
    return list(StatusChange.objects.filter(kind=kind, object_id=object_id).select_related("operation", "actor")[:ROWS])


def gone_page(request: Request, kind: str, object_id: UUID, unknown: str) -> HttpResponse:
    """What was deleted is not simply unknown to those who could see it; a snapshot may have gone along with its volume."""
    ends = StatusChange.objects.filter(kind=kind, object_id=object_id, to_status__in=("deleted", "released"))
    visible = Operation.objects.visible_to(request.user)
    operation = visible.filter(pk__in=ends.values("operation"), status=Operation.Status.SUCCEEDED).first()
    if operation is None:
        raise Http404(unknown)
    itself = operation.target_id == object_id
    context = {
        "live": True,
        "kind": kind,
        "operation": operation,
        "itself": itself,
        "name": operation.target_name if itself else _("Snapshot %(id)s") % {"id": str(object_id)[:8]},
        "changes": history(kind, object_id),
    }
    status = 200 if listing.is_poll(request) else 404
    return render(request, "components/gone.html", context, status=status)
