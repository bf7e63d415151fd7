"""Long work on a node: systemd transient units that outlive the connection and the worker that started them.

A unit keeps a log in `/run/hearth/<unit>.out`, which is memory: the first line names its process, the last line its exit
code, so a look at the files tells the state of every unit without asking systemd. When a unit ends it writes to the FIFO
`/run/hearth/wake`, and whoever is watching returns at once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .commands import Command, Result, change, read
from .errors import UnitFailed
from .unit_state import UnitState, Watch, parse_watch

FOLDER = "/run/hearth"
_KINDS = ("sh", "out", "phase", "progress", "second")
_NAME = re.compile(r"hearth-[A-Za-z0-9][A-Za-z0-9_.-]*")
_EXISTS = re.compile(r"already loaded|already exists|has a fragment file", re.IGNORECASE)
_SCRIPTS = Path(__file__).parent / "scripts"


def script(name: str) -> str:
    """One of the shell scripts beside this file, as it is sent to nodes."""
    return (_SCRIPTS / f"{name}.sh").read_text()


@dataclass(frozen=True)
class Limits:
    """How much of the node a unit may take. The cap holds for reading and for writing, each by itself."""

    device: str = ""
    bytes_per_s: int | None = None

    def properties(self) -> list[str]:
        words = ["Nice=10", "IOSchedulingClass=best-effort", "IOSchedulingPriority=7", "CPUWeight=20", "IOWeight=20"]
        if self.bytes_per_s and self.device:
            words += [
                f"{way}={self.device} {self.bytes_per_s}" for way in ("IOReadBandwidthMax", "IOWriteBandwidthMax")
            ]
        return [f"--property={word}" for word in words]


def unit_name(operation: str, step: str) -> str:
    """`hearth-<operation>-<step>`; a step is done by at most one unit, whoever asks and however often."""
    name = f"hearth-{operation}-{step}"
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a unit.")
    return name


def start(unit: str, body: str, args: Sequence[str], limits: Limits | None = None) -> list[Command]:
    """Run the bash script `body` as a unit. Let `check_started` look at the last result.

    A unit of that name that runs or has ended is left as it is: starting twice is starting once. To run it again,
    `clean` it first. The script travels as a file of its own; on its command line systemd would take a `$` for a
    variable, hence the doubling in the arguments.
    """
    argv = [
        "systemd-run", "--quiet", f"--unit={unit}", "--remain-after-exit",
        "--property=Type=exec", f"--property=StandardOutput=truncate:{_file(unit, 'out')}",
        "--property=TimeoutStopSec=120", *(limits or Limits()).properties(),
        "--", "bash", _file(unit, "sh"), *(word.replace("$", "$$") for word in args),
    ]  # fmt: skip
    write = change(["install", "-D", "-m", "600", "/dev/stdin", _file(unit, "sh")], stdin=script("unit") + body)
    return [write, change(argv, allow_failure=True)]


def _file(unit: str, kind: str) -> str:
    return f"{FOLDER}/{unit}.{kind}"


def check_started(result: Result) -> bool:
    """True when this start made the unit, False when it was there already; `UnitFailed` when neither.

    A unit that is over in an instant can make systemd-run fail without a word: it did start, and its log says the rest.
    """
    if result.ok or not result.stderr.strip():
        return True
    if _EXISTS.search(result.stderr):
        return False
    raise UnitFailed(result=result, unit=_unit_of(result), detail=result.stderr.strip())


def _unit_of(result: Result) -> str:
    return next((w.removeprefix("--unit=") for w in result.argv if w.startswith("--unit=")), "?")


def stop(unit: str) -> list[Command]:
    """Ask it to end and wait until it has; what it wrote stays readable."""
    return [change(["systemctl", "stop", f"{unit}.service"], allow_failure=True)]


def clean(unit: str) -> list[Command]:
    """Forget the unit, its result and its output, so that the name is free again. Stops it if it still runs."""
    return [
        *stop(unit),
        change(["systemctl", "reset-failed", f"{unit}.service"], allow_failure=True),
        change(["rm", "-f", "--", *(_file(unit, kind) for kind in _KINDS)]),
    ]


def output(unit: str) -> Command:
    """Everything the unit has written."""
    return read(["cat", "--", _file(unit, "out")], allow_failure=True)


def watch(expected: Sequence[str] = (), wait_s: float = 1.0) -> Command:
    """The state of every unit of the node, as a long poll. Read the answer with `parse_watch`.

    Returns at once when one of the `expected` units is no longer running or any unit ends, at the latest after
    `wait_s`. With nothing expected it does not wait.
    """
    return read(["bash", "-c", script("watch"), "watch-units", f"{wait_s:g}", *expected])


__all__ = [
    "Limits",
    "UnitState",
    "Watch",
    "check_started",
    "clean",
    "output",
    "parse_watch",
    "script",
    "start",
    "stop",
    "unit_name",
    "watch",
]
