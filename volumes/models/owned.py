"""What a project owns on nodes: volumes, and what leans on them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from django.db import models, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from volumes.errors import Conflict
from volumes.models.base import Row
from volumes.models.history import StatusChange
from volumes.models.pool import GIB

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from volumes.models.operation import Operation
    from volumes.models.user import User


T = TypeVar("T", bound=models.Model)


class OwnedQuerySet(models.QuerySet[T]):
    """Rows of projects, and who sees which."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """All for the administrator, those of their projects for everybody else."""
        if not user.is_authenticated:
            return self.none()
        return self if user.is_administrator else self.filter(project__memberships__user=user)


class Owned(Row):
    """Something of a project whose status operations move. `kind` names it in operations and in the history."""

    kind: ClassVar[str]
    lv_prefix: ClassVar[str]

    name = models.CharField(_("name"), max_length=255, blank=True)
    description = models.CharField(_("description"), max_length=255, blank=True)
    size_gib = models.PositiveIntegerField(_("size in GiB"))
    status_reason = models.TextField(_("status reason"), blank=True)
    metadata = models.JSONField(_("metadata"), default=dict, blank=True)
    allocated_at = models.DateTimeField(_("made on the node"), null=True, blank=True)
    created_by = models.ForeignKey("volumes.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    last_operation = models.ForeignKey(
        "volumes.Operation", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name or str(self.id)

    @property
    def lv_name(self) -> str:
        """The name of its LV: ours alone, nothing a person typed is in it."""
        return f"{self.lv_prefix}{self.id}"

    @property
    def size_bytes(self) -> int:
        """Size in bytes."""
        return self.size_gib * GIB

    def transition(
        self,
        *,
        expect: Iterable[str],
        to: str,
        why: str = "",
        operation: Operation | None = None,
        actor: User | None = None,
        **fields: Any,
    ) -> None:
        """Move to `to` if still in `expect`, otherwise raise Conflict. One UPDATE decides, so of two requests one wins."""
        manager: models.Manager[Any] = type(self)._default_manager  # the field `status` is its children's
        expected, rows = set(expect), manager.filter(pk=self.pk)
        with transaction.atomic():
            before = rows.values_list("status", flat=True).first()
            won = (
                before is not None
                and before in expected
                and rows.filter(status=before).update(status=to, status_reason=why, updated_at=Now(), **fields)
            )
            if won:
                self.remember(before or "", to, why=why, operation=operation, actor=actor)
        if before is None:
            raise Conflict(gettext("%(name)s no longer exists.") % {"name": self})
        self.refresh_from_db()
        if not won:
            raise Conflict(
                gettext("%(name)s is %(status)s.") % {"name": self, "status": self.get_status_display().lower()}  # type: ignore[attr-defined]
            )

    def remember(
        self,
        before: str,
        to: str,
        *,
        why: str = "",
        operation: Operation | None = None,
        actor: User | None = None,
    ) -> None:
        """Write a change of status into the history."""
        StatusChange.objects.create(
            kind=self.kind,
            object_id=self.pk,
            project_id=self.project_id,  # type: ignore[attr-defined]
            from_status=before,
            to_status=to,
            why=why,
            operation=operation,
            actor=actor,
        )
