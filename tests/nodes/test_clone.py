"""Volumes made from volumes and snapshots on real nodes: the same bytes, of the moment of the click, and nothing left over."""

from __future__ import annotations

import pytest

from tests.faults import slow, starts, supervised
from tests.stack import Stack
from volumes.engine import control, facts
from volumes.errors import Refused
from volumes.models import GIB, Operation, Pool, Snapshot, Status, Volume
from volumes.operations import clone_volume, delete_volume

VG = "stack-volumes"


def clone(stack: Stack, source: Volume | Snapshot, *, timeout_s: float = 300, **asked: object) -> Volume:
    operation = clone_volume.request(source, actor=stack.actor, **asked)  # type: ignore[arg-type]
    stack.wait_for(operation, timeout_s=timeout_s)
    return stack.volume(operation)


def filled(stack: Stack, pool: Pool) -> Volume:
    volume = stack.create(name="source", size_gib=1, pool=pool)
    machine = stack.machine(volume)
    machine.fill(f"{machine.vg(volume)}/{volume.lv_name}", mib=48, offset_mib=3)
    machine.fill(f"{machine.vg(volume)}/{volume.lv_name}", mib=16, offset_mib=100)
    return volume


def test_a_thick_clone_has_the_bytes_of_the_click_though_the_source_is_written_to(stack: Stack) -> None:
    source = filled(stack, stack.thick)
    name = f"{VG}/{source.lv_name}"
    before = stack.node1.digest(name)
    slow(stack.node1, 150)
    operation = clone_volume.request(source, actor=stack.actor, name="copy")
    stack.wait_for_step(operation, "copy", "bytes")
    stack.node1.fill(name, mib=16, offset_mib=3)
    stack.node1.fill(name, mib=16, offset_mib=90)
    slow(stack.node1, 0)
    stack.wait_for(operation, timeout_s=300)

    copy = stack.volume(operation)
    assert (copy.status, copy.size_gib, copy.source_volume) == (Status.AVAILABLE, 1, source)
    assert stack.node1.digest(f"{VG}/{copy.lv_name}") == before
    assert "the same as the source's" in operation.steps.get(key="compare").note
    assert set(stack.node1.lvs()) == {source.lv_name, copy.lv_name}
    stack.thick.refresh_from_db()
    assert stack.thick.free_space_is_clean
    stack.assert_at_rest()


@pytest.mark.long
def test_a_thick_snapshot_becomes_a_larger_volume_whose_rest_is_zero(stack: Stack) -> None:
    source = filled(stack, stack.thick)
    before = stack.node1.digest(f"{VG}/{source.lv_name}")
    snapshot = stack.snapshot(source)
    stack.node1.fill(f"{VG}/{source.lv_name}", mib=16)
    stack.node1.sh(f"lvcreate --yes -qq -Zn -Wn -n old -L 2g {VG}")
    stack.node1.fill(f"{VG}/old", mib=16, offset_mib=1200)
    stack.node1.sh(f"lvremove --yes -qq {VG}/old")
    stack.thick.set(free_space_is_clean=False)

    copy = clone(stack, snapshot, size_gib=2)

    name = f"{VG}/{copy.lv_name}"
    assert stack.node1.digest(name) == before
    assert stack.node1.sh(f"cmp -i {GIB}:0 -n {GIB} /dev/{name} /dev/zero && echo zero") == "zero"
    stack.assert_at_rest()


@pytest.mark.parametrize("from_snapshot", [False, True], ids=["of a volume", "of a snapshot"])
def test_a_thin_clone_shares_blocks_and_outlives_its_source(stack: Stack, *, from_snapshot: bool) -> None:
    source = filled(stack, stack.thin)
    before = stack.node2.digest(f"fast/{source.lv_name}")
    copy = clone(stack, stack.snapshot(source) if from_snapshot else source, size_gib=2)
    stack.node2.fill(f"fast/{source.lv_name}", mib=16)
    assert stack.node2.digest(f"fast/{copy.lv_name}") == before

    ticked = list(source.snapshots.values_list("pk", flat=True))
    stack.wait_for(delete_volume.request(source, actor=stack.actor, snapshots=ticked))
    assert stack.node2.digest(f"fast/{copy.lv_name}") == before
    assert set(stack.node2.lvs()) == {copy.lv_name}
    stack.assert_at_rest()


