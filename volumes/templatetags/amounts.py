"""Numbers and times as people read them. The exact value always goes into the title."""

import shlex
from collections.abc import Sequence
from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from volumes.models import Volume
from volumes.nodes.keys import parse_host_key

register = template.Library()

GIB = 1024**3
MIB = 1024**2


def number(value: float, decimals: int = 0) -> str:
    """With thousands separated, as the language writes it."""
    return number_format(round(value, decimals), decimals, use_l10n=True, force_grouping=True)


@register.filter
def gib_number(size_bytes: float) -> str:
    """Bytes as GiB: one decimal under 100 GiB unless it is whole."""
    value = size_bytes / GIB
    whole = value >= 100 or abs(value - round(value)) < 0.05
    return number(value, 0 if whole else 1)


@register.filter
def mib_number(size_bytes: float) -> str:
    """Bytes as whole MiB."""
    return number(size_bytes / MIB)


@register.filter
def gib(size_bytes: float | None) -> SafeString:
    """Bytes as GiB, exact bytes in the title."""
    if size_bytes is None:
        return mark_safe('<span class="faint">–</span>')
    exact = _("%(count)s bytes") % {"count": number(size_bytes)}
    return format_html('<span title="{}">{} <span class="u">GiB</span></span>', exact, gib_number(size_bytes))


@register.filter
def size(size_gib: int) -> SafeString:
    """Whole GiB, exact bytes in the title."""
    return gib(size_gib * GIB)


@register.filter
def size_of(volume: Volume) -> SafeString:
    """Its size, and while it grows also the one it shall have: `1 → 3 GiB`."""
    if not volume.growth_gib:
        return size(volume.size_gib)
    then = volume.size_gib + volume.growth_gib
    title = _("%(now)s to %(then)s bytes") % {"now": number(volume.size_bytes), "then": number(then * GIB)}
    return format_html(
        '<span class="h-grow" title="{}">{}<span aria-hidden="true">→</span><span class="visually-hidden"> {} </span>{} '
        '<span class="u">GiB</span></span>',
        title,
        number(volume.size_gib),
        _("to"),
        number(then),
    )


@register.filter
def percent(value: float | None) -> str:
    """`43 %`, or a dash where nothing is known."""
    return "–" if value is None else f"{value:.0f} %"


@register.filter
def rate(bytes_per_s: float | None) -> str:
    """`288 MiB/s`."""
    if not bytes_per_s:
        return ""
    value = bytes_per_s / MIB
    return _("%(rate)s MiB/s") % {"rate": number(value, 0 if value >= 10 else 1)}


@register.filter
def took(seconds: float | None) -> str:
    """How long something took: `0.45 s`, `14.2 s`, `2 min 12 s`, `1 h 05 min`."""
    if seconds is None:
        return ""
    if seconds < 59.95:
        decimals = 2 if seconds < 1 else 1 if seconds < 20 else 0
        return _("%(s)s s") % {"s": number(seconds, decimals)}
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return _("%(min)d min %(s)02d s") % {"min": minutes, "s": rest}
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return _("%(h)d h %(min)02d min") % {"h": hours, "min": minutes}
    return _("%(d)d d %(h)d h") % {"d": hours // 24, "h": hours % 24}


@register.filter
def running(seconds: float | None) -> str:
    """How long something has run so far, in whole seconds, so that it does not flicker."""
    if seconds is None or seconds >= 59.5:
        return took(seconds)
    return _("%(s)d s") % {"s": int(seconds)}


@register.filter
def coarse(seconds: float | None) -> str:
    """A span that is an estimate: `41 s`, `17 min`, `3 h`, `2 d`."""
    if seconds is None:
        return ""
    if seconds < 99.5:
        return _("%(s)d s") % {"s": max(1, round(seconds))}
    if seconds < 5400:
        return _("%(min)d min") % {"min": round(seconds / 60)}
    if seconds < 36 * 3600:
        return _("%(h)d h") % {"h": round(seconds / 3600)}
    return _("%(d)d d") % {"d": round(seconds / 86400)}


@register.filter
def about(seconds: float | None) -> str:
    """An estimate in words: `about 1 min 10 s`."""
    if seconds is None:
        return ""
    rounded = max(1.0, float(round(seconds / 5) * 5 if seconds >= 60 else round(seconds)))
    return _("about %(time)s") % {"time": running(rounded)}


@register.filter
def ago(moment: datetime) -> str:
    """`4 min ago`, `yesterday`, `12 Feb`."""
    now = timezone.now()
    age = now - moment
    if age < timedelta(seconds=5):
        return _("just now")
    if age < timedelta(hours=24):
        return _("%(span)s ago") % {"span": coarse(age.total_seconds())}
    days = (timezone.localdate(now) - timezone.localdate(moment)).days
    if days <= 1:
        return _("yesterday")
    if days < 8:
        return ngettext("%(d)d d ago", "%(d)d d ago", days) % {"d": days}
    return date_format(timezone.localtime(moment), "j M" if moment.year == now.year else "j M Y")


def exact(moment: datetime) -> str:
    """To the second, with the zone."""
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S %Z}"


@register.simple_tag
def when(moment: datetime | None, style: str = "ago") -> SafeString:
    """A `<time>`: `ago`, `span` (without the word "ago"), `clock` (12:02, or the day when it was not today) or `clock-s` (12:02:26); exact in the title."""
    if moment is None:
        return mark_safe('<span class="faint">–</span>')
    local = timezone.localtime(moment)
    text = {
        "ago": lambda: ago(moment),
        "span": lambda: coarse((timezone.now() - moment).total_seconds()),
        "clock": lambda: f"{local:%H:%M}" if local.date() == timezone.localdate() else date_format(local, "j M"),
        "clock-s": lambda: f"{local:%H:%M:%S}",
        "day": lambda: date_format(local, "j M Y"),
    }[style]()
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', moment.isoformat(timespec="seconds"), exact(moment), text
    )


@register.filter
def shell(argv: Sequence[str]) -> str:
    """A command as one would type it."""
    return shlex.join(str(word) for word in argv)


@register.filter
def clock(text: str) -> datetime | None:
    """The ISO moment that a JSON field holds."""
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None


@register.simple_tag
def skew(seconds: float) -> SafeString:
    """How far a node's clock is off; a second is nothing, half a minute is something."""
    off = abs(seconds)
    if off < 1:
        return format_html("{}", _("right"))
    words = _("%(span)s ahead") if seconds > 0 else _("%(span)s behind")
    return format_html('<span class="{}">{}</span>', "warn" if off >= 30 else "", words % {"span": took(off)})


@register.filter
def fingerprint(host_key: str) -> str:
    """SHA256:… of a pinned key, as `ssh-keygen -lf` prints it."""
    try:
        return parse_host_key(host_key).fingerprint
    except ValueError:
        return ""
