"""One volume: its page, and what can be changed about it."""

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
from volumes.forms import DeleteForm, EditForm
from volumes.operations import delete_volume, edit
from volumes.views import access, acting, owned, progress, snapshots
from volumes.views.rows import row_of, rows_of

if TYPE_CHECKING:
    from volumes.views.access import Request

TABS = ("overview", "snapshots", "operations", "history")


@require_safe
def volume_page(request: Request, volume_id: UUID) -> HttpResponse:
    """Tabs Overview, Snapshots, Operations, History; live. A volume that is gone says who deleted it and when."""
    try:
        volume = access.get_volume(request, volume_id, leaning=True)
    except Http404:
        return owned.gone_page(request, "volume", volume_id, access.no_such_volume())
    lean = rules.leaning(volume)
    request.moving = int(volume.is_moving) + lean.moving  # type: ignore[attr-defined]
    context = {
        "volume": volume,
        "row": row_of(request, volume, progress.of_operations([volume.last_operation])),
        "snapshot_count": lean.snapshots,
        **owned.about(request, volume, TABS),
    }
    if context["tab"] == "snapshots":
        listed = snapshots.of_project(volume.project).filter(volume=volume).order_by("-created_at", "id")
        context["rows"] = rows_of(request, list(listed[: owned.ROWS]))
        context["shown"] = {"size", "used", "created"}
    return render(request, "volumes/detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def volume_edit(request: Request, volume_id: UUID) -> HttpResponse:
    """Name, description, metadata."""
    volume = access.get_volume(request, volume_id, act=True)
    initial = {"name": volume.name, "description": volume.description, "metadata": volume.metadata}
    form = EditForm(request.POST or None, initial=initial)
    back = acting.safe_next(request, reverse("volume", args=[volume.pk]))
    if request.method == "POST" and form.is_valid():
        try:
            edit.request(volume, actor=request.user, **form.cleaned_data)
        except Refused as refusal:
            acting.refuse(form, refusal)
        else:
            return acting.done(request, _("Changed %(name)s.") % {"name": volume}, back, [volume.pk])
    context = {"volume": volume, "form": form, "back": back, "why_not": rules.why_not_edit(volume)}
    return render(request, "volumes/edit.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def volume_delete(request: Request, volume_id: UUID) -> HttpResponse:
    """What it is, what will happen and how long it takes; then do it."""
    volume = access.get_volume(request, volume_id, act=True)
    back = acting.safe_next(request, reverse("volumes"))
    form = DeleteForm(request.POST if request.method == "POST" else None, volume=volume)
    why_not = rules.why_not_delete(volume)
    if request.method == "POST" and why_not is None and form.is_valid():
        ticked = [snapshot.pk for snapshot in form.cleaned_data["snapshots"]]
        try:
            delete_volume.request(volume, actor=request.user, snapshots=ticked)
        except Refused as refusal:
            volume.refresh_from_db()
            acting.refuse(form, refusal)
        else:
            return acting.done(request, _("Deleting %(name)s.") % {"name": volume}, back, [volume.pk, *ticked])
    snapshots = list(volume.snapshots.select_related("volume__pool__node", "project").order_by("-created_at", "id"))
    plan = delete_volume.plan(volume, snapshots)
    context = {
        "volume": volume,
        "pool": volume.pool,
        "form": form,
        "ticked": form["snapshots"].value() or [],
        "snapshots": snapshots,
        "plan": plan,
        "commands": [command for step in plan for command in step.commands],
        "total_s": delete_volume.estimate_s(plan),
        "why_not": why_not,
        "back": back,
    }
    return render(request, "volumes/delete.html", context)
