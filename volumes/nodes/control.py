"""Shared warm connections: OpenSSH masters that every thread and process of the console uses.

sshd allows ten sessions per connection (MaxSessions), so a node has up to `MASTERS` of them. A session takes one of the
places of the first connection, and only when all are taken one of the next; beyond that it waits its turn.
"""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from . import locks
from .errors import ConnectTimedOut, HostKeyUnknown, Unreachable
from .keys import parse_host_key
from .sshfail import connection_error
from .target import Target, socket_folder

MASTERS = 2
PLACES = 8  # of MaxSessions' ten: a session whose owner was killed may linger for a moment
PERSIST_S = 300
ALIVE_INTERVAL_S = 4
ALIVE_COUNT = 2  # a cut link is noticed after (COUNT + 1) * INTERVAL = 12 s


def options(target: Target) -> list[str]:
    """Everything ssh needs to know, independent of any configuration file on this machine."""
    pairs = {
        "BatchMode": "yes",
        "CheckHostIP": "no",
        "ConnectTimeout": str(target.connect_timeout_s),
        "ConnectionAttempts": "1",
        "EscapeChar": "none",
        "GlobalKnownHostsFile": "/dev/null",
        "HostKeyAlias": alias(target),
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "IdentityFile": _quoted(target.key),
        "LogLevel": "INFO",
        "PreferredAuthentications": "publickey",
        "ServerAliveCountMax": str(ALIVE_COUNT),
        "ServerAliveInterval": str(ALIVE_INTERVAL_S),
        "StrictHostKeyChecking": "yes",
        "UpdateHostKeys": "no",
        "UserKnownHostsFile": _quoted(target.known_hosts),
    }
    words = ["-F", "none", "-T", "-a", "-x", "-p", str(target.port), "-l", target.user]
    for name, value in pairs.items():
        words += ["-o", f"{name}={value}"]
    return words


def _quoted(path: Path) -> str:
    """As a value in ssh's configuration, where blanks separate and `%` begins a token."""
    return f'"{_no_tokens(path)}"'


def _no_tokens(path: Path) -> str:
    return str(path).replace("%", "%%")


def alias(target: Target) -> str:
    return f"hearth-{target.ident}"


def session_argv(target: Target, number: int, script: str) -> list[str]:
    """Use master `number`; where it is gone by now, ssh makes a connection of its own by itself."""
    control = ["-S", _no_tokens(socket_path(target, number)), "-o", "ControlMaster=no"]
    return ["ssh", *options(target), *control, "--", target.address, script]


def master_argv(target: Target, number: int) -> list[str]:
    control = ["-S", _no_tokens(socket_path(target, number)), "-o", "ControlMaster=yes"]
    return ["ssh", *options(target), *control, "-o", f"ControlPersist={PERSIST_S}", "-N", "-f", "--", target.address]


def socket_path(target: Target, number: int) -> Path:
    return target.sockets / f"{target.ident}.{number}"


def environment() -> dict[str, str]:
    """No agent, no display, and messages in the language `sshfail` reads."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "USER", "LOGNAME") if name in os.environ}
    return {**kept, "LC_ALL": "C"}


@contextmanager
def place(target: Target, timeout_s: float) -> Iterator[int]:
    """Hold a place on a live master and give its number; raises an Unreachable when there is none in time."""
    if not target.host_key:
        raise HostKeyUnknown(node=target.name)
    paths = [target.sockets / f"{target.ident}.{n // PLACES}.p{n % PLACES}" for n in range(MASTERS * PLACES)]
    with locks.one_of(paths, timeout_s) as taken:
        if taken is None:
            raise Unreachable(node=target.name, detail="too many commands are waiting for it")
        number = taken // PLACES
        ensure_master(target, number)
        yield number


def ensure_master(target: Target, number: int) -> None:
    path = socket_path(target, number)
    if answers(path):
        return
    came_at = time.time()
    with locks.locked(path.with_suffix(f".{number}.lock")):
        if answers(path):
            return
        _raise_again(target, came_at)
        path.unlink(missing_ok=True)
        write_known_hosts(target)
        _start_master(target, number)


def answers(path: Path) -> bool:
    """Whether a master listens there. It may still hang on a dead link: its keep-alives find that out."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except BlockingIOError:
            return True  # it has more callers than it can greet at once
        except OSError:
            return False
    return True


def write_known_hosts(target: Target) -> None:
    key = parse_host_key(target.host_key)
    line = f"{alias(target)} {key}\n"
    with suppress(FileNotFoundError):
        if target.known_hosts.read_text() == line:
            return
    _write_whole(target.known_hosts, line)


def _write_whole(path: Path, text: str) -> None:
    """Whoever reads it meanwhile finds the old text or the new one, never a part."""
    aside = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    aside.write_text(text)
    aside.rename(path)


def _start_master(target: Target, number: int) -> None:
    """Returns once it is logged in. Its stderr is a file: the master keeps the descriptor for as long as it lives."""
    with tempfile.TemporaryFile() as complaints:
        try:
            done = subprocess.run(
                master_argv(target, number),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=complaints,
                env=environment(),
                timeout=target.connect_timeout_s * 2 + 5,
                start_new_session=True,
            )
        except subprocess.TimeoutExpired as error:
            raise _remember(target, ConnectTimedOut(about(target))) from error
        if done.returncode != 0:
            complaints.seek(0)
            raise _remember(target, _explain(target, complaints.read().decode(errors="replace")))


def _explain(target: Target, text: str) -> Unreachable:
    known = connection_error(text, about(target))
    return known or Unreachable(about(target), detail=text.strip()[-200:] or "ssh gave no reason")


def about(target: Target) -> dict[str, object]:
    return {"node": target.name, "address": target.address, "port": target.port, "user": target.user}


# Twenty callers of a dead node must not each wait for a timeout of their own, one after the other: whoever waited for
# the lock while another failed takes that failure for its own.


def _failure_file(target: Target) -> Path:
    return target.sockets / f"{target.ident}.failed"


def _remember(target: Target, error: Unreachable) -> Unreachable:
    detail = str(error.values.get("detail", ""))
    _write_whole(_failure_file(target), f"{type(error).__name__}\n{detail}")
    return error


def _raise_again(target: Target, came_at: float) -> None:
    path = _failure_file(target)
    try:
        if path.stat().st_mtime < came_at:
            return
        name, _, detail = path.read_text().partition("\n")
    except FileNotFoundError:
        return
    classes: dict[str, type[Unreachable]] = {cls.__name__: cls for cls in Unreachable.__subclasses__()}
    raise classes.get(name, Unreachable)(about(target), detail=detail)


def close(target: Target) -> None:
    """End this node's masters; sessions in them end too."""
    for number in range(MASTERS):
        _exit_master(socket_path(target, number))


def close_all(state: Path) -> None:
    """End every master of this installation, for its shutdown."""
    for path in socket_folder(state).glob("*.[0-9]"):
        _exit_master(path)


def _exit_master(path: Path) -> None:
    if answers(path):
        argv = ["ssh", "-F", "none", "-S", _no_tokens(path), "-O", "exit", "--", "master"]
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, env=environment(), timeout=10)
    path.unlink(missing_ok=True)
