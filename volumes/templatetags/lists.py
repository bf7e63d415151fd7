"""Foot of a list: which rows, how many a page, which page."""

from typing import Any

from django import template
from django.template.context import Context

register = template.Library()
SIZES = (20, 50, 100, 200)
AROUND = 2


@register.inclusion_tag("components/pager.html", takes_context=True)
def pager(context: Context, table: Any) -> dict[str, Any]:
    """The person's own page size is among those offered, whatever it is."""
    mine = context["user"].page_size
    return {
        "table": table,
        "request": context["request"],
        "user": context["user"],
        "page_sizes": sorted({*SIZES, mine}),
        "page_range": around(table.page.number, table.page.paginator.num_pages),
    }


def around(here: int, last: int) -> list[int | str]:
    """First, last, and those around here; an ellipsis for what is left out."""
    near = {1, last, *range(max(1, here - AROUND), min(last, here + AROUND) + 1)}
    pages: list[int | str] = []
    for number in sorted(near):
        if pages and isinstance(pages[-1], int) and number - pages[-1] > 1:
            pages.append("…")
        pages.append(number)
    return pages
