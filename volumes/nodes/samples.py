"""What to read back of a device that was wiped."""

from __future__ import annotations

import random
from dataclasses import dataclass

MIB = 1024**2
GIB = 1024**3
FULL_UP_TO = GIB
_EDGE = 64 * MIB
_SAMPLE = 16 * MIB
_SAMPLES = 8
_ALIGNED = 4 * MIB
_MOST_PIECES = 128


@dataclass(frozen=True)
class Sample:
    """A range of a device that is read back."""

    offset: int
    length: int

    def __str__(self) -> str:
        return f"{self.offset}:{self.length}"


def plan_samples(size_bytes: int, rng: random.Random | None = None, *, full: bool = False) -> list[Sample]:
    """What to read back: all of it up to 1 GiB or if `full`, else both ends and a random sample in between."""
    if full or size_bytes <= FULL_UP_TO:
        return _cut(size_bytes)
    rng = rng or random.SystemRandom()
    room = (size_bytes - 2 * _EDGE - _SAMPLE) // _ALIGNED
    middle = sorted({_EDGE + rng.randrange(room) * _ALIGNED for _ in range(_SAMPLES)})
    return [Sample(0, _EDGE), Sample(size_bytes - _EDGE, _EDGE), *(Sample(offset, _SAMPLE) for offset in middle)]


def _cut(size_bytes: int) -> list[Sample]:
    """All of a device. The unit reads two pieces at a time, so a small device is two halves."""
    length = size_bytes // 2 if size_bytes <= FULL_UP_TO else max(FULL_UP_TO // 2, size_bytes // _MOST_PIECES)
    length = -(-max(length, 1) // _ALIGNED) * _ALIGNED
    return [Sample(offset, min(length, size_bytes - offset)) for offset in range(0, size_bytes, length)]
