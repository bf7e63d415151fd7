"""A bare node: the node layer against a real guest, without database, workers or watch."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from tests.machines import Machine
from tests.services import services
from volumes.nodes import units
from volumes.nodes.commands import Command, Result, change
from volumes.nodes.lvm.change import create_thick, own_tags
from volumes.nodes.session import Session
from volumes.nodes.target import Target
from volumes.nodes.unit_state import UnitState, parse_watch

MIB = 1024**2
GIB = 1024**3
UNIT = "hearth-bench-1"
IDENT = "6f1f4f0e-2d4c-4b58-9f5e-0a7a3d1f0c11"


class Bench:
    """One machine and one LV on it, `lv`, made by `fresh`."""

    vg = "stack-volumes"
    lv = f"volume-{IDENT}"

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.session = Session(self.target())

    @property
    def name(self) -> str:
        return f"{self.vg}/{self.lv}"

    @property
    def device(self) -> str:
        return f"/dev/{self.name}"

    def target(self, **changes: Any) -> Target:
        guest = self.machine.guest
        target = Target(self.machine.name, "127.0.0.1", guest.port, "root", guest.host_key, services.state)
        return replace(target, **changes)

    def run(self, *commands: Any, **how: Any) -> list[Result]:
        return self.session.run(*commands, **how)

    def fresh(self, size: int = GIB) -> None:
        """A new LV with our tags, and no unit of ours."""
        gone = Command(("lvremove", "-qq", "--yes", self.name), allow_failure=True)
        self.run(*units.clean(UNIT), gone, change(create_thick(self.vg, self.lv, size, tags=own_tags(IDENT))))

    def start(self, commands: list[Command]) -> bool:
        return units.check_started(self.run(*commands)[-1])

    def look(self, wait_s: float = 0) -> UnitState:
        return parse_watch(self.run(units.watch([UNIT], wait_s))[0].stdout).unit(UNIT)

    def follow(self, timeout_s: float = 60) -> UnitState:
        """Until the unit has ended."""
        return wait_until(lambda: state if (state := self.look(1.0)).ended else None, timeout_s)


T = TypeVar("T")


def wait_until(look: Callable[[], T | None], timeout_s: float = 30) -> T:
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if (found := look()) is not None:
            return found
        time.sleep(0.1)
    raise AssertionError(f"It did not happen within {timeout_s} s.")
