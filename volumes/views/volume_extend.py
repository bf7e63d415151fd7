"""Extend a volume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from volumes import placement, rules
from volumes.errors import Refused
from volumes.forms import ExtendForm
from volumes.models import GIB, UNLIMITED, Pool, Volume
from volumes.operations import extend_volume
from volumes.views import access, acting

if TYPE_CHECKING:
    from volumes.views.access import Request


@require_http_methods(["GET", "HEAD", "POST"])
def volume_extend(request: Request, volume_id: UUID) -> HttpResponse:
    """Quota and the pool's room are previewed as somebody types; the server says the largest size that fits."""
    volume = access.get_volume(request, volume_id, act=True)
    form = ExtendForm(request.POST or None, initial={"new_size": volume.size_gib + 1})
    back = acting.safe_next(request, reverse("volume", args=[volume.pk]))
    if request.method == "POST" and form.is_valid():
        size = form.cleaned_data["new_size"]
        try:
            extend_volume.request(volume, new_size_gib=size, actor=request.user)
        except Refused as refusal:
            acting.refuse(form, refusal)
            volume.refresh_from_db()
        else:
            said = _("Extending %(name)s to %(size)d GiB.") % {"name": volume, "size": size}
            return acting.done(request, said, back, [volume.pk])
    context = {
        "form": form,
        "volume": volume,
        "pool": volume.pool,
        "back": back,
        "asks_gib": asked(form, volume),
    } | preview(volume)
    return render(request, "volumes/extend.html", context)


def asked(form: ExtendForm, volume: Volume) -> int:
    """By how much it would grow; what is no number asks for nothing."""
    typed = str(form["new_size"].value())
    return max(0, int(typed) - volume.size_gib) if typed.isascii() and typed.isdigit() and len(typed) < 8 else 0


def preview(volume: Volume) -> dict[str, Any]:
    """Quota and the pool's room, for the bars and for the sentence that says how much fits. Sizes are whole GiB."""
    most, found = extend_volume.largest(volume), room(volume.pool)
    reason = rules.why_not_extend(volume) or rules.why_not_grow(volume.project, 1) or found.get("why_no_more")
    return {
        "project": volume.project,
        "used_gib": volume.project.used()[1],
        "unlimited": UNLIMITED,
        "largest": most,
        "why_not": reason,
        **found,
    }


def room(pool: Pool | None) -> dict[str, Any]:
    """How much of what a pool may promise is promised, and why nothing more can be; empty without a pool."""
    if pool is None:
        return {}
    found = Pool.objects.with_promises().get(pk=pool.pk)
    total = round(found.size_bytes * (found.over_subscription if found.is_thin else 1)) // GIB
    left = placement.room_bytes(found)
    unusable = placement.why_unusable(found, growing=True)
    return {
        "room_bytes": left,
        "room_total": total,
        "room_used": max(0, total - left // GIB),
        "why_unusable": unusable,
        "why_no_more": _why_no_more(found, left, unusable),
    }


def _why_no_more(pool: Pool, room_bytes: int, unusable: str | None) -> str | None:
    if unusable:
        return f"{pool}: {unusable}"
    return None if room_bytes >= GIB else _("%(pool)s has no room left.") % {"pool": pool}
