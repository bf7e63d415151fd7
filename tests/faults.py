"""What the tests of faults share: a supervisor, slow disks, and how often something was really done on a node."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.machines import MIB, Machine
from tests.stack import Stack
from volumes.models import Operation

SOON_S = 60.0
"""An operation has to be over so long after the end of the fault."""


@contextmanager
def supervised(stack: Stack) -> Iterator[None]:
    """Whatever is killed is started again at once, as the supervisor of a real console would."""
    over = threading.Event()

    def keep() -> None:
        while not over.wait(0.1):
            stack.revive()

    thread = threading.Thread(target=keep, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def starts(machine: Machine, operation: Operation) -> int:
    """How many units of this operation the node has ever started, by its own journal."""
    counted = machine.sh(f"journalctl -q -o cat -u 'hearth-{operation.pk}-*' | grep -c ^Started || true")
    return int(counted)


def slow(machine: Machine, mib_s: int) -> None:
    """The data disk reads and writes no faster, zeroes included."""
    machine.guest.set_disk_speed(mib_s * MIB)
