"""The processes are kept running, and end with their supervisor."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo import console, site
from demo.site import Site
from demo.supervise import Supervisor


@pytest.fixture(scope="module")
def running(tmp_path_factory) -> Iterator[Site]:
    """A console of its own without nodes, its state in a temporary folder."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("WEB_PORT", "REDIS_PORT", "WEB_ADDRESS", "REDIS_URL", "DATABASE_URL"):
            environment.delenv(name, raising=False)
        environment.setenv("WORKERS", "1")
        environment.setenv("HEARTH_STATE", str(tmp_path_factory.mktemp("console")))
        started = console.console_up(site.real_site())
        yield started
        console.console_down(started)


NAMES = ("web", "worker-1", "watch", "cron", "redis")
BACK_S = 5


def pids(running: Site) -> dict[str, int]:
    """Of the processes that run: started, and still there a second later."""
    return {one["name"]: one["pid"] for one in Supervisor(running).running() if one["state"] == "running"}


def until(condition, limit_s: float = 60) -> bool:
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("name", NAMES)
def test_a_process_that_is_killed_is_back_within_seconds(running, name):
    assert until(lambda: set(pids(running)) == set(NAMES)), "all run before one is killed"
    before = pids(running)[name]
    os.kill(before, signal.SIGKILL)
    assert until(lambda: pids(running).get(name, before) != before, BACK_S)


def test_all_of_them_killed_at_once_come_back_and_serve(running):
    assert until(lambda: set(pids(running)) == set(NAMES))
    before = pids(running)
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    assert until(lambda: set(pids(running)) == set(before) and not set(pids(running).values()) & set(before.values()))
    console.wait_ready(running)


def test_nothing_outlives_the_supervisor_even_when_that_is_killed(running):
    before = [*pids(running).values()]
    supervisor = Supervisor(running).pid
    assert supervisor
    os.kill(supervisor, signal.SIGKILL)
    assert until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in before))
