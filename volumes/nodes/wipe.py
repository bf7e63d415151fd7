"""Erasing a logical volume: zero it, flush it, read it back; or, for a thin one, give its blocks back.

One unit does all of it and says in its log what it did; `report` judges that log.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from . import units
from .commands import Command
from .samples import GIB, MIB, Sample, plan_samples
from .units import Limits
from .wipe_report import WipeReport, report

STEP_BYTES = 64 * MIB
_STRETCH = 16 * GIB  # between two flushes: what a power failure can take back
_MOST_STRETCHES = 64  # each leaves some lines in the log, which is to stay short

Method = Literal["auto", "blkdiscard", "dd"]


def wipe(
    unit: str,
    device: str,
    size_bytes: int,
    *,
    samples: Iterable[Sample],
    offset: int = 0,
    method: Method = "auto",
    cap_bytes_s: int | None = None,
    step_bytes: int = STEP_BYTES,
) -> list[Command]:
    """Zero `device` from `offset` to its end, flush, and read `samples` back, as a unit with phases `zero` and `verify`.

    `auto` uses the kernel's write-zeroes path and falls back to `dd` where that is refused. Every byte before `offset`
    must be known to be zero on the disk: `UnitState.safe_bytes` of an earlier wipe of the same device.
    """
    stretch = max(_STRETCH, -(-size_bytes // _MOST_STRETCHES // STEP_BYTES) * STEP_BYTES)
    numbers = [str(number) for number in (size_bytes, offset, step_bytes, stretch)]
    args = [device, *numbers, method, *map(str, samples)]
    return units.start(unit, units.script("wipe"), args, Limits(device, cap_bytes_s))


def discard(unit: str, device: str, size_bytes: int, *, cap_bytes_s: int | None = None) -> list[Command]:
    """Give all blocks of a thin volume back to its pool, as a unit with the phase `discard`."""
    args = [device, str(size_bytes), str(GIB)]
    return units.start(unit, units.script("discard"), args, Limits(device, cap_bytes_s))


__all__ = ["Method", "Sample", "WipeReport", "discard", "plan_samples", "report", "wipe"]
