"""Races, with real threads and real transactions on PostgreSQL: of two, one wins, and nothing is done or promised twice."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.utils import timezone

from tests.factories import NodeFactory, OperationFactory, PoolFactory, StepFactory, VolumeFactory
from tests.verbs import Trace, known
from volumes.engine import control, lease, outbox, places, runner
from volumes.errors import Refused
from volumes.models import GIB, Operation, Pool, Project, Status, StatusChange, Step, User, Volume
from volumes.operations import create_volume, delete_volume, probe_node

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("queue")]
Outcome = object


def at_once(*works: Callable[[], Outcome]) -> list[Outcome]:
    """Run all of them at the same moment, each in a thread with a connection of its own; what came of each."""
    gate = threading.Barrier(len(works))
    outcomes: list[Outcome] = [None] * len(works)

    def run(number: int, work: Callable[[], Outcome]) -> None:
        try:
            connection.ensure_connection()
            gate.wait(10)
            outcomes[number] = work()
        except Exception as error:
            outcomes[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return outcomes


def won(outcomes: list[Outcome]) -> list[Outcome]:
    """The outcomes that are no refusal; anything but a refusal is a failure of the test."""
    strange = [each for each in outcomes if isinstance(each, Exception) and not isinstance(each, Refused)]
    assert not strange, strange
    return [each for each in outcomes if not isinstance(each, Exception)]


@pytest.mark.parametrize("clicks", [2, 8])
def test_of_two_clicks_on_delete_exactly_one_makes_an_operation(volume: Volume, alice: User, clicks: int) -> None:
    rows = [Volume.objects.get(pk=volume.pk) for _ in range(clicks)]

    outcomes = at_once(*(lambda row=row: delete_volume.request(row, actor=alice) for row in rows))

    assert len(won(outcomes)) == 1
    assert Operation.objects.count() == 1
    assert StatusChange.objects.count() == 1
    volume.refresh_from_db()
    assert volume.status == Status.DELETING
    assert volume.last_operation == Operation.objects.get()


def test_a_quota_is_never_exceeded_however_many_ask_at_once(alpha: Project, alice: User, thick: Pool) -> None:
    alpha.set(quota_volumes=5, quota_gib=20)

    outcomes = at_once(*[lambda: create_volume.request(project=alpha, actor=alice, size_gib=6) for _ in range(6)])

    assert len(won(outcomes)) == 3
    assert alpha.used() == (3, 18)


def test_a_quota_is_given_all_or_not_at_all(alpha: Project, alice: User, thick: Pool) -> None:
    alpha.set(quota_volumes=5)

    outcomes = at_once(*[lambda: create_volume.request(project=alpha, actor=alice, count=3) for _ in range(3)])

    assert len(won(outcomes)) == 1
    assert Volume.objects.count() == 3


def test_two_projects_do_not_wait_for_each_others_quota(
    alpha: Project, beta: Project, alice: User, charlie: User, thick: Pool
) -> None:
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=beta.pk)
        (outcome,) = at_once(lambda: create_volume.request(project=alpha, actor=alice))
    assert not isinstance(outcome, Exception)


def test_the_same_room_is_not_promised_to_two_volumes(alpha: Project, alice: User) -> None:
    PoolFactory(size_bytes=10 * GIB)
    operations = create_volume.request(project=alpha, actor=alice, size_gib=4, count=4)

    def choose(operation: Operation) -> str:
        step = create_volume.CreateVolume().steps(operation)[0]
        assert step.local is not None
        try:
            return step.local()
        except create_volume.NothingFits:
            return ""

    chosen = at_once(*(lambda operation=operation: choose(operation) for operation in operations))

    assert len([said for said in won(chosen) if said]) == 2
    assert Volume.objects.exclude(pool=None).count() == 2


def test_of_two_that_want_the_last_bulk_place_one_gets_it() -> None:
    node = NodeFactory(bulk_limit=2)
    pool = PoolFactory(node=node)
    rows = [StepFactory(operation=OperationFactory(volume__pool=pool), node=None) for _ in range(5)]

    outcomes = at_once(*(lambda row=row: places.take(node, [row], f"hearth-{row.pk}") for row in rows))

    assert outcomes.count(True) == 2
    assert places.taken(node) == 2
    assert Step.objects.exclude(unit="").count() == 2


def test_of_two_runners_on_one_operation_one_walks_it_and_each_step_runs_once(admin: User) -> None:
    ran: list[str] = []

    def slowly(name: str) -> str:
        ran.append(name)
        time.sleep(0.2)
        return name

    with known(Trace(lambda: slowly("one"), lambda: slowly("two"))) as verb:
        operation = Operation.objects.create(verb="trace", title="Trace", target_kind="node", actor=admin)
        won(at_once(*[lambda: runner.run(operation.pk) for _ in range(4)]))

    operation.refresh_from_db()
    assert operation.status == Operation.Status.SUCCEEDED
    assert ran == ["one", "two"]
    assert verb.called == ["begin", "succeed"]


def test_of_many_that_take_a_lease_one_gets_it() -> None:
    operation = OperationFactory()
    tokens = at_once(*[lambda: lease.take(operation.pk) for _ in range(8)])
    assert len([token for token in tokens if isinstance(token, uuid.UUID)]) == 1


def test_a_runner_that_lost_its_lease_writes_no_outcome(admin: User) -> None:
    """It hung in a step for longer than its lease; meanwhile another took over and finished."""
    taken_over = threading.Event()

    def hang() -> str:
        if not taken_over.is_set():
            taken_over.set()
            Operation.objects.filter(pk=operation.pk).update(lease_until=timezone.now(), lease_token=uuid.uuid4())
            (other,) = at_once(lambda: runner.run(operation.pk))
            assert not isinstance(other, Exception)
        return "done"

    with known(Trace(hang)) as verb:
        operation = Operation.objects.create(verb="trace", title="Trace", target_kind="node", actor=admin)
        runner.run(operation.pk)

    assert verb.called.count("succeed") == 1
    operation.refresh_from_db()
    assert operation.status == Operation.Status.SUCCEEDED


def test_of_two_clicks_on_retry_one_opens_it_again(volume: Volume, alice: User) -> None:
    operation = delete_volume.request(volume, actor=alice)
    operation.set(status=Operation.Status.FAILED, finished_at=timezone.now())
    Volume.objects.filter(pk=volume.pk).update(status=Status.ERROR_DELETING)
    rows = [Operation.objects.get(pk=operation.pk) for _ in range(4)]

    outcomes = at_once(*(lambda row=row: control.retry(row, actor=alice) for row in rows))

    assert len([each for each in outcomes if each is None]) == 1
    won(outcomes)
    operation.refresh_from_db()
    assert (operation.round, operation.is_finished) == (2, False)


def test_of_two_clicks_on_cancel_one_is_told_that_somebody_did_it_already(volume: Volume, alice: User) -> None:
    operation = delete_volume.request(volume, actor=alice)
    rows = [Operation.objects.get(pk=operation.pk) for _ in range(4)]

    outcomes = at_once(*(lambda row=row: control.cancel(row, actor=alice) for row in rows))

    assert outcomes.count(None) == 1
    won(outcomes)


def test_a_delete_and_a_retry_at_once_leave_one_operation_under_way(volume: Volume, alice: User) -> None:
    failed = delete_volume.request(volume, actor=alice)
    failed.set(status=Operation.Status.FAILED, finished_at=timezone.now())
    Volume.objects.filter(pk=volume.pk).update(status=Status.ERROR_DELETING)
    row, again = Volume.objects.get(pk=volume.pk), Operation.objects.get(pk=failed.pk)

    won(at_once(lambda: delete_volume.request(row, actor=alice), lambda: control.retry(again, actor=alice)))

    assert Operation.objects.unfinished().count() == 1


def test_many_who_test_the_connection_of_one_node_get_one_operation(admin: User) -> None:
    node = NodeFactory()
    outcomes = at_once(*[lambda: probe_node.request(node, actor=admin) for _ in range(4)])
    assert len(set(won(outcomes))) == 1
    assert Operation.objects.count() == 1


def test_many_who_send_one_operation_put_one_job_in_the_queue(queue: object) -> None:
    operation = OperationFactory()
    assert won(at_once(*[lambda: outbox.send(operation.pk) for _ in range(6)])) == [True] * 6
    assert queue.get_job_ids() == [f"op-{operation.pk}"]  # type: ignore[attr-defined]


def test_a_volume_that_is_being_created_cannot_be_deleted_meanwhile(alice: User) -> None:
    volume = VolumeFactory(status=Status.CREATING)
    alice.memberships.create(project=volume.project)
    (outcome,) = at_once(lambda: delete_volume.request(volume, actor=alice))
    assert isinstance(outcome, Refused)
