"""Whether this process lives, and whether the whole console can work."""

from __future__ import annotations

from collections.abc import Callable

import django_rq
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from rq import Worker

from volumes.models import Node


@login_not_required
@never_cache
@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@never_cache
@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """Database, Redis, a worker, a node; 503 while one is missing. It names no machine and no reason: anybody may ask."""
    checks = {name: passes(check) for name, check in CHECKS.items()}
    ready = all(checks.values())
    return JsonResponse({"ready": ready, "checks": checks}, status=200 if ready else 503)


def passes(check: Callable[[], bool]) -> bool:
    """Whether it says yes; whatever it raises is a no."""
    try:
        return check()
    except Exception:
        return False


def database() -> bool:
    """It answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True


def redis() -> bool:
    """It answers."""
    return bool(django_rq.get_connection().ping())


def worker() -> bool:
    """At least one is registered."""
    return Worker.count(connection=django_rq.get_connection()) > 0


def node() -> bool:
    """One is up. An installation that has none yet is ready to be given its first."""
    nodes = list(Node.objects.exclude(host_key=""))
    return not nodes or any(each.is_up for each in nodes)


CHECKS: dict[str, Callable[[], bool]] = {"database": database, "redis": redis, "worker": worker, "node": node}
