"""Icons, status words, bars. Status is always icon, word and colour together."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from volumes.models import (
    BAD,
    MOVING,
    RESTING,
    SNAPSHOT_BAD,
    SNAPSHOT_MOVING,
    Node,
    Operation,
    Pool,
    Snapshot,
    Status,
    Step,
    Volume,
)
from volumes.templatetags.amounts import number

register = template.Library()

USED_WARN, USED_BAD, PROMISED_WARN, QUOTA_WARN, QUOTA_BAD = 80.0, 95.0, 90.0, 90.0, 100.0
"""Percentages from which a bar turns amber or red; the same everywhere."""


@cache
def sprite() -> str:
    """Where the icons are."""
    return static("icons.svg")


@register.simple_tag
def icon(name: str, *classes: str) -> SafeString:
    """A decorative icon. `small`, `spin` and colour words are classes."""
    words = " ".join("i-s" if word == "small" else word for word in classes)
    css = f"i {words}".strip()
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}#i-{}"/></svg>', css, sprite(), name)


def mark(kind: str, name: str, word: str, *, pill: bool = False, quiet: bool = False) -> SafeString:
    """Icon, word and colour. `quiet` leaves the word of a good end to screen readers."""
    picture = icon(name, "spin") if name == "loader-2" else icon(name)
    css = f"h-st {kind} pill" if pill else f"h-st {kind}"
    hidden = "visually-hidden" if quiet and kind == "good" else "w"
    return format_html('<span class="{}">{} <span class="{}">{}</span></span>', css, picture, hidden, word)


def volume_mark(volume: Volume) -> tuple[str, str, str]:
    """Colour, icon and word of a volume's status. Every status falls in exactly one class; an unknown one is a bug."""
    word = volume.get_status_display()
    if volume.status in BAD:
        return "bad", "alert-octagon", word
    if volume.status in MOVING:
        return "move", "loader-2", word
    if volume.status in RESTING:
        return "rest", "hourglass", word
    return "good", "plug-connected" if volume.status == Status.IN_USE else "circle-check", word


def snapshot_mark(snapshot: Snapshot) -> tuple[str, str, str]:
    """Colour, icon and word of a snapshot's status."""
    word = snapshot.get_status_display()
    if snapshot.status in SNAPSHOT_BAD:
        return "bad", "alert-octagon", word
    if snapshot.status in SNAPSHOT_MOVING:
        return "move", "loader-2", word
    return "good", "circle-check", word


def operation_mark(operation: Operation) -> tuple[str, str, str]:
    """Colour, icon and word. An operation whose unit works on the node is running, whatever the worker does."""
    of = Operation.Status
    if operation.status == of.WAITING and operation.waits_for == Operation.Waits.UNIT:
        return "move", "loader-2", _("Running")
    return {
        of.QUEUED: ("rest", "hourglass", _("Queued")),
        of.RUNNING: ("move", "loader-2", _("Running")),
        of.WAITING: ("rest", "hourglass", _("Waiting")),
        of.SUCCEEDED: ("good", "circle-check", _("Done")),
        of.FAILED: ("bad", "alert-octagon", _("Failed")),
        of.ERRORED: ("bad", "alert-octagon", _("Errored")),
        of.CANCELLED: ("rest", "circle-x", _("Cancelled")),
    }[of(operation.status)]


def node_mark(node: Node) -> tuple[str, str, str]:
    """Colour, icon and word. Silence outweighs an old "up"."""
    if not node.host_key:
        return "warn", "key", _("Key not confirmed")
    if node.state == Node.State.BROKEN:
        return "bad", "alert-octagon", _("Cannot be used")
    if node.state == Node.State.UNREACHABLE or (node.state == Node.State.UP and node.is_silent):
        return "bad", "server-off", _("Not answering")
    if node.state == Node.State.UNKNOWN:
        return "rest", "hourglass", _("Not asked yet")
    return ("good", "circle-check", _("Up")) if node.enabled else ("rest", "ban", _("Up, takes no new volumes"))


STEP_MARKS = {
    Step.Status.WAITING: ("wait", "circle-dashed"),
    Step.Status.RUNNING: ("now", "loader-2"),
    Step.Status.DONE: ("done", "circle-check"),
    Step.Status.SKIPPED: ("skip", "circle-minus"),
    Step.Status.FAILED: ("failed", "alert-octagon"),
    Step.Status.UNDONE: ("skip", "arrow-back-up"),
}


