"""The console's own key, and the nodes' host keys.

A host key read over the network is only ever *shown*: a person compares its fingerprint with the one on the node's
own screen and confirms it. From then on nothing else is accepted.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import ConnectionRefused, ConnectTimedOut, NameNotResolved, Unreachable
from .locks import locked

KEY_NAME = "id_ed25519"
_PREFERRED = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}(?![A-Za-z0-9+/])")


@dataclass(frozen=True)
class HostKey:
    """A machine's public key; `str()` is the form that is stored and pinned."""

    type: str
    base64: str

    def __str__(self) -> str:
        return f"{self.type} {self.base64}"

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.base64)


def fingerprint(key_base64: str) -> str:
    """SHA256:... as `ssh-keygen -lf` prints it."""
    digest = hashlib.sha256(base64.b64decode(key_base64, validate=True)).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def parse_host_key(line: str) -> HostKey:
    """`type base64 [comment]`, as in /etc/ssh/ssh_host_ed25519_key.pub; ValueError for anything else."""
    words = line.split()
    if len(words) < 2 or words[0] not in _PREFERRED:
        raise ValueError("This is not an SSH host key.")
    try:
        named = base64.b64decode(words[1], validate=True)[4 : 4 + len(words[0])]
    except binascii.Error as error:
        raise ValueError("This is not an SSH host key.") from error
    if named != words[0].encode():
        raise ValueError("This is not an SSH host key.")
    return HostKey(words[0], words[1])


def parse_fingerprint_output(text: str) -> list[str]:
    """The fingerprints in what somebody pasted from `ssh-keygen -lf`, in order."""
    return _FINGERPRINT.findall(text)


def ensure_key(folder: Path) -> str:
    """Make the console's key if there is none and return its public line. Safe to call from several processes."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    private = key_path(folder)
    with locked(folder / ".key.lock"):
        if not private.exists():
            argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "hearth", "-f", str(private)]
            subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, capture_output=True)
    return private.with_suffix(".pub").read_text().strip()


def key_path(folder: Path) -> Path:
    return folder / KEY_NAME


def authorized_keys_line(public_key: str) -> str:
    """`restrict` takes away forwarding, terminals and rc files; running commands is all that is left."""
    return f"restrict {public_key.strip()}"


def setup_block(public_key: str) -> str:
    """What an administrator pastes into a root shell on the node; harmless when pasted twice."""
    line = authorized_keys_line(public_key)
    return "\n".join(
        [
            "install -d -m 700 /root/.ssh",
            f"grep -qxF '{line}' /root/.ssh/authorized_keys 2>/dev/null || echo '{line}' >> /root/.ssh/authorized_keys",
            "chmod 600 /root/.ssh/authorized_keys",
            "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
        ]
    )


def scan_host_key(address: str, port: int = 22, timeout_s: int = 5) -> HostKey:
    """Ask a machine for its host key, to show it. Nothing proves that the right machine answered."""
    argv = scan_argv(address, port, timeout_s)
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout_s + 10, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as error:
        raise ConnectTimedOut(node=address, address=address, port=port) from error
    found = parse_scan(done.stdout)
    if found:
        return found[0]
    raise _why_silent(address, port, timeout_s)


def _why_silent(address: str, port: int, timeout_s: int) -> Unreachable:
    """ssh-keyscan does not say why it found nothing."""
    about = {"node": address, "address": address, "port": port}
    try:
        socket.create_connection((address, port), timeout_s).close()
    except socket.gaierror:
        return NameNotResolved(about)
    except ConnectionRefusedError:
        return ConnectionRefused(about)
    except TimeoutError:
        return ConnectTimedOut(about)
    except OSError as error:
        return Unreachable(about, detail=error.strerror or str(error))
    return Unreachable(about, detail="what listens there is no SSH server")


def scan_argv(address: str, port: int, timeout_s: int) -> list[str]:
    return ["ssh-keyscan", "-T", str(timeout_s), "-p", str(port), "-t", "ed25519,ecdsa,rsa", "--", address]


def parse_scan(text: str) -> list[HostKey]:
    """Best kind first. Lines are `address type base64`; comments start with #."""
    keys: list[HostKey] = []
    for line in text.splitlines():
        words = line.split()
        if len(words) == 3 and words[1] in _PREFERRED:
            keys.append(parse_host_key(f"{words[1]} {words[2]}"))
    return sorted(keys, key=lambda key: _PREFERRED.index(key.type))


def matches(key: HostKey, fingerprints: Sequence[str]) -> bool:
    """Whether one of the pasted fingerprints belongs to this key."""
    return key.fingerprint in fingerprints
