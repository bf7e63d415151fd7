"""Pools: one volume group (thick) or one thin pool in it."""

from typing import Any

from django.apps import apps
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from volumes.models.base import Row
from volumes.models.node import Node

GIB = 1024**3
LVM_NAME = RegexValidator(r"^[A-Za-z0-9_+.][A-Za-z0-9_+.-]*$", _("A name LVM accepts."))


class PoolQuerySet(models.QuerySet["Pool"]):
    """Pools with what is promised in them."""

    def with_promises(self) -> "PoolQuerySet":
        """Adds `promised_gib` (volumes with their growth, and thin snapshots), `pending_bytes` (what its last facts cannot show
        yet) and `is_scrubbed` (all of its free space is being wiped right now)."""
        unseen = models.Q(allocated_at=None) | models.Q(allocated_at__gte=models.OuterRef("facts_at"))
        size, growth, cow = models.F("size_gib"), models.F("growth_gib"), models.F("cow_bytes")
        volumes, snapshots = rows_of("Volume", "pool"), rows_of("Snapshot", "volume__pool")
        return self.annotate(
            promised_gib=total_of(volumes, size + growth)
            + total_of(snapshots.exclude(volume__pool__thin_pool_name=""), size),
            pending_bytes=total_of(volumes.filter(unseen), size) * GIB
            + total_of(volumes, growth) * GIB
            + total_of(snapshots.filter(unseen), cow),
            is_scrubbed=models.Exists(
                rows_of("Operation", "target_id").filter(target_kind="pool", verb="scrub_pool", finished_at=None)
            ),
        ).select_related("node")


def rows_of(model: str, link: str) -> "models.QuerySet[Any]":
    """The rows of a model whose `link` is the row of the query around it."""
    rows: models.QuerySet[Any] = apps.get_model("volumes", model)._default_manager.order_by()
    return rows.filter(**{link: models.OuterRef("pk")})


def total_of(rows: "models.QuerySet[Any]", value: Any) -> Coalesce:
    """The sum over these rows, 0 where there are none; several kinds of rows in one join would multiply each other."""
    amount = models.Value(value) if isinstance(value, int) else value
    grouped = rows.annotate(one=models.Value(1)).values("one").annotate(total=models.Sum(amount)).values("total")
    big = models.BigIntegerField()
    return Coalesce(models.Subquery(grouped, output_field=big), 0, output_field=big)


class Pool(Row):
    """The unit of capacity and of placement. Sizes and percentages are the node's last word, of `facts_at`.

    `free_space_is_clean` is a promise about bytes: everything free in here reads as zeroes, because Hearth made the pool
    empty and has wiped and verified whatever was freed since. While it does not hold, new extents are zeroed first.
    """

    class WipeMethod(models.TextChoices):
        """What happens to the bytes of a deleted thick volume."""

        ZERO = "zero", _("zero: overwrite with zeroes, read back")
        NONE = ("none", _("none: leave the bytes for the next volume's owner to find unless zeroed at creation"))

    node = models.ForeignKey(Node, on_delete=models.PROTECT, related_name="pools")
    vg_name = models.CharField(_("volume group"), max_length=127, validators=[LVM_NAME])
    vg_uuid = models.CharField(_("UUID of the volume group"), max_length=38, blank=True, editable=False)
    thin_pool_name = models.CharField(_("thin pool"), max_length=127, blank=True, validators=[LVM_NAME])
    enabled = models.BooleanField(_("takes new volumes"), default=True)
    disabled_reason = models.CharField(_("why not"), max_length=255, blank=True)
    wipe_method = models.CharField(_("wipe"), max_length=4, choices=WipeMethod, default=WipeMethod.ZERO)
    free_space_is_clean = models.BooleanField(
        _("free space is clean"),
        default=False,
        help_text=_("Tick only if every free byte reads as zero. Otherwise new volumes are zeroed first."),
    )
    over_subscription = models.FloatField(_("over-subscription"), default=1.5, validators=[MinValueValidator(1.0)])
    present = models.BooleanField(_("found on the node"), default=True)
    missing_reason = models.TextField(_("reason"), blank=True)
    facts_at = models.DateTimeField(_("facts of"), null=True, blank=True)
    facts = models.JSONField(_("facts"), default=dict, blank=True)
    size_bytes = models.BigIntegerField(_("size"), default=0)
    free_bytes = models.BigIntegerField(_("free"), default=0)
    extent_size_bytes = models.BigIntegerField(_("extent"), default=4 * 1024 * 1024)
    data_percent = models.FloatField(_("data used"), null=True, blank=True)
    metadata_percent = models.FloatField(_("metadata used"), null=True, blank=True)

    objects = PoolQuerySet.as_manager()

    class Meta:
        ordering = ("node__name", "vg_name", "thin_pool_name")
        constraints = [models.UniqueConstraint(fields=["node", "vg_name", "thin_pool_name"], name="one_row_per_pool")]
        verbose_name = _("pool")
        verbose_name_plural = _("pools")

    def __str__(self) -> str:
        return self.label

    @property
    def is_thin(self) -> bool:
        """Whether volumes in here take space only as they are written."""
        return bool(self.thin_pool_name)

    @property
    def kind(self) -> str:
        """`thick` or `thin`."""
        return "thin" if self.is_thin else "thick"

    @property
    def lvm_name(self) -> str:
        """How LVM writes it: `vg` or `vg/thin`."""
        return f"{self.vg_name}/{self.thin_pool_name}" if self.is_thin else self.vg_name

    @property
    def leaves_bytes(self) -> bool:
        """Whether what was written to a volume stays on the disk when it is deleted."""
        return not self.is_thin and self.wipe_method == self.WipeMethod.NONE

    @property
    def scrub_lv_name(self) -> str:
        """The LV that holds all free extents while they are scrubbed."""
        return f"scrub-{self.pk}"

    @property
    def label(self) -> str:
        """How pages write it: `node / vg` or `node / vg / thin`."""
        return " / ".join(filter(None, (self.node.name, self.vg_name, self.thin_pool_name)))

    @property
    def used_bytes(self) -> int:
        """Extents taken (thick), or data written (thin)."""
        if self.is_thin:
            return round(self.size_bytes * (self.data_percent or 0) / 100)
        return self.size_bytes - self.free_bytes
