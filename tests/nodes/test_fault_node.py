"""The cable of a node is cut, or its power. What was asked of it goes on by itself when it is back."""

from __future__ import annotations

import pytest

from tests.faults import SOON_S, slow, starts
from tests.processes import until
from tests.stack import Stack
from volumes.models import Node, Operation, Status

GOES_ON = "It goes on by itself when the node answers."


def say(stack: Stack, operation: Operation) -> str:
    operation.refresh_from_db()
    return operation.waits_text


def test_the_cable_is_cut_while_one_volume_is_wiped_and_others_are_asked_for(stack: Stack) -> None:
    stack.thin.set(over_subscription=0.5)  # so that node-1 is the first choice
    wiped, other = (stack.create(name=name, pool=stack.thick) for name in ("wiped", "other"))
    slow(stack.node1, 100)
    half_wiped = stack.ask_delete(wiped)
    stack.wait_for_step(half_wiped, "wipe", "bytes")

    stack.node1.guest.set_link(False)
    waiting = stack.ask_delete(other)
    (elsewhere,) = stack.ask_create(name="elsewhere")
    stack.wait_for(elsewhere)
    assert stack.volume(elsewhere).pool == stack.thin
    stack.wait_until_waiting(waiting, "node")
    assert say(stack, waiting).endswith(GOES_ON)
    assert Node.objects.get(pk=stack.thick.node_id).state == Node.State.UNREACHABLE

    stack.node1.guest.set_link(True)
    slow(stack.node1, 0)
    stack.wait_for_all([half_wiped, waiting], timeout_s=SOON_S)
    assert starts(stack.node1, half_wiped) == starts(stack.node1, waiting) == 1
    assert stack.node1.lvs() == {}
    until("the node is up", lambda: Node.objects.get(pk=stack.thick.node_id).is_up)
    stack.assert_at_rest()


@pytest.mark.parametrize("step", ["wipe", "verify"])
def test_the_node_loses_power_and_the_wipe_goes_on_when_it_is_back(stack: Stack, step: str) -> None:
    volume = stack.create(name="data", size_gib=1, pool=stack.thick)
    extents = stack.node1.extents(volume)
    stack.node1.fill(f"stack-volumes/{volume.lv_name}", mib=64, offset_mib=900)
    slow(stack.node1, 150)
    operation = stack.ask_delete(volume)
    stack.wait_for_step(operation, step, "bytes")

    stack.node1.guest.power_off()
    stack.wait_until_waiting(operation, "node", timeout_s=60)
    assert "goes on" in say(stack, operation)
    stack.node1.guest.power_on()
    stack.node1.is_suspect = True
    stack.wait_for(operation, timeout_s=SOON_S)

    assert stack.node1.lvs() == {}
    assert operation.steps.get(key="wipe").facts["tries"] == 1
    stack.node1.sh(f"lvcreate --yes -qq -Zn -Wn -n byhand -l 256 stack-volumes {extents}")
    assert stack.node1.is_zero("stack-volumes/byhand")
    stack.node1.sh("lvremove --yes -qq stack-volumes/byhand")
    stack.assert_at_rest()


def test_a_volume_that_somebody_began_to_use_while_its_delete_waited_for_a_place_is_left_alone(stack: Stack) -> None:
    stack.thick.node.set(bulk_limit=1)
    first, second = (stack.create(name=name, pool=stack.thick) for name in ("first", "second"))
    slow(stack.node1, 100)
    running = stack.ask_delete(first)
    stack.wait_for_step(running, "wipe", "bytes")
    waiting = stack.ask_delete(second)
    stack.wait_until_waiting(waiting, "place")

    stack.node1.sh(f"lvcreate --yes -qq -s -n by-hand -L 64m stack-volumes/{second.lv_name}")
    slow(stack.node1, 0)
    stack.wait_for(running)
    stack.wait_for(waiting, status="failed")

    assert "has snapshots that were made outside Hearth" in waiting.reason
    second.refresh_from_db()
    assert second.status == Status.AVAILABLE
    assert set(stack.node1.lvs()) == {second.lv_name, "by-hand"}
    stack.node1.sh("lvremove --yes -qq stack-volumes/by-hand")
