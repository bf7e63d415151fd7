"""What an administrator does to a pool: scrub, adopt into it, make a thin pool in it, extend it; and release a volume."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from volumes import rules
from volumes.errors import Refused
from volumes.forms import AdoptForm, ExtendThinPoolForm, ReleaseForm, ThinPoolForm
from volumes.models import GIB, Operation, Pool
from volumes.operations import (
    adopt_lv,
    create_thin_pool,
    extend_thin_pool,
    pool_verb,
    release_volume,
    scrub_pool,
)
from volumes.views import access, acting

if TYPE_CHECKING:
    from volumes.views.access import Request

GET_OR_POST = ["GET", "HEAD", "POST"]


def get_pool(pool_id: UUID) -> Pool:
    """The pool, and what is promised in it."""
    return get_object_or_404(Pool.objects.with_promises(), pk=pool_id)


def try_it(form: forms.Form, ask: Callable[[], Operation]) -> Operation | None:
    """Ask for it; a refusal goes beside its field."""
    try:
        return ask()
    except Refused as refusal:
        acting.refuse(form, refusal)
        return None


def planned(lines: list[pool_verb.Planned]) -> dict[str, Any]:
    """What the dialog says will happen."""
    times = [line.estimate_s for line in lines]
    return {
        "plan": lines,
        "commands": [command for line in lines for command in line.commands],
        "total_s": None if None in times else sum(time or 0 for time in times),
    }


@require_http_methods(GET_OR_POST)
@access.administrators_only
def pool_scrub(request: Request, pool_id: UUID) -> HttpResponse:
    """Zero all that is free in a volume group."""
    pool = get_pool(pool_id)
    back = acting.safe_next(request, reverse("pool", args=[pool.pk]))
    why_not = rules.why_not_scrub(pool)
    if request.method == "POST":
        try:
            scrub_pool.request(pool, actor=request.user)
        except Refused as refusal:
            why_not = str(refusal)
        else:
            return acting.done(request, _("Scrubbing the free space of %(name)s.") % {"name": pool}, back, [pool.pk])
    context = {
        "pool": pool,
        "why_not": why_not,
        "back": back,
        **planned(scrub_pool.plan(pool) if not pool.is_thin else []),
    }
    return render(request, "pools/scrub.html", context)


@require_http_methods(GET_OR_POST)
@access.administrators_only
def pool_adopt(request: Request, pool_id: UUID) -> HttpResponse:
    """Which LV, into which project; those that may not say why."""
    pool = get_pool(pool_id)
    back = acting.safe_next(request, reverse("pool", args=[pool.pk]))
    project = access.current(request)
    chosen = str(request.POST.get("lv") or request.GET.get("lv") or "")
    form = AdoptForm(request.POST or None, initial={"project": project.pk if project else None, "name": chosen})
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        operation = try_it(form, lambda: adopt_lv.request(pool, actor=request.user, **asked))
        if operation is not None:
            return acting.done(request, _("Adopting %(lv)s.") % {"lv": asked["lv"]}, back, [pool.pk])
    listed = candidates(pool)
    may = [name for name, _size, reason in listed if reason is None]
    chosen = chosen if chosen in may or request.method == "POST" else next(iter(may), "") if len(may) == 1 else ""
    context = {
        "pool": pool,
        "form": form,
        "back": back,
        "lvs": listed,
        "chosen": chosen,
        "why_not": rules.why_not_touch_pool(pool) or (None if may else _("No LV in it may be adopted.")),
        **planned(adopt_lv.plan(pool, chosen) if chosen else []),
    }
    return render(request, "pools/adopt.html", context)


def candidates(pool: Pool) -> list[tuple[str, int, str | None]]:
    """Name, size and the reason against it of every LV that is not Hearth's; those that may be adopted first."""
    listed: list[dict[str, Any]] = pool.facts.get("lvs", [])
    leaning = [entry for entry in listed if entry.get("origin")]
    found = [
        (entry["name"], entry["size_bytes"], rules.why_not_adopt(entry, leaning, pool.vg_name))
        for entry in listed
        if not entry.get("hearth_id")
    ]
    return sorted(found, key=lambda line: (line[2] is not None, line[0]))


