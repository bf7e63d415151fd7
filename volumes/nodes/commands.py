"""What is run on a node, and what came of it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field

MASK = "********"


@dataclass(frozen=True)
class Secret:
    """A string that shows itself only to `reveal()`: every log, page and repr gets the mask."""

    _value: str = field(repr=False)

    def reveal(self) -> str:
        return self._value

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)


@dataclass(frozen=True)
class Command:
    """One program with its arguments, as data. Nothing here is quoted; `Session.run` does that.

    `read_only` promises that running it twice does no harm: such commands are repeated when a connection breaks.
    `privileged` commands get `sudo -n` where the console does not log in as root.
    A secret travels by `stdin`, never in `argv`, where every user of the node could read it.
    """

    argv: tuple[str, ...]
    stdin: str | Secret | None = None
    read_only: bool = False
    allow_failure: bool = False
    privileged: bool = True

    def __post_init__(self) -> None:
        if not self.argv:
            raise ValueError("A command needs at least a program.")
        if any(not isinstance(word, str) for word in self.argv):
            raise TypeError("Arguments are plain strings; a secret goes by stdin.")
        if any("\0" in word for word in self.argv):
            raise ValueError("An argument cannot contain a NUL character.")

    def stdin_bytes(self) -> bytes:
        text = self.stdin.reveal() if isinstance(self.stdin, Secret) else self.stdin
        return (text or "").encode()

    def __str__(self) -> str:
        return shlex.join(self.argv)


@dataclass(frozen=True)
class Result:
    """One command that ran to its end. `argv` is exactly what the node executed, `sudo` included."""

    argv: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def ok(self) -> bool:
        return self.exit_code == 0

    @property
    def program(self) -> str:
        """The program's bare name, whatever stands before it."""
        words = self.argv[3:] if self.argv[:3] == ("sudo", "-n", "--") else self.argv
        return words[0].rsplit("/", 1)[-1] if words else ""

    def __str__(self) -> str:
        return shlex.join(self.argv)


def read(argv: Sequence[str], *, allow_failure: bool = False, privileged: bool = True) -> Command:
    """A command that only looks."""
    return Command(tuple(argv), read_only=True, allow_failure=allow_failure, privileged=privileged)


def change(argv: Sequence[str], *, stdin: str | Secret | None = None, allow_failure: bool = False) -> Command:
    """A command that changes something, so it is never repeated on its own account."""
    return Command(tuple(argv), stdin=stdin, allow_failure=allow_failure)


def as_command(given: Command | Sequence[str]) -> Command:
    if isinstance(given, Command):
        return given
    if isinstance(given, str):
        raise TypeError("A command is a list of words, not a line for a shell.")
    return Command(tuple(given))
