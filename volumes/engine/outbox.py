"""From the database to the queue. Redis only transports: whatever it loses is sent again from here."""

from __future__ import annotations

import uuid
from datetime import timedelta

import django_rq
import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from redis.exceptions import RedisError
from rq.exceptions import DuplicateJobError, NoSuchJobError
from rq.job import Job

from volumes.engine import places
from volumes.models import Node, Operation, Step

log = structlog.get_logger(__name__)
RUN = "volumes.engine.runner.run"
WAKE_KEY = "hearth:wake"
GRACE = timedelta(seconds=2)
FAILED_TTL_S = 3600
PATIENCE = timedelta(minutes=30)
"""How long an operation waits for a node that does not answer, before it fails and leaves the decision to a person."""


def send(operation_id: uuid.UUID) -> bool:
    """Put it in the queue unless it is there. False when Redis does not answer: the next sweep sends it."""
    job_id = f"op-{operation_id}"
    try:
        if not _enqueue(operation_id, job_id) and _is_dead(job_id):
            _enqueue(operation_id, job_id)
    except (RedisError, OSError) as error:
        log.warning("queue does not answer", operation=str(operation_id), error=str(error))
        return False
    return True


def _enqueue(operation_id: uuid.UUID, job_id: str) -> bool:
    """False where a job of that name is there already."""
    try:
        queue = django_rq.get_queue("default")
        queue.enqueue(RUN, operation_id, job_id=job_id, unique=True, result_ttl=0, failure_ttl=FAILED_TTL_S)
    except DuplicateJobError:
        return False
    return True


def _is_dead(job_id: str) -> bool:
    """Whether the job that blocks the name is a remnant: its worker was killed, or it ended. Then it is removed."""
    try:
        job = Job.fetch(job_id, connection=django_rq.get_connection("default"))
    except NoSuchJobError:
        return True
    if job.is_queued or job.is_scheduled or job.is_deferred:
        if job_id in django_rq.get_queue("default").get_job_ids():
            return False
        job.delete()
        return True
    operation = Operation.objects.filter(pk=job_id.removeprefix("op-")).first()
    if job.is_started and operation is not None and operation.is_leased():
        return False
    age = timezone.now() - job.started_at if job.started_at else GRACE
    if job.is_started and age < GRACE:
        return False
    job.delete()
    return True


def send_on_commit(operation: Operation) -> None:
    """Send it once the transaction that wrote it is committed, never before."""
    transaction.on_commit(lambda: send(operation.pk) and None)


def wake(operation_id: uuid.UUID) -> None:
    """What it waited for has come: let it go on."""
    Operation.objects.filter(pk=operation_id, finished_at=None).update(
        waits_for=Operation.Waits.NOTHING, waits_text="", run_after=None
    )
    send(operation_id)


def await_node(node_id: uuid.UUID, reason: str) -> None:
    """A node went silent while units ran on it: say so, and let the patience of their operations run."""
    text = gettext("%(reason)s What runs on the node goes on there; it is followed again when the node answers.")
    now = timezone.now()
    following = Operation.objects.unfinished().filter(node_id=node_id, waits_for=Operation.Waits.UNIT)
    for operation in following:
        Operation.objects.filter(pk=operation.pk, waits_for=Operation.Waits.UNIT).update(
            waits_for=Operation.Waits.NODE,
            waits_text=text % {"reason": reason},
            waits_since=now,
            run_after=now + PATIENCE + GRACE,
            state={**operation.state, "waited_for": Operation.Waits.NODE},
        )


def wake_node(node_id: uuid.UUID) -> None:
    """A node answers again: everything that waited for it goes on."""
    waiting = Operation.objects.unfinished().filter(node_id=node_id, waits_for=Operation.Waits.NODE)
    for operation_id in list(waiting.values_list("pk", flat=True)):
        wake(operation_id)


def wake_place(node_id: uuid.UUID) -> None:
    """A bulk place on a node came free: the one that waited longest goes on."""
    waiting = Operation.objects.unfinished().filter(node_id=node_id, waits_for=Operation.Waits.PLACE)
    first = waiting.order_by("waits_since", "created_at").values_list("pk", flat=True).first()
    if first:
        wake(first)


def sweep() -> int:
    """Send whatever should run and is in nobody's hands. Returns how many were sent."""
    _wake_forgotten()
    now = timezone.now()
    due = Q(run_after=None) | Q(run_after__lte=now)
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    idle = Operation.objects.unfinished().filter(due, free)
    idle = idle.exclude(waits_for__in=(Operation.Waits.UNIT, Operation.Waits.PLACE), cancel_asked_at=None)
    return sum(send(pk) for pk in list(idle.order_by("created_at").values_list("pk", flat=True)[:500]))


def _wake_forgotten() -> None:
    """Whoever should have woken these was killed in between: a unit's end is written down, or a place is free."""
    waiting = Operation.objects.unfinished()
    ended = Step.objects.filter(status__in=(Step.Status.RUNNING, Step.Status.WAITING), facts__has_key="state")
    units = waiting.filter(waits_for=Operation.Waits.UNIT, pk__in=ended.values("operation_id"))
    for pk in list(units.values_list("pk", flat=True)):
        wake(pk)
    for node in Node.objects.filter(operations__in=waiting.filter(waits_for=Operation.Waits.PLACE)).distinct():
        if places.taken(node) < node.bulk_limit:
            wake_place(node.pk)


def nudge_watch(node_id: uuid.UUID) -> None:
    """Tell the watch that a unit was started, so that it looks at once."""
    try:
        connection = django_rq.get_connection("default")
        connection.lpush(WAKE_KEY, str(node_id))
        connection.ltrim(WAKE_KEY, 0, 999)
    except (RedisError, OSError) as error:
        log.debug("watch not nudged", error=str(error))
