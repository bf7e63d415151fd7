"""What the commands do. The console's parts are imported where they are used: looking at a guest needs none of them."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from demo.guest import FRESH, PARKED
from demo.lab import Lab
from demo.paths import ROOT, state_dir
from demo.people import LOGINS
from demo.shell import DemoError, say

if TYPE_CHECKING:
    from demo.site import Site

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ABSENCE_S = 20.0
"""How long the supervisor may be away: `make bench` stops it and starts it again."""
LOOK_EVERY_S = 0.5


class Stopped(BaseException):
    """Somebody pressed Ctrl-C, or the terminal went away."""


def demo(_: argparse.Namespace) -> None:
    from demo import console

    _foreground(console.demo_up, console.demo_down)


def run(_: argparse.Namespace) -> None:
    from demo import console
    from demo.site import real_site

    _foreground(lambda: console.console_up(real_site()), lambda: console.console_down(real_site()))


def up(_: argparse.Namespace) -> None:
    from demo import console

    with _alone(), _stopped_by_signals():
        try:
            site = console.demo_up()
        except BaseException:
            _undisturbed(console.demo_down)
            raise
    _welcome(site)


def down(_: argparse.Namespace) -> None:
    from demo import console

    with _alone():
        _undisturbed(console.demo_down)


def status(_: argparse.Namespace) -> None:
    from demo import console

    print(json.dumps(console.status(), indent=2))


def lab(given: argparse.Namespace) -> None:
    chosen = Lab(state_dir(), given.lab)
    with _stopped_by_signals():
        if given.action in {"up", "fresh"}:
            chosen.up(snapshot=PARKED if given.action == "up" else FRESH)
        else:
            {"down": chosen.down, "kill": chosen.kill}[given.action]()
    for guest in chosen.guests.values():
        print(f"{guest.name} port {guest.port} {'running' if guest.is_running else 'stopped'} {guest.host_key}")


def ssh(given: argparse.Namespace) -> None:
    """Become ssh. The words are joined by blanks, as ssh itself does it."""
    guest = Lab(state_dir(), given.lab)[given.guest]
    argv = guest.ssh_argv()
    if not given.words and sys.stdin.isatty():
        argv.insert(1, "-t")
    os.chdir(guest.folder)
    os.execvp(argv[0], [*argv, *given.words])


def manage(given: argparse.Namespace) -> None:
    """Become manage.py, in the environment of the demo's console or (--real) of the one that `make run` starts."""
    from demo.site import demo_site, python, real_site

    site = real_site() if given.real else demo_site()
    os.chdir(ROOT)
    os.execve(python(), [python(), "manage.py", *given.words], site.environment())


def _foreground(start: Callable[[], Site], stop: Callable[[], None]) -> None:
    """Start, stay, and leave nothing running whichever way it ends."""
    with _stopped_by_signals():
        try:
            with _alone():
                site = start()
            _welcome(site)
            say("Press Ctrl-C to stop everything.")
            with contextlib.suppress(Stopped):
                _while_supervised(site)
                raise DemoError("The console's supervisor ended.", f"Look at the logs in {site.log_folder}.")
        finally:
            say("")
            _undisturbed(stop)


def _while_supervised(site: Site) -> None:
    """Return when the supervisor has been away for too long to come back."""
    from demo.supervise import Supervisor

    seen, was_there = time.monotonic(), True
    while time.monotonic() - seen < ABSENCE_S:
        is_there = Supervisor(site).pid is not None
        if is_there:
            seen = time.monotonic()
        elif was_there:
            say(f"The console's supervisor is gone. Waiting {ABSENCE_S:.0f} s for it to come back ...")
        was_there = is_there
        time.sleep(LOOK_EVERY_S)


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise Stopped

    before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _undisturbed(work: Callable[[], None]) -> None:
    """A second Ctrl-C must not leave half of it running."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in SIGNALS}
    try:
        work()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _alone() -> Iterator[None]:
    """One start or stop at a time."""
    with (state_dir() / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("  Another start or stop is under way; waiting for it ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _welcome(site: Site) -> None:
    print(f"\nHearth is ready: {site.url}")
    if site.demo:
        print("Logins (password = name): " + ", ".join(f"{name} ({role})" for name, role in LOGINS.items()))
        print("Look behind the console: demo/ssh node-1 lvs")
    else:
        print("The first administrator is made with: make admin")
    print(f"Logs: {site.log_folder}", flush=True)
