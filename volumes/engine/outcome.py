"""What becomes of an operation: it waits, ends well, fails and is undone, is cancelled, or breaks."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from volumes.engine import lease, outbox, record, units
from volumes.engine.link import run
from volumes.engine.protocol import Next, verb_of
from volumes.engine.protocol import Step as Plan
from volumes.models import Node, Operation, Step
from volumes.nodes.commands import Result
from volumes.nodes.errors import (
    HostKeyChanged,
    HostKeyUnknown,
    KeyRejected,
    NodeError,
    NoShell,
    OutcomeUnknown,
    Unreachable,
)

log = structlog.get_logger(__name__)
PERMANENT = (HostKeyChanged, HostKeyUnknown, KeyRejected, NoShell)
LOOK_AGAIN = timedelta(seconds=3)


def wait(operation: Operation, what: str, text: str, *, again_in: timedelta | None = None) -> bool:
    """Let go of it until something comes; always False, so that the walk ends."""
    now = timezone.now()
    same = operation.waits_since is not None and operation.state.get("waited_for") == what
    operation.state["waited_for"] = what
    operation.waits_since = operation.waits_since if same else now
    operation.status, operation.waits_for, operation.waits_text = (
        Operation.Status.WAITING,
        what,
        text,
    )
    operation.run_after = now + again_in if again_in else None
    operation.save(
        update_fields=[
            "status",
            "waits_for",
            "waits_text",
            "waits_since",
            "run_after",
            "state",
            "updated_at",
        ]
    )
    if what == Operation.Waits.UNIT and operation.node_id:
        outbox.nudge_watch(operation.node_id)
    return False


def succeed(operation: Operation, token: uuid.UUID) -> bool:
    """All done."""
    with transaction.atomic():
        _finish(operation, token, Operation.Status.SUCCEEDED)
        verb_of(operation).succeed(operation)
    log.info("operation succeeded", verb=operation.verb, target=str(operation.target_id))
    return False


def failed(operation: Operation, error: NodeError) -> bool:
    """A node said no, or did not answer: wait where waiting helps, otherwise undo and fail."""
    verb = verb_of(operation)
    unsure = isinstance(error, OutcomeUnknown)
    offline = isinstance(error, Unreachable) and not isinstance(error, PERMANENT)
    if unsure or offline:
        node = verb.node(operation)
        if node is None:
            return _start_undo(operation, error)
        node.lost(error.localized(gettext))
        stays = unsure or _has_touched(operation) or not verb.may_leave(operation)
        if stays and not _patience_is_over(operation):
            text = gettext("%(reason)s It goes on by itself when the node answers.") % {
                "reason": error.localized(gettext)
            }
            return wait(operation, Operation.Waits.NODE, text, again_in=LOOK_AGAIN)
    return _start_undo(operation, error)


def _has_touched(operation: Operation) -> bool:
    """Whether anything of this round may have run on a node."""
    rows = operation.steps.filter(round=operation.round).exclude(node=None)
    return rows.exclude(status=Step.Status.WAITING).exists()


def _patience_is_over(operation: Operation) -> bool:
    waited = operation.state.get("waited_for") == Operation.Waits.NODE and operation.waits_since
    return bool(waited) and timezone.now() - operation.waits_since > outbox.PATIENCE  # type: ignore[operator]


def check_patience(operation: Operation) -> None:
    """Raise what ends an operation whose unit runs on a node that has been silent for too long."""
    node = verb_of(operation).node(operation)
    if node is not None and _patience_is_over(operation):
        raise Unreachable(node=node.name, detail=node.state_reason or gettext("it has been silent for too long"))


def _start_undo(operation: Operation, error: NodeError) -> bool:
    error = verb_of(operation).explain(operation, error)
    reason, remedy = error.localized(gettext), error.localized_remedy(gettext)
    running = operation.steps.filter(round=operation.round, status=Step.Status.RUNNING)
    for row in running:
        if row.started_at is None:  # it had a place, and was not sent yet
            row.status, row.unit = Step.Status.WAITING, ""
            row.save(update_fields=["status", "unit"])
            continue
        record.end(row, Step.Status.FAILED, row.note or reason)
    first = operation.steps.filter(round=operation.round, status=Step.Status.WAITING).first()
    if first is not None and not operation.steps.filter(round=operation.round, status=Step.Status.FAILED).exists():
        first.commands = [record.as_json(result, node) for result in error.results if (node := _node(operation))]
        record.end(first, Step.Status.FAILED, reason)
    operation.state["undo"] = {"reason": reason, "remedy": remedy, "cancelled": False}
    operation.save(update_fields=["state", "updated_at"])
    return True


def _node(operation: Operation) -> Node | None:
    return verb_of(operation).node(operation)


def cancel(operation: Operation, token: uuid.UUID, todo: list[tuple[Plan, Step]]) -> bool:
    """Somebody pressed Cancel: stop what runs, say how far it came, then undo."""
    reason = gettext("Cancelled by %(who)s.") % {"who": operation.cancel_asked_by}
    for step, row in todo:
        if row.status == Step.Status.RUNNING and row.unit and step.unit:
            units.stop(operation, token, row)
            reason = units.stopped_text(row, reason)
    for _, row in todo:
        if row.status == Step.Status.RUNNING:
            record.end(row, Step.Status.FAILED, reason)
    operation.state["undo"] = {"reason": reason, "remedy": "", "cancelled": True}
    operation.save(update_fields=["state", "updated_at"])
    return True


def undo(operation: Operation, token: uuid.UUID) -> bool:
    """Take back what the node's facts still show, then let the verb decide what becomes of the row."""
    why = operation.state["undo"]
    if not _has_touched(operation):
        operation.state["taken_back"] = operation.round
    else:
        problem = _undo_on_node(operation, token)
        if problem is None:
            return False
        if problem:
            why["reason"] = f"{why['reason']} {problem}"
    return _settle(operation, token, why)


