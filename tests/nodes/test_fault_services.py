"""Redis and the database go away while operations are queued and running: nothing is lost or done twice."""

from __future__ import annotations

import os
import signal

from tests.faults import SOON_S, slow, starts, supervised
from tests.processes import until
from tests.stack import Stack
from volumes.models import Operation, Status, Volume


def half_wiped(stack: Stack, mib_s: int = 150) -> Operation:
    """A delete whose wipe is under way and takes some seconds."""
    volume = stack.create(name="half-wiped", pool=stack.thick)
    slow(stack.node1, mib_s)
    operation = stack.ask_delete(volume)
    stack.wait_for_step(operation, "wipe", "bytes")
    return operation


def test_redis_stopped_and_flushed_with_operations_queued_and_running(stack: Stack) -> None:
    running = half_wiped(stack)
    for worker in stack.workers:
        os.kill(worker.pid, signal.SIGSTOP)
    queued = stack.ask_create(name="queued", count=3, pool=stack.thin)
    stack.redis.stop()
    for worker in stack.workers:
        os.kill(worker.pid, signal.SIGCONT)
    asked_meanwhile = stack.ask_create(name="asked without a queue", pool=stack.thin)
    until("the wipe is over", lambda: stack.node1.units() == [] or has_ended(running), timeout_s=60)

    with supervised(stack):
        stack.redis.start()  # empty
        stack.wait_for_all([running, *queued, *asked_meanwhile], timeout_s=SOON_S)

    assert starts(stack.node1, running) == 1
    assert {volume.status for volume in Volume.objects.all()} == {Status.AVAILABLE}
    stack.assert_at_rest()


def has_ended(operation: Operation) -> bool:
    """Whether the watch has seen the end of its unit."""
    return operation.steps.filter(facts__has_key="state").exists()


def test_the_database_is_killed_and_comes_back_while_operations_run(stack: Stack) -> None:
    running = half_wiped(stack)
    creates = stack.ask_create(name="data", count=3, pool=stack.thin)
    until("one is being made", lambda: stack.node2.lvs() != {})
    stack.postgres.stop(signal.SIGQUIT)
    with supervised(stack):
        stack.postgres.start()
        stack.wait_for_all([running, *creates], timeout_s=SOON_S)

    assert starts(stack.node1, running) == 1
    stack.assert_at_rest()
