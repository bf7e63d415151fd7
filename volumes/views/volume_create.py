"""Create a volume, or several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from volumes import placement, rules
from volumes.errors import Refused
from volumes.forms import CreateForm
from volumes.models import GIB, OWNED, UNLIMITED, Operation, Project
from volumes.operations import clone_volume, create_volume
from volumes.views import access, acting

if TYPE_CHECKING:
    from volumes.views.access import Request


@require_http_methods(["GET", "HEAD", "POST"])
def volume_create(request: Request) -> HttpResponse:
    """Quota and room are previewed as somebody types; the server says the largest size that fits."""
    project = access.current_project(request)
    access.must_act(request, project)
    form = CreateForm(request.POST or None, project=project, initial=asked(request, project))
    if request.method == "POST" and form.is_valid():
        try:
            operations = ask(request, project, form.cleaned_data)
        except Refused as refusal:
            acting.refuse(form, refusal)
        else:
            said = ngettext("Creating %(name)s.", "Creating %(n)d volumes: %(name)s and so on.", len(operations))
            return acting.done(
                request, said % {"name": operations[0].target_name, "n": len(operations)}, reverse("volumes")
            )
    context = {"form": form, "project": project, "back": acting.safe_next(request, reverse("volumes")), **room(project)}
    return render(request, "volumes/create.html", context)


def ask(request: Request, project: Project, data: dict[str, Any]) -> list[Operation]:
    """Empty ones, or a copy."""
    words = {"name": data["name"], "description": data["description"], "metadata": data["metadata"]}
    common = {"actor": request.user, "size_gib": data["size"], "pool": data["pool"], **words}
    if data["source"] is not None:
        return [clone_volume.request(data["source"], **common)]
    return create_volume.request(project=project, count=data["count"], zone=data["zone"], **common)


def asked(request: Request, project: Project) -> dict[str, Any]:
    """The source that the person comes from, with its size, and a name that says so."""
    kind, _colon, text = request.GET.get("source", "").partition(":")
    model = OWNED.get(kind)
    if model is None:
        return {}
    try:
        source = model.objects.filter(project=project, pk=UUID(text)).first()
    except ValueError:
        return {}
    if source is None:
        return {}
    return {
        "source": f"{kind}:{source.pk}",
        "size": source.size_gib,
        "name": f"{source}-copy"[:255] if source.name else "",
    }


def room(project: Project) -> dict[str, Any]:
    """Quota and pools, for the bars and for the sentence that says how much fits."""
    count, gib = project.used()
    choice = placement.choose(GIB)
    left_gib = None if project.quota_gib == UNLIMITED else max(0, project.quota_gib - gib)
    fits = [limit for limit in (left_gib, choice.largest_gib) if limit is not None]
    return {
        "used_count": count,
        "used_gib": gib,
        "left_gib": left_gib,
        "largest_gib": min(fits),
        "limited_by_pools": left_gib is None or choice.largest_gib < left_gib,
        "verdicts": choice.verdicts,
        "usable": sum(1 for verdict in choice.verdicts if verdict.why_not is None),
        "why_not": rules.why_not_create(project),
        "unlimited": UNLIMITED,
    }
