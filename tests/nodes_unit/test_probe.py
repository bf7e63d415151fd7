"""Test Connection: what is missing on a machine, by name."""

from __future__ import annotations

import pytest

from volumes.nodes.commands import Result
from volumes.nodes.errors import LvmMissing, LvmTooOld, NodeError, NoPrivilege, ProgramMissing, ProgramTooOld
from volumes.nodes.probe import judge

MACHINE = (
    "euid 0\nbash 5.2.15(1)-release\nsystemd 252 (252.39-1~deb12u2)\n+PAM +AUDIT\nblkdiscard from util-linux 2.38.1\n"
)
VERSION = "  LVM version:     2.03.16(2) (2022-05-18)\n"


def answer(*argv: str, out: str = "", err: str = "", code: int = 0) -> Result:
    return Result(argv, code, out, err, 0.1)


def judged(
    machine: str | Result = MACHINE, version: str | Result = VERSION, report: Result | None = None
) -> tuple[NodeError, ...]:
    machine = answer("bash", out=machine) if isinstance(machine, str) else machine
    version = answer("lvm", "version", out=version) if isinstance(version, str) else version
    return judge([machine, version, report or answer("lvm", "fullreport")], node="node-1", user="hearth").problems


def test_a_good_machine_has_no_problems() -> None:
    found = judge([answer("bash", out=MACHINE), answer("lvm", out=VERSION), answer("lvm")], node="n", user="root")

    assert found.problems == ()
    assert (found.lvm_version, found.systemd_version) == ("2.03.16", "252")
    assert (found.bash_version, found.util_linux_version) == ("5.2", "2.38")


@pytest.mark.parametrize(
    ("change", "kind", "sentence"),
    [
        (
            {"version": answer("lvm", "version", code=127, err="bash: line 9: lvm: command not found")},
            LvmMissing,
            "LVM is not installed on node-1.",
        ),
        (
            {"version": "  LVM version:     2.02.187(2)\n"},
            LvmTooOld,
            "LVM 2.02.187 on node-1 is too old; 2.03.11 or newer is needed.",
        ),
        ({"machine": MACHINE + "missing blkdiscard\n"}, ProgramMissing, "The program blkdiscard is missing on node-1."),
        (
            {"machine": answer("bash", code=127, err="sh: 9: bash: not found")},
            ProgramMissing,
            "The program bash is missing on node-1.",
        ),
        ({"machine": MACHINE + "no systemd\n"}, ProgramMissing, "The program systemd (running) is missing on node-1."),
        (
            {"machine": MACHINE.replace("systemd 252", "systemd 247")},
            ProgramTooOld,
            "systemd 247 on node-1 is too old; 248 or newer is needed.",
        ),
        (
            {"machine": MACHINE.replace("2.38.1", "2.34")},
            ProgramTooOld,
            "util-linux 2.34 on node-1 is too old; 2.36 or newer is needed.",
        ),
        (
            {"machine": answer("sudo", "-n", "--", "bash", code=1, err="sudo: a password is required")},
            NoPrivilege,
            "User hearth may not manage LVM on node-1.",
        ),
        (
            {"report": answer("lvm", code=5, err="  /run/lock/lvm/P_global:aux: open failed: Permission denied")},
            NoPrivilege,
            "User hearth may not manage LVM on node-1.",
        ),
    ],
)
def test_each_problem_has_its_name(change: dict[str, Result | str], kind: type[NodeError], sentence: str) -> None:
    problems = judged(**change)  # type: ignore[arg-type]

    assert [(type(problem), str(problem)) for problem in problems] == [(kind, sentence)]
    assert problems[0].remedy


def test_several_problems_are_all_told() -> None:
    problems = judged(MACHINE.replace("252", "240") + "missing dd\n", "  LVM version:     2.02.98(2)\n")

    assert [type(problem) for problem in problems] == [LvmTooOld, ProgramMissing, ProgramTooOld]
