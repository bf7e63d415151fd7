"""Whether this process lives, and whether the whole console can work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Worker
from rq.utils import utcparse

from volumes.models import Node

WAIT_S = 2
"""How long Redis may take to answer: who asks for readiness waits no longer either."""
IDLE_FOR = timedelta(seconds=45)
"""A worker that waits for work gives a sign of life every 15 s when it was started with `--worker-ttl 30`."""
BUSY_FOR = timedelta(seconds=180)
"""One that works gives none before its job is over. No command waits longer than 150 s for a node."""


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


@contextmanager
def queue() -> Iterator[Redis]:
    """A connection that says soon, and once, that there is none."""
    soon: dict[str, Any] = {"socket_timeout": WAIT_S, "socket_connect_timeout": WAIT_S, "retry": Retry(NoBackoff(), 0)}
    with Redis.from_url(settings.REDIS_URL, decode_responses=True, **soon) as opened:
        yield opened


def redis() -> bool:
    """It answers."""
    with queue() as asked:
        return bool(asked.ping())


def worker() -> bool:
    """At least one lives. One that was killed with -9 stays registered, and a flushed Redis registers none: signs of life count."""
    with queue() as asked:
        keys = asked.scan_iter(match=f"{Worker.redis_worker_namespace_prefix}*", count=1000, _type="HASH")
        return any(lives(asked, key) for key in keys)


def lives(asked: Redis, key: str) -> bool:
    """Whether this worker has not signed off, and was heard of as lately as what it does allows."""
    beat, state, death = cast("list[str | None]", asked.hmget(key, ["last_heartbeat", "state", "death"]))
    if beat is None or death is not None:
        return False
    return timezone.now() - utcparse(beat) < (BUSY_FOR if state == "busy" else IDLE_FOR)


def node() -> bool:
    """One is up. An installation that has none yet is ready to be given its first."""
    nodes = list(Node.objects.exclude(host_key=""))
    return not nodes or any(each.is_up for each in nodes)


CHECKS: dict[str, Callable[[], bool]] = {"database": database, "redis": redis, "worker": worker, "node": node}
