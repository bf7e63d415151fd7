"""What an administrator asks of a pool."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from volumes.models import Project

MOST_GIB = 1024 * 1024
LV_NAME = 100


def _amount(label: Any, help_text: Any = "", **given: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, help_text=help_text, max_value=MOST_GIB, **given)


class AdoptForm(forms.Form):
    """Which LV becomes a volume of which project."""

    lv = forms.CharField(label=_("LV"), max_length=255, error_messages={"required": _("Choose one.")})
    project = forms.ModelChoiceField(label=_("Project"), queryset=Project.objects.order_by("name"))
    name = forms.CharField(
        label=_("Name"), max_length=255, required=False, help_text=_("May be empty: then it is called like the LV.")
    )


class ReleaseForm(forms.Form):
    """What the LV is called from then on."""

    lv_name = forms.CharField(
        label=_("New name of the LV"),
        max_length=LV_NAME,
        required=False,
        help_text=_("May be empty: then it keeps its name."),
    )


class ThinPoolForm(forms.Form):
    """A new thin pool."""

    name = forms.CharField(label=_("Name"), max_length=LV_NAME, help_text=_("As LVM will call it."))
    size = _amount(_("Size"), _("Metadata comes on top; LVM chooses how much, and the chunk size."), min_value=1)


class ExtendThinPoolForm(forms.Form):
    """By how much a thin pool grows."""

    data_gib = _amount(_("More data"), min_value=0, required=False)
    metadata_mib = _amount(
        _("More metadata"), _("LVM keeps a spare of the same size, where there is room."), min_value=0, required=False
    )

    def clean(self) -> None:
        """Nothing typed is nothing asked."""
        for name in ("data_gib", "metadata_mib"):
            self.cleaned_data[name] = self.cleaned_data.get(name) or 0
