"""What every list does: CSV of the filtered set, order, pages, columns, statuses to filter by."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Count, QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone
from django_tables2 import RequestConfig

from volumes.tables import Columns, List

if TYPE_CHECKING:
    from volumes.views.access import Request

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""
AT_ONCE = 50
"""Rows named in one poll, at the most."""
ORDER = ("sort", "group")


class _Echo:
    """A file that hands back what is written into it."""

    def write(self, line: str) -> str:
        return line


def cell(value: object) -> object:
    """A name is data: a quote in front of what a spreadsheet would run."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def wants_csv(request: Request) -> bool:
    """Whether this list is asked for as CSV."""
    return request.GET.get("_export") == "csv"


def as_csv(name: str, columns: Columns, rows: Iterable[Any]) -> StreamingHttpResponse:
    """The whole filtered set, row by row, so that its length does not matter."""
    writer = csv.writer(_Echo())

    def lines() -> Iterator[str]:
        yield writer.writerow(list(columns))
        for row in rows:
            yield writer.writerow([cell(read(row)) for read in columns.values()])

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    stamp = f"{timezone.now():%Y-%m-%d-%H%M}"
    response["Content-Disposition"] = f'attachment; filename="hearth-{name}-{stamp}.csv"'
    return response


def lay_out(request: Request, table: List) -> List:
    """Order and page as the URL says, columns and page size as the person likes them."""
    prefix = f"{table.key}."
    table.hide(name.removeprefix(prefix) for name in request.user.hidden_columns if name.startswith(prefix))
    RequestConfig(request, paginate={"per_page": request.user.page_size}).configure(table)
    return table


def shown_columns(request: Request, table: type[List]) -> set[str]:
    """The columns a person has left in a list."""
    prefix = f"{table.__name__.lower()}."
    hidden = {name.removeprefix(prefix) for name in request.user.hidden_columns if name.startswith(prefix)}
    return {name for name, found in table.base_columns.items() if not (found.hideable and name in hidden)}


def asked_rows(request: Request) -> list[UUID]:
    """The rows a poll asks for; what is no id is passed over."""
    found = []
    for text in request.GET.get("rows", "").split(",")[:AT_ONCE]:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


def is_poll(request: Request) -> bool:
    """Whether only the moving parts are asked for."""
    return bool(request.htmx) and request.htmx.trigger == "poll"


def count_statuses(rows: QuerySet[Any]) -> dict[str, int]:
    """How many there are of each status."""
    return dict(rows.order_by().values_list("status").annotate(Count("pk")))


def statuses(
    request: Request, choices: list[tuple[str, Any]], counts: dict[str, int]
) -> list[tuple[str, Any, int, bool]]:
    """The statuses worth filtering by: those that occur, and those that are ticked."""
    ticked = request.GET.getlist("status")
    return [
        (value, label, counts.get(value, 0), value in ticked)
        for value, label in choices
        if value in counts or value in ticked
    ]


def carried(request: Request) -> dict[str, list[tuple[str, str]]]:
    """What the forms above a list carry along: order and tab, and for the search box the other filters too."""
    pairs = [(name, value) for name, values in request.GET.lists() for value in values if value]
    return {
        "hidden_inputs": [pair for pair in pairs if pair[0] in ORDER],
        "filter_inputs": [pair for pair in pairs if pair[0] not in {*ORDER, "name", "page", "rows", "_export"}],
    }
