"""Snapshots on real nodes: the content of a moment, watched, grown, lost loudly, and wiped when deleted."""

from __future__ import annotations

import pytest

from tests.faults import SOON_S, supervised
from tests.processes import until
from tests.stack import Stack
from volumes import housekeeping
from volumes.engine import facts
from volumes.errors import Refused
from volumes.models import GIB, Operation, Snapshot, SnapshotStatus, Status, Volume
from volumes.operations import create_snapshot, delete_snapshot, delete_volume

VG = "stack-volumes"


def delete(stack: Stack, snapshot: Snapshot, *, status: str = "succeeded") -> Operation:
    return stack.wait_for(delete_snapshot.request(snapshot, actor=stack.actor), status=status)


@pytest.fixture(params=["thick", "thin"])
def volume(stack: Stack, request: pytest.FixtureRequest) -> Volume:
    """A volume of 1 GiB with some bytes in it."""
    volume = stack.create(name="data", size_gib=1, pool=getattr(stack, request.param))
    machine = stack.machine(volume)
    machine.fill(f"{machine.vg(volume)}/{volume.lv_name}", mib=32)
    return volume


def test_it_keeps_the_moment_while_the_volume_goes_on(stack: Stack, volume: Volume) -> None:
    machine, vg = stack.machine(volume), stack.machine(volume).vg(volume)
    before = machine.digest(f"{vg}/{volume.lv_name}")
    snapshot = stack.snapshot(volume, name="nightly")
    machine.fill(f"{vg}/{volume.lv_name}", mib=32, offset_mib=16)

    assert machine.digest(f"{vg}/{snapshot.lv_name}") == before
    assert machine.digest(f"{vg}/{volume.lv_name}") != before
    assert (snapshot.status, snapshot.size_gib) == (SnapshotStatus.AVAILABLE, 1)
    lv = machine.lvs()[snapshot.lv_name]
    assert lv.tags == {"hearth", f"hearth.id={snapshot.pk}"}
    assert stack.project.used() == (1, 2)
    volume.refresh_from_db()
    assert volume.status == Status.AVAILABLE

    delete(stack, snapshot)
    assert set(machine.lvs()) == {volume.lv_name}
    assert stack.project.used() == (1, 1)
    stack.assert_at_rest()


def test_what_a_deleted_thick_snapshot_kept_is_zero_before_anybody_can_have_it(stack: Stack) -> None:
    volume = stack.create(size_gib=1, pool=stack.thick)
    stack.node1.fill(f"{VG}/{volume.lv_name}", mib=64)
    snapshot = stack.snapshot(volume)
    extents = stack.node1.sh(f"lvs -a --noheadings -o seg_pe_ranges {VG}/{snapshot.lv_name}")
    stack.node1.fill(f"{VG}/{volume.lv_name}", mib=64, offset_mib=8)

    operation = delete(stack, snapshot)

    assert set(operation.steps.values_list("key", "status")) == {
        (key, "done") for key in ("look", "part", "wipe", "verify", "remove")
    }
    stack.thick.refresh_from_db()
    assert stack.thick.free_space_is_clean
    size = sum(int(b) - int(a) + 1 for a, b in (part.split(":")[1].split("-") for part in extents.split()))
    stack.node1.sh(f"lvcreate --yes -qq -Zn -Wn -n byhand -l {size} {VG} {extents}")
    assert stack.node1.is_zero(f"{VG}/byhand")
    stack.node1.sh(f"lvremove --yes -qq {VG}/byhand")


def test_a_thick_one_that_can_overflow_is_grown_and_one_that_overflowed_says_so_at_once(stack: Stack) -> None:
    volume = stack.create(size_gib=1, pool=stack.thick)
    stack.node1.sh(f"lvcreate --yes -qq -Zn -Wn -n foreign -L 6900m {VG}")
    facts.refresh(stack.thick.node)
    snapshot = stack.snapshot(volume)
    assert 0 < snapshot.cow_bytes < GIB // 3
    fits = snapshot.cow_bytes // 1024**2
    stack.node1.fill(f"{VG}/{volume.lv_name}", mib=fits * 85 // 100)

    def percent() -> float:
        snapshot.refresh_from_db()
        return snapshot.snap_percent or 0.0

    until("it is seen to be nearly full", lambda: percent() > 80, timeout_s=30)
    stack.node1.sh(f"lvremove --yes -qq {VG}/foreign")
    facts.refresh(stack.thick.node)
    housekeeping.grow_snapshots()
    operation = Operation.objects.get(verb="extend_snapshot")
    stack.wait_for(operation)
    assert percent() < 60

    stack.node1.fill(f"{VG}/{volume.lv_name}", mib=700, offset_mib=fits)
    until("it is invalid", lambda: Snapshot.objects.get(pk=snapshot.pk).status == SnapshotStatus.INVALID, timeout_s=30)
    snapshot.refresh_from_db()
    assert "overflowed" in snapshot.status_reason
    delete(stack, snapshot)
    assert set(stack.node1.lvs()) == {volume.lv_name}
    stack.assert_at_rest()


def test_a_snapshot_that_something_holds_is_not_touched(stack: Stack) -> None:
    volume = stack.create(size_gib=1, pool=stack.thick)
    snapshot = stack.snapshot(volume)
    stack.node1.sh(f"dmsetup create held-shop --table '0 2048 linear /dev/{VG}/{snapshot.lv_name} 0'")
    try:
        operation = delete(stack, snapshot, status="failed")
    finally:
        stack.node1.sh("dmsetup remove held-shop")
    snapshot.refresh_from_db()
    assert snapshot.status in {SnapshotStatus.AVAILABLE, SnapshotStatus.ERROR_DELETING}
    assert stack.node1.sh(f"lvs --noheadings -o origin {VG}/{snapshot.lv_name}") == volume.lv_name
    assert operation.reason


@pytest.mark.long
@pytest.mark.parametrize("when", ["during"])
def test_create_and_delete_come_through_the_death_of_a_worker(stack: Stack, when: str) -> None:
    volume = stack.create(size_gib=1, pool=stack.thick)
    for pattern in ("lvcreate", "splitsnapshot", "lvremove"):
        stack.deaths.order(when, pattern)
    with supervised(stack):
        snapshot = Snapshot.objects.get(
            pk=stack.wait_for(create_snapshot.request(volume, actor=stack.actor), timeout_s=SOON_S).target_id
        )
        operation = delete_snapshot.request(snapshot, actor=stack.actor)
        stack.deaths.wait(3 * SOON_S)
        stack.wait_for(operation, timeout_s=SOON_S)
    assert set(stack.node1.lvs()) == {volume.lv_name}
    stack.assert_at_rest()


def test_a_volume_takes_along_the_snapshots_that_were_ticked_and_all_have_to_be(stack: Stack, volume: Volume) -> None:
    snapshots = [stack.snapshot(volume, name=name) for name in ("one", "two")]
    with pytest.raises(Refused, match=r"2 snapshots that were not ticked: one, two\."):
        delete_volume.request(volume, actor=stack.actor)
    with pytest.raises(Refused, match="1 snapshot that was not ticked: two"):
        delete_volume.request(volume, actor=stack.actor, snapshots=[snapshots[0].pk])

    operation = delete_volume.request(volume, actor=stack.actor, snapshots=[snapshot.pk for snapshot in snapshots])
    stack.wait_for(operation)

    assert stack.machine(volume).lvs() == {}
    assert not Snapshot.objects.exists()
    assert not Volume.objects.exists()
    assert stack.project.used() == (0, 0)
    stack.assert_at_rest()
