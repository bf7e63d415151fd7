"""Test a connection: log in, and see whether the machine has what Hearth needs."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .commands import Command, Result, read
from .errors import LvmMissing, LvmTooOld, NodeError, NoPrivilege, ProgramMissing, ProgramTooOld
from .explain import explain
from .lvm.report import full_report, parse_version
from .session import Session
from .units import script

# The oldest of the distributions that have all of the below: Ubuntu 22.04, Debian 12, Enterprise Linux 9.
LVM_NEEDED = "2.03.11"
BASH_NEEDED = "5.0"  # EPOCHREALTIME
SYSTEMD_NEEDED = "248"  # StandardOutput=truncate:
UTIL_LINUX_NEEDED = "2.36"  # blkdiscard refuses a device that is mounted or held
PACKAGES = {
    "blkdiscard": "util-linux",
    "dd": "coreutils",
    "find": "findutils",
    "grep": "grep",
    "stdbuf": "coreutils",
    "systemctl": "systemd",
    "systemd-run": "systemd",
}


@dataclass(frozen=True)
class Probe:
    """What was found. `problems` is empty for a machine that can serve."""

    lvm_version: str
    systemd_version: str
    bash_version: str
    util_linux_version: str
    problems: tuple[NodeError, ...]


def probe(session: Session) -> Probe:
    """Look; nothing is changed. Raises what the connection itself raises (an `Unreachable`)."""
    looked = session.run(
        look_at_machine(),
        read(["lvm", "version"], allow_failure=True),
        read(full_report(), allow_failure=True),
        timeout_s=60,
    )
    return judge(looked, node=session.target.name, user=session.target.user)


def look_at_machine() -> Command:
    """Ask for the versions of what Hearth runs there, and for what is missing."""
    return read(["bash", "-c", script("probe"), "hearth-probe", *PACKAGES], allow_failure=True)


def judge(results: list[Result], *, node: str, user: str) -> Probe:
    """From the answers to the problems, the gravest first."""
    machine, version, report = results
    found = Probe(
        lvm_version=parse_version(version.stdout),
        systemd_version=_search(r"^systemd (\d+)", machine.stdout),
        bash_version=_search(r"^bash (\d+\.\d+)", machine.stdout),
        util_linux_version=_search(r"util-linux (\d+\.\d+)", machine.stdout),
        problems=(),
    )
    problems = _privilege(results, node, user) or [
        *_lvm(version, found.lvm_version, node),
        *_programs(machine, node),
        *_too_old(found, node),
    ]
    if not problems and not report.ok:
        problems = [explain(report, node=node, user=user)]
    return replace(found, problems=tuple(problems))


def _privilege(results: list[Result], node: str, user: str) -> list[NodeError]:
    for result in results:
        if not result.ok and isinstance(error := explain(result, node=node, user=user), NoPrivilege):
            return [error]
    return []


def _lvm(version: Result, found: str, node: str) -> list[NodeError]:
    if not found:
        return [LvmMissing(result=version, node=node)]
    if _older(found, LVM_NEEDED):
        return [LvmTooOld(result=version, node=node, version=found, needed=LVM_NEEDED)]
    return []


def _programs(machine: Result, node: str) -> list[NodeError]:
    if not machine.ok:
        return [ProgramMissing(result=machine, node=node, program="bash", package="bash")]
    missing = re.findall(r"^missing (\S+)$", machine.stdout, re.MULTILINE)
    problems: list[NodeError] = [ProgramMissing(node=node, program=name, package=PACKAGES[name]) for name in missing]
    if "no systemd" in machine.stdout.splitlines() and not missing:
        problems.append(ProgramMissing(node=node, program="systemd (running)", package="systemd"))
    return problems


def _too_old(found: Probe, node: str) -> list[NodeError]:
    versions = (
        ("bash", found.bash_version, BASH_NEEDED),
        ("systemd", found.systemd_version, SYSTEMD_NEEDED),
        ("util-linux", found.util_linux_version, UTIL_LINUX_NEEDED),
    )
    return [
        ProgramTooOld(node=node, program=name, version=version, needed=needed)
        for name, version, needed in versions
        if version and _older(version, needed)
    ]


def _older(version: str, needed: str) -> bool:
    return [int(part) for part in version.split(".")] < [int(part) for part in needed.split(".")]


def _search(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    return found[1] if found else ""
