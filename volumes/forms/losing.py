"""Forms of what overwrites or takes along: the person types a name, so that it is not done by habit."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from volumes.models import Snapshot, Volume


class TypedName(forms.CharField):
    """Takes the name of one object, exactly; where it has none, its id."""

    def __init__(self, name: str, **kwargs: Any) -> None:
        self.name = name
        super().__init__(
            label=_("Type %(name)s to confirm") % {"name": name},
            widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
            strip=False,
            **kwargs,
        )

    def validate(self, value: Any) -> None:
        """It is the name, or nothing is done."""
        super().validate(value)
        if " ".join(value.split()) != " ".join(self.name.split()):  # a line break cannot be typed
            raise ValidationError(_("That is not its name. Nothing was done."))


class DeleteForm(forms.Form):
    """Which snapshots go along with a volume. Where any does, the volume's name is typed."""

    snapshots = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Snapshots"), queryset=Snapshot.objects.none(), required=False
    )

    def __init__(self, *args: Any, volume: Volume, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["snapshots"]
        assert isinstance(field, forms.ModelMultipleChoiceField)
        field.queryset = volume.snapshots.all()
        if volume.snapshots.exists():
            self.fields["confirm"] = TypedName(str(volume))


class RevertForm(forms.Form):
    """Which snapshot a volume goes back to."""

    snapshot = forms.ModelChoiceField(
        label=gettext_lazy("Back to"),
        queryset=Snapshot.objects.none(),
        error_messages={"required": gettext_lazy("Choose a snapshot.")},
    )

    def __init__(self, *args: Any, volume: Volume, snapshots: list[Snapshot], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["snapshot"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Snapshot.objects.filter(pk__in=[snapshot.pk for snapshot in snapshots])
        self.fields["confirm"] = TypedName(str(volume))
