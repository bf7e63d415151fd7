"""One ssh client process: send a batch, read the frames as they come, know what is known when it ends."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from .commands import Result
from .framing import Batch, Reader

_CHUNK = 65536
_REAP_S = 2.0

OnResult = Callable[[Result], None]


@dataclass(frozen=True)
class Exchange:
    """What one attempt came to. `sent` is False when the node provably ran nothing."""

    results: list[Result]
    complete: bool
    sent: bool
    timed_out: bool
    exit_code: int
    noise: str


class Wire:
    def __init__(self, argv: list[str], env: dict[str, str], batch: Batch, on_result: OnResult | None) -> None:
        self._argv, self._env, self._on_result = argv, env, on_result
        self._reader = Reader(batch)
        self._payload = memoryview(batch.payload)
        self._read_only = batch.read_only
        self._began = time.monotonic()
        self._went = False

    def run(self, timeout_s: float) -> Exchange:
        deadline = time.monotonic() + timeout_s
        with subprocess.Popen(
            self._argv, env=self._env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        ) as process:
            try:
                timed_out = not self._pump(process, deadline)
            finally:
                self._end(process)
        return Exchange(
            results=self._reader.results,
            complete=self._reader.complete,
            sent=self._went or (self._read_only and self._reader.started),
            timed_out=timed_out,
            exit_code=process.returncode,
            noise=self._reader.noise,
        )

    def _pump(self, process: subprocess.Popen[bytes], deadline: float) -> bool:
        """Move bytes until everything is known or the streams end; False when the time ran out before that."""
        assert process.stdin
        assert process.stdout
        assert process.stderr
        feeds = {process.stdout.fileno(): self._reader.feed_out, process.stderr.fileno(): self._reader.feed_err}
        with selectors.DefaultSelector() as selector:
            for descriptor in feeds:
                selector.register(descriptor, selectors.EVENT_READ)
            while feeds and not self._reader.complete:
                events = selector.select(max(0.0, deadline - time.monotonic()))
                if not events and time.monotonic() >= deadline:
                    return False
                for key, _ in events:
                    if key.fd not in feeds:
                        self._write(process.stdin, selector)
                    elif data := os.read(key.fd, _CHUNK):
                        feeds[key.fd](data)
                    else:
                        selector.unregister(key.fd)
                        del feeds[key.fd]
                self._advance(process.stdin, selector)
        return True

    def _advance(self, stdin: IO[bytes], selector: selectors.BaseSelector) -> None:
        for result in self._reader.take(time.monotonic() - self._began):
            if self._on_result:
                self._on_result(result)
        if self._reader.started and not self._went and self._payload:
            self._went = True
            os.set_blocking(stdin.fileno(), False)
            selector.register(stdin.fileno(), selectors.EVENT_WRITE)

    def _write(self, stdin: IO[bytes], selector: selectors.BaseSelector) -> None:
        try:
            self._payload = self._payload[os.write(stdin.fileno(), self._payload[:_CHUNK]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._payload = self._payload[:0]
        if not self._payload:
            selector.unregister(stdin.fileno())

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """ssh leaves by itself once the remote shell has; one that hangs on a dead link is not waited for."""
        if process.stdin:
            with suppress(OSError):
                process.stdin.close()
        if self._reader.complete:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_REAP_S)
        if process.poll() is None and not self._streams_ended(process):
            process.kill()

    def _streams_ended(self, process: subprocess.Popen[bytes]) -> bool:
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.5)
            return True
        return False
