"""Fields that several forms share."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from volumes import rules
from volumes.models import GOOD, Project, Snapshot, SnapshotStatus, Volume

KEY = re.compile(r"^[A-Za-z0-9_.:-]{1,255}$")
PAIRS = 64


class MetadataField(forms.CharField):
    """`key=value`, one pair a line; cleans to a dict."""

    widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "placeholder": "role=database"})

    def prepare_value(self, value: Any) -> Any:
        """Back to lines."""
        return "\n".join(f"{key}={text}" for key, text in value.items()) if isinstance(value, dict) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Lines are compared with lines."""
        return bool((self.prepare_value(initial) or "") != (data or ""))

    def clean(self, value: Any) -> Any:
        """Lines to a dict; the message names the line that is wrong."""
        pairs: dict[str, str] = {}
        for number, line in enumerate((super().clean(value) or "").splitlines(), 1):
            if not line.strip():
                continue
            key, equals, text = (part.strip() for part in line.partition("="))
            if not equals:
                raise ValidationError(_("Line %(n)d has no “=”: write key=value.") % {"n": number})
            if not KEY.match(key):
                raise ValidationError(_("Line %(n)d: a key is made of letters, digits and _ . : -") % {"n": number})
            if key in pairs:
                raise ValidationError(_("Line %(n)d: the key %(key)s is there twice.") % {"n": number, "key": key})
            if len(text) > 255:
                raise ValidationError(_("Line %(n)d: a value has at most 255 characters.") % {"n": number})
            pairs[key] = text
        if len(pairs) > PAIRS:
            raise ValidationError(_("At most %(n)d pairs.") % {"n": PAIRS})
        return pairs


class TagsField(forms.CharField):
    """Words separated by commas or spaces; cleans to a list without repetitions."""

    def prepare_value(self, value: Any) -> Any:
        """Back to one line."""
        return ", ".join(value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        """One line is compared with one line."""
        return bool((self.prepare_value(initial) or "") != (data or ""))

    def clean(self, value: Any) -> Any:
        """A line to a list."""
        words = [word for word in re.split(r"[,\s]+", super().clean(value) or "") if word]
        for word in words:
            if not re.fullmatch(r"[A-Za-z0-9_.:=-]{1,64}", word):
                raise ValidationError(_("%(word)s: a tag is made of letters, digits and _ . : = -") % {"word": word})
        return list(dict.fromkeys(words))


class SourceField(forms.ChoiceField):
    """`volume:<uuid>` or `snapshot:<uuid>` of one project; cleans to the row, or None. What cannot be copied is not offered."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rows: dict[str, Volume | Snapshot] = {}

    def offer(self, project: Project) -> None:
        """The sources there are now."""
        volumes = project.volumes.with_leaning().filter(status__in=GOOD).order_by("name", "id")
        snapshots = project.snapshots.with_leaning().filter(status=SnapshotStatus.AVAILABLE).select_related("volume")
        offered = [volume for volume in volumes if rules.why_not_clone(volume) is None]
        taken = [one for one in snapshots.order_by("name", "id") if rules.why_not_copy_snapshot(one) is None]
        rows: list[Volume | Snapshot] = [*offered, *taken]
        self.rows = {f"{row.kind}:{row.pk}": row for row in rows}
        self.choices = [
            ("", _("Nothing: an empty volume")),
            (_("Volumes"), [(f"volume:{row.pk}", _sized(row, str(row))) for row in offered]),
            (_("Snapshots"), [(f"snapshot:{row.pk}", _sized(row, f"{row} ({row.volume})")) for row in taken]),
        ]

    def clean(self, value: Any) -> Any:
        """The row."""
        return self.rows.get(super().clean(value))


def _sized(row: Volume | Snapshot, name: str) -> str:
    return _("%(name)s, %(size)d GiB") % {"name": name, "size": row.size_gib}
