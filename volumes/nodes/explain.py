"""From a failed command to a named error: exit codes say little, so the text decides."""

from __future__ import annotations

import re

from .commands import Result
from .errors import CommandFailed, DeviceBusy, LvmMissing, NodeError, NoPrivilege, ProgramMissing
from .lvm import failures

_NOT_FOUND = 127
_SUDO_LACKS = re.compile(r"^sudo: (?P<program>\S+): command not found", re.MULTILINE)
_SUDO = re.compile(r"^sudo: |sudo: (command )?not found|^Sorry, user \S+ (is not allowed|may not run)", re.MULTILINE)
_BUSY = re.compile(r"Device or resource busy|apparently in use|is mounted", re.IGNORECASE)
_PACKAGES = {
    "blkdiscard": "util-linux",
    "dd": "coreutils",
    "install": "coreutils",
    "systemctl": "systemd",
    "systemd-run": "systemd",
}


def explain(result: Result, *, node: str, user: str) -> NodeError:
    """The named error for a command that ended with a non-zero exit code."""
    if _SUDO_LACKS.search(result.stderr):
        return _missing(result, node)
    if _SUDO.search(result.stderr):
        return NoPrivilege(result=result, node=node, user=user)
    if result.exit_code == _NOT_FOUND:
        return _missing(result, node)
    if result.program in failures.PROGRAMS:
        known = failures.explain(result, node=node, user=user)
        if known:
            return known
    elif _BUSY.search(result.stderr):
        return DeviceBusy(result=result, node=node, lv=result.argv[-1], detail=reason(result.stderr))
    return CommandFailed(
        result=result, node=node, program=result.program, exit_code=result.exit_code, detail=reason(result.stderr)
    )


def _missing(result: Result, node: str) -> NodeError:
    program = result.program
    if program in failures.PROGRAMS:
        return LvmMissing(result=result, node=node)
    return ProgramMissing(result=result, node=node, program=program, package=_PACKAGES.get(program, program))


def reason(stderr: str) -> str:
    """The line that says why: the last that is not a warning."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith("WARNING")] or lines
    return telling[-1] if telling else "no reason given"
