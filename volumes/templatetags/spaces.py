"""The copy-on-write space of thick snapshots: how full it is, and what happens when it is full."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from volumes.models import GIB, Snapshot, SnapshotStatus
from volumes.templatetags.amounts import gib_number, number
from volumes.templatetags.marks import USED_BAD, USED_WARN, gauge, use_bar

register = template.Library()

FULL_PER_GIB = GIB // 256 * 257
"""Copy-on-write space for each GiB of a volume, with its metadata, that no overwriting can fill."""


@register.filter
def overflows(snapshot: Snapshot) -> bool:
    """Whether a thick snapshot could be lost by what its volume still overwrites."""
    return 0 < snapshot.cow_bytes < snapshot.size_gib * FULL_PER_GIB


@register.filter
def overflow_sentence(snapshot: Snapshot) -> str:
    """How full a thick snapshot is that will soon be lost, and what that means; empty for all others."""
    if not (snapshot.is_nearly_full and overflows(snapshot)):
        return ""
    used = snapshot.cow_bytes * (snapshot.snap_percent or 0) / 100
    words = {"used": gib_number(used), "all": gib_number(snapshot.cow_bytes)}
    said = _(
        "%(used)s of the %(all)s GiB for what its volume overwrites are full. At 100 %% the snapshot is lost, the volume is not."
    )
    return said % words


@register.simple_tag
def space_bar(snapshot: Snapshot) -> SafeString:
    """How full a thick snapshot's space is, with the tick from which it warns; a thin one has no space of its own."""
    if not snapshot.cow_bytes:
        return format_html('<span class="faint">{}</span>', _("shares blocks"))
    percent = snapshot.snap_percent
    if snapshot.status == SnapshotStatus.INVALID:
        percent = 100.0
    if percent is None:
        return format_html('<span class="faint">{}</span>', _("not read yet"))
    label = _("%(percent).0f %% of %(all)s GiB copy-on-write space used") % {
        "percent": percent,
        "all": gib_number(snapshot.cow_bytes),
    }
    bar, css = use_bar(percent, None, label=label), ""
    if overflows(snapshot):
        bar = gauge(percent, USED_WARN, label)
        css = "bad" if percent >= USED_BAD else "warn" if percent >= USED_WARN else ""
    return format_html(
        '<span class="h-space" title="{}">{} <b class="{}">{} %</b></span>', label, bar, css, number(percent)
    )
