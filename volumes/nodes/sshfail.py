"""From what ssh prints to a named error. The texts are OpenSSH's own, the same since 7.x."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .errors import (
    ConnectionRefused,
    ConnectTimedOut,
    HostKeyChanged,
    KeyRejected,
    NameNotResolved,
    Unreachable,
)

# First match wins: a changed host key also prints "Host key verification failed".
_TABLE: tuple[tuple[re.Pattern[str], type[Unreachable]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), error)
    for pattern, error in (
        (r"REMOTE HOST IDENTIFICATION HAS CHANGED", HostKeyChanged),
        (r"Host key verification failed", HostKeyChanged),
        (r"Could not resolve hostname|Name or service not known|getaddrinfo", NameNotResolved),
        (r"Connection refused", ConnectionRefused),
        (r"Connection timed out|Operation timed out|Connection to .* timed out", ConnectTimedOut),
        (r"Permission denied \(|Too many authentication failures", KeyRejected),
    )
)
_OTHER = re.compile(
    r"No route to host|Network is unreachable|kex_exchange_identification|Connection (closed|reset) by|"
    r"Unable to negotiate|banner exchange",
    re.IGNORECASE,
)


def connection_error(text: str, about: Mapping[str, object]) -> Unreachable | None:
    """The named error for what ssh said before it had a session; None when the text says nothing of the kind."""
    for pattern, error in _TABLE:
        if pattern.search(text):
            return error(about)
    for line in text.splitlines():
        if _OTHER.search(line):
            return Unreachable(about, detail=line.strip().rstrip("."))
    return None
