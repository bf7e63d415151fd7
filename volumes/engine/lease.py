"""Leases: at any time one runner at most walks an operation, and a dead runner is noticed.

The lease is in the database, so it holds across machines and survives Redis. A process that is killed stops renewing it,
and LEASE later anybody may take the operation over.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog
from django.db import Error, close_old_connections, connection
from django.db.models import Q
from django.utils import timezone

from volumes.models import Operation

LEASE = timedelta(seconds=10)
RENEW_S = 2.5
log = structlog.get_logger(__name__)


class LeaseLost(Exception):
    """Somebody else walks it now: this runner was silent for too long and must do nothing more."""


def take(operation_id: uuid.UUID) -> uuid.UUID | None:
    """A token, or None where the operation is finished, not due yet, or walked by somebody else."""
    now, token = timezone.now(), uuid.uuid4()
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    due = Q(run_after=None) | Q(run_after__lte=now)
    won = Operation.objects.filter(free, due, pk=operation_id, finished_at=None).update(
        lease_token=token, lease_until=now + LEASE
    )
    return token if won else None


def renew(operation_id: uuid.UUID, token: uuid.UUID) -> bool:
    """Whether it is still ours; if so, for another while."""
    held = Operation.objects.filter(pk=operation_id, lease_token=token)
    return bool(held.update(lease_until=timezone.now() + LEASE))


def release(operation_id: uuid.UUID, token: uuid.UUID) -> None:
    """Let others have it."""
    Operation.objects.filter(pk=operation_id, lease_token=token).update(lease_token=None, lease_until=None)


def check(operation: Operation, token: uuid.UUID) -> None:
    """Raise LeaseLost unless it is still ours. Asked before anything is sent to a node."""
    if not renew(operation.pk, token):
        raise LeaseLost(str(operation.pk))


@contextmanager
def kept(operation_id: uuid.UUID, token: uuid.UUID) -> Iterator[None]:
    """Renew the lease from a thread of its own while a command runs, however long it takes."""
    over = threading.Event()

    def keep() -> None:
        while not over.wait(RENEW_S):
            try:
                close_old_connections()
                if not renew(operation_id, token):
                    return
            except Error as error:
                log.warning("lease not renewed", operation=str(operation_id), error=str(error))
        connection.close()

    thread = threading.Thread(target=keep, name=f"lease-{operation_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=RENEW_S)
