"""Locks between processes. The kernel frees them when their holder dies, so a killed worker blocks nobody."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_POLL_S = 0.01


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock; waits for as long as it takes."""
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def one_of(paths: Sequence[Path], timeout_s: float) -> Iterator[int | None]:
    """Hold the first free one of several locks and say which; None when all stayed taken for `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    taken = _try_all(paths)
    while taken is None and time.monotonic() < deadline:
        time.sleep(_POLL_S * (1 + os.getpid() % 7 / 7))  # spread, so that waiters do not march in step
        taken = _try_all(paths)
    try:
        yield taken[0] if taken else None
    finally:
        if taken:
            os.close(taken[1])


def _try_all(paths: Sequence[Path]) -> tuple[int, int] | None:
    for number, path in enumerate(paths):
        descriptor = _open(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
        else:
            return number, descriptor
    return None


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
