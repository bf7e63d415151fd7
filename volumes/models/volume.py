"""Volumes: promises made to projects."""

from typing import ClassVar, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from volumes.models.owned import Owned, OwnedQuerySet
from volumes.models.pool import Pool, rows_of, total_of
from volumes.models.project import Project


class Status(models.TextChoices):
    """The words are Cinder's."""

    AVAILABLE = "available", _("Available")
    IN_USE = "in-use", _("In use")
    CREATING = "creating", _("Creating")
    ATTACHING = "attaching", _("Attaching")
    DETACHING = "detaching", _("Detaching")
    EXTENDING = "extending", _("Extending")
    BACKING_UP = "backing-up", _("Backing up")
    RESTORING_BACKUP = "restoring-backup", _("Restoring backup")
    REVERTING = "reverting", _("Reverting")
    RETYPING = "retyping", _("Changing type")
    MIGRATING = "migrating", _("Migrating")
    DELETING = "deleting", _("Deleting")
    AWAITING_TRANSFER = "awaiting-transfer", _("Awaiting transfer")
    ERROR = "error", _("Error")
    ERROR_DELETING = "error_deleting", _("Error deleting")
    ERROR_EXTENDING = "error_extending", _("Error extending")
    ERROR_RESTORING = "error_restoring", _("Error restoring")
    ERROR_ATTACHING = "error_attaching", _("Error attaching")
    ERROR_DETACHING = "error_detaching", _("Error detaching")
    ERROR_REVERTING = "error_reverting", _("Error reverting")


GOOD = frozenset({Status.AVAILABLE, Status.IN_USE})
RESTING = frozenset({Status.AWAITING_TRANSFER})
BAD = frozenset(status for status in Status if status.value.startswith("error"))
MOVING = frozenset(Status) - GOOD - RESTING - BAD
DELETABLE = frozenset(
    {
        Status.AVAILABLE,
        Status.ERROR,
        Status.ERROR_DELETING,
        Status.ERROR_EXTENDING,
        Status.ERROR_RESTORING,
        Status.ERROR_ATTACHING,
        Status.ERROR_REVERTING,
    }
)


class VolumeQuerySet(OwnedQuerySet["Volume"]):
    """Volumes, and what leans on them."""

    def with_leaning(self) -> Self:
        """Adds `snapshot_count`, `moving_snapshot_count` and `copy_count` (volumes being made from it): see `rules.leaning`."""
        snapshots = rows_of("Snapshot", "volume")
        copies = rows_of("Volume", "source_volume").filter(status=Status.CREATING)
        return self.annotate(
            snapshot_count=total_of(snapshots, 1),
            moving_snapshot_count=total_of(snapshots.filter(status__in=MOVING), 1),
            copy_count=total_of(copies, 1),
        )


class Volume(Owned):
    """A promise made to a project. Its block device on a node is `lv_name` in its pool's volume group.

    `growth_gib` is what an extension under way adds: promised and counted already, and not there yet. While it is being
    created, what it is copied from (`source_volume`, `source_snapshot`) is held against deletion.
    """

    kind: ClassVar[str] = "volume"
    lv_prefix: ClassVar[str] = "volume-"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="volumes")
    status = models.CharField(_("status"), max_length=20, choices=Status, default=Status.CREATING, db_index=True)
    pool = models.ForeignKey(Pool, null=True, blank=True, on_delete=models.PROTECT, related_name="volumes")
    growth_gib = models.PositiveIntegerField(_("growing by, in GiB"), default=0)
    source_volume = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="copies")
    source_snapshot = models.ForeignKey(
        "volumes.Snapshot", null=True, blank=True, on_delete=models.SET_NULL, related_name="copies"
    )

    objects = VolumeQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "id")
        constraints = [models.CheckConstraint(condition=models.Q(size_gib__gte=1), name="volume_has_a_size")]
        verbose_name = _("volume")
        verbose_name_plural = _("volumes")

    @property
    def is_moving(self) -> bool:
        """Whether an operation is under way on it."""
        return self.status in MOVING

    @property
    def is_bad(self) -> bool:
        """Whether it needs somebody."""
        return self.status in BAD
