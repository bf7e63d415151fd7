"""Filters of the lists. All of them are in the URL, several at once, over the whole set."""

from __future__ import annotations

from typing import Any, TypeVar

import django_filters as filters
from django import forms
from django.db.models import BigIntegerField, CharField, Q, QuerySet, Value
from django.db.models.functions import Cast, Replace
from django.http import QueryDict
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_filters.filterset import FilterSet

from volumes.models import (
    BAD,
    GIB,
    MOVING,
    SNAPSHOT_BAD,
    SNAPSHOT_MOVING,
    Node,
    Operation,
    Pool,
    Snapshot,
    SnapshotStatus,
    Status,
    Volume,
)
from volumes.models.snapshot import NEARLY_FULL_PERCENT

Rows = TypeVar("Rows", bound=QuerySet[Any])
GROUPS: dict[str, frozenset[str]] = {
    "available": frozenset({Status.AVAILABLE}),
    "in-use": frozenset({Status.IN_USE}),
    "moving": MOVING,
    "bad": BAD,
}
"""The tabs above the volumes."""

NEARLY_FULL = Q(
    status=SnapshotStatus.AVAILABLE,
    snap_percent__gte=NEARLY_FULL_PERCENT,
    cow_bytes__lt=Cast("size_gib", BigIntegerField()) * (GIB // 256 * 257),
)
"""Snapshots that will soon be lost; one with more space than its volume can ever overwrite is not among them."""

SNAPSHOT_GROUPS: dict[str, Q] = {
    "available": Q(status=SnapshotStatus.AVAILABLE),
    "moving": Q(status__in=SNAPSHOT_MOVING),
    "bad": Q(status__in=SNAPSHOT_BAD) | NEARLY_FULL,
}
"""The tabs above the snapshots."""

OPERATION_GROUPS: dict[str, frozenset[str]] = {
    "running": frozenset({Operation.Status.QUEUED, Operation.Status.RUNNING, Operation.Status.WAITING}),
    "bad": frozenset({Operation.Status.FAILED, Operation.Status.ERRORED}),
    "done": frozenset({Operation.Status.SUCCEEDED}),
    "cancelled": frozenset({Operation.Status.CANCELLED}),
}
"""The tabs above the operations."""


def having_id(text: str, column: str = "id") -> tuple[dict[str, Any], Q]:
    """An annotation and a condition that find a part of an id, with or without dashes, on every database."""
    plain = text.replace("-", "").lower()
    alias = f"plain_{column}"
    return {alias: Replace(Cast(column, CharField()), Value("-"), Value(""))}, Q(**{f"{alias}__contains": plain})


def by_name_or_id(rows: Rows, text: str, name: str = "name", column: str = "id") -> Rows:
    """Rows whose name or id has this in it."""
    found = Q(**{f"{name}__icontains": text})
    plain = text.replace("-", "")
    if len(plain) < 4 or not all(letter in "0123456789abcdefABCDEF" for letter in plain):
        return rows.filter(found)
    annotation, condition = having_id(text, column)
    return rows.alias(**annotation).filter(found | condition)


class Date(forms.DateInput):
    """The browser's own date picker."""

    input_type = "date"


class ListFilter(FilterSet):
    """What the lists share. `chips` describes the filters that are on, each with the URL that takes it off."""

    def describe(self, name: str, value: Any) -> str:
        """A value in words."""
        if isinstance(value, list):
            choices = dict(self.filters[name].extra["choices"])
            return ", ".join(str(choices[item]) for item in value)
        return date_format(value, "j M Y") if hasattr(value, "year") else str(value)

    @property
    def chips(self) -> list[tuple[str, str, str]]:
        """Label, value and the query string without it."""
        found = []
        if self.form.is_valid():
            for name, value in self.form.cleaned_data.items():
                if value not in (None, "", []) and (not hasattr(value, "exists") or value.exists()):
                    query: QueryDict = self.data.copy()
                    query.pop(name, None)
                    query.pop("page", None)
                    found.append((str(self.filters[name].label), self.describe(name, value), query.urlencode()))
        return found


def bounds(name: str, value: str) -> str:
    """A bound in words."""
    return {
        "size_min": _("at least %(n)s GiB"),
        "size_max": _("at most %(n)s GiB"),
        "created_after": _("from %(n)s"),
        "created_before": _("until %(n)s"),
    }.get(name, "%(n)s") % {"n": value}


class VolumeFilter(ListFilter):
    """Volumes of one project."""

    name = filters.CharFilter(label=gettext_lazy("Name or id"), method="by_name")
    status = filters.MultipleChoiceFilter(
        label=gettext_lazy("Status"), choices=Status.choices, widget=forms.CheckboxSelectMultiple
    )
    size_min = filters.NumberFilter(label=gettext_lazy("Size"), field_name="size_gib", lookup_expr="gte", min_value=1)
    size_max = filters.NumberFilter(label=gettext_lazy("Size"), field_name="size_gib", lookup_expr="lte", min_value=1)
    pool = filters.ModelChoiceFilter(label=gettext_lazy("Pool"), queryset=Pool.objects.none())
    created_after = filters.DateFilter(
        label=gettext_lazy("Created"), field_name="created_at", lookup_expr="date__gte", widget=Date
    )
    created_before = filters.DateFilter(
        label=gettext_lazy("Created"), field_name="created_at", lookup_expr="date__lte", widget=Date
    )

    class Meta:
        model = Volume
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, pools: QuerySet[Pool], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self.filters["pool"].queryset = pools

    def by_name(self, rows: QuerySet[Volume], _field: str, text: str) -> QuerySet[Volume]:
        """One box for both."""
        return by_name_or_id(rows, text.strip())

    def describe(self, name: str, value: Any) -> str:
        """A value in words."""
        return bounds(name, super().describe(name, value))


class SnapshotFilter(ListFilter):
    """Snapshots of one project."""

    name = filters.CharFilter(label=gettext_lazy("Name or id"), method="by_name")
    status = filters.MultipleChoiceFilter(
        label=gettext_lazy("Status"), choices=SnapshotStatus.choices, widget=forms.CheckboxSelectMultiple
    )
    volume = filters.CharFilter(label=gettext_lazy("Volume"), method="by_volume")
    size_min = filters.NumberFilter(label=gettext_lazy("Size"), field_name="size_gib", lookup_expr="gte", min_value=1)
    size_max = filters.NumberFilter(label=gettext_lazy("Size"), field_name="size_gib", lookup_expr="lte", min_value=1)
    created_after = filters.DateFilter(
        label=gettext_lazy("Created"), field_name="created_at", lookup_expr="date__gte", widget=Date
    )
    created_before = filters.DateFilter(
        label=gettext_lazy("Created"), field_name="created_at", lookup_expr="date__lte", widget=Date
    )

    class Meta:
        model = Snapshot
        fields: tuple[str, ...] = ()

    def by_name(self, rows: QuerySet[Snapshot], _field: str, text: str) -> QuerySet[Snapshot]:
        """One box for both."""
        return by_name_or_id(rows, text.strip())

    def by_volume(self, rows: QuerySet[Snapshot], _field: str, text: str) -> QuerySet[Snapshot]:
        """A part of the volume's name or id."""
        return by_name_or_id(rows, text.strip(), "volume__name", "volume_id")

    def describe(self, name: str, value: Any) -> str:
        """A value in words."""
        return bounds(name, super().describe(name, value))


class OperationFilter(ListFilter):
    """Operations of one project, or of all."""

    name = filters.CharFilter(label=gettext_lazy("Name or id"), method="by_name")
    status = filters.MultipleChoiceFilter(
        label=gettext_lazy("Status"), choices=Operation.Status.choices, widget=forms.CheckboxSelectMultiple
    )
    node = filters.ModelChoiceFilter(label=gettext_lazy("Node"), queryset=Node.objects.none())
    by = filters.CharFilter(label=gettext_lazy("Asked by"), field_name="actor_name", lookup_expr="icontains")
    created_after = filters.DateFilter(
        label=gettext_lazy("Asked"), field_name="created_at", lookup_expr="date__gte", widget=Date
    )
    created_before = filters.DateFilter(
        label=gettext_lazy("Asked"), field_name="created_at", lookup_expr="date__lte", widget=Date
    )

    class Meta:
        model = Operation
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, nodes: QuerySet[Node], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self.filters["node"].queryset = nodes

    def by_name(self, rows: QuerySet[Operation], _field: str, text: str) -> QuerySet[Operation]:
        """The title names the object; the ids are its own and its object's."""
        return by_name_or_id(rows, text.strip(), "title") | by_name_or_id(
            rows, text.strip(), "target_name", "target_id"
        )

    def describe(self, name: str, value: Any) -> str:
        """A value in words."""
        return bounds(name, super().describe(name, value))
