"""From the database to the queue: Redis may lose everything, and nothing is lost."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from django_rq.queues import DjangoRQ
from rq.job import Job
from rq.registry import StartedJobRegistry

from tests.factories import NodeFactory, OperationFactory, PoolFactory, StepFactory
from tests.services import services
from volumes.engine import outbox
from volumes.models import Operation, Pool, Project, Step, User, Volume
from volumes.operations import create_volume

Waits = Operation.Waits


@pytest.fixture
def operation(queue: DjangoRQ) -> Operation:
    return OperationFactory()


@pytest.fixture
def no_redis(queue: DjangoRQ) -> Iterator[None]:
    services.redis.stop()
    yield
    services.redis.start()


def job_id(operation: Operation) -> str:
    return f"op-{operation.pk}"


def as_if_a_worker_had_died(queue: DjangoRQ, operation: Operation) -> None:
    """The job as a worker leaves it that is killed in the middle of it."""
    outbox.send(operation.pk)
    queue.connection.lrem(queue.key, 0, job_id(operation))
    job = Job.fetch(job_id(operation), connection=queue.connection)
    job.started_at = (timezone.now() - timedelta(seconds=30)).replace(tzinfo=None)
    job.set_status("started")
    job.save()
    StartedJobRegistry(queue=queue).connection.zadd(StartedJobRegistry(queue=queue).key, {job_id(operation): 1})


class TestSend:
    def test_carries_nothing_but_the_id(self, queue: DjangoRQ, operation: Operation) -> None:
        assert outbox.send(operation.pk)
        job = queue.fetch_job(job_id(operation))
        assert job is not None
        assert (job.func_name, job.args) == (outbox.RUN, (operation.pk,))

    def test_twice_is_once(self, queue: DjangoRQ, operation: Operation) -> None:
        assert outbox.send(operation.pk)
        assert outbox.send(operation.pk)
        assert queue.get_job_ids() == [job_id(operation)]

    @pytest.mark.usefixtures("no_redis")
    def test_without_redis_says_that_it_was_not_sent_and_raises_nothing(self, operation: Operation) -> None:
        assert not outbox.send(operation.pk)

    def test_removes_the_job_of_a_worker_that_was_killed(self, queue: DjangoRQ, operation: Operation) -> None:
        as_if_a_worker_had_died(queue, operation)
        assert queue.get_job_ids() == []

        assert outbox.send(operation.pk)

        assert queue.get_job_ids() == [job_id(operation)]

    def test_leaves_the_job_alone_while_its_runner_holds_the_lease(self, queue: DjangoRQ, operation: Operation) -> None:
        as_if_a_worker_had_died(queue, operation)
        operation.set(lease_token=uuid.uuid4(), lease_until=timezone.now() + timedelta(seconds=5))

        outbox.send(operation.pk)

        assert queue.get_job_ids() == []

    def test_removes_a_job_that_says_queued_and_is_in_no_queue(self, queue: DjangoRQ, operation: Operation) -> None:
        outbox.send(operation.pk)
        queue.connection.delete(queue.key)

        assert outbox.send(operation.pk)

        assert queue.get_job_ids() == [job_id(operation)]

    def test_removes_a_job_that_failed(self, queue: DjangoRQ, operation: Operation) -> None:
        outbox.send(operation.pk)
        queue.connection.delete(queue.key)
        Job.fetch(job_id(operation), connection=queue.connection).set_status("failed")

        assert outbox.send(operation.pk)

        assert queue.get_job_ids() == [job_id(operation)]


class TestSendOnCommit:
    def test_nothing_is_sent_before_the_commit(self, queue: DjangoRQ, operation: Operation) -> None:
        with transaction.atomic():
            outbox.send_on_commit(operation)
            assert queue.get_job_ids() == []
        assert queue.get_job_ids() == [job_id(operation)]

    def test_nothing_is_sent_for_what_was_rolled_back(self, queue: DjangoRQ, operation: Operation) -> None:
        with pytest.raises(ZeroDivisionError), transaction.atomic():  # noqa: PT012
            outbox.send_on_commit(operation)
            raise ZeroDivisionError
        assert queue.get_job_ids() == []

    @pytest.mark.usefixtures("no_redis")
    def test_a_request_while_redis_is_down_is_kept_and_sent_by_the_next_sweep(
        self, queue: DjangoRQ, alpha: Project, alice: User, thick: Pool
    ) -> None:
        (operation,) = create_volume.request(project=alpha, actor=alice, size_gib=1)
        assert Volume.objects.count() == 1

        services.redis.start()
        assert outbox.sweep() == 1

        assert queue.get_job_ids() == [job_id(operation)]


class TestSweep:
    def test_sends_again_what_a_flushed_redis_lost(self, queue: DjangoRQ, operation: Operation) -> None:
        outbox.send(operation.pk)
        queue.connection.flushall()

        outbox.sweep()

        assert queue.get_job_ids() == [job_id(operation)]

    @pytest.mark.parametrize(
        "fields",
        [
            {"finished_at": timezone.now()},
            {"run_after": timezone.now() + timedelta(hours=1)},
            {"lease_until": timezone.now() + timedelta(hours=1)},
            {"waits_for": Waits.UNIT},
            {"waits_for": Waits.PLACE, "node": None},
        ],
        ids=["finished", "not due", "being walked", "waits for a unit", "waits for a place"],
    )
    def test_sends_nothing_that_should_not_run(
        self, queue: DjangoRQ, operation: Operation, fields: dict[str, object]
    ) -> None:
        operation.set(**fields)
        assert outbox.sweep() == 0
        assert queue.get_job_ids() == []

    def test_sends_what_waits_for_a_node_once_it_is_time_to_look_again(
        self, queue: DjangoRQ, operation: Operation
    ) -> None:
        operation.set(waits_for=Waits.NODE, run_after=timezone.now() - timedelta(seconds=1))
        outbox.sweep()
        assert queue.get_job_ids() == [job_id(operation)]

    def test_sends_what_a_dead_runner_left(self, queue: DjangoRQ, operation: Operation) -> None:
        operation.set(lease_until=timezone.now() - timedelta(seconds=1), status=Operation.Status.RUNNING)
        outbox.sweep()
        assert queue.get_job_ids() == [job_id(operation)]

    def test_wakes_an_operation_whose_unit_ended_unnoticed(self, queue: DjangoRQ, operation: Operation) -> None:
        operation.set(waits_for=Waits.UNIT, status=Operation.Status.WAITING)
        StepFactory(operation=operation, status=Step.Status.RUNNING, unit="hearth-x", facts={"state": {}})

        outbox.sweep()

        operation.refresh_from_db()
        assert operation.waits_for == Waits.NOTHING
        assert queue.get_job_ids() == [job_id(operation)]

    def test_wakes_the_one_that_waited_longest_when_a_place_is_free(self, queue: DjangoRQ) -> None:
        node = NodeFactory(bulk_limit=1)
        now = timezone.now()
        waiting = [
            OperationFactory(
                volume__pool=PoolFactory(node=node), waits_for=Waits.PLACE, waits_since=now - timedelta(seconds=s)
            )
            for s in (1, 3, 2)
        ]
        outbox.sweep()
        assert queue.get_job_ids() == [job_id(waiting[1])]

    def test_wakes_nobody_while_all_places_are_taken(self, queue: DjangoRQ) -> None:
        node = NodeFactory(bulk_limit=1)
        pool = PoolFactory(node=node)
        busy = OperationFactory(volume__pool=pool, waits_for=Waits.UNIT)
        StepFactory(operation=busy, status=Step.Status.RUNNING, unit="hearth-x")
        OperationFactory(volume__pool=pool, waits_for=Waits.PLACE, waits_since=timezone.now())
        outbox.sweep()
        assert queue.get_job_ids() == []


def test_a_node_that_answers_again_wakes_everything_that_waited_for_it(queue: DjangoRQ) -> None:
    pool = PoolFactory()
    mine = [OperationFactory(volume__pool=pool, waits_for=Waits.NODE) for _ in range(2)]
    OperationFactory(waits_for=Waits.NODE)

    outbox.wake_node(pool.node.pk)

    assert set(queue.get_job_ids()) == {job_id(operation) for operation in mine}


def test_the_watch_is_told_of_a_unit_and_the_note_does_not_grow_without_bound(queue: DjangoRQ) -> None:
    node = NodeFactory()
    for _ in range(1005):
        outbox.nudge_watch(node.pk)
    assert queue.connection.llen(outbox.WAKE_KEY) == 1000
