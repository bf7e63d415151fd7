"""The processes of a console: the one list that `make demo`, `make run` and the status page go by."""

from __future__ import annotations

from dataclasses import dataclass

from demo.ports import LOOPBACK
from demo.site import Site, program, python

WORKER_TTL_S = 30
"""An idle worker gives a sign of life 15 s before this is over: /readyz misses it soon. rq's own is seven minutes."""


@dataclass(frozen=True)
class Process:
    """A program that is kept running. Lower `priority` starts first and stops last."""

    name: str
    argv: list[str]
    priority: int = 100
    stop_wait_s: int = 10


def processes(site: Site) -> list[Process]:
    manage = [python(), "manage.py"]
    own_redis = [] if site.outside_redis else [Process("redis", _redis(site), priority=1)]
    quiet = ["--skip-checks", "--verbosity", "0"]
    workers = [
        Process(f"worker-{number}", [*manage, "rqworker", *quiet, "--worker-ttl", str(WORKER_TTL_S), "default"])
        for number in range(1, site.workers + 1)
    ]
    return [
        *own_redis,
        Process("web", _web(site), priority=50),
        *workers,
        Process("watch", [*manage, "watch"]),
        Process("cron", [*manage, "rqcron", "--skip-checks", "console/cron.py", "--logging-level", "WARNING"]),
    ]


def _web(site: Site) -> list[str]:
    """One process with threads: pages wait for the database at most, never for a node."""
    listen = ["--bind", f"{site.address}:{site.web_port}", "--worker-class", "gthread", "--threads", "8"]
    habits = ["--preload", "--no-control-socket", "--graceful-timeout", "5", "--worker-tmp-dir", "/dev/shm"]
    return [program("gunicorn"), "console.wsgi", *listen, *habits, "--access-logfile", "-"]


def _redis(site: Site) -> list[str]:
    """Appends every change to a file. Redis only transports, yet a restart should not cost a round of sending again.

    The password stands in a file that only its owner can read, for a command line can be read by everybody.
    """
    folder = site.redis_folder
    lines = [
        f"bind {LOOPBACK}",
        f"port {site.redis_port}",
        f'dir "{folder}"',
        "appendonly yes",
        'save ""',
        "loglevel warning",
    ]
    if site.redis_password:
        lines.append(f"requirepass {site.redis_password}")
    config = folder / "redis.conf"
    config.touch(mode=0o600)
    config.write_text("\n".join(lines) + "\n")
    return ["redis-server", str(config)]
