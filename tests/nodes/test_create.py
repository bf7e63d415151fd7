"""Create Volume on real nodes."""

from __future__ import annotations

import pytest
from django.utils import timezone

from tests.processes import until
from tests.stack import Stack
from volumes.engine import control
from volumes.models import GIB, Operation, Status, Volume


def notes(operation: Operation) -> dict[str, str]:
    """What each step of the last round says."""
    return dict(operation.steps.filter(round=operation.round).values_list("key", "note"))


def wait_for_a_look(stack: Stack) -> None:
    """Until the watch has read node-1 once more."""
    seen = timezone.now()

    def was_read() -> bool:
        stack.thick.refresh_from_db()
        return stack.thick.facts_at > seen

    until("the watch reads node-1", was_read, timeout_s=30)


def take_all_room(stack: Stack) -> None:
    """Somebody takes the whole volume group on node-1 right after Hearth has read that it is free."""
    wait_for_a_look(stack)
    stack.node1.sh("lvcreate --yes -qq -Zn -Wn -n foreign -l 100%FREE stack-volumes")


def test_a_thick_volume_becomes_an_lv_of_its_size_with_our_tags(stack: Stack) -> None:
    volume = stack.create(name="data", size_gib=2, pool=stack.thick)

    assert volume.status == Status.AVAILABLE
    assert volume.allocated_at is not None
    lv = stack.node1.lv(volume)
    assert lv is not None
    assert lv.size_bytes == 2 * GIB
    assert lv.tags == {"hearth", f"hearth.id={volume.pk}"}
    assert lv.segtype == "linear"
    assert lv.active
    stack.assert_at_rest()


def test_a_thin_volume_is_a_promise_of_its_size_from_the_thin_pool(stack: Stack) -> None:
    volume = stack.create(name="data", size_gib=3, pool=stack.thin)

    lv = stack.node2.lv(volume)
    assert lv is not None
    assert (lv.size_bytes, lv.segtype, lv.pool) == (3 * GIB, "thin", "thin")
    assert lv.tags == {"hearth", f"hearth.id={volume.pk}"}
    stack.assert_at_rest()


def test_the_operation_shows_what_was_chosen_what_ran_and_what_was_read_back(stack: Stack) -> None:
    (operation,) = stack.ask_create(name="data", size_gib=1)
    stack.wait_for(operation)

    choose, make = operation.steps.all()
    assert choose.note.startswith("Chose node-2 / fast / thin: the most room")
    assert "Not node-1 / stack-volumes: less room" in choose.note
    assert make.note == f"read back: {GIB} bytes"
    assert make.node_name == "node-2"
    lvcreate = make.commands[0]
    assert lvcreate["argv"][0] == "lvcreate"
    assert lvcreate["exit_code"] == 0
    assert lvcreate["seconds"] > 0


def test_several_at_once_are_all_made(stack: Stack) -> None:
    operations = stack.ask_create(name="web", size_gib=1, count=6)
    stack.wait_for_all(operations)

    volumes = Volume.objects.all()
    assert {volume.name for volume in volumes} == {f"web-{n}" for n in range(1, 7)}
    assert {volume.status for volume in volumes} == {Status.AVAILABLE}
    assert stack.project.used() == (6, 6)
    stack.assert_at_rest()


def test_when_the_chosen_pool_fails_the_next_is_tried_and_the_first_is_left_clean(stack: Stack) -> None:
    stack.thin.set(over_subscription=1.0)  # seven GiB of room: node-1 has more
    take_all_room(stack)

    (operation,) = stack.ask_create(name="data", size_gib=1)
    stack.wait_for(operation)

    volume = stack.volume(operation)
    assert volume.pool == stack.thin
    assert operation.round == 2
    first = operation.steps.get(round=1, key="make")
    assert first.status == "failed"
    assert "insufficient free space" in first.commands[-1]["output"]
    assert "Not node-1 / stack-volumes: it was tried and failed." in notes(operation)["choose"]
    assert set(stack.node1.lvs()) == {"foreign"}
    stack.assert_at_rest()


