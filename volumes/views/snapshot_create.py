"""Create a snapshot of a volume."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from volumes import rules
from volumes.errors import Refused
from volumes.forms import EditForm
from volumes.models import GIB, UNLIMITED, Volume
from volumes.operations import create_snapshot
from volumes.views import access, acting
from volumes.views.volume_extend import room

if TYPE_CHECKING:
    from volumes.views.access import Request


@dataclass(frozen=True)
class Space:
    """The copy-on-write space a thick snapshot gets; 0 bytes where the pool has too little for any."""

    size_bytes: int
    is_full: bool


@require_http_methods(["GET", "HEAD", "POST"])
def volume_snapshot(request: Request, volume_id: UUID) -> HttpResponse:
    """What it takes of quota and pool is shown before; a refusal is told above the fields, for none of them is wrong."""
    volume = access.get_volume(request, volume_id, act=True)
    form = EditForm(request.POST or None)
    wanted = acting.safe_next(request, "")
    if request.method == "POST" and form.is_valid():
        try:
            operation = create_snapshot.request(volume, actor=request.user, **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
            volume.refresh_from_db()
        else:
            said = _("Creating snapshot %(name)s of %(volume)s.") % {"name": operation.target_name, "volume": volume}
            return acting.done(request, said, wanted or reverse("snapshots"))
    context = {
        "form": form,
        "volume": volume,
        "pool": volume.pool,
        "wanted": wanted,
        "back": wanted or reverse("volume", args=[volume.pk]),
        **preview(volume),
    }
    return render(request, "volumes/snapshot.html", context)


def preview(volume: Volume) -> dict[str, Any]:
    """What one snapshot takes of the quota, and where its blocks will be."""
    project = volume.project
    found = room(volume.pool)
    return {
        "project": project,
        "used_gib": project.used()[1],
        "used_count": project.snapshots.count(),
        "unlimited": UNLIMITED,
        "why_not": rules.why_not_snapshot(volume)
        or rules.why_not_snapshot_quota(project, volume.size_gib)
        or why_no_room(volume, found),
        "space": space(volume, found.get("room_bytes", 0)),
        **found,
    }


def why_no_room(volume: Volume, found: dict[str, Any]) -> str | None:
    """The reason its pool cannot take one now."""
    pool, left = volume.pool, found.get("room_bytes", 0)
    if pool is None:
        return None
    if found["why_unusable"]:
        return str(found["why_no_more"])
    taken = space(volume, left)
    if volume.size_bytes <= left if taken is None else taken.size_bytes:
        return None
    return _("%(pool)s has too little room for it: %(room)s GiB.") % {"pool": pool, "room": f"{left / GIB:.1f}"}


def space(volume: Volume, room_bytes: int) -> Space | None:
    """What it would get now; None in a thin pool, where blocks are shared."""
    pool = volume.pool
    if pool is None or pool.is_thin:
        return None
    size = create_snapshot.cow_bytes(volume, pool, room_bytes)
    full = create_snapshot.full_cow_bytes(volume.size_bytes, pool.extent_size_bytes)
    return Space(size, size >= full)
