"""The verdict over a wipe, from the log of its unit.

Nothing is taken on trust: it passes only when the unit says so, the zeroing provably reached the end of the device
without a gap, and every piece that was to be read has been read in full.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .errors import DeviceBusy, NodeError, NotZero, Unreadable, WipeFailed
from .samples import Sample
from .unit_state import UnitState, counted

Verdict = Literal["zero", "different", "unreadable", "unproven"]

_EXIT = re.compile(r"^@exit (\d+) ([\d.]*)", re.MULTILINE)
_BEGIN = re.compile(r"^@begin \d+ ([\d.]*)", re.MULTILINE)
_GIVEN = re.compile(r"^@wipe (\d+) (\d+) (.*)", re.MULTILINE)
_FAILED = re.compile(r"^@failed (.*)", re.MULTILINE)
_SAID_ZERO = re.compile(r"^@verdict zero$", re.MULTILINE)
_COMMAND = re.compile(r"^\+ (.*)", re.MULTILINE)
_PHASE = re.compile(r"^@(zero|verify) (.*) @([\d.]+)$", re.MULTILINE)


@dataclass(frozen=True)
class WipeReport:
    """What is kept with the operation. `first_difference` is exact to 4 MiB. `commands` are those that ran."""

    verdict: Verdict
    method: str
    device: str
    offset: int
    bytes: int
    seconds: float
    zero_seconds: float
    verify_seconds: float
    samples: tuple[Sample, ...]
    verified_bytes: int
    commands: tuple[str, ...]
    first_difference: int | None = None
    reason: str = ""


def report(state: UnitState) -> WipeReport:
    """The report of a wipe that ended well. Raises NotZero, Unreadable, DeviceBusy or WipeFailed."""
    found = parse_report(state.output_tail)
    if found.verdict == "zero" and state.state == "succeeded":
        return found
    raise _error(found, state)


def _error(found: WipeReport, state: UnitState) -> NodeError:
    about = {"lv": found.device, "device": found.device, "offset": found.first_difference}
    detail = found.reason or state.reason or f"its unit ended as {state.state} with exit code {state.exit_code}"
    if found.verdict == "different":
        return NotZero(about)
    if found.verdict == "unreadable":
        return Unreadable(about, detail=detail)
    if "resource busy" in detail:
        return DeviceBusy(about, detail=detail)
    return WipeFailed(about, detail=detail)


def parse_report(log: str) -> WipeReport:
    """Judge a log."""
    given = _GIVEN.search(log)
    size, offset = (int(given[1]), int(given[2])) if given else (-1, 0)
    phases = list(_phases(log))
    zeroing = [phase for phase in phases if phase.name == "zero"]
    checks = [_Check(phase) for phase in phases if phase.name == "verify" and len(phase.words) > 4]
    bad = next((check for check in checks if check.verdict != "zero"), None)
    reached = _reached(zeroing, offset)
    began, ended = _time(_BEGIN.search(log), 1), _time(_EXIT.search(log), 2)
    reading = checks[0].at if checks else ended
    return WipeReport(
        verdict=_verdict(log, checks, bad, whole=reached == size),
        method=zeroing[-1].words[3] if zeroing else "",
        device=given[3] if given else "",
        offset=offset,
        bytes=max(0, reached - offset),
        seconds=round(ended - began, 3),
        zero_seconds=round(reading - began, 3),
        verify_seconds=round(ended - reading, 3),
        samples=tuple(sample for check in checks for sample in check.samples),
        verified_bytes=sum(sum(check.counts) for check in checks),
        commands=tuple(_COMMAND.findall(log)),
        first_difference=bad.difference if bad else None,
        reason=_reason(log, bad),
    )


def _verdict(log: str, checks: list[_Check], bad: _Check | None, *, whole: bool) -> Verdict:
    if bad:
        return bad.verdict
    planned = checks[0].planned if checks else 0
    read = sum(sum(check.counts) for check in checks)
    proven = bool(_SAID_ZERO.search(log)) and whole and planned > 0 and read == planned
    return "zero" if proven else "unproven"


def _reason(log: str, bad: _Check | None) -> str:
    """What the program said that failed, else what the script said."""
    if bad:
        return bad.complaint
    if not (failed := _FAILED.search(log)):
        return ""
    words = [line.strip() for line in log[: failed.start()].splitlines() if line.strip()]
    complaint = words[-1] if words and not words[-1].startswith(("@", "+")) else failed[1]
    return next((line for line in reversed(words) if line.startswith(("dd: ", "blkdiscard: "))), complaint)


@dataclass(frozen=True)
class _Phase:
    name: str
    words: list[str]
    at: float
    text: str


def _phases(log: str) -> Iterator[_Phase]:
    marks = list(_PHASE.finditer(log))
    ends = [*(mark.start() for mark in marks[1:]), len(log)]
    for mark, end in zip(marks, ends, strict=False):
        yield _Phase(mark[1], mark[2].split(), float(mark[3]), log[mark.end() : end])


def _reached(zeroing: list[_Phase], offset: int) -> int:
    """The offset up to which zeroing went without a gap."""
    for phase in zeroing:
        start, length = int(phase.words[0]), int(phase.words[1])
        if start > offset:
            break
        offset = max(offset, start + counted(phase.text, start)) if length else offset
    return offset


class _Check:
    """One or two pieces that were read at the same time."""

    def __init__(self, phase: _Phase) -> None:
        self.at = phase.at
        self.planned = int(phase.words[3])
        self.samples = tuple(Sample(*map(int, word.split(":"))) for word in phase.words[4:])
        self.texts = tuple(phase.text.split("\n@second\n"))
        self.counts = tuple(counted(text, 0) for text in self.texts)

    @property
    def verdict(self) -> Verdict:
        if self.difference is not None:
            return "different"
        if "error reading" in "".join(self.texts):
            return "unreadable"
        return "zero" if self.counts == tuple(sample.length for sample in self.samples) else "unproven"

    @property
    def difference(self) -> int | None:
        for sample, count, text in zip(self.samples, self.counts, self.texts, strict=False):
            if "error writing '/dev/full'" in text:
                return sample.offset + count
        return None

    @property
    def complaint(self) -> str:
        lines = [line.strip() for text in self.texts for line in text.splitlines()]
        return next((line for line in lines if line.startswith("dd: ")), "")


def _time(found: re.Match[str] | None, group: int) -> float:
    return float(found[group]) if found and found[group] else 0.0
