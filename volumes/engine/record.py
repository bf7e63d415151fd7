"""Step rows: everything that ran is written down, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from volumes.engine.protocol import Step as Plan
from volumes.models import Node, Operation, Step
from volumes.nodes.commands import Command, Result

TAIL = 4000
"""Characters of a command's output that are kept: its end, where errors stand."""


def rows_for(operation: Operation, plan: Sequence[Plan]) -> list[tuple[Plan, Step]]:
    """The rows of this round's plan, made where missing. Numbers go on through all rounds."""
    have = {row.key: row for row in operation.steps.filter(round=operation.round)}
    number = max((row.number for row in operation.steps.all()), default=0)
    new = []
    for step in plan:
        row = have.get(step.key)
        if row is None:
            number += 1
            row = have[step.key] = Step(operation=operation, round=operation.round, number=number, key=step.key)
            row.title, row.phase, row.planned = step.title, step.phase, planned(step)
            if step.unit and step.phase:
                row.bytes_total = step.unit.bytes_total.get(step.phase)
            new.append(row)
    Step.objects.bulk_create(new)
    return [(step, have[step.key]) for step in plan]


def planned(step: Plan) -> list[list[str]]:
    """The commands as they will run, for the page."""
    commands = [list(command.argv) for command in step.commands]
    if step.unit and step.phase == next(iter(step.unit.bytes_total), ""):
        commands += [list(command.argv) for command in step.unit.start("hearth", 0)]
    return commands


def begin(row: Step, node: Node | None) -> None:
    """It is about to run."""
    row.status = Step.Status.RUNNING
    row.started_at = row.started_at or timezone.now()
    if node is not None:
        row.node, row.node_name = node, node.name
    row.save(update_fields=["status", "started_at", "node", "node_name"])


def end(row: Step, status: str, note: str = "") -> None:
    """It is over."""
    now = timezone.now()
    row.status, row.finished_at = status, now
    row.started_at = row.started_at or now
    row.note = note or row.note
    if status == Step.Status.DONE and row.bytes_total is not None:
        row.bytes_done, row.eta_s = row.bytes_total, None
    row.save()


def add(row: Step, results: Sequence[Result], node: Node) -> None:
    """Write down what ran. The caller saves the row."""
    row.commands = [*row.commands, *(as_json(result, node) for result in results)]


def as_json(result: Result, node: Node) -> dict[str, Any]:
    """One command as the page shows it."""
    output = "\n".join(filter(None, (result.stdout.strip(), result.stderr.strip())))
    return {
        "argv": list(result.argv),
        "exit_code": result.exit_code,
        "output": output[-TAIL:],
        "seconds": round(result.seconds, 3),
        "node": node.name,
        "at": timezone.now().isoformat(timespec="milliseconds"),
    }


def split(results: Sequence[Result], sizes: Sequence[int]) -> list[list[Result]]:
    """Deal the results of one round trip out to the steps that asked for them."""
    dealt, start = [], 0
    for size in sizes:
        dealt.append(list(results[start : start + size]))
        start += size
    return dealt


def unit_commands(step: Plan, row: Step) -> list[Command]:
    """The commands that start this step's unit, if it has one."""
    if step.unit is None:
        return []
    return list(step.unit.start(row.unit, int(row.facts.get("offset", 0))))
