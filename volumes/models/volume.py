"""Volumes: promises made to projects."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

from django.db import models, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from volumes.errors import Conflict
from volumes.models.base import Row
from volumes.models.history import StatusChange
from volumes.models.pool import GIB, Pool
from volumes.models.project import Project

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from volumes.models.operation import Operation
    from volumes.models.user import User


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


class VolumeQuerySet(models.QuerySet["Volume"]):
    """Volumes, and who sees which."""

    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """All for the administrator, those of their projects for everybody else."""
        if not user.is_authenticated:
            return self.none()
        return self if user.is_administrator else self.filter(project__memberships__user=user)


class Volume(Row):
    """A promise made to a project. Its block device on a node is `lv_name` in its pool's volume group."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="volumes")
    name = models.CharField(_("name"), max_length=255, blank=True)
    description = models.CharField(_("description"), max_length=255, blank=True)
    size_gib = models.PositiveIntegerField(_("size in GiB"))
    status = models.CharField(_("status"), max_length=20, choices=Status, default=Status.CREATING, db_index=True)
    status_reason = models.TextField(_("status reason"), blank=True)
    pool = models.ForeignKey(Pool, null=True, blank=True, on_delete=models.PROTECT, related_name="volumes")
    metadata = models.JSONField(_("metadata"), default=dict, blank=True)
    allocated_at = models.DateTimeField(_("made on the node"), null=True, blank=True)
    created_by = models.ForeignKey("volumes.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    last_operation = models.ForeignKey(
        "volumes.Operation", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = VolumeQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "id")
        constraints = [models.CheckConstraint(condition=models.Q(size_gib__gte=1), name="volume_has_a_size")]
        verbose_name = _("volume")
        verbose_name_plural = _("volumes")

    def __str__(self) -> str:
        return self.name or str(self.id)

    @property
    def lv_name(self) -> str:
        """The name of its LV: ours alone, nothing a person typed is in it."""
        return f"volume-{self.id}"

    @property
    def size_bytes(self) -> int:
        """Size in bytes."""
        return self.size_gib * GIB

    @property
    def is_moving(self) -> bool:
        """Whether an operation is under way on it."""
        return self.status in MOVING

    @property
    def is_bad(self) -> bool:
        """Whether it needs somebody."""
        return self.status in BAD

    def transition(
        self,
        *,
        expect: Iterable[str],
        to: str,
        why: str = "",
        operation: "Operation | None" = None,
        actor: "User | None" = None,
        **fields: Any,
    ) -> None:
        """Move to `to` if still in `expect`, otherwise raise Conflict. One UPDATE decides, so of two requests one wins."""
        expected = set(expect)
        with transaction.atomic():
            before = Volume.objects.filter(pk=self.pk).values_list("status", flat=True).first()
            won = (
                before is not None
                and before in expected
                and Volume.objects.filter(pk=self.pk, status=before).update(
                    status=to, status_reason=why, updated_at=Now(), **fields
                )
            )
            if won:
                StatusChange.objects.create(
                    kind="volume",
                    object_id=self.pk,
                    project_id=self.project_id,
                    from_status=before or "",
                    to_status=to,
                    why=why,
                    operation=operation,
                    actor=actor,
                )
        if before is None:
            raise Conflict(gettext("%(name)s no longer exists.") % {"name": self})
        self.refresh_from_db()
        if not won:
            raise Conflict(
                gettext("%(name)s is %(status)s.") % {"name": self, "status": self.get_status_display().lower()}
            )
