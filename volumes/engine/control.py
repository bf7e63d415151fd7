"""Retry and Cancel: what a person may do to an operation."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext

from volumes import rules
from volumes.engine import outbox
from volumes.engine.protocol import is_known, verb_of
from volumes.errors import Conflict, Refused
from volumes.models import OWNED, Operation, User


def retry(operation: Operation, *, actor: User | None) -> None:
    """Open a failed operation again: a new round that reads the facts first. Of two clicks one wins."""
    if not is_known(operation.verb):
        raise Refused(gettext("This version of Hearth no longer knows how to do it."))
    with transaction.atomic():
        _lock_target(operation)
        if reason := rules.why_not_retry(operation):
            raise Refused(reason)
        if not _reopened(operation):
            raise Conflict(gettext("Somebody was faster: something runs on it already."))
        operation.refresh_from_db()
        operation.round += 1
        operation.cancel_asked_at, operation.cancel_asked_by = None, ""
        operation.waits_since = None
        for key in ("undo", "look", "looked", "waited_for"):
            operation.state.pop(key, None)
        operation.save()
        verb_of(operation).reopen(operation, actor)
        outbox.send_on_commit(operation)


def _reopened(operation: Operation) -> bool:
    """One UPDATE decides; the constraint of one unfinished operation per target decides with it."""
    rows = Operation.objects.filter(pk=operation.pk, finished_at=operation.finished_at)
    try:
        with transaction.atomic():
            return bool(
                rows.update(finished_at=None, status=Operation.Status.QUEUED, reason="", remedy="", traceback="")
            )
    except IntegrityError:
        return False


def _lock_target(operation: Operation) -> None:
    """What it is about before the operation, the order in which a new request takes them: the other way round is a deadlock."""
    if operation.target_kind in OWNED:
        rows = OWNED[operation.target_kind].objects.select_for_update()
        list(rows.filter(pk=operation.target).values_list("pk"))


def cancel(operation: Operation, *, actor: User) -> None:
    """Ask it to stop. The runner stops the unit, takes back what can be taken back, and says how far it came."""
    if reason := rules.why_not_cancel(operation):
        raise Refused(reason)
    with transaction.atomic():
        won = Operation.objects.filter(pk=operation.pk, finished_at=None, cancel_asked_at=None).update(
            cancel_asked_at=timezone.now(),
            cancel_asked_by=actor.get_username(),
            waits_for=Operation.Waits.NOTHING,
            waits_text="",
            run_after=None,
        )
        if not won:
            raise Conflict(gettext("It is over, or somebody cancelled it already."))
        operation.refresh_from_db()
        outbox.send_on_commit(operation)
