"""Extend Volume on real nodes: it grows, its bytes stay, and what it gets was nobody's."""

from __future__ import annotations

import pytest

from tests.faults import SOON_S, slow, supervised
from tests.stack import Stack
from volumes.engine import control
from volumes.errors import NoRoom, Refused
from volumes.models import GIB, Operation, Status, Volume
from volumes.operations import extend_volume

VG = "stack-volumes"


def extend(stack: Stack, volume: Volume, gib: int, *, status: str = "succeeded", timeout_s: float = 60) -> Operation:
    operation = extend_volume.request(volume, new_size_gib=gib, actor=stack.actor)
    stack.wait_for(operation, status=status, timeout_s=timeout_s)
    volume.refresh_from_db()
    return operation


def leave_bytes(stack: Stack) -> None:
    """Free space of node-1 holds somebody's bytes, and the pool is not taken for clean."""
    stack.node1.sh(f"lvcreate --yes -qq -Zn -Wn -n old -L 3g {VG}")
    for gib in range(3):
        stack.node1.fill(f"{VG}/old", mib=16, offset_mib=gib * 1024 + 512)
    stack.node1.sh(f"lvremove --yes -qq {VG}/old")
    stack.thick.set(free_space_is_clean=False)


def test_a_thick_volume_grows_and_keeps_its_bytes(stack: Stack) -> None:
    volume = stack.create(size_gib=1, pool=stack.thick)
    stack.node1.fill(f"{VG}/{volume.lv_name}", mib=16, offset_mib=100)
    before = stack.node1.digest(f"{VG}/{volume.lv_name}")

    operation = extend(stack, volume, 3)

    assert (volume.status, volume.size_gib, volume.growth_gib) == (Status.AVAILABLE, 3, 0)
    lv = stack.node1.lv(volume)
    assert lv is not None
    assert lv.size_bytes == 3 * GIB
    assert stack.node1.digest(f"{VG}/{volume.lv_name}") == before
    assert operation.steps.get(key="grow").note == f"read back: {3 * GIB} bytes"
    assert stack.project.used() == (1, 3)
    stack.assert_at_rest()


def test_what_it_gets_reads_as_zeroes_though_it_was_somebodys(stack: Stack) -> None:
    volume = stack.create(size_gib=1, pool=stack.thick)
    stack.node1.fill(f"{VG}/{volume.lv_name}", mib=16, offset_mib=100)
    before = stack.node1.digest(f"{VG}/{volume.lv_name}")
    leave_bytes(stack)

    operation = extend(stack, volume, 3)

    keys = list(operation.steps.values_list("key", "status"))
    assert keys == [(key, "done") for key in ("look", "room", "wipe", "verify", "where", "grow")]
    name = f"{VG}/{volume.lv_name}"
    assert stack.node1.digest(name) == before
    assert stack.node1.sh(f"cmp -i {GIB}:0 -n {2 * GIB} /dev/{name} /dev/zero && echo zero") == "zero"
    assert set(stack.node1.lvs()) == {volume.lv_name}
    stack.assert_at_rest()


def test_a_thin_volume_grows_at_once(stack: Stack) -> None:
    volume = stack.create(size_gib=1, pool=stack.thin)
    extend(stack, volume, 2)
    lv = stack.node2.lv(volume)
    assert lv is not None
    assert lv.size_bytes == 2 * GIB
    stack.assert_at_rest()


def test_a_thick_volume_with_snapshots_grows_while_nothing_holds_it_and_is_active_afterwards(stack: Stack) -> None:
    volume = stack.create(size_gib=1, pool=stack.thick)
    snapshot = stack.snapshot(volume)
    stack.node1.fill(f"{VG}/{volume.lv_name}", mib=8)
    extend(stack, volume, 2)
    lv = stack.node1.lv(volume)
    assert lv is not None
    assert (lv.size_bytes, lv.active) == (2 * GIB, True)
    assert stack.node1.is_zero(f"{VG}/{snapshot.lv_name}")
    stack.assert_at_rest()


def test_one_with_snapshots_that_something_holds_says_so_and_stays_active(stack: Stack) -> None:
    volume = stack.create(size_gib=1, pool=stack.thick)
    stack.snapshot(volume)
    stack.node1.sh(f"dmsetup create held-shop --table '0 2048 linear /dev/{VG}/{volume.lv_name} 0'")
    try:
        operation = extend(stack, volume, 2, status="failed")
    finally:
        stack.node1.sh("dmsetup remove held-shop")
    assert "used by the device" in operation.reason
    assert (volume.status, volume.size_gib) == (Status.AVAILABLE, 1)
    lv = stack.node1.lv(volume)
    assert lv is not None
    assert (lv.size_bytes, lv.active) == (GIB, True)

    control.retry(operation, actor=stack.actor)
    stack.wait_for(operation)
    volume.refresh_from_db()
    assert volume.size_gib == 2


def test_more_than_fits_is_refused_with_what_does(stack: Stack) -> None:
    volume = stack.create(size_gib=1, pool=stack.thick)
    with pytest.raises(NoRoom, match="at most 8 GiB"):
        extend_volume.request(volume, new_size_gib=9, actor=stack.actor)
    with pytest.raises(Refused, match="cannot shrink"):
        extend_volume.request(volume, new_size_gib=1, actor=stack.actor)


def test_a_pool_that_filled_up_meanwhile_leaves_it_as_it_was(stack: Stack) -> None:
    volume = stack.create(size_gib=1, pool=stack.thick)
    stack.watch.kill()
    stack.node1.sh(f"lvcreate --yes -qq -Zn -Wn -n foreign -l 100%FREE {VG}")
    operation = extend(stack, volume, 2, status="failed")
    assert "has not enough free space" in operation.reason
    assert (volume.status, volume.size_gib, volume.growth_gib) == (Status.AVAILABLE, 1, 0)
    assert volume.status_reason == operation.reason
    assert stack.project.used() == (1, 1)


def test_a_cancel_while_room_is_zeroed_leaves_nothing_behind(stack: Stack) -> None:
    volume = stack.create(size_gib=1, pool=stack.thick)
    leave_bytes(stack)
    slow(stack.node1, 100)
    operation = extend_volume.request(volume, new_size_gib=3, actor=stack.actor)
    stack.wait_for_step(operation, "wipe", "bytes")
    control.cancel(operation, actor=stack.actor)
    stack.wait_for(operation, status="cancelled", timeout_s=30)
    volume.refresh_from_db()
    assert (volume.status, volume.size_gib) == (Status.AVAILABLE, 1)
    assert set(stack.node1.lvs()) == {volume.lv_name}
    stack.assert_at_rest()


@pytest.mark.parametrize("when", ["during"])
def test_a_killed_worker_changes_nothing(stack: Stack, when: str) -> None:
    volume = stack.create(size_gib=1, pool=stack.thick)
    stack.deaths.order(when, "lvextend")
    with supervised(stack):
        operation = extend_volume.request(volume, new_size_gib=2, actor=stack.actor)
        stack.deaths.wait()
        stack.wait_for(operation, timeout_s=SOON_S)
    lv = stack.node1.lv(volume)
    assert lv is not None
    assert lv.size_bytes == 2 * GIB
    volume.refresh_from_db()
    assert volume.size_gib == 2
    stack.assert_at_rest()
