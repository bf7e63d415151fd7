"""Revert Volume on real nodes: exactly the snapshot's bytes, however often and whatever dies on the way."""

from __future__ import annotations

import pytest

from tests.faults import slow, supervised
from tests.stack import Stack
from volumes.errors import Refused
from volumes.models import Snapshot, SnapshotStatus, Status, Volume
from volumes.operations import revert_volume

VG = "stack-volumes"


@pytest.fixture(params=["thick", "thin"])
def volume(stack: Stack, request: pytest.FixtureRequest) -> Volume:
    """A volume of 1 GiB: bytes, zeroes, bytes."""
    volume = stack.create(name="data", size_gib=1, pool=getattr(stack, request.param))
    machine = stack.machine(volume)
    machine.fill(f"{machine.vg(volume)}/{volume.lv_name}", mib=16)
    machine.fill(f"{machine.vg(volume)}/{volume.lv_name}", mib=16, offset_mib=64)
    return volume


def test_what_was_zero_is_zero_again_and_every_snapshot_keeps_its_content(stack: Stack, volume: Volume) -> None:
    machine, vg = stack.machine(volume), stack.machine(volume).vg(volume)
    name = f"{vg}/{volume.lv_name}"
    older = stack.snapshot(volume, name="older")
    first = machine.digest(name)
    machine.fill(name, mib=16, offset_mib=32)  # over zeroes: what sparse copies leave behind
    newer = stack.snapshot(volume, name="newer")
    second = machine.digest(name)
    machine.fill(name, mib=16, offset_mib=8)

    operation = stack.wait_for(revert_volume.request(volume, older, actor=stack.actor), timeout_s=300)

    assert machine.digest(name) == first
    assert "as it should be" in operation.steps.get(key="after").note
    assert machine.digest(f"{vg}/{older.lv_name}") == first
    assert machine.digest(f"{vg}/{newer.lv_name}") == second
    assert {s.status for s in Snapshot.objects.all()} == {SnapshotStatus.AVAILABLE}
    volume.refresh_from_db()
    assert volume.status == Status.AVAILABLE

    if not volume.pool.is_thin:
        stack.thick.refresh_from_db()
        assert not stack.thick.free_space_is_clean
    stack.assert_at_rest()


def test_a_volume_that_something_holds_is_left_alone(stack: Stack) -> None:
    volume = stack.create(size_gib=1, pool=stack.thick)
    snapshot = stack.snapshot(volume)
    stack.node1.fill(f"{VG}/{volume.lv_name}", mib=16)
    before = stack.node1.digest(f"{VG}/{volume.lv_name}")
    stack.node1.sh(f"dmsetup create held-shop --table '0 2048 linear /dev/{VG}/{volume.lv_name} 0'")
    try:
        operation = stack.wait_for(revert_volume.request(volume, snapshot, actor=stack.actor), status="failed")
    finally:
        stack.node1.sh("dmsetup remove held-shop")
    assert "held-shop" in operation.reason
    volume.refresh_from_db()
    snapshot.refresh_from_db()
    assert (volume.status, snapshot.status) == (Status.AVAILABLE, SnapshotStatus.AVAILABLE)
    assert stack.node1.digest(f"{VG}/{volume.lv_name}") == before
    assert stack.node1.lvs()[volume.lv_name].active
    stack.assert_at_rest()


def test_one_that_has_grown_since_is_refused(stack: Stack) -> None:
    volume = stack.create(size_gib=1, pool=stack.thin)
    snapshot = stack.snapshot(volume)
    Volume.objects.filter(pk=volume.pk).update(size_gib=2)
    with pytest.raises(Refused, match="has grown since, from 1 to 2 GiB"):
        revert_volume.request(volume, snapshot, actor=stack.actor)


@pytest.mark.long
@pytest.mark.parametrize("when", ["during"])
def test_killed_workers_change_nothing(stack: Stack, when: str) -> None:
    volume = stack.create(size_gib=1, pool=stack.thick)
    name = f"{VG}/{volume.lv_name}"
    stack.node1.fill(name, mib=16)
    snapshot = stack.snapshot(volume)
    before = stack.node1.digest(name)
    stack.node1.fill(name, mib=64, offset_mib=8)
    for pattern in ("--merge", "lvcreate*--snapshot"):
        stack.deaths.order(when, pattern)
    with supervised(stack):
        operation = revert_volume.request(volume, snapshot, actor=stack.actor)
        stack.wait_for(operation, timeout_s=300)
    assert stack.deaths.happened
    assert stack.node1.digest(name) == before
    assert stack.node1.digest(f"{VG}/{snapshot.lv_name}") == before
    stack.assert_at_rest()


@pytest.mark.long
def test_power_loss_while_it_merges(stack: Stack) -> None:
    volume = stack.create(size_gib=1, pool=stack.thick)
    name = f"{VG}/{volume.lv_name}"
    stack.node1.fill(name, mib=16)
    snapshot = stack.snapshot(volume)
    before = stack.node1.digest(name)
    stack.node1.fill(name, mib=200, offset_mib=8)
    slow(stack.node1, 60)
    operation = revert_volume.request(volume, snapshot, actor=stack.actor)
    stack.wait_for_step(operation, "merge", timeout_s=200)
    stack.node1.guest.power_off()
    stack.wait_until_waiting(operation, "node", timeout_s=60)
    stack.node1.is_suspect = True
    stack.node1.guest.power_on()
    stack.wait_for(operation, timeout_s=300)
    assert stack.node1.digest(name) == before
    stack.assert_at_rest()
