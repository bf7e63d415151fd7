"""Every change of a status, kept for ever: who, from, to, why."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class StatusChange(models.Model):
    """One change. It names its object by kind and id, so it outlives the object."""

    kind = models.CharField(_("kind"), max_length=16)
    object_id = models.UUIDField(_("id"))
    project = models.ForeignKey("volumes.Project", null=True, on_delete=models.SET_NULL, related_name="+")
    from_status = models.CharField(_("from"), max_length=20, blank=True)
    to_status = models.CharField(_("to"), max_length=20)
    why = models.TextField(_("why"), blank=True)
    operation = models.ForeignKey("volumes.Operation", null=True, on_delete=models.SET_NULL, related_name="+")
    actor = models.ForeignKey("volumes.User", null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        ordering = ("-at", "-id")
        indexes = [models.Index(fields=["kind", "object_id", "-at"])]
        verbose_name = _("status change")
        verbose_name_plural = _("status changes")

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}: {self.from_status} > {self.to_status}"
