"""One operation: the glass box, Retry and Cancel."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from volumes import rules
from volumes.engine import control
from volumes.engine.protocol import is_known, verb_of
from volumes.errors import Refused
from volumes.models import Node, Operation, Pool, Snapshot, Step, Volume
from volumes.views import access, acting, progress

if TYPE_CHECKING:
    from volumes.views.access import Request

NOTE = 70
"""Characters of a note that stand beside the title of its step."""
LINES = 60
"""Lines of one command's output that a page shows; the row keeps its end, where errors stand."""


@dataclass(frozen=True)
class Shown:
    """A step as the timeline draws it. `again` marks the first step of a later round."""

    step: Step
    command: list[str]
    more: int
    open: bool
    estimate_s: float | None
    again: bool
    output: list[dict[str, Any]] = field(default_factory=list)

    @property
    def long_note(self) -> bool:
        """Whether the note does not fit beside the title."""
        return len(self.step.note) > NOTE or "\n" in self.step.note


@require_safe
def operation_page(request: Request, operation_id: UUID) -> HttpResponse:
    """Every step with its exact commands; live."""
    operation = access.get_operation(request, operation_id)
    rows = list(operation.steps.all())
    current = [row for row in rows if row.round == operation.round]
    reader = access.why_not_act(request, operation.project)
    request.moving = int(not operation.is_finished)  # type: ignore[attr-defined]
    context = {
        "live": True,
        "operation": operation,
        "steps": shown(operation, rows),
        "current": current,
        "progress": progress.of_steps(current),
        **target(operation),
        "target_node": Node.objects.filter(pk=operation.target_id).first()
        if operation.target_kind == "node" and operation.target_id
        else None,
        "target_pool": target_pool(operation),
        "why_not_cancel": reader or rules.why_not_cancel(operation),
        "why_not_retry": reader or rules.why_not_retry(operation),
        "works_on_node": any(row.unit and row.status == Step.Status.RUNNING for row in current),
        "show_traceback": request.user.is_administrator and operation.traceback,
    }
    return render(request, "operations/detail.html", context)


def shown(operation: Operation, rows: list[Step]) -> list[Shown]:
    """The timeline. The step that runs or failed is open; so is what a person opens."""
    found = []
    last_round = rows[0].round if rows else 1
    for row in rows:
        ran = [entry["argv"] for entry in row.commands] or row.planned
        found.append(
            Shown(
                step=row,
                command=ran[-1] if ran else [],
                more=len(ran) - 1,
                open=row.status in {Step.Status.RUNNING, Step.Status.FAILED},
                estimate_s=estimate(operation, row),
                again=row.round != last_round,
                output=[terminal(entry) for entry in row.commands],
            )
        )
        last_round = row.round
    return found


def estimate(operation: Operation, row: Step) -> float | None:
    """Seconds a waiting step will take, if its verb has a measure for it."""
    if row.status != Step.Status.WAITING or operation.is_finished or not is_known(operation.verb):
        return None
    measure = getattr(verb_of(operation), "estimate", None)
    try:
        return measure(operation, row.key) if measure else None
    except LookupError:
        return None


def terminal(entry: dict[str, Any]) -> dict[str, Any]:
    """One command for the terminal: the end of its output, line by line."""
    lines = [line for line in compact(str(entry.get("output", ""))).splitlines() if line.strip()]
    return {**entry, "lines": lines[-LINES:], "cut": max(0, len(lines) - LINES)}


def compact(output: str) -> str:
    """LVM lays its JSON out over many lines; one line says the same."""
    try:
        return json.dumps(json.loads(output)) if output.lstrip().startswith("{") else output
    except ValueError:
        return output


@require_http_methods(["GET", "HEAD", "POST"])
def operation_retry(request: Request, operation_id: UUID) -> HttpResponse:
    """Read the node, then go on from the facts."""
    operation = access.get_operation(request, operation_id, act=True)
    why_not = rules.why_not_retry(operation)
    if request.method == "POST":
        try:
            control.retry(operation, actor=request.user)
        except Refused as refusal:
            why_not = str(refusal)
        else:
            return answer(request, operation, _("Trying again: %(title)s.") % {"title": operation})
    context = {
        "operation": operation,
        "why_not": why_not,
        "back": back(request, operation),
    }
    return render(request, "operations/retry.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def operation_cancel(request: Request, operation_id: UUID) -> HttpResponse:
    """Stop it, and say what that leaves behind."""
    operation = access.get_operation(request, operation_id, act=True)
    why_not = rules.why_not_cancel(operation)
    if request.method == "POST":
        try:
            control.cancel(operation, actor=request.user)
        except Refused as refusal:
            why_not = str(refusal)
        else:
            return answer(request, operation, _("Cancelling: %(title)s.") % {"title": operation})
    context = {
        "operation": operation,
        "why_not": why_not,
        "back": back(request, operation),
        "wiping": operation.steps.filter(
            key__startswith="wipe", round=operation.round, status=Step.Status.RUNNING
        ).first(),
    }
    return render(request, "operations/cancel.html", context)


def answer(request: Request, operation: Operation, said: str) -> HttpResponse:
    """The rows of the operation and of its object refresh in place."""
    rows = [operation.pk, *([operation.target_id] if operation.target_id else [])]
    return acting.done(request, said, back(request, operation), rows)


def back(request: Request, operation: Operation) -> str:
    """The operation's page, unless the person came from elsewhere."""
    return acting.safe_next(request, reverse("operation", args=[operation.pk]))


def target(operation: Operation) -> dict[str, Volume | Snapshot | Pool | None]:
    """The volume or the snapshot it is about, as far as it is still there, and the pool that is in."""
    volume, snapshot = None, None
    if operation.target_id is None:
        return {}
    if operation.target_kind == "volume":
        volume = Volume.objects.select_related("pool__node").filter(pk=operation.target).first()
    elif operation.target_kind == "snapshot":
        snapshot = Snapshot.objects.select_related("volume__pool__node").filter(pk=operation.target).first()
    found = volume or snapshot
    return {"volume": volume, "snapshot": snapshot, "pool": found.pool if found else None}


def target_pool(operation: Operation) -> Pool | None:
    """The pool it is about."""
    if operation.target_kind != "pool" or operation.target_id is None:
        return None
    return Pool.objects.select_related("node").defer("facts", "node__facts").filter(pk=operation.target_id).first()
