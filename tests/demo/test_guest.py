"""Guests behave as machines with a disk and a power cord do."""

from __future__ import annotations

import time

import pytest

from demo.guest import Guest


@pytest.fixture
def guest(machines) -> Guest:
    return machines["node-1"].guest


def clock_skew_s(guest: Guest) -> float:
    """How far the guest's clock is off, give or take half a round trip."""
    before = time.time()
    there = float(guest.check("date +%s.%N"))
    return abs(there - (before + time.time()) / 2)


def test_a_parked_guest_resumes_where_it_was_with_the_right_time(guest):
    guest.check("echo here > /run/only-in-memory")
    guest.stop()
    assert not guest.is_running
    time.sleep(2)
    start = time.monotonic()
    assert guest.start(), "it was booted, not resumed"
    guest.wait_ssh()
    assert time.monotonic() - start < 15
    assert guest.check("cat /run/only-in-memory") == "here\n"
    assert clock_skew_s(guest) < 1


def test_a_slowed_disk_also_writes_zeroes_slowly(guest):
    guest.check("lvcreate --yes --size 64m --name slowed stack-volumes")
    try:
        guest.set_disk_speed(32 * 2**20)
        start = time.monotonic()
        guest.check("blkdiscard --zeroout --step 8M /dev/stack-volumes/slowed")
        assert time.monotonic() - start > 1
    finally:
        guest.set_disk_speed(0)
        guest.check("lvremove --yes stack-volumes/slowed")


def test_the_image_knows_no_key_and_no_password(guest):
    """What can log in came from this installation: its own keys, and a host key made at the first boot."""
    assert guest.ssh("grep -vE '^[^:]+:[*!]+:' /etc/shadow").stdout == ""
    assert guest.check("sshd -T | grep -i ^passwordauthentication").strip() == "passwordauthentication no"
    assert guest.check("cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub").strip() == guest.host_key
    assert guest.check("ls /etc/ssh/ssh_host_*_key").split() == ["/etc/ssh/ssh_host_ed25519_key"]
