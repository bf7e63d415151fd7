"""`make demo` stays in the foreground for as long as the console runs, and leaves nothing behind."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from demo import commands, supervise
from demo.shell import DemoError
from demo.site import Site, demo_site

AWAY_S = 1.5


@pytest.fixture(autouse=True)
def _quick(tmp_path, monkeypatch) -> None:
    """A state folder of its own, and an absence that is over sooner."""
    monkeypatch.setenv("DEMO_STATE", str(tmp_path))
    monkeypatch.setattr(commands, "ABSENCE_S", AWAY_S)
    monkeypatch.setattr(commands, "LOOK_EVERY_S", 0.02)


@pytest.fixture
def foreground(monkeypatch) -> Callable[[Callable[[float], int | None]], list[str]]:
    """Run in the foreground with a supervisor whose pid is a function of the time since the start."""

    def run(pid: Callable[[float], int | None]) -> list[str]:
        start, did = time.monotonic(), []

        class Supervisor:
            def __init__(self, site: Site) -> None:
                self.pid = pid(time.monotonic() - start)

        monkeypatch.setattr(supervise, "Supervisor", Supervisor)
        try:
            commands._foreground(lambda: did.append("start") or demo_site(), lambda: did.append("stop"))
        except DemoError as error:
            did.append(str(error))
        return did

    return run


def interrupted_after(seconds: float, pid: Callable[[float], int | None]) -> Callable[[float], int | None]:
    """As Ctrl-C does it."""

    def until(now: float) -> int | None:
        if now > seconds:
            raise commands.Stopped
        return pid(now)

    return until


def test_ctrl_c_stops_everything(foreground):
    assert foreground(interrupted_after(0.1, lambda _: 1)) == ["start", "stop"]


def test_a_supervisor_that_is_restarted_is_waited_for(foreground, capsys):
    away = interrupted_after(1.5, lambda now: None if 0.1 < now < 0.4 or 0.8 < now < 1.2 else 1)
    assert foreground(away) == ["start", "stop"]
    assert capsys.readouterr().err.count("Waiting") == 2, "it is said once each time"


def test_a_supervisor_that_stays_away_ends_it_soon_with_a_word(foreground):
    start = time.monotonic()
    assert foreground(lambda now: 1 if now < 0.2 else None) == ["start", "stop", "The console's supervisor ended."]
    assert AWAY_S < time.monotonic() - start < AWAY_S + 2
