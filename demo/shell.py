"""Running programs, and saying what went wrong in words."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


class DemoError(Exception):
    """Something people can act on: what failed, and what to do about it."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.remedy = remedy


def as_root() -> list[str]:
    """What stands before a command that only root may run."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        return ["sudo"]
    raise DemoError("This step needs root, and there is no sudo.", "Run it as root, or install sudo.")


def run(argv: Sequence[str | Path], *, log: Path | None = None, **kwargs: object) -> str:
    """Run a program to its end and return its output; DemoError with the end of its output when it fails."""
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(words, stdout=-1, stderr=subprocess.STDOUT, text=True, **kwargs)  # type: ignore[call-overload]
    except FileNotFoundError as error:
        raise DemoError(f"{words[0]} is not installed.", "Run: demo/packages.sh run demo test") from error
    output: str = done.stdout
    if log:
        log.write_text(output)
    if done.returncode:
        tail = "\n".join(output.splitlines()[-12:])
        raise DemoError(
            f"{shlex.join(words[:6])} ended with exit code {done.returncode}:\n{tail}",
            f"The whole output: {log}" if log else "",
        )
    return output


def spawn(argv: Sequence[str | Path], *, folder: Path, log: Path, env: Mapping[str, str] | None = None) -> int:
    """Start a program that outlives this one, in a session of its own: Ctrl-C is not meant for it. Returns its pid."""
    words = ["env", "-C", str(folder), *map(str, argv)]
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawnp("env", words, env or os.environ, file_actions=files, setsid=True)


def has_ended(pid: int) -> bool:
    """Whether a child has ended. Asking takes it out of the process table, too."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return not Path(f"/proc/{pid}").exists()


@contextmanager
def stage(title: str) -> Iterator[None]:
    """Print a stage, and how long it took when it is over."""
    start = time.monotonic()
    say(f"  {title} ...")
    yield
    say(f"  {title}: {time.monotonic() - start:.1f} s")


def say(text: str) -> None:
    print(text, flush=True, file=sys.stderr)
