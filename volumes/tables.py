"""The lists: their columns, how each sorts, and what their CSV holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import django_tables2 as tables
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

Columns = dict[str, Callable[[Any], object]]


def column(title: Any, css: str, *order: str, hideable: bool = True) -> Any:
    """A column; without `order` it does not sort."""
    found: Any = tables.Column(
        verbose_name=title, order_by=order or None, orderable=bool(order), empty_values=(), attrs={"th": {"class": css}}
    )
    found.hideable = hideable
    return found


class List(tables.Table):
    """A list whose sort and page are in the URL. The rows have templates of their own; this knows heads and order."""

    base_columns: ClassVar[dict[str, Any]]

    class Meta:
        order_by_field = "sort"
        page_field = "page"

    def __init__(self, rows: QuerySet[Any]) -> None:
        super().__init__(rows)  # type: ignore[no-untyped-call]

    @property
    def key(self) -> str:
        """What the list is called where people's choices are kept."""
        return type(self).__name__.lower()

    def hide(self, hidden: Iterable[str]) -> None:
        """Leave these columns out."""
        for name in hidden:
            if name in self.base_columns and self.base_columns[name].hideable:
                self.columns.hide(name)

    @property
    def shown(self) -> set[str]:
        """The columns that are there."""
        return {found.name for found in self.columns}

    @property
    def choices(self) -> list[tuple[str, str, bool]]:
        """Name, title and presence of each column that may be hidden."""
        shown = self.shown
        return [
            (name, str(found.verbose_name), name in shown)
            for name, found in self.base_columns.items()
            if found.hideable
        ]


class Volumes(List):
    """Horizon's columns; the place of a volume is its pool."""

    name = column(_("Name"), "w232", "name", "id", hideable=False)
    size = column(_("Size"), "r w112", "size_gib", "id")
    status = column(_("Status"), "", "urgency", "created_at", hideable=False)
    pool = column(_("Pool"), "w178", "pool__node__name", "pool__vg_name", "pool__thin_pool_name", "id")
    attached = column(_("Attached to"), "w104")
    created = column(_("Created"), "md w104", "created_at", "id")

    class Meta(List.Meta):
        order_by = ("-status",)


class Snapshots(List):
    """The place of a snapshot is its volume's; a thick one fills its space and is lost when that is full."""

    name = column(_("Name"), "w232", "name", "id", hideable=False)
    volume = column(_("Volume"), "w178", "volume__name", "volume_id", "id")
    size = column(_("Size"), "r w80", "size_gib", "id")
    status = column(_("Status"), "", "urgency", "created_at", hideable=False)
    used = column(_("Space used"), "w132", "used", "id")
    created = column(_("Created"), "md w104", "created_at", "id")

    class Meta(List.Meta):
        order_by = ("-status",)


class Operations(List):
    """What was asked for."""

    status = column(_("Status"), "w120", "urgency", "created_at", hideable=False)
    operation = column(_("Operation"), "w264", "title", "id", hideable=False)
    outcome = column(_("Progress or outcome"), "")
    project = column(_("Project"), "lg w104", "project__name", "-created_at")
    node = column(_("Node"), "md w96", "node__name", "-created_at")
    by = column(_("Asked by"), "md w104", "actor_name", "-created_at")
    asked = column(_("Asked"), "w104", "created_at", "id")

    class Meta(List.Meta):
        order_by = ("-asked",)


VOLUME_CSV: Columns = {
    "ID": lambda v: v.pk,
    "Name": lambda v: v.name,
    "Description": lambda v: v.description,
    "Status": lambda v: v.status,
    "Status reason": lambda v: v.status_reason,
    "Size": lambda v: v.size_gib,
    "Project": lambda v: v.project.name,
    "Pool": lambda v: v.pool.label if v.pool else "",
    "Attached to": lambda v: "",
    "Metadata": lambda v: " ".join(f"{key}={text}" for key, text in v.metadata.items()),
    "Created": lambda v: v.created_at.isoformat(timespec="seconds"),
}
SNAPSHOT_CSV: Columns = {
    "ID": lambda s: s.pk,
    "Name": lambda s: s.name,
    "Description": lambda s: s.description,
    "Status": lambda s: s.status,
    "Status reason": lambda s: s.status_reason,
    "Size": lambda s: s.size_gib,
    "Volume": lambda s: str(s.volume),
    "Volume ID": lambda s: s.volume_id,
    "Project": lambda s: s.project.name,
    "Pool": lambda s: s.pool.label if s.pool else "",
    "Space": lambda s: round(s.cow_bytes / 1024**3, 2) if s.cow_bytes else "",
    "Space used percent": lambda s: "" if s.snap_percent is None else s.snap_percent,
    "Metadata": lambda s: " ".join(f"{key}={text}" for key, text in s.metadata.items()),
    "Created": lambda s: s.created_at.isoformat(timespec="seconds"),
}
OPERATION_CSV: Columns = {
    "ID": lambda o: o.pk,
    "Name": lambda o: o.title,
    "Status": lambda o: o.status,
    "Status reason": lambda o: o.reason,
    "Size": lambda o: o.target_size_gib or "",
    "Project": lambda o: o.project.name if o.project else "",
    "Node": lambda o: o.node.name if o.node else "",
    "Asked by": lambda o: o.actor_name,
    "Asked": lambda o: o.created_at.isoformat(timespec="seconds"),
    "Started": lambda o: o.started_at.isoformat(timespec="seconds") if o.started_at else "",
    "Finished": lambda o: o.finished_at.isoformat(timespec="seconds") if o.finished_at else "",
    "Target": lambda o: o.target_id or "",
}
NODE_CSV: Columns = {
    "ID": lambda n: n.pk,
    "Name": lambda n: n.name,
    "Status": lambda n: n.state,
    "Status reason": lambda n: n.state_reason,
    "Size": lambda n: round(n.size_bytes / 1024**3, 1),
    "Address": lambda n: f"{n.ssh_user}@{n.address}:{n.ssh_port}",
    "Zone": lambda n: n.zone,
    "Tags": lambda n: " ".join(n.tags),
    "Takes new volumes": lambda n: "yes" if n.enabled else f"no: {n.disabled_reason}",
    "Volumes": lambda n: n.volume_count,
    "LVM": lambda n: n.facts.get("lvm_version", ""),
    "Last seen": lambda n: n.last_seen_at.isoformat(timespec="seconds") if n.last_seen_at else "",
}
POOL_CSV: Columns = {
    "ID": lambda p: p.pk,
    "Name": lambda p: p.label,
    "Status": lambda p: "present" if p.present else "missing",
    "Status reason": lambda p: p.missing_reason or p.disabled_reason,
    "Size": lambda p: round(p.size_bytes / 1024**3, 1),
    "Kind": lambda p: p.kind,
    "Used": lambda p: round(p.used_bytes / 1024**3, 1),
    "Promised": lambda p: p.promised_gib,
    "Data percent": lambda p: "" if p.data_percent is None else p.data_percent,
    "Metadata percent": lambda p: "" if p.metadata_percent is None else p.metadata_percent,
    "Read": lambda p: p.facts_at.isoformat(timespec="seconds") if p.facts_at else "",
}
