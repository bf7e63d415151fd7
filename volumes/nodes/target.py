"""Which node, how to log in, and where the console keeps what belongs to that connection."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .keys import key_path, parse_host_key

_ADDRESS = re.compile(r"[A-Za-z0-9_.:%][A-Za-z0-9_.:%-]*")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\$?")
# A Unix socket's path may have 107 bytes, of which ssh wants 17 for a temporary name.
_SOCKET_FOLDER_LIMIT = 64


@dataclass(frozen=True)
class Target:
    """One node's sshd. `host_key` is the pinned `type base64`; blank means that nobody confirmed it, so never connect."""

    name: str
    address: str
    port: int
    user: str
    host_key: str
    state: Path
    connect_timeout_s: int = 8

    def __post_init__(self) -> None:
        if not _ADDRESS.fullmatch(self.address):
            raise ValueError("The address must be a host name or an IP address.")
        if not _USER.fullmatch(self.user):
            raise ValueError("The user name has characters that no user name has.")
        if not 0 < self.port < 65536:
            raise ValueError("The port must be between 1 and 65535.")
        if self.host_key:
            parse_host_key(self.host_key)

    @property
    def is_root(self) -> bool:
        return self.user == "root"

    @property
    def ident(self) -> str:
        """Differs whenever anything about the connection differs, so a changed node never meets an old connection."""
        parts = (self.address, str(self.port), self.user, self.host_key, str(self.state))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    @property
    def key(self) -> Path:
        return key_path(self.state)

    @property
    def known_hosts(self) -> Path:
        return self.sockets / f"{self.ident}.known"

    @property
    def sockets(self) -> Path:
        return socket_folder(self.state)


def socket_folder(state: Path) -> Path:
    """A 0700 folder of this user's with a short path: sockets in it give access to every node."""
    folder = state / "ssh"
    if len(os.fsencode(folder)) > _SOCKET_FOLDER_LIMIT:
        digest = hashlib.sha256(os.fsencode(state)).hexdigest()[:12]
        folder = Path(tempfile.gettempdir()) / f"hearth-{os.getuid()}-{digest}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    about = folder.lstat()
    if about.st_uid != os.getuid() or about.st_mode & 0o077:
        raise PermissionError(f"{folder} must belong to this user alone (mode 0700).")
    return folder
