"""Delete several at once: each is asked for by itself, and each says what became of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from volumes.errors import Refused
from volumes.models import Operation, Snapshot, User, Volume
from volumes.operations.delete_volume import Planned, estimate_s
from volumes.views import access, acting

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from volumes.views.access import Request

LIMIT = 1000
T = TypeVar("T", Volume, Snapshot)


@dataclass
class Item(Generic[T]):
    """One of the selection: what will happen to it, or what did."""

    owned: T
    why_not: str | None
    estimate_s: float | None = None
    operation: Operation | None = None


class Many(Protocol[T]):
    """What differs from kind to kind. `back` is the list; the rest are its words."""

    @property
    def back(self) -> str: ...
    def rows(self, request: Request) -> QuerySet[T]: ...
    def why_not(self, owned: T) -> str | None: ...
    def plan(self, owned: T) -> list[Planned]: ...
    def request(self, owned: T, actor: User) -> Operation: ...
    def question(self, count: int) -> str: ...
    def button(self, count: int) -> str: ...
    def said(self, count: int) -> str: ...
    def warning(self) -> str: ...
    def return_word(self) -> str: ...


def page(request: Request, many: Many[T]) -> HttpResponse:
    """The first POST (from the list) asks; the one with `do` does it. A GET with `ids` asks as well."""
    items = selected(request, many)
    for project in {item.owned.project for item in items}:
        access.must_act(request, project)
    back = acting.safe_next(request, many.back)
    if not items:
        messages.warning(request, _("Nothing was selected, so nothing was deleted."))
        return acting.go(request, back)
    if request.method == "POST" and "do" in request.POST:
        return delete(request, many, items, back)
    can = [item for item in items if item.why_not is None]
    for item in can:
        item.estimate_s = estimate_s(many.plan(item.owned))
    unwiped = [item.owned for item in can if item.owned.pool and item.owned.pool.leaves_bytes]
    context = {
        "items": items,
        "can": can,
        "unwiped": unwiped,
        "unwiped_pools": sorted({str(owned.pool) for owned in unwiped}),
        "gib": sum(item.owned.size_gib for item in can),
        "nodes": sorted({item.owned.pool.node.name for item in can if item.owned.pool}),
        "question": many.question(len(can)),
        "button": many.button(len(can)),
        "warning": many.warning(),
        "back": back,
    }
    return render(request, "many/delete.html", context)


def selected(request: Request, many: Many[T]) -> list[Item[T]]:
    """Those of the ticked ids that the person may see; what is no id is passed over."""
    ids = []
    for text in (request.POST if request.method == "POST" else request.GET).getlist("ids")[:LIMIT]:
        try:
            ids.append(UUID(text))
        except ValueError:
            continue
    found = many.rows(request).filter(pk__in=ids, project=access.current_project(request)).order_by("name", "id")
    return [Item(owned, many.why_not(owned)) for owned in found]


def delete(request: Request, many: Many[T], items: Sequence[Item[T]], back: str) -> HttpResponse:
    """Ask for each; a refusal of one stops none of the others."""
    for item in items:
        if item.why_not is None:
            try:
                item.operation = many.request(item.owned, request.user)
            except Refused as refusal:
                item.why_not = str(refusal)
    asked = [item for item in items if item.operation]
    if len(asked) == len(items):
        return acting.done(request, many.said(len(asked)), back, [item.owned.pk for item in asked])
    context = {"items": items, "asked": asked, "back": back, "return_word": many.return_word()}
    response = render(request, "many/deleted.html", context)
    response["HX-Trigger"] = json.dumps({"hearth:moved": {"rows": [str(item.owned.pk) for item in asked]}})
    return response
