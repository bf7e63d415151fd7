"""What OpenSSH prints, to named errors."""

from __future__ import annotations

import pytest

from volumes.nodes.errors import (
    ConnectionRefused,
    ConnectTimedOut,
    HostKeyChanged,
    KeyRejected,
    NameNotResolved,
    Unreachable,
)
from volumes.nodes.sshfail import connection_error

ABOUT = {"node": "node-1", "address": "192.0.2.1", "port": 22, "user": "root"}
CHANGED = """\
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
Host key verification failed.
"""


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("ssh: Could not resolve hostname x: Name or service not known", NameNotResolved),
        ("ssh: Could not resolve hostname x: Temporary failure in name resolution", NameNotResolved),
        ("ssh: connect to host 192.0.2.1 port 22: Connection refused", ConnectionRefused),
        ("ssh: connect to host 192.0.2.1 port 22: Connection timed out", ConnectTimedOut),
        ("Connection timed out during banner exchange", ConnectTimedOut),
        ("root@192.0.2.1: Permission denied (publickey).", KeyRejected),
        (CHANGED, HostKeyChanged),
        (
            "No RSA host key is known for x and you have requested strict checking.\nHost key verification failed.",
            HostKeyChanged,
        ),
        ("ssh: connect to host 192.0.2.1 port 22: No route to host", Unreachable),
        ("kex_exchange_identification: Connection closed by remote host", Unreachable),
    ],
)
def test_every_complaint_has_a_name(text: str, error: type[Unreachable]) -> None:
    found = connection_error(text, ABOUT)

    assert type(found) is error
    assert "%" not in f"{found} {found.remedy}" if found else False


def test_other_words_are_no_connection_error() -> None:
    assert connection_error("Warning: Permanently added nothing", ABOUT) is None
