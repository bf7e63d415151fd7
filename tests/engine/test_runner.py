"""The runner: walks steps, may be called at any time, and turns every outcome into one a person understands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from django_rq.queues import DjangoRQ

from tests.factories import NodeFactory
from tests.verbs import Trace, known
from volumes.engine import control, outbox, runner
from volumes.engine.protocol import Next
from volumes.errors import Refused
from volumes.models import Operation, Step, User
from volumes.nodes.errors import ConnectionRefused, HostKeyChanged, NoSpace

pytestmark = pytest.mark.usefixtures("queue")


@pytest.fixture
def verb() -> Iterator[Trace]:
    """A verb of two steps that succeed."""
    with known(Trace(lambda: "one is done", lambda: "two is done")) as verb:
        yield verb


@pytest.fixture
def operation(verb: Trace, admin: User) -> Operation:
    return Operation.objects.create(verb="trace", title="Trace", target_kind="node", actor=admin, actor_name="admin")


def run(operation: Operation) -> Operation:
    runner.run(operation.pk)
    operation.refresh_from_db()
    return operation


def steps(operation: Operation) -> list[tuple[str, str]]:
    return list(operation.steps.values_list("key", "status"))


def refuse(error: Exception) -> str:
    raise error


def test_it_walks_the_steps_and_keeps_their_notes(operation: Operation, verb: Trace) -> None:
    run(operation)
    assert operation.status == Operation.Status.SUCCEEDED
    assert operation.finished_at is not None
    assert list(operation.steps.values_list("key", "status", "note")) == [
        ("s1", "done", "one is done"),
        ("s2", "done", "two is done"),
    ]
    assert verb.called == ["begin", "succeed"]
    assert operation.lease_until is None


def test_running_it_again_does_nothing(operation: Operation, verb: Trace) -> None:
    run(operation)
    run(operation)
    assert verb.called == ["begin", "succeed"]


def test_a_step_that_was_done_before_a_crash_is_not_done_again(operation: Operation, verb: Trace) -> None:
    ran = []
    verb.bodies[0] = lambda: ran.append("one") or "one is done"
    Step.objects.create(operation=operation, number=1, key="s1", title="Step 1", status=Step.Status.DONE)
    run(operation)
    assert ran == []
    assert operation.status == Operation.Status.SUCCEEDED


def test_a_failure_is_a_sentence_with_a_remedy_and_what_was_not_tried_leaves_no_row(
    operation: Operation, verb: Trace
) -> None:
    verb.bodies[0] = lambda: refuse(NoSpace(vg="fast", detail="3 extents needed"))
    run(operation)
    assert operation.status == Operation.Status.FAILED
    assert operation.reason == "Volume group fast has not enough free space: 3 extents needed."
    assert operation.remedy == "Free some space in it or add a disk to it."
    assert steps(operation) == [("s1", "failed")]
    assert verb.called == ["begin", f"fail: {operation.reason}"]


def test_a_verb_that_wants_another_go_gets_a_new_round_with_steps_of_its_own(operation: Operation, verb: Trace) -> None:
    tries = iter([lambda: refuse(NoSpace(vg="a", detail="full")), lambda: "the second pool takes it"])
    verb.bodies[0] = lambda: next(tries)()
    verb.on_fail = [Next.AGAIN]
    run(operation)
    assert operation.status == Operation.Status.SUCCEEDED
    assert list(operation.steps.values_list("round", "number", "key", "status")) == [
        (1, 1, "s1", "failed"),
        (2, 2, "s1", "done"),
        (2, 3, "s2", "done"),
    ]


def test_our_own_mistake_keeps_its_traceback_and_tells_the_person_no_more_than_its_kind(
    operation: Operation, verb: Trace
) -> None:
    verb.bodies[1] = lambda: refuse(ZeroDivisionError("secret detail"))
    run(operation)
    assert operation.status == Operation.Status.ERRORED
    assert "ZeroDivisionError: secret detail" in operation.traceback
    assert operation.reason == (
        "Hearth made a mistake: ZeroDivisionError. The administrator finds the details with this operation."
    )
    assert steps(operation) == [("s1", "done"), ("s2", "failed")]


def test_an_operation_of_a_verb_nobody_knows_ends_as_our_mistake(operation: Operation) -> None:
    operation.set(verb="forgotten")
    run(operation)
    assert operation.status == Operation.Status.ERRORED
    assert operation.is_finished


def test_a_node_that_does_not_answer_is_waited_for(operation: Operation, verb: Trace) -> None:
    verb.may_leave = lambda operation: False
    verb.its_node = NodeFactory()
    verb.bodies[0] = lambda: refuse(ConnectionRefused(node="n", address="a", port=22))
    run(operation)
    assert operation.status == Operation.Status.WAITING
    assert operation.waits_for == Operation.Waits.NODE
    assert operation.waits_text == "a refuses connections on port 22. It goes on by itself when the node answers."
    assert operation.run_after is not None
    verb.its_node.refresh_from_db()
    assert not verb.its_node.is_up


def test_a_node_that_did_not_answer_for_half_an_hour_is_given_up(operation: Operation, verb: Trace) -> None:
    verb.may_leave = lambda operation: False
    verb.its_node = NodeFactory()
    verb.bodies[0] = lambda: refuse(ConnectionRefused(node="n", address="a", port=22))
    run(operation)
    operation.set(waits_since=timezone.now() - timedelta(minutes=31), run_after=None)
    run(operation)
    assert operation.status == Operation.Status.FAILED
    assert operation.reason == "a refuses connections on port 22."


def test_a_node_with_another_host_key_is_not_waited_for(operation: Operation, verb: Trace) -> None:
    verb.may_leave = lambda operation: False
    verb.its_node = NodeFactory()
    verb.bodies[0] = lambda: refuse(HostKeyChanged(node="n"))
    run(operation)
    assert operation.status == Operation.Status.FAILED


class TestCancel:
    def test_before_it_began_it_ends_without_a_step(self, operation: Operation, verb: Trace, admin: User) -> None:
        control.cancel(operation, actor=admin)
        run(operation)
        assert operation.status == Operation.Status.CANCELLED
        assert operation.reason == "Cancelled by admin."
        assert steps(operation) == []
        assert verb.called[-1] == "cancel: Cancelled by admin."

    def test_between_two_steps_the_second_is_not_run(self, operation: Operation, verb: Trace, admin: User) -> None:
        verb.bodies[0] = lambda: control.cancel(Operation.objects.get(pk=operation.pk), actor=admin) or "one is done"
        run(operation)
        assert operation.status == Operation.Status.CANCELLED
        assert steps(operation) == [("s1", "done")]

    def test_wakes_one_that_waits(self, operation: Operation, admin: User, queue: DjangoRQ) -> None:
        operation.set(waits_for=Operation.Waits.NODE, run_after=timezone.now() + timedelta(hours=1))
        control.cancel(operation, actor=admin)
        operation.refresh_from_db()
        assert operation.run_after is None
        assert queue.get_job_ids() == [f"op-{operation.pk}"]

    def test_twice_is_refused(self, operation: Operation, admin: User) -> None:
        control.cancel(operation, actor=admin)
        with pytest.raises(Refused, match="It is being cancelled"):
            control.cancel(operation, actor=admin)


class TestRetry:
    @pytest.fixture
    def failed(self, operation: Operation, verb: Trace) -> Operation:
        verb.bodies[0] = lambda: refuse(NoSpace(vg="fast", detail="full"))
        run(operation)
        verb.bodies[0] = lambda: "one is done"
        verb.called.clear()
        return operation

    def test_opens_it_again_in_a_new_round(self, failed: Operation, verb: Trace, admin: User, queue: DjangoRQ) -> None:
        control.retry(failed, actor=admin)
        assert (failed.status, failed.round, failed.reason, failed.remedy) == ("queued", 2, "", "")
        assert not failed.is_finished
        assert queue.get_job_ids() == [f"op-{failed.pk}"]
        run(failed)
        assert failed.status == Operation.Status.SUCCEEDED
        assert steps(failed) == [("s1", "failed"), ("s1", "done"), ("s2", "done")]
        assert verb.called == ["reopen", "succeed"]

    def test_of_one_that_succeeded_is_refused(self, operation: Operation, admin: User) -> None:
        run(operation)
        with pytest.raises(Refused, match="It succeeded"):
            control.retry(operation, actor=admin)

    def test_of_a_cancelled_one_forgets_the_cancel(self, operation: Operation, admin: User) -> None:
        control.cancel(operation, actor=admin)
        run(operation)
        control.retry(operation, actor=admin)
        run(operation)
        assert operation.status == Operation.Status.SUCCEEDED


def test_an_operation_that_is_woken_goes_on_where_it_waited(operation: Operation, verb: Trace) -> None:
    verb.may_leave = lambda operation: False
    verb.its_node = NodeFactory()
    answers = iter([lambda: refuse(ConnectionRefused(node="n", address="a", port=22)), lambda: "it answers"])
    verb.bodies[0] = lambda: next(answers)()
    run(operation)
    outbox.wake(operation.pk)
    run(operation)
    assert operation.status == Operation.Status.SUCCEEDED