def test_a_named_pool_that_fails_is_not_replaced_and_retry_works_once_it_can(stack: Stack) -> None:
    take_all_room(stack)
    (operation,) = stack.ask_create(name="data", size_gib=1, pool=stack.thick)
    stack.wait_for(operation, status="failed")

    volume = stack.volume(operation)
    assert volume.status == Status.ERROR
    assert volume.status_reason == operation.reason
    assert "has not enough free space" in operation.reason
    assert (volume.pool, volume.allocated_at) == (None, None)
    assert stack.project.used() == (1, 1)
    assert set(stack.node1.lvs()) == {"foreign"}
    stack.assert_at_rest()

    stack.node1.sh("lvremove --yes -qq stack-volumes/foreign")
    wait_for_a_look(stack)
    control.retry(operation, actor=stack.actor)
    stack.wait_for(operation)
    volume.refresh_from_db()
    assert (volume.status, volume.pool, volume.status_reason) == (Status.AVAILABLE, stack.thick, "")
    stack.assert_at_rest()


def test_an_lv_of_that_name_that_is_not_ours_is_left_untouched(stack: Stack) -> None:
    for worker in stack.workers:
        worker.kill()
    (operation,) = stack.ask_create(size_gib=1, pool=stack.thick)
    name = stack.volume(operation).lv_name
    stack.node1.sh(f"lvcreate --yes -qq -Zn -Wn -n {name} -L 16m stack-volumes")
    stack.revive()
    stack.wait_for(operation, status="failed")

    assert "already exists" in operation.reason
    foreign = stack.node1.lvs()[name]
    assert (foreign.size_bytes, foreign.tags) == (16 * 1024**2, frozenset())


@pytest.fixture
def dirty(stack: Stack) -> Stack:
    """The first GiB of node-1's volume group holds bytes of somebody, with a signature at its start."""
    stack.node1.sh("lvcreate --yes -qq -n dirty -L 1g stack-volumes")
    stack.node1.fill("stack-volumes/dirty", mib=64)
    stack.node1.fill("stack-volumes/dirty", mib=64, offset_mib=960)
    stack.node1.sh("mkswap -q /dev/stack-volumes/dirty && lvremove --yes -qq stack-volumes/dirty")
    return stack


def test_extents_that_somebody_used_are_zeroed_and_verified_before_anybody_can_read_them(dirty: Stack) -> None:
    stack = dirty
    stack.thick.set(free_space_is_clean=False)

    (operation,) = stack.ask_create(size_gib=1, pool=stack.thick)
    stack.wait_for(operation)

    volume = stack.volume(operation)
    assert stack.node1.is_zero(f"stack-volumes/{volume.lv_name}")
    assert list(operation.steps.values_list("key", "status")) == [
        ("choose", "done"),
        ("make", "done"),
        ("wipe", "done"),
        ("verify", "done"),
    ]
    assert "all of them zero" in notes(operation)["verify"]
    stack.assert_at_rest()


def test_old_signatures_do_not_make_lvcreate_ask_and_strand_the_volume(dirty: Stack) -> None:
    """With the promise that free space is clean, which is not kept here: the point is the question LVM would ask."""
    volume = dirty.create(size_gib=1, pool=dirty.thick)
    lv = dirty.node1.lv(volume)
    assert lv is not None
    assert lv.size_bytes == GIB
    device = f"/dev/stack-volumes/{volume.lv_name}"
    assert dirty.node1.sh(f"blkid -p {device} || echo nothing") == "nothing"


HOSTILE = ["$(reboot); --force", "`reboot`' \" \\", "новый 卷 ☃ \u202e", "a\nb\tc", "x" * 255, "--yes", "%s %(name)s"]


def test_names_are_data(stack: Stack) -> None:
    """However odd a name is, the volume is made and deleted, and the LV has a name that is ours alone."""
    boot = stack.node2.sh("cat /proc/sys/kernel/random/boot_id")
    made = [
        stack.ask_create(name=name, description=name[:255], metadata={name: name}, size_gib=1, pool=stack.thin)[0]
        for name in HOSTILE
    ]
    stack.wait_for_all(made)

    volumes = [stack.volume(operation) for operation in made]
    assert [volume.name for volume in volumes] == HOSTILE
    assert set(stack.node2.lvs()) == {f"volume-{volume.pk}" for volume in volumes}
    stack.wait_for_all([stack.ask_delete(volume) for volume in volumes])
    assert stack.node2.lvs() == {}
    assert stack.node2.sh("cat /proc/sys/kernel/random/boot_id") == boot
    stack.assert_at_rest()
