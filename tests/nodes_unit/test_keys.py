"""The console's key and the nodes' host keys."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from volumes.nodes import keys
from volumes.nodes.errors import ConnectionRefused, NameNotResolved

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMrCiKxz4nujTVdP2Jxxi2Bvi44ETHLyG83LlKTyG5gg"
FINGERPRINT = "SHA256:yernS3yzfxnzZTbSxqoScCUumth8kmvFrIbXEsUEMUU"


def test_the_fingerprint_is_the_one_ssh_keygen_prints() -> None:
    assert keys.parse_host_key(KEY).fingerprint == FINGERPRINT


def test_the_pinned_form_has_no_comment() -> None:
    assert str(keys.parse_host_key(f"{KEY} root@node-1\n")) == KEY


@pytest.mark.parametrize(
    "line", ["", "ssh-ed25519", "ssh-dss AAAA", "ssh-rsa " + KEY.split()[1], "ssh-ed25519 not*base64"]
)
def test_what_is_no_host_key_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="not an SSH host key"):
        keys.parse_host_key(line)


def test_fingerprints_are_found_in_what_a_person_pastes() -> None:
    pasted = (
        f"root@node-1:~# ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\n256 {FINGERPRINT} root@node-1 (ED25519)\n"
    )

    assert keys.parse_fingerprint_output(pasted) == [FINGERPRINT]
    assert keys.matches(keys.parse_host_key(KEY), keys.parse_fingerprint_output(pasted))
    assert not keys.matches(keys.parse_host_key(KEY), keys.parse_fingerprint_output("256 SHA256:short root (ED25519)"))


def test_a_scan_gives_the_best_kind_first() -> None:
    rsa = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC0"
    found = keys.parse_scan(f"# 127.0.0.1:22 SSH-2.0-OpenSSH_9.2\n[127.0.0.1]:2253 {rsa}\n[127.0.0.1]:2253 {KEY}\n")

    assert [key.type for key in found] == ["ssh-ed25519", "ssh-rsa"]


def test_the_key_is_made_once_whoever_comes_first(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        lines = set(pool.map(lambda _: keys.ensure_key(tmp_path / "state"), range(4)))

    (line,) = lines
    assert line.startswith("ssh-ed25519 ")
    private = tmp_path / "state" / "id_ed25519"
    assert private.stat().st_mode & 0o077 == 0
    derived = subprocess.run(
        ["ssh-keygen", "-y", "-f", str(private)], capture_output=True, text=True, check=True
    ).stdout
    assert derived.split()[1] == line.split()[1]


def test_the_block_to_paste_changes_nothing_the_second_time(tmp_path: Path) -> None:
    block = keys.setup_block(f"{KEY} hearth").replace("/root", str(tmp_path)).replace("ssh-keygen -lf", "true")
    for _ in range(2):
        subprocess.run(["sh", "-euc", block], check=True)

    line = (tmp_path / ".ssh" / "authorized_keys").read_text()
    assert line == f"restrict {KEY} hearth\n"


def test_scanning_nothing_says_why() -> None:
    with pytest.raises(ConnectionRefused):
        keys.scan_host_key("127.0.0.1", 1, timeout_s=2)
    with pytest.raises(NameNotResolved):
        keys.scan_host_key("no-such-host.invalid", 22, timeout_s=2)
