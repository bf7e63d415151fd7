"""Drift: where rows and nodes differ, as reconcile saw it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from volumes.models.node import Node
from volumes.models.pool import Pool


class Drift(models.Model):
    """One difference. It goes away by itself when a later look no longer finds it."""

    class Kind(models.TextChoices):
        """What differs."""

        LV_WITHOUT_ROW = "lv_without_row", _("LV without a row")
        ROW_WITHOUT_LV = "row_without_lv", _("row without an LV")
        SIZE_DIFFERS = "size_differs", _("size differs")
        FOREIGN_LV = "foreign_lv", _("LV made outside Hearth")
        POOL_MISSING = "pool_missing", _("pool missing")
        THIN_FULL = "thin_full", _("thin pool nearly full")
        NOT_ZEROING = "not_zeroing", _("thin pool does not zero new blocks")
        CLOCK_SKEW = "clock_skew", _("clock differs")
        UNIT_WITHOUT_STEP = "unit_without_step", _("unit without a step")

    node = models.ForeignKey(Node, on_delete=models.CASCADE, related_name="drifts")
    pool = models.ForeignKey(Pool, null=True, on_delete=models.CASCADE, related_name="drifts")
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    subject = models.CharField(_("subject"), max_length=300)
    detail = models.TextField(_("detail"))
    first_seen_at = models.DateTimeField(_("first seen"), auto_now_add=True)
    last_seen_at = models.DateTimeField(_("last seen"))

    class Meta:
        ordering = ("first_seen_at", "id")
        constraints = [models.UniqueConstraint(fields=["node", "kind", "subject"], name="one_row_per_drift")]
        verbose_name = _("drift")
        verbose_name_plural = _("drift")

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.subject}"
