"""Steps go to the node: as many as can in one round trip."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext

from volumes.engine import doubt, outcome, places, record, units
from volumes.engine.link import run
from volumes.engine.protocol import Step as Plan
from volumes.engine.protocol import verb_of
from volumes.models import Node, Operation, Step
from volumes.nodes.commands import Command, Result
from volumes.nodes.errors import NodeError, OutcomeUnknown, Unreachable

TIMEOUT_S = 120.0
"""For one round trip of short commands; LVM on a node that is busy wiping takes its time."""

Pairs = list[tuple[Plan, Step]]


def batch(operation: Operation, token: uuid.UUID, todo: Pairs) -> bool:
    """Send the next steps together: up to one whose output must be read, or that starts a unit."""
    node = _node(operation)
    pairs = _gather(operation, node, todo)
    if not pairs:
        _prove_again(operation)
        return outcome.wait(operation, Operation.Waits.PLACE, places.waits_text(node))
    commands = [_commands(step, row) for step, row in pairs]
    for _, row in pairs[:1]:
        record.begin(row, node)
    if any(step.destroys for step, _ in pairs):
        doubt.maybe(operation, str(node.facts.get("boot_id", "")))
    try:
        results = run(operation, token, node, *(c for group in commands for c in group), timeout_s=TIMEOUT_S)
    except NodeError as error:
        _remember_destruction(operation, pairs, commands, error)
        _keep(pairs, commands, error, node)
        raise
    if any(step.destroys and step.unit is None for step, _ in pairs):
        doubt.begun(operation)
    dealt = record.split(results, [len(group) for group in commands])
    for (step, row), mine in zip(pairs, dealt, strict=True):
        _over(operation, node, step, row, mine)
    return True


def _node(operation: Operation) -> Node:
    node = verb_of(operation).node(operation)
    if node is None:
        raise LookupError("A step wants a node and none was chosen.")
    if operation.node_id != node.pk:
        operation.set(node=node)
    return node


def _prove_again(operation: Operation) -> None:
    """It may wait for hours: what was proven (that nothing holds the LV, that it is ours) is proven anew right before it goes on."""
    proofs = [step.key for step in verb_of(operation).steps(operation) if step.proof]
    operation.steps.filter(round=operation.round, key__in=proofs, status=Step.Status.DONE).update(
        status=Step.Status.WAITING, finished_at=None
    )


def _gather(operation: Operation, node: Node, todo: Pairs) -> Pairs:
    """Proofs are not sent where the unit they stand before has no place: empty then."""
    pairs: Pairs = []
    for step, row in todo:
        if step.local is not None or step.skip:
            break
        if step.unit is not None:
            mine = [r for s, r in todo if s.unit is not None and s.unit.key == step.unit.key]
            if places.take(node, mine, units.name(operation, row)):
                row.refresh_from_db()
                pairs.append((step, row))
            elif all(step.proof for step, _ in pairs):
                return []
            break
        pairs.append((step, row))
        if step.check is not None:
            break
    return pairs


def _commands(step: Plan, row: Step) -> list[Command]:
    return [*step.commands, *record.unit_commands(step, row)]


def _over(operation: Operation, node: Node, step: Plan, row: Step, results: Sequence[Result]) -> None:
    record.add(row, results, node)
    if step.unit is not None:
        row.save()
        units.check_started(results)
        if step.destroys:
            doubt.begun(operation)
        row.facts["unit_known"] = True
        record.begin(row, node)
        row.save()
        return
    try:
        note = step.check(results) if step.check else ""
    except NodeError:
        record.begin(row, node)
        row.save()
        raise
    record.end(row, Step.Status.DONE, note)


def _keep(pairs: Pairs, commands: list[list[Command]], error: NodeError, node: Node) -> None:
    """Write down what did run before it broke: whole steps are done, the one that broke stays as running."""
    if isinstance(error, Unreachable):
        _as_if_never_sent(pairs)
        return
    dealt = record.split(error.results, [len(group) for group in commands])
    for (step, row), mine, asked in zip(pairs, dealt, commands, strict=True):
        record.add(row, mine, node)
        if len(mine) == len(asked) and all(r.ok for r in mine) and not step.unit and not step.check:
            row.node, row.node_name = node, node.name
            record.end(row, Step.Status.DONE)
            continue
        if mine or isinstance(error, OutcomeUnknown):
            record.begin(row, node)
            row.save()
        if not isinstance(error, OutcomeUnknown):
            return


def _remember_destruction(operation: Operation, pairs: Pairs, commands: list[list[Command]], error: NodeError) -> None:
    """A removal that ran cannot be called back because the look that follows it failed; what never came to run did not begin."""
    if isinstance(error, OutcomeUnknown):
        return
    dealt = record.split(error.results, [len(group) for group in commands])
    destroyers = [(step, mine) for (step, _), mine in zip(pairs, dealt, strict=True) if step.destroys]
    if destroyers:
        doubt.settle(operation, begun=any(step.unit is None and bool(mine) and mine[0].ok for step, mine in destroyers))


def _as_if_never_sent(pairs: Pairs) -> None:
    """Provably nothing ran: the rows wait again, and the place goes back."""
    with transaction.atomic():
        for step, row in pairs:
            unit, row.unit = row.unit, ""
            row.status, row.started_at, row.node, row.node_name = Step.Status.WAITING, None, None, ""
            row.save(update_fields=["status", "unit", "started_at", "node", "node_name"])
            if step.unit is not None:
                row.operation.steps.filter(unit=unit).update(unit="", status=Step.Status.WAITING)


def look_first(operation: Operation, token: uuid.UUID, todo: Pairs) -> bool:
    """Something may have run that no row tells: read the facts and cross off what they show to be done."""
    node, verb = _node(operation), verb_of(operation)
    ask = verb.facts_command(operation)
    known = [(step, row) for step, row in todo if row.unit and step.unit]
    looks = [units.look()] if known else []
    results = run(operation, token, node, *([ask] if ask else []), *looks)
    facts = verb.facts(operation, results[0]) if ask else None
    operation.state["looked"] = operation.round
    operation.save(update_fields=["state", "updated_at"])
    if known:
        units.adopt(operation, known, results[-1])
        if known[0][1].unit:
            return True
    for step, row in todo:
        if step.local is not None:
            continue
        note = step.done(facts) if step.done else ""
        if note:
            record.end(row, Step.Status.DONE, note)
            if step.destroys:
                doubt.begun(operation)
        elif row.status == Step.Status.RUNNING and not row.unit:
            if step.destroys:
                doubt.settle(operation, begun=False)
            row.status = Step.Status.WAITING
            row.note = gettext("Interrupted, so it runs again.")
            row.save(update_fields=["status", "note"])
        if not note:
            break
    return True