def test_a_copy_stays_on_the_node_of_its_source(stack: Stack) -> None:
    source = filled(stack, stack.thin)
    with pytest.raises(Refused, match="A copy stays on the node of its source, node-2"):
        clone_volume.request(source, actor=stack.actor, pool=stack.thick)


@pytest.mark.long
def test_from_a_thin_pool_to_its_volume_group_every_byte_is_copied(stack: Stack) -> None:
    stack.node2.sh(
        "lvremove --yes -qq fast/thin && lvcreate --yes -qq -T -L 2g --poolmetadatasize 64m --zero y -n thin fast"
    )
    stack.node2.is_suspect = True
    group = Pool.objects.create(node=stack.thin.node, vg_name="fast", free_space_is_clean=False)
    facts.refresh(stack.thin.node)
    source = filled(stack, stack.thin)
    before = stack.node2.digest(f"fast/{source.lv_name}")

    copy = clone(stack, source, pool=group)

    lv = stack.node2.lv(copy)
    assert lv is not None
    assert lv.segtype == "linear"
    assert stack.node2.digest(f"fast/{copy.lv_name}") == before
    stack.assert_at_rest()


def test_the_source_is_held_while_it_is_copied_and_a_cancel_leaves_nothing(stack: Stack) -> None:
    source = filled(stack, stack.thick)
    slow(stack.node1, 60)
    operation = clone_volume.request(source, actor=stack.actor)
    stack.wait_for_step(operation, "copy", "bytes")
    with pytest.raises(Refused, match="It is being copied"):
        stack.ask_delete(source)
    control.cancel(operation, actor=stack.actor)
    slow(stack.node1, 0)
    stack.wait_for(operation, status="cancelled", timeout_s=60)
    copy = stack.volume(operation)
    assert copy.status == Status.ERROR
    assert set(stack.node1.lvs()) == {source.lv_name}
    stack.delete(copy)
    stack.delete(source)
    stack.assert_at_rest()


@pytest.mark.long
@pytest.mark.parametrize("when", ["during"])
def test_killed_workers_make_one_copy(stack: Stack, when: str) -> None:
    source = filled(stack, stack.thick)
    before = stack.node1.digest(f"{VG}/{source.lv_name}")
    for pattern in ("lvcreate*--snapshot", "splitsnapshot", "lvremove"):
        stack.deaths.order(when, pattern)
    with supervised(stack):
        operation = clone_volume.request(source, actor=stack.actor)
        stack.wait_for(operation, timeout_s=400)
    assert stack.deaths.happened
    copy = stack.volume(operation)
    assert stack.node1.digest(f"{VG}/{copy.lv_name}") == before
    assert starts(stack.node1, operation) == 2
    assert set(stack.node1.lvs()) == {source.lv_name, copy.lv_name}
    stack.assert_at_rest()


@pytest.mark.long
def test_the_cable_is_cut_in_the_middle(stack: Stack) -> None:
    source = filled(stack, stack.thick)
    before = stack.node1.digest(f"{VG}/{source.lv_name}")
    slow(stack.node1, 100)
    operation: Operation = clone_volume.request(source, actor=stack.actor)
    stack.wait_for_step(operation, "copy", "bytes")
    stack.node1.guest.set_link(False)
    stack.wait_until_waiting(operation, "node")
    slow(stack.node1, 0)
    stack.node1.guest.set_link(True)
    stack.wait_for(operation, timeout_s=300)
    assert stack.node1.digest(f"{VG}/{stack.volume(operation).lv_name}") == before
    stack.assert_at_rest()
