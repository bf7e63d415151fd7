"""One volume: its page, and what can be done to it."""

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
from volumes.models import Operation, StatusChange
from volumes.operations import delete_volume, edit
from volumes.views import access, acting, listing, progress
from volumes.views.volumes import row_of

if TYPE_CHECKING:
    from volumes.views.access import Request

TABS = ("overview", "operations", "history")
ROWS = 100
GONE_BY = ("delete_volume", "release_volume")


@require_safe
def volume_page(request: Request, volume_id: UUID) -> HttpResponse:
    """Tabs Overview, Operations, History; live. A volume that is gone says who deleted it and when."""
    try:
        volume = access.get_volume(request, volume_id)
    except Http404:
        return gone_page(request, volume_id)
    tab = request.GET.get("tab", "")
    operations = Operation.objects.visible_to(request.user).filter(target_kind="volume", target_id=volume.pk)
    found = progress.of_operations([volume.last_operation])
    request.moving = int(volume.is_moving)  # type: ignore[attr-defined]
    context = {
        "live": True,
        "volume": volume,
        "row": row_of(request, volume, found),
        "tab": tab if tab in TABS else "overview",
        "operation_count": operations.count(),
    }
    if context["tab"] == "operations":
        newest = list(operations.select_related("node")[:ROWS])
        steps = progress.of_operations(newest)
        context["operations"] = [(operation, steps.get(operation.pk)) for operation in newest]
    elif context["tab"] == "history":
        context["changes"] = history(volume.pk)
    return render(request, "volumes/detail.html", context)


def history(volume_id: UUID) -> list[StatusChange]:
    """What became of it, newest first."""
    return list(
        StatusChange.objects.filter(kind="volume", object_id=volume_id).select_related("operation", "actor")[:ROWS]
    )


def gone_page(request: Request, volume_id: UUID) -> HttpResponse:
    """A volume that was deleted is not simply unknown to those who could see it."""
    last = (
        Operation.objects.visible_to(request.user)
        .filter(target_kind="volume", target_id=volume_id, verb__in=GONE_BY, status=Operation.Status.SUCCEEDED)
        .first()
    )
    if last is None:
        raise Http404(_("There is no such volume, or it is not yours to see."))
    status = 200 if listing.is_poll(request) else 404
    context = {"live": True, "operation": last, "changes": history(volume_id)}
    return render(request, "volumes/gone.html", context, status=status)


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
    why_not = rules.why_not_delete(volume)
    if request.method == "POST":
        try:
            delete_volume.request(volume, actor=request.user)
        except Refused as refusal:
            volume.refresh_from_db()
            why_not = str(refusal)
        else:
            return acting.done(request, _("Deleting %(name)s.") % {"name": volume}, back, [volume.pk])
    plan = delete_volume.plan(volume)
    context = {
        "volume": volume,
        "plan": plan,
        "commands": [command for step in plan for command in step.commands],
        "total_s": delete_volume.estimate_s(plan),
        "why_not": why_not,
        "back": back,
    }
    return render(request, "volumes/delete.html", context)
