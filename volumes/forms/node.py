"""What an administrator sets on a node."""

from __future__ import annotations

from typing import ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from volumes.forms.fields import TagsField
from volumes.models import Node, Pool


class NodeForm(forms.ModelForm[Node]):
    """Placement and limits. Address and key belong to registration."""

    tags = TagsField(label=_("Tags"), required=False, help_text=_("Separated by commas."))

    class Meta:
        model = Node
        fields = ("zone", "tags", "bulk_limit", "bandwidth_mib_s")
        labels: ClassVar = {
            "zone": _("Zone"),
            "bulk_limit": _("Bulk jobs at once"),
            "bandwidth_mib_s": _("Bandwidth cap"),
        }
        help_texts: ClassVar = {
            "zone": _("Free text: a rack, a room, a site."),
            "bulk_limit": _("Wipes and copies beyond this wait for a place."),
            "bandwidth_mib_s": _("Shared by all bulk jobs of the node. Empty: no cap."),
        }


class DisableForm(forms.Form):
    """Why a node takes no new volumes."""

    disabled_reason = forms.CharField(
        label=_("Why"), max_length=255, help_text=_("Everybody whose volume is not placed here reads this.")
    )


class PoolForm(forms.ModelForm[Pool]):
    """What an administrator sets on a pool. `clean_was` is the tick as the page showed it, before anybody touched it."""

    clean_was = forms.BooleanField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Pool
        fields = ("enabled", "disabled_reason", "wipe_method", "over_subscription", "free_space_is_clean")
        labels: ClassVar = {
            "enabled": _("Takes new volumes"),
            "disabled_reason": _("If not, why"),
            "wipe_method": _("When a volume is deleted"),
            "over_subscription": _("Over-subscription"),
            "free_space_is_clean": _("Its free space is clean"),
        }

    def changes(self) -> dict[str, object]:
        """What to write. A tick nobody touched is not written: the engine may have learnt better since the page was made."""
        fields = dict(self.cleaned_data)
        if fields.pop("clean_was") == fields["free_space_is_clean"] or self.instance.is_thin:
            del fields["free_space_is_clean"]
        return fields