@require_http_methods(GET_OR_POST)
@access.administrators_only
def pool_thin(request: Request, pool_id: UUID) -> HttpResponse:
    """A thin pool in a volume group."""
    pool = get_pool(pool_id)
    back = acting.safe_next(request, reverse("pool", args=[pool.pk]))
    why_not = rules.why_not_create_thin_pool(pool)
    most = create_thin_pool.largest_gib(pool) if not pool.is_thin else 0
    form = ThinPoolForm(request.POST or None, initial={"name": "thin", "size": max(1, most)})
    if request.method == "POST" and form.is_valid():
        name, size = form.cleaned_data["name"], form.cleaned_data["size"]
        ask = lambda: create_thin_pool.request(pool, name=name, size_gib=size, actor=request.user)  # noqa: E731
        if try_it(form, ask) is not None:
            return acting.done(request, _("Making the thin pool %(name)s.") % {"name": name}, back, [pool.pk])
    shown: dict[str, Any] = {"name": "thin", "size": max(1, most)}
    shown |= form.cleaned_data if form.is_bound and form.is_valid() else {}
    context = {
        "pool": pool,
        "form": form,
        "back": back,
        "why_not": why_not or (None if most else _("It has no room for a thin pool.")),
        "most": most,
        **planned(create_thin_pool.plan(pool, shown["name"], shown["size"])),
    }
    return render(request, "pools/thin.html", context)


@require_http_methods(GET_OR_POST)
@access.administrators_only
def pool_extend(request: Request, pool_id: UUID) -> HttpResponse:
    """More data, more metadata, for a thin pool."""
    pool = get_pool(pool_id)
    back = acting.safe_next(request, reverse("pool", args=[pool.pk]))
    free = int(pool.facts.get("vg_free_bytes", 0))
    initial = {"data_gib": 1 if free >= GIB else 0, "metadata_mib": 0}
    form = ExtendThinPoolForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        operation = try_it(form, lambda: extend_thin_pool.request(pool, actor=request.user, **asked))
        if operation is not None:
            return acting.done(request, _("Extending %(name)s.") % {"name": pool}, back, [pool.pk])
    shown = form.cleaned_data if form.is_bound and form.is_valid() else initial
    context = {
        "pool": pool,
        "form": form,
        "back": back,
        "why_not": rules.why_not_extend_thin_pool(pool),
        "free_bytes": free,
        **planned(extend_thin_pool.plan(pool, **shown) if pool.is_thin else []),
    }
    return render(request, "pools/extend.html", context)


@require_http_methods(GET_OR_POST)
@access.administrators_only
def volume_release(request: Request, volume_id: UUID) -> HttpResponse:
    """Let a volume go, and keep its LV."""
    volume = access.get_volume(request, volume_id)
    home = reverse("pool", args=[volume.pool_id]) if volume.pool_id else reverse("volumes")
    back = acting.safe_next(request, home)
    form = ReleaseForm(request.POST if request.method == "POST" else None)
    why_not = rules.why_not_release(volume)
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["lv_name"]
        if try_it(form, lambda: release_volume.request(volume, actor=request.user, lv_name=name)) is not None:
            return acting.done(request, _("Releasing %(name)s.") % {"name": volume}, back, [volume.pk])
        volume.refresh_from_db()
        why_not = rules.why_not_release(volume)
    typed = form.cleaned_data.get("lv_name", "") if form.is_bound and form.is_valid() else ""
    context = {
        "volume": volume,
        "pool": volume.pool,
        "form": form,
        "back": back,
        "why_not": why_not,
        **planned(release_volume.plan(volume, typed) if volume.pool else []),
    }
    return render(request, "volumes/release.html", context)
