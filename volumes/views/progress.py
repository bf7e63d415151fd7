"""How far operations have come: one query for a whole page of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from volumes.models import Operation, Step

OVER = {Step.Status.DONE, Step.Status.SKIPPED, Step.Status.UNDONE, Step.Status.FAILED}


@dataclass(frozen=True)
class Progress:
    """The step an operation is at: `position` of `count`. `percent`, `rate` and `eta_s` only where bytes are counted."""

    position: int
    count: int
    title: str
    percent: float | None = None
    rate: float | None = None
    eta_s: float | None = None


def of_steps(steps: list[Step]) -> Progress | None:
    """From the steps of one round, in order."""
    if not steps:
        return None
    position, now = next(
        ((index, step) for index, step in enumerate(steps, 1) if step.status not in OVER), (len(steps), steps[-1])
    )
    counted = now.status == Step.Status.RUNNING and now.percent is not None
    if not counted:
        return Progress(position, len(steps), now.title)
    return Progress(position, len(steps), now.title, now.percent, now.rate, now.eta_s)


def of_operations(operations: Iterable[Operation | None]) -> dict[UUID, Progress]:
    """Progress of those that are under way, by id."""
    under_way = {op.pk: op.round for op in operations if op is not None and not op.is_finished}
    if not under_way:
        return {}
    rows: dict[UUID, list[Step]] = defaultdict(list)
    for step in Step.objects.filter(operation__in=under_way).defer("commands", "planned", "facts", "rates", "note"):
        if step.round == under_way[step.operation_id]:
            rows[step.operation_id].append(step)
    found = {pk: of_steps(steps) for pk, steps in rows.items()}
    return {pk: progress for pk, progress in found.items() if progress is not None}
