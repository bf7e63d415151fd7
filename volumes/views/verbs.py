"""What can be done to a volume or a snapshot: every verb, always in the same order, Delete last, each with its excuse."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from volumes import rules
from volumes.models import Snapshot, Volume
from volumes.views import access

if TYPE_CHECKING:
    from volumes.views.access import Request


@dataclass(frozen=True)
class Verb:
    """One thing that can be done. `label` stands in menus, `short` on buttons; a line is drawn between groups.

    `onward` is the query that leads a button of its page to the tab where the result shows.
    """

    key: str
    url: str
    icon: str
    label: str
    short: str
    why_not: str | None
    group: int
    onward: str = ""

    @property
    def name(self) -> str:
        """The word for it in a sentence."""
        return self.short.rstrip("…")


@dataclass(frozen=True)
class Excuse:
    """Why these verbs are off. `keys` name them, so that each button finds its excuse."""

    keys: list[str]
    sentence: str


def of_volume(request: Request, volume: Volume) -> list[Verb]:
    """All that can be done to a volume."""
    reader = access.why_not_act(request, volume.project)

    def verb(key: str, icon: str, label: str, short: str, why_not: str | None, group: int, onward: str = "") -> Verb:
        url = reverse(f"volume-{key}", args=[volume.pk])
        return Verb(key, url, icon, label, short, reader or why_not, group, onward)

    tab = f"?{urlencode({'next': reverse('volume', args=[volume.pk]) + '?tab=snapshots'})}"
    edit, extend, snapshot, clone = _("Edit…"), _("Extend…"), _("Create snapshot…"), _("Clone…")
    return [
        verb("edit", "pencil", edit, edit, rules.why_not_edit(volume), 1),
        verb("extend", "arrows-diagonal", extend, extend, rules.why_not_extend(volume), 1),
        verb("snapshot", "camera-plus", snapshot, snapshot, rules.why_not_snapshot(volume), 2, tab),
        Verb("clone", copy_url(volume), "copy-plus", clone, clone, reader or rules.why_not_clone(volume), 2),
        verb("revert", "history", _("Revert to a snapshot…"), _("Revert…"), rules.why_not_revert(volume), 2),
        verb("delete", "trash", _("Delete volume…"), _("Delete…"), rules.why_not_delete(volume), 3),
    ]


def of_snapshot(request: Request, snapshot: Snapshot) -> list[Verb]:
    """All that can be done to a snapshot."""
    reader = access.why_not_act(request, snapshot.project)

    def verb(key: str, url: str, icon: str, words: tuple[str, str], why_not: str | None, group: int) -> Verb:
        return Verb(key, url, icon, *words, reader or why_not, group)

    edit, copy = (_("Edit…"), _("Edit…")), (_("Create volume from it…"), _("Create volume…"))
    revert, delete = (_("Revert the volume to it…"), _("Revert volume…")), (_("Delete snapshot…"), _("Delete…"))
    return [
        verb("edit", at("edit", snapshot), "pencil", edit, rules.why_not_edit(snapshot), 1),
        verb("copy", copy_url(snapshot), "copy-plus", copy, rules.why_not_copy_snapshot(snapshot), 2),
        verb("revert", revert_url(snapshot), "history", revert, rules.why_not_revert_to(snapshot), 2),
        verb("delete", at("delete", snapshot), "trash", delete, rules.why_not_delete_snapshot(snapshot), 3),
    ]


def at(verb: str, snapshot: Snapshot) -> str:
    """The address of a verb on a snapshot."""
    return reverse(f"snapshot-{verb}", args=[snapshot.pk])


def copy_url(source: Volume | Snapshot) -> str:
    """Where a volume is made from it."""
    return f"{reverse('volume-create')}?source={source.kind}:{source.pk}"


def revert_url(snapshot: Snapshot) -> str:
    """Where its volume is brought back to it."""
    return f"{reverse('volume-revert', args=[snapshot.volume_id])}?snapshot={snapshot.pk}"


def excuses(verbs: Iterable[Verb]) -> list[Excuse]:
    """The excuses of those that are off, each said once, naming its verbs unless all of them are off for it."""
    listed = list(verbs)
    off: dict[str, list[Verb]] = {}
    for verb in listed:
        if verb.why_not:
            off.setdefault(verb.why_not, []).append(verb)
    return [
        Excuse([verb.key for verb in same], why_not if len(same) == len(listed) else _named(same, why_not))
        for why_not, same in off.items()
    ]


def _named(verbs: list[Verb], why_not: str) -> str:
    words = {"verbs": get_text_list([verb.name for verb in verbs], _("and")), "why": why_not}
    return ngettext("%(verbs)s is off: %(why)s", "%(verbs)s are off: %(why)s", len(verbs)) % words