def _undo_on_node(operation: Operation, token: uuid.UUID) -> str | None:
    """A sentence when taking back failed, "" when it worked, None when the node has to be waited for."""
    verb, node = verb_of(operation), _node(operation)
    ask = verb.facts_command(operation)
    if node is None or ask is None:
        return ""
    try:
        results = run(operation, token, node, ask, units.look())
        results += _stop_units(operation, token, node, results.pop())
        commands = verb.undo(operation, verb.facts(operation, results[0]))
        if commands:
            results += run(operation, token, node, *commands, ask)
            _see_that_it_is_undone(operation, results.pop())
            _undo_row(operation, results, Step.Status.DONE)
    except (Unreachable, OutcomeUnknown) as error:
        if isinstance(error, PERMANENT) or _patience_is_over(operation):
            return gettext("It could not be taken back: %(why)s") % {"why": error.localized(gettext)}
        wait(
            operation,
            Operation.Waits.NODE,
            error.localized(gettext),
            again_in=LOOK_AGAIN,
        )
        return None
    except NodeError as error:
        _undo_row(operation, error.results, Step.Status.FAILED)
        return gettext("It could not be taken back: %(why)s") % {"why": error.localized(gettext)}
    operation.state["taken_back"] = operation.round
    return ""


def _stop_units(operation: Operation, token: uuid.UUID, node: Node, seen: Result) -> list[Result]:
    """No unit of an operation that failed goes on."""
    mine = units.of(operation, seen)
    if mine:
        units.forget_later(operation)
    running = [unit.name for unit in mine if not unit.ended]
    return run(operation, token, node, *units.stop_all(running), timeout_s=150) if running else []


def _see_that_it_is_undone(operation: Operation, seen: Result) -> None:
    """A guarded removal that matches nothing says nothing: only the facts tell."""
    verb = verb_of(operation)
    if verb.undo(operation, verb.facts(operation, seen)):
        raise NotUndone(what=operation.target_name)


def _undo_row(operation: Operation, results: Sequence[Result], status: str) -> None:
    number = max((row.number for row in operation.steps.all()), default=0) + 1
    row = Step(
        operation=operation,
        round=operation.round,
        number=number,
        key="undo",
        title=gettext("Take it back"),
    )
    row.node = _node(operation)
    row.node_name = row.node.name if row.node else ""
    if row.node:
        record.add(row, results, row.node)
    record.end(row, status)


def _settle(operation: Operation, token: uuid.UUID, why: dict[str, object]) -> bool:
    verb, reason = verb_of(operation), str(why["reason"])
    operation.steps.filter(round=operation.round, status=Step.Status.WAITING).delete()
    with transaction.atomic():
        lease.check(operation, token)
        if why["cancelled"] or why.get("errored"):
            verb.cancel(operation, reason)
            status = Operation.Status.ERRORED if why.get("errored") else Operation.Status.CANCELLED
            _finish(operation, token, status, reason)
        elif verb.fail(operation, reason) is Next.AGAIN:
            operation.round += 1
            operation.state.pop("undo", None)
            operation.state["look"] = False
            operation.save(update_fields=["round", "state", "updated_at"])
            return True
        else:
            _finish(operation, token, Operation.Status.FAILED, reason, str(why["remedy"]))
    log.info("operation ended", verb=operation.verb, status=operation.status, reason=reason)
    return False


def errored(operation: Operation, token: uuid.UUID, error: Exception, trace: str) -> None:
    """Our bug: the traceback is kept for the administrator, the person reads a sentence."""
    reason = gettext("Hearth made a mistake: %(kind)s. The administrator finds the details with this operation.") % {
        "kind": type(error).__name__
    }
    lease.check(operation, token)
    operation.refresh_from_db()
    operation.traceback = trace
    for row in operation.steps.filter(status=Step.Status.RUNNING):
        record.end(row, Step.Status.FAILED, reason)
    if "undo" not in operation.state:
        operation.state["undo"] = {"reason": reason, "remedy": "", "cancelled": False, "errored": True}
        operation.save(update_fields=["state", "traceback", "updated_at"])
        return
    with transaction.atomic():  # it broke while taking back: nothing more is tried
        try:
            with transaction.atomic():
                verb_of(operation).cancel(operation, reason)
        except Exception:
            log.exception("the verb could not settle it either; reconcile will")
        _finish(operation, token, Operation.Status.ERRORED, reason)


def _finish(
    operation: Operation,
    token: uuid.UUID,
    status: str,
    reason: str = "",
    remedy: str = "",
) -> None:
    lease.check(operation, token)
    operation.status, operation.reason, operation.remedy = status, reason, remedy
    operation.finished_at = timezone.now()
    operation.waits_for, operation.waits_text, operation.run_after = (
        Operation.Waits.NOTHING,
        "",
        None,
    )
    operation.state.pop("undo", None)
    operation.save()
    node_id = operation.node_id
    if node_id is not None:
        transaction.on_commit(lambda: outbox.wake_place(node_id))


class NotUndone(NodeError):
    """The node said yes, and it is still there."""

    sentence = "%(what)s was to be taken back, and the node still shows it."
