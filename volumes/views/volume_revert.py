"""Revert a volume to one of its snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from volumes import rules
from volumes.errors import Refused
from volumes.forms import RevertForm
from volumes.models import Snapshot, Volume
from volumes.operations import revert_volume
from volumes.views import access, acting

if TYPE_CHECKING:
    from volumes.views.access import Request


@require_http_methods(["GET", "HEAD", "POST"])
def volume_revert(request: Request, volume_id: UUID) -> HttpResponse:
    """Which snapshot, what is lost and what stays; the volume's name is typed, for what was written since is overwritten."""
    volume = access.get_volume(request, volume_id, act=True)
    snapshots = choices(volume)
    back = acting.safe_next(request, reverse("volume", args=[volume.pk]))
    form = RevertForm(request.POST or None, volume=volume, snapshots=snapshots, initial=asked(request, snapshots))
    why_not = rules.why_not_revert(volume)
    if request.method == "POST" and form.is_valid():
        try:
            revert_volume.request(volume, form.cleaned_data["snapshot"], actor=request.user)
        except Refused as refusal:
            volume.refresh_from_db()
            acting.refuse(form, refusal)
        else:
            said = _("Reverting %(name)s to %(snapshot)s.")
            words = {"name": volume, "snapshot": form.cleaned_data["snapshot"]}
            return acting.done(request, said % words, back, [volume.pk, form.cleaned_data["snapshot"].pk])
    context = {
        "volume": volume,
        "form": form,
        "snapshots": [(each, rules.why_not_revert_to(each)) for each in snapshots],
        "chosen": form["snapshot"].value() or "",
        "at_risk": {str(each.pk): names(revert_volume.at_risk(each)) for each in snapshots},
        "why_not": why_not,
        "back": back,
    }
    return render(request, "volumes/revert.html", context)


def choices(volume: Volume) -> list[Snapshot]:
    """All of its snapshots, the newest first."""
    rows = volume.snapshots.with_leaning().select_related("volume__pool__node", "project")
    return list(rows.order_by("-created_at"))


def asked(request: Request, snapshots: list[Snapshot]) -> dict[str, str]:
    """The one the person came from; none is chosen for them."""
    wanted = request.GET.get("snapshot", "")
    return {"snapshot": wanted} if wanted in {str(each.pk) for each in snapshots} else {}


def names(snapshots: list[Snapshot]) -> str:
    """For a sentence."""
    return ", ".join(map(str, snapshots))
