"""What the units of a node are doing, from the answer to `units.watch`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

STOPPED = 143
State = Literal["running", "succeeded", "failed", "stopped", "missing"]
_EXIT = re.compile(r"^@exit (\d+) [\d.]*\s*\Z", re.MULTILINE)
_HEADER = re.compile(r"^==> (hearth-\S+)\.(out|progress) <==\n", re.MULTILINE)
_BLKDISCARD = re.compile(r": (?:Zero-filled|Discarded) (\d+) bytes from the offset (\d+)")
_DD_COUNT = re.compile(r"(?:^|\r|\n)(\d+) bytes (?:\(|copied)")


@dataclass(frozen=True)
class UnitState:
    """What is known of one unit. Plain values only, so that it can be stored.

    `bytes_done` counts within the present `phase`. `output_tail` is the log of a unit that has ended (all of it up to
    64 KiB) and the latest counter of one that runs. `safe_bytes` of the phase are flushed: no power failure undoes them.
    """

    name: str
    state: State
    exit_code: int | None = None
    output_tail: str = ""
    bytes_done: int | None = None
    phase: str = ""
    safe_bytes: int = 0
    reason: str = ""

    @property
    def ended(self) -> bool:
        return self.state != "running"


@dataclass(frozen=True)
class Watch:
    """All units of a node at one moment. Another `boot_id` than before means: every unit of then is gone."""

    boot_id: str
    node_time_s: float
    units: tuple[UnitState, ...]

    def unit(self, name: str) -> UnitState:
        """The unit of that name, `missing` when the node knows nothing of it."""
        return next((unit for unit in self.units if unit.name == name), UnitState(name, "missing"))


def parse_watch(text: str) -> Watch:
    """The answer to `watch`."""
    head, _, tails = text.partition("\ntails\n")
    facts = dict(line.split(" ", 1) for line in head.splitlines() if line.startswith(("boot ", "now ")))
    shown, files = _systemd_says(head), _files(tails)
    rows = [line.split() for line in head.splitlines() if line.startswith("unit ")]
    units = [_unit(row[1], row[2], row[3:], files, shown.get(row[1], {})) for row in rows]
    return Watch(facts["boot"], float(facts["now"]), tuple(units))


def _unit(
    name: str, life: str, phase: list[str], files: Mapping[tuple[str, str], str], shown: Mapping[str, str]
) -> UnitState:
    log, counter = files.get((name, "out"), ""), files.get((name, "progress"), "")
    state, code, reason = _verdict(life, log, shown)
    done, safe = _bytes(phase, counter)
    text = counter if state == "running" else log
    return UnitState(name, state, code, text, done, phase[0] if phase else "", safe, reason)


def _verdict(life: str, log: str, shown: Mapping[str, str]) -> tuple[State, int | None, str]:
    if found := _EXIT.search(log):
        code = int(found[1])
        return ("succeeded" if code == 0 else "stopped" if code == STOPPED else "failed"), code, ""
    # Its first line may have come after its process was looked for: then only systemd knows that it runs.
    active = shown.get("ActiveState") in {"activating", "active"} and shown.get("SubState") != "exited"
    if life == "alive" or active:
        return "running", None, ""
    return "failed", None, shown.get("Result") or "killed"


def _bytes(phase: list[str], counter: str) -> tuple[int | None, int]:
    """Done and safe bytes of `name before span readers ...`, the convention of `phase` in unit.sh."""
    if len(phase) < 4:
        return None, 0
    before, span, readers = (int(word) for word in phase[1:4])
    return before + min(span, readers * counted(counter, before)), before


def counted(text: str, before: int) -> int:
    """Bytes done since `before`, from the latest counter of dd (relative) or blkdiscard (an offset)."""
    if found := _DD_COUNT.findall(text):
        return int(found[-1])
    if offsets := [int(m[1]) + int(m[2]) for m in _BLKDISCARD.finditer(text)]:
        return max(0, offsets[-1] - before)
    return 0


def _systemd_says(head: str) -> dict[str, dict[str, str]]:
    """The blocks of `systemctl show`, by unit."""
    found: dict[str, dict[str, str]] = {}
    block: dict[str, str] = {}
    for line in head.splitlines():
        key, mark, value = line.partition("=")
        if mark and key in {"Id", "ActiveState", "SubState", "Result"}:
            block = {} if key in block else block
            block[key] = value
            if "Id" in block:
                found[block["Id"].removesuffix(".service")] = block
    return found


def _files(text: str) -> dict[tuple[str, str], str]:
    """The output of `tail -v`: every part has a header of its own, and a blank line before the next."""
    parts = _HEADER.split(text)[1:]
    return {(unit, kind): body for unit, kind, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True)}
