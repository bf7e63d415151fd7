"""Delete several volumes: each is asked for by itself, and each says what became of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from volumes import rules
from volumes.errors import Refused
from volumes.models import Operation, Volume
from volumes.operations import delete_volume
from volumes.views import access, acting

if TYPE_CHECKING:
    from volumes.views.access import Request

LIMIT = 1000


@dataclass
class Item:
    """One volume of the selection: what will happen to it, or what did."""

    volume: Volume
    why_not: str | None
    estimate_s: float | None = None
    operation: Operation | None = None


@require_http_methods(["GET", "HEAD", "POST"])
def volumes_delete(request: Request) -> HttpResponse:
    """The first POST (from the list) asks; the one with `do` does it. A GET with `ids` asks as well."""
    items = selected(request)
    for project in {item.volume.project for item in items}:
        access.must_act(request, project)
    back = acting.safe_next(request, reverse("volumes"))
    if not items:
        messages.warning(request, _("Nothing was selected, so nothing was deleted."))
        return acting.go(request, back)
    if request.method == "POST" and "do" in request.POST:
        return delete(request, items, back)
    for item in items:
        if item.why_not is None:
            item.estimate_s = delete_volume.estimate_s(delete_volume.plan(item.volume))
    can = [item for item in items if item.why_not is None]
    unwiped = [item.volume for item in can if item.volume.pool and item.volume.pool.leaves_bytes]
    context = {
        "items": items,
        "can": can,
        "unwiped": unwiped,
        "unwiped_pools": sorted({str(volume.pool) for volume in unwiped}),
        "gib": sum(item.volume.size_gib for item in can),
        "nodes": sorted({item.volume.pool.node.name for item in can if item.volume.pool}),
        "back": back,
    }
    return render(request, "volumes/delete_many.html", context)


def selected(request: Request) -> list[Item]:
    """Those of the ticked ids that the person may see; what is no id is passed over."""
    ids = []
    for text in (request.POST if request.method == "POST" else request.GET).getlist("ids")[:LIMIT]:
        try:
            ids.append(UUID(text))
        except ValueError:
            continue
    visible = Volume.objects.visible_to(request.user).select_related("project", "pool__node")
    volumes = visible.filter(pk__in=ids, project=access.current_project(request)).order_by("name", "id")
    return [Item(volume, rules.why_not_delete(volume)) for volume in volumes]


def delete(request: Request, items: list[Item], back: str) -> HttpResponse:
    """Ask for each; a refusal of one stops none of the others."""
    for item in items:
        try:
            item.operation = delete_volume.request(item.volume, actor=request.user)
        except Refused as refusal:
            item.why_not = str(refusal)
    asked = [item for item in items if item.operation]
    if len(asked) == len(items):
        said = ngettext("Deleting %(n)d volume.", "Deleting %(n)d volumes.", len(asked)) % {"n": len(asked)}
        return acting.done(request, said, back, [item.volume.pk for item in asked])
    context = {"items": items, "asked": asked, "refused": [item for item in items if not item.operation], "back": back}
    response = render(request, "volumes/deleted_many.html", context)
    response["HX-Trigger"] = json.dumps({"hearth:moved": {"rows": [str(item.volume.pk) for item in asked]}})
    return response
