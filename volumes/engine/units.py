"""An operation and its units: named, adopted after a crash, ended, stopped."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext, gettext_noop

from volumes.engine import doubt, record
from volumes.engine.link import run
from volumes.engine.protocol import Step as Plan
from volumes.engine.protocol import verb_of
from volumes.models import Operation, Step
from volumes.nodes import units
from volumes.nodes.commands import Command, Result
from volumes.nodes.errors import NodeError
from volumes.nodes.units import UnitState

Pairs = list[tuple[Plan, Step]]
MOST_TRIES = 5
"""A unit that takes the node down with it is not started for ever."""


def name(operation: Operation, row: Step) -> str:
    """One name a step and try, so that starting it twice is impossible: the second finds the first."""
    tries = int(row.facts.get("tries", 0))
    return units.unit_name(str(operation.pk), f"{row.number}-{tries}" if tries else str(row.number))


def check_started(results: Sequence[Result]) -> None:
    """Raise UnitFailed unless it runs now, whoever started it."""
    units.check_started(results[-1])


def look() -> Command:
    """Ask what is known of the node's units, without waiting."""
    return units.watch([], wait_s=0.0)


def adopt(operation: Operation, pairs: Pairs, result: Result) -> None:
    """After a crash: a unit that is on the node is followed; one that is not is started again.

    Only the boot in which it was sent can vouch that it was never begun: a node that restarted has forgotten.
    """
    seen = units.parse_watch(result.stdout)
    unit = pairs[0][1].unit
    lost = seen.unit(unit).state == "missing"
    with transaction.atomic():
        if lost and _has_run(operation, unit):
            _begin_again(operation, unit)
            return
        for _, row in pairs:
            if lost:
                row.unit, row.status, row.started_at = "", Step.Status.WAITING, None
                row.facts = {}
            else:
                row.facts = {**row.facts, "unit_known": True}
            row.save(update_fields=["unit", "status", "started_at", "facts"])
        if not lost:
            _done_before(operation, pairs[0][1])
        if any(step.destroys for step, _ in pairs):
            doubt.settle_unit(operation, there=not lost, boot_id=seen.boot_id)


def _has_run(operation: Operation, unit: str) -> bool:
    """Whether the unit was ever seen at work: then it is not there because the node restarted."""
    rows = operation.steps.filter(round=operation.round, unit=unit)
    return any(row.facts.get("unit_known") or row.bytes_done is not None for row in rows)


def _done_before(operation: Operation, row: Step) -> None:
    before = operation.steps.filter(round=operation.round, number__lt=row.number)
    for earlier in before.exclude(status__in=(Step.Status.DONE, Step.Status.SKIPPED)):
        record.end(earlier, Step.Status.DONE, gettext("Done before the interruption: the unit that follows it runs."))


def of(operation: Operation, result: Result) -> list[UnitState]:
    """The units of this operation that the node knows of, from the answer to `look`.

    That there is one of a step that destroys means that it had begun.
    """
    prefix, seen = units.unit_name(str(operation.pk), ""), units.parse_watch(result.stdout)
    mine = [unit for unit in seen.units if unit.name.startswith(prefix)]
    keys = [step.key for step in verb_of(operation).steps(operation) if step.destroys]
    destroyers = set(operation.steps.filter(key__in=keys).exclude(unit="").values_list("unit", flat=True))
    doubt.settle_unit(operation, there=any(unit.name in destroyers for unit in mine), boot_id=seen.boot_id)
    return mine


def ended(operation: Operation, todo: Pairs) -> bool:
    """Its unit is over: read the verdict, or begin again where the node lost it."""
    step, row = todo[0]
    if step.unit is None:
        raise LookupError(f"Step {row.key} has a unit in its row and none in its plan.")
    mine = [(s, r) for s, r in todo if s.unit is not None and s.unit.key == step.unit.key]
    state = UnitState(**row.facts["state"])
    if state.state == "missing":
        return _begin_again(operation, row.unit)
    first = operation.steps.filter(unit=row.unit).order_by("number").first()
    if first is not None:
        _keep_output(first, state)
    try:
        notes = step.unit.report(state)
    except NodeError as error:
        for _, r in mine[:1]:
            record.end(r, Step.Status.FAILED, error.localized(gettext))
        raise
    for _, r in mine:
        record.end(r, Step.Status.DONE)
    for r in operation.steps.filter(unit=row.unit):
        r.note = notes.get(r.phase, "")
        r.save(update_fields=["note"])
    return True


def _keep_output(row: Step, state: UnitState) -> None:
    """The unit's own words, under the command that started it."""
    if row.commands:
        row.commands[-1] = {
            **row.commands[-1],
            "output": state.output_tail[-record.TAIL :].strip(),
            "exit_code": state.exit_code or 0,
        }
        row.save(update_fields=["commands"])


def _begin_again(operation: Operation, unit: str) -> bool:
    """The node restarted: what it had flushed counts, and only the first phase knows how much that is.

    What was proven before (that nothing holds the LV, that it is ours) is proven again: the machine is a new one.
    """
    rows = list(operation.steps.filter(round=operation.round, unit=unit).order_by("number"))
    tries = max(int(row.facts.get("tries", 0)) for row in rows) + 1
    if tries > MOST_TRIES:
        raise KeepsRestarting(node=rows[0].node_name, count=tries)
    offset = int(rows[0].facts.get("resume", 0))
    proofs = [step.key for step in verb_of(operation).steps(operation) if step.proof]
    with transaction.atomic():
        for row in rows:
            row.facts = {"tries": tries, "offset": offset}
            row.unit, row.status, row.finished_at = "", Step.Status.WAITING, None
            row.bytes_done = row.rate = row.eta_s = row.progress_at = None
            row.note = gettext("The node restarted while it ran: it goes on from what was safely on the disk.")
            row.save()
        operation.steps.filter(round=operation.round, key__in=proofs).update(
            status=Step.Status.WAITING, finished_at=None
        )
    return True


class KeepsRestarting(NodeError):
    """Perhaps by chance, perhaps because of the work itself."""

    sentence = gettext_noop("%(node)s restarted %(count)s times while it worked on this.")
    way_out = gettext_noop("Look for the reason in its log (`journalctl -b -1`) and at its disks, then try again.")


def stop(operation: Operation, token: uuid.UUID, row: Step) -> None:
    """End the unit now, and read how far it came."""
    if row.node is None:
        return
    results = run(operation, token, row.node, *units.stop(row.unit), look(), timeout_s=150)
    record.add(row, results[:-1], row.node)
    state = units.parse_watch(results[-1].stdout).unit(row.unit)
    if state.state != "missing" and state.phase == row.phase and state.bytes_done is not None:
        row.bytes_done = state.bytes_done
    row.facts = {**row.facts, "clean_up": True}
    row.save()


def stop_all(names: Sequence[str]) -> list[Command]:
    """What ends these units."""
    return [command for name in names for command in units.stop(name)]


def forget_later(operation: Operation) -> None:
    """The watch cleans away what is left of them on the node."""
    for row in operation.steps.exclude(unit=""):
        row.facts = {**row.facts, "clean_up": True}
        row.save(update_fields=["facts"])


def stopped_text(row: Step, reason: str) -> str:
    """How far it came, in the words of the row it stands under."""
    if row.percent is None:
        return reason
    if row.operation.target_kind == "pool":
        return gettext("%(reason)s It stopped at %(percent).0f %%.") % {"reason": reason, "percent": row.percent}
    return gettext("%(reason)s The wipe stopped at %(percent).0f %%: the content is partly erased.") % {
        "reason": reason,
        "percent": row.percent,
    }
