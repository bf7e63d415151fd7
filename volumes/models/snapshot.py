"""Snapshots: a volume at one moment, in the same pool. A snapshot leans on its volume; it is not a backup."""

from typing import ClassVar, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from volumes.models.owned import Owned, OwnedQuerySet
from volumes.models.pool import Pool, rows_of, total_of
from volumes.models.project import Project
from volumes.models.volume import Status, Volume

NEARLY_FULL_PERCENT = 80.0
"""From here on a thick snapshot is warned about and grown: at 100 % it is lost."""


class SnapshotStatus(models.TextChoices):
    """The words are Cinder's; `invalid` is LVM's: its copy-on-write space overflowed, and its content is lost."""

    AVAILABLE = "available", _("Available")
    CREATING = "creating", _("Creating")
    RESTORING = "restoring", _("Restoring")
    DELETING = "deleting", _("Deleting")
    ERROR = "error", _("Error")
    ERROR_DELETING = "error_deleting", _("Error deleting")
    INVALID = "invalid", _("Invalid")


SNAPSHOT_BAD = frozenset({SnapshotStatus.ERROR, SnapshotStatus.ERROR_DELETING, SnapshotStatus.INVALID})
SNAPSHOT_MOVING = frozenset({SnapshotStatus.CREATING, SnapshotStatus.RESTORING, SnapshotStatus.DELETING})
SNAPSHOT_DELETABLE = frozenset({SnapshotStatus.AVAILABLE, *SNAPSHOT_BAD})


class SnapshotQuerySet(OwnedQuerySet["Snapshot"]):
    """Snapshots, and what leans on them."""

    def with_leaning(self) -> Self:
        """Adds `copy_count`, the volumes being made from it: see `rules`."""
        copies = rows_of("Volume", "source_snapshot").filter(status=Status.CREATING)
        return self.annotate(copy_count=total_of(copies, 1))


class Snapshot(Owned):
    """`size_gib` is its volume's size of that moment. A thick one keeps what was overwritten since in `cow_bytes`."""

    kind: ClassVar[str] = "snapshot"
    lv_prefix: ClassVar[str] = "snap-"  # LVM keeps names that begin with "snapshot" for itself

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="snapshots")
    volume = models.ForeignKey(Volume, on_delete=models.PROTECT, related_name="snapshots")
    status = models.CharField(
        _("status"), max_length=20, choices=SnapshotStatus, default=SnapshotStatus.CREATING, db_index=True
    )
    cow_bytes = models.BigIntegerField(_("copy-on-write space"), default=0)
    snap_percent = models.FloatField(_("copy-on-write space used"), null=True, blank=True)

    objects = SnapshotQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "id")
        verbose_name = _("snapshot")
        verbose_name_plural = _("snapshots")

    @property
    def is_moving(self) -> bool:
        """Whether an operation is under way on it."""
        return self.status in SNAPSHOT_MOVING

    @property
    def is_bad(self) -> bool:
        """Whether it needs somebody."""
        return self.status in SNAPSHOT_BAD

    @property
    def is_nearly_full(self) -> bool:
        """Whether what is overwritten in the volume will soon no longer fit. One as large as its volume cannot overflow."""
        if self.cow_bytes >= self.size_bytes + self.size_bytes // 256:
            return False
        return self.status == SnapshotStatus.AVAILABLE and (self.snap_percent or 0.0) >= NEARLY_FULL_PERCENT

    @property
    def pool(self) -> Pool | None:
        """Where it is: where its volume is."""
        return self.volume.pool
