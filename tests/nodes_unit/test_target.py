"""Where the console keeps what belongs to a connection, and what it hands to ssh."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from volumes.nodes import control
from volumes.nodes.target import Target, socket_folder

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMrCiKxz4nujTVdP2Jxxi2Bvi44ETHLyG83LlKTyG5gg"


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target(name="node-1", address="192.0.2.1", port=2222, user="root", host_key=KEY, state=tmp_path)


@pytest.mark.parametrize(
    "field",
    [
        {"address": "-oProxyCommand=reboot"},
        {"address": "a b"},
        {"address": ""},
        {"user": "-l"},
        {"user": "root@other"},
        {"port": 0},
        {"port": 65536},
        {"host_key": "nonsense"},
    ],
)
def test_odd_input_never_reaches_ssh(target: Target, field: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        replace(target, **field)  # type: ignore[arg-type]


@pytest.mark.parametrize("address", ["node-1", "node-1.example.org", "192.0.2.1", "2001:db8::1", "fe80::1%eth0"])
def test_names_and_addresses_are_taken(target: Target, address: str) -> None:
    assert replace(target, address=address).address == address


def test_a_changed_node_never_meets_an_old_connection(target: Target) -> None:
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHE9qwUQGiC618rMXEmAMV1idgza6RgqOKiZbR25yKoF"
    changed = [replace(target, **change) for change in ({"port": 23}, {"user": "hearth"}, {"host_key": other})]

    assert len({target.ident, *(each.ident for each in changed)}) == 4
    assert replace(target, name="renamed").ident == target.ident


def test_sockets_lie_in_a_folder_of_this_user_alone(target: Target, tmp_path: Path) -> None:
    assert target.sockets.stat().st_mode & 0o777 == 0o700
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    assert len(str(socket_folder(deep))) < 64
    assert socket_folder(deep).stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_can_enter_is_refused() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as short:  # a long path would get a folder of its own elsewhere
        (Path(short) / "ssh").mkdir(mode=0o755)
        with pytest.raises(PermissionError):
            socket_folder(Path(short))


def test_only_the_pinned_key_is_known(target: Target) -> None:
    control.write_known_hosts(target)

    assert target.known_hosts.read_text() == f"hearth-{target.ident} {KEY}\n"


def test_ssh_gets_no_file_and_no_habit_of_this_machine(target: Target) -> None:
    words = control.session_argv(target, 0, "script")

    assert words[:13] == [
        "ssh",
        "-F",
        "none",
        "-T",
        "-a",
        "-x",
        "-p",
        "2222",
        "-l",
        "root",
        "-o",
        "BatchMode=yes",
        "-o",
    ]
    assert words[-3:] == ["--", "192.0.2.1", "script"]
    given = {word for word in words if "=" in word}
    assert given >= {
        "StrictHostKeyChecking=yes",
        "GlobalKnownHostsFile=/dev/null",
        "UpdateHostKeys=no",
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        f"HostKeyAlias=hearth-{target.ident}",
        f'UserKnownHostsFile="{target.known_hosts}"',
    }


def test_a_state_folder_may_have_blanks_and_percent_signs_in_its_path(tmp_path: Path) -> None:
    state = tmp_path / "50% a"
    state.mkdir()
    words = control.session_argv(Target("n", "192.0.2.1", 22, "root", KEY, state), 0, "true")
    shown = subprocess.run([words[0], "-G", *words[1:-1]], capture_output=True, text=True, check=True).stdout

    assert f"identityfile {tmp_path}/50%% a/id_ed25519" in shown.splitlines()
    assert f"userknownhostsfile {socket_folder(state)}".replace("%", "%%") in shown


def test_a_cut_link_is_noticed_within_15_seconds() -> None:
    assert control.ALIVE_INTERVAL_S * (control.ALIVE_COUNT + 1) <= 15
