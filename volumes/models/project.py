"""Projects: owners of volumes, with a quota and members."""

from typing import TYPE_CHECKING, Self

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from volumes.models.base import Row

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from volumes.models.user import User

UNLIMITED = -1


class ProjectQuerySet(models.QuerySet["Project"]):
    """Projects, and who sees which."""

    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """All for the administrator, their own for everybody else."""
        if not user.is_authenticated:
            return self.none()
        return self if user.is_administrator else self.filter(memberships__user=user)


class Project(Row):
    """Owner of volumes. Quotas count promises: volumes in error count until they are deleted. -1 is unlimited."""

    name = models.CharField(_("name"), max_length=64, unique=True)
    description = models.CharField(_("description"), max_length=255, blank=True)
    quota_volumes = models.IntegerField(_("volumes"), default=10, validators=[MinValueValidator(UNLIMITED)])
    quota_gib = models.IntegerField(_("volume space in GiB"), default=1000, validators=[MinValueValidator(UNLIMITED)])
    quota_snapshots = models.IntegerField(_("snapshots"), default=10, validators=[MinValueValidator(UNLIMITED)])

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        verbose_name = _("project")
        verbose_name_plural = _("projects")

    def __str__(self) -> str:
        return self.name

    def used(self) -> tuple[int, int]:
        """How many volumes this project has, and how many GiB it holds: volumes, what they are growing by, snapshots."""
        sums = self.volumes.aggregate(count=models.Count("id"), gib=Sum(models.F("size_gib") + models.F("growth_gib")))
        snapshots = self.snapshots.aggregate(gib=Sum("size_gib"))
        return sums["count"], (sums["gib"] or 0) + (snapshots["gib"] or 0)


class Membership(models.Model):
    """What a person may do in a project."""

    class Role(models.TextChoices):
        """A member acts, a reader looks."""

        MEMBER = "member", _("member")
        READER = "reader", _("reader")

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey("volumes.User", on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=6, choices=Role, default=Role.MEMBER)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="one_role_per_project")]
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()})"
