"""Walks an operation through its steps. Any run may be cut short anywhere; the next one picks up from the facts."""

from __future__ import annotations

import traceback
import uuid

import structlog
from django.db import InterfaceError, OperationalError, close_old_connections
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from rq.timeouts import JobTimeoutException

from volumes.engine import lease, outcome, record, send, units
from volumes.engine.protocol import Step as Plan
from volumes.engine.protocol import is_known, verb_of
from volumes.models import Operation, Step
from volumes.nodes.errors import NodeError

log = structlog.get_logger(__name__)


def run(operation_id: uuid.UUID) -> None:
    """The job: take the lease, walk until the operation ends or waits. Safe to call at any time, any number of times."""
    close_old_connections()
    structlog.contextvars.bind_contextvars(operation=str(operation_id))
    try:
        while _run_once(operation_id):
            pass
    finally:
        structlog.contextvars.unbind_contextvars("operation")


def _run_once(operation_id: uuid.UUID) -> bool:
    """One lease. True when something woke the operation while the lease was being given back."""
    token = lease.take(operation_id)
    if token is None:
        return False
    try:
        with lease.kept(operation_id, token):
            _walk(Operation.objects.get(pk=operation_id), token)
    except lease.LeaseLost:
        log.warning("lease lost, another runner goes on")
        return False
    except (OperationalError, InterfaceError):
        log.exception("database does not answer; the next sweep goes on")
        raise
    return _give_back(operation_id, token)


def _give_back(operation_id: uuid.UUID, token: uuid.UUID) -> bool:
    """Let go of it. True when it should be taken again: what it waits for came, or somebody cancelled, meanwhile."""
    lease.release(operation_id, token)
    awake = Q(waits_for=Operation.Waits.NOTHING) | Q(cancel_asked_at__isnull=False)
    due = Q(run_after=None) | Q(run_after__lte=timezone.now())
    return Operation.objects.unfinished().filter(awake, due, pk=operation_id).exists()


def _walk(operation: Operation, token: uuid.UUID) -> None:
    try:
        if not is_known(operation.verb):
            raise LookupError(f"No verb is called {operation.verb!r}.")
        _begin(operation)
        while _advance(operation, token):
            operation.refresh_from_db()
    except (lease.LeaseLost, OperationalError, InterfaceError, JobTimeoutException):
        raise  # nothing is wrong with the operation: it is walked again
    except Exception as error:
        log.exception("operation errored")
        outcome.errored(operation, token, error, traceback.format_exc())


def _begin(operation: Operation) -> None:
    operation.waits_for, operation.waits_text, operation.run_after = (
        Operation.Waits.NOTHING,
        "",
        None,
    )
    operation.status = Operation.Status.RUNNING
    first = operation.started_at is None
    operation.started_at = operation.started_at or timezone.now()
    operation.save(
        update_fields=[
            "waits_for",
            "waits_text",
            "run_after",
            "status",
            "started_at",
            "updated_at",
        ]
    )
    if first:
        verb_of(operation).begin(operation)


def _advance(operation: Operation, token: uuid.UUID) -> bool:
    """One move. False when the operation has ended or waits for something."""
    verb = verb_of(operation)
    try:
        if operation.state.get("undo"):
            return outcome.undo(operation, token)
        pairs = record.rows_for(operation, verb.steps(operation))
        todo = [(step, row) for step, row in pairs if not row.is_over]
        if not todo:
            return outcome.succeed(operation, token)
        if operation.cancel_asked_at:
            return outcome.cancel(operation, token, todo)
        return _step(operation, token, todo)
    except NodeError as error:
        lease.check(operation, token)
        return outcome.failed(operation, error)


def _step(operation: Operation, token: uuid.UUID, todo: list[tuple[Plan, Step]]) -> bool:
    step, row = todo[0]
    if step.skip:
        record.end(row, Step.Status.SKIPPED, step.skip)
        return True
    if step.local is not None:
        record.begin(row, None)
        record.end(row, Step.Status.DONE, step.local())
        return True
    if row.unit and row.facts.get("state"):
        return units.ended(operation, todo)
    if _was_interrupted(operation, todo):
        return send.look_first(operation, token, todo)
    if row.unit:
        outcome.check_patience(operation)
        return outcome.wait(operation, Operation.Waits.UNIT, gettext("The node works on it by itself."))
    return send.batch(operation, token, todo)


def _was_interrupted(operation: Operation, todo: list[tuple[Plan, Step]]) -> bool:
    """Whether something may have been done that no row tells: then the node is asked before anything is sent."""
    looked = operation.state.get("looked") == operation.round
    if operation.round > 1 and not looked and operation.state.get("look", True):
        return True
    return any(row.status == Step.Status.RUNNING and not row.facts.get("unit_known") for _, row in todo)
