"""A node's facts from one round trip."""

from __future__ import annotations

import json

from tests.nodes_unit.test_lvm_report import LV_ROW, LV_SEGMENT, PV_ROW, VG_ROW
from tests.nodes_unit.test_probe import MACHINE as PROGRAMS
from volumes.nodes import facts
from volumes.nodes.commands import Result

REPORT = json.dumps({"report": [{"vg": [VG_ROW], "pv": [PV_ROW], "lv": [LV_ROW], "seg": [LV_SEGMENT]}]})
MACHINE = """\
boot 5239887c-8241-4b16-be16-a59c48334989
kernel 6.1.0-56-cloud-amd64
uptime 628.44
os Debian GNU/Linux 12 (bookworm)
epoch 1795452391.848065
holder 253:4 held-x
holder 253:4 held-y
holder 253:9 other
"""


VERSION = "  LVM version:     2.03.16(2)\n"


def answers(version: str = VERSION) -> list[Result]:
    """What a good node says to `gather`."""
    texts = [REPORT, MACHINE, version, "boot b\nnow 1.5\ntails\n", PROGRAMS]
    return [Result(("x",), 0, text, "", 0.1) for text in texts]


def test_all_that_a_node_says_at_once() -> None:
    found = facts.parse(answers())

    assert (found.lvm_version, found.kernel, found.os) == (
        "2.03.16",
        "6.1.0-56-cloud-amd64",
        "Debian GNU/Linux 12 (bookworm)",
    )
    assert (found.boot_id, found.uptime_s) == ("5239887c-8241-4b16-be16-a59c48334989", 628.44)
    assert found.epoch_s == 1795452391.848065
    assert found.lvm.vg("fast") is not None
    assert found.units == ()
    assert found.holders == {"fast/t1": ("held-x", "held-y")}


def test_gathering_only_looks() -> None:
    commands = facts.gather()

    assert all(command.read_only for command in commands)
    assert len(commands) == 5


def test_a_node_that_was_downgraded_says_so_with_its_facts() -> None:
    assert facts.problems(answers(), node="node-1", user="root") == ()
    (problem,) = facts.problems(answers("  LVM version:     2.02.187(2)\n"), node="node-1", user="root")
    assert str(problem) == "LVM 2.02.187 on node-1 is too old; 2.03.11 or newer is needed."
