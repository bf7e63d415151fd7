"""The console's processes as a test starts, kills and restarts them: real workers, the real watch."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

from tests.nursery import Nursery

PATIENCE = float(os.environ.get("HEARTH_TEST_PATIENCE", "1"))
"""How many times longer than usual to wait, on a machine that has much else to do."""

# Stands before the real ssh in the processes' PATH. While there are rules, an ssh whose command matches one kills who called
# it: before anything is sent, while the node works, or after the answer came and before it could be written down.
SSH = """\
#!/bin/sh
for rule in {folder}/deaths/*.rule; do
    [ -e "$rule" ] || break
    read -r when after_s pattern <"$rule" || continue
    case "$*" in *$pattern*) ;; *) continue ;; esac
    mv "$rule" "$rule.done" 2>/dev/null || continue
    case $when in
        before) ;;
        during) exec 3<&0; {ssh} "$@" <&3 & sleep "$after_s" ;;
        after) {ssh} "$@" ;;
    esac
    kill -KILL $PPID
    exit 255
done
exec {ssh} "$@"
"""


class Process:
    """One `manage.py` process. It ends with pytest, whatever ends pytest."""

    def __init__(self, name: str, words: list[str], folder: Path) -> None:
        self.name, self.words = name, words
        self.log = folder / f"{name}.log"
        self._pid = 0
        self._logged = 0

    @property
    def is_running(self) -> bool:
        return self._pid > 0 and Path(f"/proc/{self._pid}").exists()

    @property
    def pid(self) -> int:
        assert self._pid
        return self._pid

    def start(self, nursery: Nursery) -> None:
        """Start it unless it runs."""
        if not self.is_running:
            self._pid = nursery.start(self.words, self.log)

    def kill(self) -> None:
        """kill -9."""
        if self.is_running:
            os.kill(self._pid, signal.SIGKILL)
            self.wait_dead()
        self._pid = 0

    def wait_dead(self, timeout_s: float = 30) -> None:
        """Until something else has killed it."""
        until(f"{self.name} is dead", lambda: not self.is_running, timeout_s=timeout_s, every_s=0.01)

    def say_where(self) -> None:
        """Make it write the stack of every thread into its log."""
        if self.is_running:
            os.kill(self.pid, signal.SIGUSR1)
            time.sleep(0.2)

    def new_log(self) -> str:
        """What it said in this test."""
        if not self.log.exists():
            return ""
        return self.log.read_bytes()[self._logged :].decode(errors="replace")

    def forget_log(self) -> None:
        self._logged = self.log.stat().st_size if self.log.exists() else 0


class Deaths:
    """Deaths to order, by the ssh command that brings them. Each comes once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "deaths"
        self.folder.mkdir(exist_ok=True)
        self._ordered = 0
        wrapper = folder / "bin" / "ssh"
        wrapper.parent.mkdir(exist_ok=True)
        wrapper.write_text(SSH.format(folder=folder, ssh=shutil.which("ssh")))
        wrapper.chmod(0o755)

    def order(self, when: str, pattern: str, *, after_s: float = 0.25) -> None:
        """Who next sends a command that has `pattern` in it (a shell's: `*` is anything) dies `before`, `during` or `after` it.

        `after_s` is how long after it was sent `during` is.
        """
        assert when in {"before", "during", "after"}
        self._ordered += 1
        draft = self.folder / f"{self._ordered:03}.draft"
        draft.write_text(f"{when} {after_s} {pattern}\n")
        draft.rename(draft.with_suffix(".rule"))

    @property
    def happened(self) -> bool:
        """Whether all that was ordered has come."""
        return self._ordered > 0 and not self.outstanding

    @property
    def outstanding(self) -> list[str]:
        return [path.read_text().strip() for path in sorted(self.folder.glob("*.rule"))]

    def wait(self, timeout_s: float = 60) -> None:
        """Until all of them have come."""
        try:
            until("all deaths have come", lambda: self.happened, timeout_s=timeout_s)
        except AssertionError as error:
            raise AssertionError(f"{error}; still to come: {self.outstanding}") from None

    def forget(self) -> None:
        self._ordered = 0
        for path in self.folder.iterdir():
            path.unlink(missing_ok=True)


def until(what: str, check: object, *, timeout_s: float = 20, every_s: float = 0.05) -> None:
    """Wait for a condition; AssertionError with `what` when it does not come."""
    end = time.monotonic() + timeout_s * PATIENCE
    while not check():  # type: ignore[operator]
        if time.monotonic() > end:
            raise AssertionError(f"Not within {timeout_s:.0f} s: {what}")
        time.sleep(every_s)
