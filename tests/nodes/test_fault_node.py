"""The cable of a node is cut. What was asked of it goes on by itself when it is back."""

from __future__ import annotations

from tests.faults import SOON_S, slow, starts
from tests.processes import until
from tests.stack import Stack
from volumes.models import Node, Operation

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
