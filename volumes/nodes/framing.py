"""Several commands in one round trip: the script that runs them, and the reader of what comes back.

Both streams of every command end with a line that carries a marker nobody can guess, so no output can pose as a frame.
A script that changes something first waits for the word "go": a connection that breaks earlier has changed nothing.
"""

from __future__ import annotations

import re
import secrets
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field

from .commands import MASK, Command, Result, Secret

# `r` is taken first, before anything can change it. EPOCHREALTIME is bash 5; elsewhere it is empty.
_PRELUDE = """\
umask 077; export LC_ALL=C LVM_SUPPRESS_FD_WARNINGS=1 PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
m={marker}
e() {{ r=$?; n=${{EPOCHREALTIME-}}; printf '\\n%s %s %s %s %s\\n' $m "$1" $r "$t" "$n"; printf '\\n%s %s\\n' $m "$1" >&2; \
t=${{EPOCHREALTIME-}}; [ $r = 0 ] || [ -n "${{2-}}" ] || exit 0; }}
printf '\\n%s start\\n' $m; printf '\\n%s start\\n' $m >&2
"""
_WAIT_FOR_GO = 'read -r g; [ "$g" = $m ] || exit 0\n'


@dataclass(frozen=True)
class Batch:
    """Commands ready to be sent: `script` for the login shell, `payload` for its standard input."""

    commands: tuple[Command, ...]
    marker: str
    script: str
    payload: bytes
    argvs: tuple[tuple[str, ...], ...]

    @property
    def read_only(self) -> bool:
        return all(command.read_only for command in self.commands)


def new_marker() -> str:
    return secrets.token_hex(16)


def build(commands: Sequence[Command], *, sudo: bool, marker: str) -> Batch:
    argvs = tuple(("sudo", "-n", "--", *c.argv) if sudo and c.privileged else c.argv for c in commands)
    read_only = all(command.read_only for command in commands)
    inputs = [command.stdin_bytes() for command in commands]
    lines = [_PRELUDE.format(marker=marker)]
    if not read_only:
        lines.append(_WAIT_FOR_GO)
    lines.append("t=${EPOCHREALTIME-}\n")
    for number, (command, argv, data) in enumerate(zip(commands, argvs, inputs, strict=True)):
        words = shlex.join(argv)
        fed = f"head -c {len(data)} | {words}" if data else f"{words} </dev/null"
        lines.append(f"{fed}; e {number}{' y' if command.allow_failure else ''}\n")
    go = b"" if read_only else marker.encode() + b"\n"
    return Batch(tuple(commands), marker, "".join(lines), go + b"".join(inputs), argvs)


@dataclass
class Reader:
    """Turns the two streams into results as the frames arrive."""

    batch: Batch
    results: list[Result] = field(default_factory=list)
    started: bool = False
    _out: bytearray = field(default_factory=bytearray)
    _err: bytearray = field(default_factory=bytearray)
    _before: bytearray = field(default_factory=bytearray)
    _err_started: bool = False

    def __post_init__(self) -> None:
        marker = re.escape(self.batch.marker.encode())
        self._start = re.compile(rb"\n" + marker + rb" start\n")
        self._out_end = re.compile(rb"\n" + marker + rb" (\d+) (\d+) ([\d.]*) ([\d.]*)\n")
        self._err_end = re.compile(rb"\n" + marker + rb" (\d+)\n")

    @property
    def complete(self) -> bool:
        """Nothing more can come: every command ended, or the last one stopped the script."""
        if len(self.results) == len(self.batch.commands):
            return True
        return bool(self.results) and not self._goes_on(len(self.results) - 1)

    def _goes_on(self, number: int) -> bool:
        return self.results[number].ok or self.batch.commands[number].allow_failure

    @property
    def noise(self) -> str:
        """What ssh and the login shell said outside any frame: the reason when a connection fails."""
        out = b"" if self.started else bytes(self._out) + b"\n"
        return (out + bytes(self._before) + bytes(self._err)).decode(errors="replace").strip()

    def feed_out(self, data: bytes) -> None:
        self._out += data
        if not self.started and (found := self._start.search(self._out)):
            del self._out[: found.end()]
            self.started = True

    def feed_err(self, data: bytes) -> None:
        self._err += data
        if not self._err_started and (found := self._start.search(self._err)):
            self._before += self._err[: found.start()]
            del self._err[: found.end()]
            self._err_started = True

    def take(self, now_s: float) -> list[Result]:
        """The commands that have ended on both streams since the last call."""
        fresh: list[Result] = []
        while self.started and self._err_started and not self.complete:
            out, err = self._out_end.search(self._out), self._err_end.search(self._err)
            if not out or not err:
                break
            result = self._result(out, err, now_s)
            del self._out[: out.end()]
            del self._err[: err.end()]
            self.results.append(result)
            fresh.append(result)
        return fresh

    def _result(self, out: re.Match[bytes], err: re.Match[bytes], now_s: float) -> Result:
        number = len(self.results)
        began, ended = out[3], out[4]
        return Result(
            argv=self.batch.argvs[number],
            exit_code=int(out[2]),
            stdout=self._masked(bytes(self._out[: out.start()])),
            stderr=self._masked(bytes(self._err[: err.start()])),
            seconds=round(float(ended) - float(began), 6) if began and ended else now_s,
        )

    def _masked(self, data: bytes) -> str:
        text = data.decode(errors="replace")
        for command in self.batch.commands:
            if isinstance(command.stdin, Secret) and command.stdin.reveal().strip():
                text = text.replace(command.stdin.reveal().strip(), MASK)
        return text
