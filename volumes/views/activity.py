"""The activity dock, on every page: what runs, what waits, what failed, what was done today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from volumes.models import BAD, OWNED, SNAPSHOT_BAD, Operation, User
from volumes.views import progress

if TYPE_CHECKING:
    from volumes.views.access import Request

COOKIE = "activity"
SHOW = ("all", "running", "waiting", "failed", "done")
ROWS = 30
FRESH = timedelta(hours=24)


def running(user: User) -> QuerySet[Operation]:
    """Those under way that this person may see."""
    return Operation.objects.visible_to(user).unfinished()


def failed(user: User) -> QuerySet[Operation]:
    """Those that failed and wait for somebody: the last word about an object that is still bad, or fresh failures."""
    still_bad = last_word = Q()
    for model in OWNED.values():
        rows = model.objects.filter(last_operation=OuterRef("pk"))
        still_bad |= Q(Exists(rows.filter(status__in=BAD | SNAPSHOT_BAD)))
        last_word |= Q(Exists(rows))
    again = Operation.objects.filter(
        target_kind=OuterRef("target_kind"), target_id=OuterRef("target_id"), created_at__gt=OuterRef("created_at")
    )
    elsewhere = ~Q(target_kind__in=OWNED) & ~Exists(again)
    fresh = Q(finished_at__gte=timezone.now() - FRESH) & (last_word | elsewhere)
    bad = Operation.objects.visible_to(user).filter(status__in=[Operation.Status.FAILED, Operation.Status.ERRORED])
    return bad.filter(still_bad | fresh)


@dataclass(frozen=True)
class Tab:
    """One filter of the dock."""

    key: str
    title: str
    count: int | None
    bad: bool = False


@dataclass(frozen=True)
class Dock:
    """What the open dock shows."""

    show: str
    mine: bool
    tabs: list[Tab]
    rows: list[tuple[Operation, progress.Progress | None]]


def shown(request: HttpRequest) -> str:
    """Which tab is open: the one just asked for, or the one the browser remembers. Empty: the dock is closed."""
    wanted = getattr(request, "dock_show", None) or request.COOKIES.get(COOKIE, "")
    return wanted if wanted.split(".")[0] in SHOW else ""


def dock(request: Request, wanted: str) -> Dock:
    """The dock's rows and counts."""
    show, _dot, mine = wanted.partition(".")
    visible = Operation.objects.visible_to(request.user)
    if mine:
        visible = visible.filter(actor=request.user)
    waiting = Q(status__in=[Operation.Status.QUEUED, Operation.Status.WAITING]) & ~Q(waits_for=Operation.Waits.UNIT)
    today = visible.filter(status=Operation.Status.SUCCEEDED, finished_at__date=timezone.localdate())
    of = {
        "all": visible.filter(Q(finished_at=None) | Q(finished_at__gte=timezone.now() - FRESH)),
        "running": visible.unfinished().exclude(waiting),
        "waiting": visible.unfinished().filter(waiting),
        "failed": failed(request.user).filter(pk__in=visible),
        "done": today,
    }
    tabs = [
        Tab("all", _("All"), None),
        Tab("running", _("Running"), of["running"].count()),
        Tab("waiting", _("Waiting"), of["waiting"].count()),
        Tab("failed", _("Failed"), of["failed"].count(), bad=True),
        Tab("done", _("Done today"), today.count()),
    ]
    rows = of[show].select_related("node").defer("traceback", "args", "state")
    newest = list(rows.order_by(F("finished_at").desc(nulls_first=True), "-created_at")[:ROWS])
    found = progress.of_operations(newest)
    return Dock(show, bool(mine), tabs, [(operation, found.get(operation.pk)) for operation in newest])


@require_GET
def show_dock(request: Request) -> HttpResponse:
    """Open, close or change the dock; the browser remembers. Without a script the list of operations does its work."""
    if not request.htmx:
        return redirect("operations")
    wanted = request.GET.get("show", "all")
    if request.GET.get("mine"):
        wanted = f"{wanted}.mine"
    request.dock_show = wanted  # type: ignore[attr-defined]
    response = render(request, "frame/dock_answer.html")
    response.set_cookie(COOKIE, wanted, max_age=31_536_000, samesite="Lax")
    return response