@register.simple_tag
def status(thing: Volume | Snapshot | Operation | Node, style: str = "") -> SafeString:
    """The status of a row; `pill` for the head of a page, `quiet` where good ends are the rule."""
    find = {Volume: volume_mark, Snapshot: snapshot_mark, Operation: operation_mark, Node: node_mark}[type(thing)]
    kind, name, word = find(thing)  # type: ignore[operator]
    return mark(kind, name, word, pill=style == "pill", quiet=style == "quiet")


@register.simple_tag
def say(kind: str, name: str, word: str, style: str = "") -> SafeString:
    """A status that is no row's: `{% say "warn" "alert-triangle" "92 % promised" "pill" %}`."""
    return mark(kind, name, word, pill=style == "pill")


@register.simple_tag
def step_class(step: Step) -> str:
    """The class of a step in the timeline."""
    return STEP_MARKS[Step.Status(step.status)][0]


@register.simple_tag
def step_icon(step: Step) -> SafeString:
    """The dot of a step in the timeline."""
    name = STEP_MARKS[Step.Status(step.status)][1]
    return icon(name, "spin") if name == "loader-2" else icon(name)


def length(value: float) -> str:
    """A length in percent for an SVG attribute: never localised, never longer than it must be."""
    return f"{value:.2f}".rstrip("0").rstrip(".") + "%"


def pool_class(*, used: float, promised: float, thin: bool) -> str:
    """Amber from 80 % used or 90 % promised (thick), red from 95 % used."""
    if used >= USED_BAD:
        return "bad"
    return "warn" if used >= USED_WARN or (not thin and promised >= PROMISED_WARN) else ""


@register.simple_tag
def use_bar(used: float, promised: float | None, css: str = "", scale: float = 100.0, label: str = "") -> SafeString:
    """Two marks: solid to `used`, pale to `promised`, a tick at the promise. `scale` is the length of the 100 % track."""
    over = promised is not None and promised > used + 0.5
    words = label or (
        _("%(used).0f %% used, %(promised).0f %% promised") % {"used": used, "promised": promised}
        if promised is not None
        else _("%(used).0f %% used") % {"used": used}
    )
    bars = [format_html('<rect class="track" y="3" width="{}" height="6" rx="3"/>', length(scale))]
    solid = min(used, 150.0) * scale / 100
    if over and promised is not None:
        pale = min(promised, 100 * 100 / scale) * scale / 100
        bars.append(
            format_html(
                '<rect class="promise" x="{}" y="3" width="{}" height="6"/>', length(solid), length(pale - solid)
            )
        )
    bars.append(format_html('<rect class="used" y="3" width="{}" height="6" rx="3"/>', length(solid)))
    if over and promised is not None:
        bars.append(
            format_html('<rect class="mark" x="{}" y="0" width="2" height="12" rx="1"/>', length(min(pale, 99.5)))
        )
    inside = format_html_join("", "{}", ((bar,) for bar in bars))
    return format_html('<svg class="h-use {}" role="img" aria-label="{}">{}</svg>', css, words, inside)


@register.simple_tag
def gauge(value: float, limit: float, label: str) -> SafeString:
    """One bar with the tick from which it warns."""
    css = "bad" if value >= USED_BAD else "warn" if value >= limit else ""
    return format_html(
        '<svg class="h-use {}" role="img" aria-label="{}"><rect class="track" y="3" width="100%" height="6" rx="3"/>'
        '<rect class="used" y="3" width="{}" height="6" rx="3"/><rect class="limit" x="{}" y="3" width="1" height="6"/></svg>',
        css,
        label,
        length(min(value, 100.0)),
        length(limit),
    )


@register.simple_tag
def quota_bar(used: float, limit: float, label: str, ask: float = 0) -> SafeString:
    """A quota: amber from 90 %, red at 100 %. `ask` is what is asked for; a script keeps it up with what somebody types."""
    share = share_of(used, limit)
    then = share_of(used + ask, limit)
    css = ("bad" if then > QUOTA_BAD else "warn" if then >= QUOTA_WARN else "") if ask else quota_class(share)
    return format_html(
        '<svg class="h-use {}" role="img" aria-label="{}"><rect class="track" y="3" width="100%" height="6" rx="3"/>'
        '<rect class="ask" x="{}" y="3" width="{}" height="6"/><rect class="used" y="3" width="{}" height="6" rx="3"/></svg>',
        css,
        label,
        length(min(share, 100.0)),
        length(min(then, 100.0) - min(share, 100.0)),
        length(min(share, 100.0)),
    )


