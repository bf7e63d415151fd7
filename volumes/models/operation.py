"""Operations: what somebody asked for."""

from datetime import datetime
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from volumes.models.base import Row
from volumes.models.node import Node
from volumes.models.project import Project

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from volumes.models.user import User


class OperationQuerySet(models.QuerySet["Operation"]):
    """Operations, and who sees which."""

    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """All for the administrator, those of their projects for everybody else."""
        if not user.is_authenticated:
            return self.none()
        return self if user.is_administrator else self.filter(project__memberships__user=user)

    def unfinished(self) -> Self:
        """Those that will still do something by themselves."""
        return self.filter(finished_at=None)


class Operation(Row):
    """What somebody asked for, with its steps and outcome. The queue only carries its id.

    `state` is the verb's memory between runs (the pool chosen, pools tried). `round` grows with every retry and with
    every pool tried: each round plans its own steps. While `lease_until` is ahead, exactly one runner walks it.
    """

    class Status(models.TextChoices):
        """Where it stands."""

        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        WAITING = "waiting", _("Waiting")
        SUCCEEDED = "succeeded", _("Succeeded")
        FAILED = "failed", _("Failed")
        ERRORED = "errored", _("Errored")
        CANCELLED = "cancelled", _("Cancelled")

    class Waits(models.TextChoices):
        """What it waits for."""

        NOTHING = "", ""
        UNIT = "unit", _("a unit on the node")
        PLACE = "place", _("a place on the node")
        NODE = "node", _("the node to answer")

    verb = models.CharField(_("verb"), max_length=32)
    title = models.CharField(_("title"), max_length=300)
    status = models.CharField(_("status"), max_length=9, choices=Status, default=Status.QUEUED, db_index=True)
    reason = models.TextField(_("reason"), blank=True)
    remedy = models.TextField(_("what to do"), blank=True)
    traceback = models.TextField(_("traceback"), blank=True)
    project = models.ForeignKey(Project, null=True, blank=True, on_delete=models.SET_NULL, related_name="operations")
    actor = models.ForeignKey("volumes.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    actor_name = models.CharField(_("asked by"), max_length=150, blank=True)
    target_kind = models.CharField(_("kind"), max_length=16, default="volume")
    target_id = models.UUIDField(_("target"), null=True)
    target_name = models.CharField(_("name"), max_length=255, blank=True)
    target_size_gib = models.PositiveIntegerField(_("size in GiB"), null=True)
    node = models.ForeignKey(Node, null=True, blank=True, on_delete=models.SET_NULL, related_name="operations")
    args = models.JSONField(default=dict, blank=True)
    state = models.JSONField(default=dict, blank=True)
    round = models.PositiveIntegerField(default=1)
    waits_for = models.CharField(_("waits for"), max_length=5, choices=Waits, default=Waits.NOTHING, blank=True)
    waits_text = models.TextField(blank=True)
    waits_since = models.DateTimeField(null=True, blank=True)
    run_after = models.DateTimeField(null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    cancel_asked_at = models.DateTimeField(_("cancel asked"), null=True, blank=True)
    cancel_asked_by = models.CharField(max_length=150, blank=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = OperationQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "id")
        indexes = [models.Index(fields=["target_kind", "target_id"]), models.Index(fields=["finished_at", "status"])]
        constraints = [
            models.UniqueConstraint(
                fields=["target_kind", "target_id"],
                condition=models.Q(finished_at=None, target_id__isnull=False),
                name="one_unfinished_operation_per_target",
            )
        ]
        verbose_name = _("operation")
        verbose_name_plural = _("operations")

    def __str__(self) -> str:
        return self.title

    @property
    def is_finished(self) -> bool:
        """Whether nothing will happen any more unless somebody asks."""
        return self.finished_at is not None

    @property
    def is_bad(self) -> bool:
        """Whether it ended without doing what was asked."""
        return self.status in {self.Status.FAILED, self.Status.ERRORED}

    @property
    def seconds(self) -> float:
        """How long it has run, or ran."""
        if self.started_at is None:
            return 0.0
        return ((self.finished_at or timezone.now()) - self.started_at).total_seconds()

    @property
    def queue_seconds(self) -> float:
        """How long it waited for a worker."""
        return ((self.started_at or timezone.now()) - self.created_at).total_seconds()

    @property
    def target(self) -> UUID:
        """The id of what it is about; every operation is about something."""
        if self.target_id is None:
            raise LookupError(f"{self} is about nothing.")
        return self.target_id

    def is_leased(self, now: datetime | None = None) -> bool:
        """Whether a runner walks it right now."""
        return self.lease_until is not None and self.lease_until > (now or timezone.now())
