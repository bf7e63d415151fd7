"""Leases: one runner at most, and a dead one is noticed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import OperationFactory
from volumes.engine import lease
from volumes.models import Operation

pytestmark = pytest.mark.django_db


@pytest.fixture
def operation() -> Operation:
    return OperationFactory()


def expire(operation: Operation) -> None:
    Operation.objects.filter(pk=operation.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_of_two_takers_one_gets_it(operation: Operation) -> None:
    assert lease.take(operation.pk) is not None
    assert lease.take(operation.pk) is None


def test_a_lease_that_ran_out_can_be_taken_over_and_the_first_taker_learns_of_it(operation: Operation) -> None:
    first = lease.take(operation.pk)
    assert first is not None
    expire(operation)

    assert lease.take(operation.pk) is not None
    assert not lease.renew(operation.pk, first)
    with pytest.raises(lease.LeaseLost):
        lease.check(operation, first)


def test_releasing_a_lease_that_was_lost_takes_nothing_from_the_one_who_has_it(operation: Operation) -> None:
    first = lease.take(operation.pk)
    assert first is not None
    expire(operation)
    second = lease.take(operation.pk)

    lease.release(operation.pk, first)

    operation.refresh_from_db()
    assert operation.lease_token == second
    assert operation.is_leased()


def test_a_released_lease_can_be_taken_at_once(operation: Operation) -> None:
    first = lease.take(operation.pk)
    assert first is not None
    lease.release(operation.pk, first)
    assert lease.take(operation.pk) is not None


def test_a_finished_operation_is_not_walked_again(operation: Operation) -> None:
    operation.set(finished_at=timezone.now())
    assert lease.take(operation.pk) is None


def test_an_operation_is_not_walked_before_it_is_due(operation: Operation) -> None:
    operation.set(run_after=timezone.now() + timedelta(seconds=3))
    assert lease.take(operation.pk) is None
    operation.set(run_after=timezone.now())
    assert lease.take(operation.pk) is not None


def test_renewing_pushes_the_end_away(operation: Operation) -> None:
    token = lease.take(operation.pk)
    assert token is not None
    Operation.objects.filter(pk=operation.pk).update(lease_until=timezone.now() + timedelta(seconds=1))
    assert lease.renew(operation.pk, token)
    operation.refresh_from_db()
    assert operation.lease_until is not None
    assert operation.lease_until > timezone.now() + lease.LEASE / 2


@pytest.mark.django_db(transaction=True)
def test_a_lease_is_kept_from_a_thread_while_a_command_runs(
    operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.processes import until

    monkeypatch.setattr(lease, "RENEW_S", 0.05)
    token = lease.take(operation.pk)
    assert token is not None
    Operation.objects.filter(pk=operation.pk).update(lease_until=timezone.now() + timedelta(seconds=1))

    def was_renewed() -> bool:
        operation.refresh_from_db()
        return operation.is_leased(timezone.now() + lease.LEASE / 2)

    with lease.kept(operation.pk, token):
        until("the lease is renewed", was_renewed)