def share_of(used: float, limit: float) -> float:
    """In percent; unlimited is never filled, and a limit of nothing always."""
    return 100.0 * used / limit if limit > 0 else (100.0 if limit == 0 else 0.0)


def quota_class(share: float) -> str:
    """Amber from 90 %, red at 100 %."""
    return "bad" if share >= QUOTA_BAD else "warn" if share >= QUOTA_WARN else ""


@register.simple_tag
def spark(rates: Sequence[float]) -> SafeString:
    """The last rates as a line; its numbers are in its label."""
    if len(rates) < 2:
        return mark_safe("")
    low, high = min(rates), max(rates)
    top = max(high * 1.15, 1.0)
    stride = 132 / (len(rates) - 1)
    points = " ".join(f"{index * stride:.0f},{32 - 32 * value / top:.1f}" for index, value in enumerate(rates))
    mib = 1024**2
    label = _("Rate lately: %(low).0f to %(high).0f MiB/s") % {"low": low / mib, "high": high / mib}
    return format_html(
        '<svg class="h-spark" viewBox="0 0 132 32" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<polygon class="area" points="0,32 {} 132,32"/>'
        '<polyline class="line" points="{}" vector-effect="non-scaling-stroke"/></svg>',
        label,
        points,
        points,
    )


@register.filter
def get(mapping: dict[Any, Any], key: object) -> Any:
    """The value under a key that is a variable."""
    return mapping.get(key)


@register.filter
def owned_kind(owned: Volume | Snapshot) -> tuple[str, str, str]:
    """`volume_mark` or `snapshot_mark` for templates that add progress to it."""
    return snapshot_mark(owned) if isinstance(owned, Snapshot) else volume_mark(owned)


@register.simple_tag
def pool_bar(pool: Pool, used: float, promised: float, style: str = "table") -> SafeString:
    """A pool's two marks. In a table 100 % is two thirds of the width, so that a promise beyond it is seen to stick out."""
    css = pool_class(used=used, promised=promised, thin=pool.is_thin)
    over = promised > 100
    return use_bar(used, promised, css, scale=200 / 3 if style == "table" or over else 100.0)


@register.simple_tag
def pool_state(pool: Pool, concerns: Sequence[Any], style: str = "") -> SafeString:
    """In a word: missing, full, promised, off, or fine."""
    pill = style == "pill"
    if not pool.present:
        return mark("bad", "alert-octagon", _("Not found"), pill=pill)
    if not pool.node.is_up:
        return mark("rest", "server-off", _("Node is silent"), pill=pill)
    if getattr(pool, "is_scrubbed", False):
        return mark("move", "loader-2", _("Being scrubbed"), pill=pill)
    if concerns:
        worst = concerns[0]
        return mark(worst.kind, "alert-octagon" if worst.kind == "bad" else "alert-triangle", worst.word, pill=pill)
    if not pool.enabled or not pool.node.enabled:
        return mark("rest", "ban", _("Takes nothing new"), pill=pill)
    return mark("good", "circle-check", _("Fine"), pill=pill)


@register.simple_tag
def extents(pool: Pool) -> str:
    """How many extents the volume group has, and of what size."""
    count = pool.size_bytes // pool.extent_size_bytes if pool.extent_size_bytes else 0
    words = {"count": number(count), "size": number(pool.extent_size_bytes / 1024**2)}
    return _("%(count)s of %(size)s MiB") % words


@register.simple_tag
def limit_sentence(pool: Pool, promised: float) -> str:
    """Where a thin pool stops promising."""
    words = {"gib": number(getattr(pool, "promised_gib", 0)), "now": promised, "limit": pool.over_subscription * 100}
    return _("%(gib)s GiB promised, %(now).0f %%. New promises stop at %(limit).0f %%.") % words


@register.simple_tag
def node_bar(node: Any) -> SafeString:
    """How full a node is; it must have been measured (views.nodes.measure)."""
    if not node.size_bytes:
        return mark_safe('<span class="faint">–</span>')
    used = 100.0 * (node.size_bytes - node.free_bytes) / node.size_bytes
    return use_bar(used, None, pool_class(used=used, promised=used, thin=False))
