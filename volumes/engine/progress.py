"""From what the units of a node say to the rows that people watch."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils import timezone

from volumes.engine import outbox, places
from volumes.models import Node, Operation, Step
from volumes.nodes.units import UnitState, Watch

if TYPE_CHECKING:
    from collections.abc import Iterable

RATES_KEPT = 40
SHORT_S = 0.2
"""Two looks closer together than this say nothing about a rate."""
SMOOTH = 0.4
"""Weight of the newest rate: bars should not jump, and should notice a change within a few seconds."""


def _open_rows(node: Node) -> list[Step]:
    rows = Step.objects.filter(
        node=node,
        operation__finished_at=None,
        operation__waits_for=Operation.Waits.UNIT,
    )
    return list(
        rows.exclude(unit="")
        .exclude(status__in=(Step.Status.DONE, Step.Status.FAILED))
        .select_related("operation")
        .order_by("number")
    )


def followed(node: Node) -> list[str]:
    """The units of this node that somebody waits for."""
    return list(dict.fromkeys(row.unit for row in _open_rows(node) if "state" not in row.facts))


def leftovers(node: Node) -> list[str]:
    """Units that ended and whose operation needs them no more: they still lie on the node."""
    rows = Step.objects.filter(node=node, facts__has_key="clean_up").exclude(unit="")
    ended = rows.exclude(operation__waits_for=Operation.Waits.UNIT).exclude(status=Step.Status.RUNNING)
    return list(dict.fromkeys(ended.values_list("unit", flat=True)[:50]))


def cleaned(names: Iterable[str]) -> None:
    """They are gone from the node."""
    for row in Step.objects.filter(unit__in=list(names)):
        row.facts.pop("clean_up", None)
        row.save(update_fields=["facts"])


def apply(node: Node, seen: Watch) -> None:
    """Write progress, and let the operations go on whose unit has ended."""
    by_unit: dict[str, list[Step]] = {}
    for row in _open_rows(node):
        by_unit.setdefault(row.unit, []).append(row)
    for name, rows in by_unit.items():
        state = seen.unit(name)
        _move(rows, state)
        if state.ended and "state" not in rows[0].facts:
            _end(node, rows, state)


def _move(rows: list[Step], state: UnitState) -> None:
    """One unit goes through its phases; the rows before the present one are done."""
    now = timezone.now()
    present = next((row for row in rows if row.phase == state.phase), None)
    if present is None:
        return
    for row in rows:
        if row is present:
            break
        row.status, row.finished_at, row.progress_at = Step.Status.DONE, now, now
        row.bytes_done, row.eta_s = row.bytes_total, None
        row.save(update_fields=["status", "finished_at", "progress_at", "bytes_done", "eta_s"])
    _advance(present, state, now)


def _advance(row: Step, state: UnitState, now: datetime) -> None:
    row.status = Step.Status.RUNNING
    row.started_at = row.started_at or now
    if state.bytes_done is not None:
        since = (now - (row.progress_at or row.started_at)).total_seconds()
        fresh = state.bytes_done - (row.bytes_done or 0)
        if since > SHORT_S and fresh >= 0:
            rate = fresh / since
            row.rate = rate if row.rate is None else SMOOTH * rate + (1 - SMOOTH) * row.rate
            row.rates = [*row.rates, round(rate)][-RATES_KEPT:]
        row.bytes_done, row.progress_at = state.bytes_done, now
        row.eta_s = ((row.bytes_total or 0) - state.bytes_done) / row.rate if row.rate else None
        row.facts = {**row.facts, "resume": state.safe_bytes}
    row.save(update_fields=["status", "started_at", "rate", "rates", "bytes_done", "progress_at", "eta_s", "facts"])


def _end(node: Node, rows: list[Step], state: UnitState) -> None:
    for row in rows:
        row.facts = {**row.facts, "state": asdict(state), "clean_up": True}
        row.save(update_fields=["facts"])
    outbox.wake(rows[0].operation_id)
    if places.taken(node) < node.bulk_limit:
        outbox.wake_place(node.pk)
