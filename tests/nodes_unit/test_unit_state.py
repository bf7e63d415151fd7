"""What a unit is doing, where the files on the node and systemd do not agree for a moment."""

from __future__ import annotations

import pytest

from volumes.nodes.unit_state import parse_watch

HEAD = "boot 5b4d\nnow 1795452073.5\n"
LOG = "==> hearth-a.out <==\n@begin 812 1795452073.5\n"


def state(shown: str, log: str = LOG) -> tuple[str, str]:
    found = parse_watch(f"{HEAD}unit hearth-a gone\n{shown}\ntails\n{log}").unit("hearth-a")
    return found.state, found.reason


@pytest.mark.parametrize("sub", ["start", "running"])
def test_a_unit_that_wrote_its_first_line_while_it_was_looked_at_runs(sub: str) -> None:
    active = "activating" if sub == "start" else "active"
    assert state(f"Id=hearth-a.service\nActiveState={active}\nSubState={sub}\nResult=success") == ("running", "")


def test_a_unit_that_is_over_and_does_not_say_how_has_failed() -> None:
    assert state("Id=hearth-a.service\nActiveState=active\nSubState=exited\nResult=success") == ("failed", "success")
    assert state("Id=hearth-a.service\nActiveState=failed\nSubState=failed\nResult=signal") == ("failed", "signal")
