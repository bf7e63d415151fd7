"""One snapshot: its page, and what can be done to it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from volumes import rules
from volumes.errors import Refused
from volumes.forms import EditForm
from volumes.models import Operation, Snapshot
from volumes.operations import delete_snapshot, edit, wiping
from volumes.operations.delete_volume import Planned, estimate_s
from volumes.views import access, acting, owned, progress
from volumes.views.rows import row_of

if TYPE_CHECKING:
    from volumes.views.access import Request

TABS = ("overview", "operations", "history")


@require_safe
def snapshot_page(request: Request, snapshot_id: UUID) -> HttpResponse:
    """Tabs Overview, Operations, History; live. A snapshot that is gone says who deleted it and when."""
    try:
        snapshot = access.get_snapshot(request, snapshot_id)
    except Http404:
        return owned.gone_page(request, "snapshot", snapshot_id, access.no_such_snapshot())
    request.moving = int(snapshot.is_moving)  # type: ignore[attr-defined]
    context = {
        "snapshot": snapshot,
        "volume": snapshot.volume,
        "row": row_of(request, snapshot, progress.of_operations([snapshot.last_operation])),
        "copies": snapshot.copies.order_by("name", "id")[: owned.ROWS],
        **owned.about(request, snapshot, TABS),
    }
    return render(request, "snapshots/detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def snapshot_edit(request: Request, snapshot_id: UUID) -> HttpResponse:
    """Name, description, metadata."""
    snapshot = access.get_snapshot(request, snapshot_id, act=True)
    initial = {"name": snapshot.name, "description": snapshot.description, "metadata": snapshot.metadata}
    form = EditForm(request.POST or None, initial=initial)
    back = acting.safe_next(request, reverse("snapshot", args=[snapshot.pk]))
    if request.method == "POST" and form.is_valid():
        try:
            edit.request(snapshot, actor=request.user, **form.cleaned_data)
        except Refused as refusal:
            acting.refuse(form, refusal)
        else:
            return acting.done(request, _("Changed %(name)s.") % {"name": snapshot}, back, [snapshot.pk])
    context = {"snapshot": snapshot, "form": form, "back": back, "why_not": rules.why_not_edit(snapshot)}
    return render(request, "snapshots/edit.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def snapshot_delete(request: Request, snapshot_id: UUID) -> HttpResponse:
    """What it is, what will happen and how long it takes; then do it."""
    snapshot = access.get_snapshot(request, snapshot_id, act=True)
    back = acting.safe_next(request, reverse("snapshots"))
    why_not = rules.why_not_delete_snapshot(snapshot)
    if request.method == "POST":
        try:
            delete_snapshot.request(snapshot, actor=request.user)
        except Refused as refusal:
            snapshot.refresh_from_db()
            why_not = str(refusal)
        else:
            return acting.done(request, _("Deleting %(name)s.") % {"name": snapshot}, back, [snapshot.pk])
    steps = plan(snapshot)
    context = {
        "snapshot": snapshot,
        "pool": snapshot.pool,
        "plan": steps,
        "commands": [command for step in steps for command in step.commands],
        "total_s": estimate_s(steps),
        "why_not": why_not,
        "back": back,
    }
    return render(request, "snapshots/delete.html", context)


def plan(snapshot: Snapshot) -> list[Planned]:
    """What Delete would do, step by step, for the dialog: nothing is asked of the node."""
    if snapshot.pool is None:
        return []
    operation = Operation(verb="delete_snapshot", target_kind="snapshot", target_id=snapshot.pk)
    lines = []
    for step in delete_snapshot.DeleteSnapshot().steps(operation):
        if step.skip:
            continue
        commands = [str(command) for command in step.commands]
        if step.unit and step.phase == next(iter(step.unit.bytes_total)):
            commands += [str(command) for command in step.unit.start("hearth-…", 0)]
        lines.append(Planned(step.title, wiping.estimate_s(snapshot.pool, step), commands))
    return lines
