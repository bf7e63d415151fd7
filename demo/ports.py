"""Free ports on the loopback address."""

from __future__ import annotations

import errno
import socket
from collections.abc import Collection

from demo.shell import DemoError

LOOPBACK = "127.0.0.1"


def is_free(port: int, address: str = LOOPBACK) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise DemoError(f"{address} is not an address of this machine.", "Set WEB_ADDRESS to one.") from error
            return False
    return True


def free_port(wanted: int, *, taken: Collection[int] = (), address: str = LOOPBACK) -> int:
    """The wanted port, or the next free one after it."""
    return next(port for port in range(wanted, wanted + 500) if port not in taken and is_free(port, address))
