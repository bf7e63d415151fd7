"""Volumes and snapshots as lists and pages show them: how far they have come, what can be done, and why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from django.urls import reverse

from volumes.models import Operation, Snapshot, Volume
from volumes.views import access, progress, verbs

if TYPE_CHECKING:
    from uuid import UUID

    from volumes.views.access import Request
    from volumes.views.verbs import Excuse, Verb

T = TypeVar("T", Volume, Snapshot)


@dataclass(frozen=True)
class Row(Generic[T]):
    """One of them. `verbs` is everything that can be done to it, Delete last."""

    owned: T
    progress: progress.Progress | None
    verbs: list[Verb]
    may_retry: bool

    @property
    def page_url(self) -> str:
        """Its page."""
        return reverse(self.owned.kind, args=[self.owned.pk])

    @property
    def why_not_delete(self) -> str | None:
        """The reason Delete is off; the bar under a list counts with it."""
        return self.verbs[-1].why_not

    @property
    def excuses(self) -> list[Excuse]:
        """Why buttons are off, each reason once."""
        return verbs.excuses(self.verbs)


def rows_of(request: Request, listed: Sequence[T]) -> list[Row[T]]:
    """Rows, with one query more however many there are."""
    found = progress.of_operations(owned.last_operation for owned in listed if owned.is_moving)
    return [row_of(request, owned, found) for owned in listed]


def row_of(request: Request, owned: T, found: dict[UUID, progress.Progress]) -> Row[T]:
    """One row."""
    last = owned.last_operation
    can = verbs.of_volume(request, owned) if isinstance(owned, Volume) else verbs.of_snapshot(request, owned)
    under_way = found.get(last.pk) if last and owned.is_moving else None
    may_retry = owned.is_bad and is_retriable(last) and not access.why_not_act(request, owned.project)
    return Row(owned, under_way, can, may_retry)


def is_retriable(operation: Operation | None) -> bool:
    """Whether it ended without doing what was asked: what broke afterwards is not mended by doing it again."""
    return operation is not None and operation.is_finished and operation.status != Operation.Status.SUCCEEDED
