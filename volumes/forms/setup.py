"""The three steps of adding a node."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from volumes.models import Node


class AddressForm(forms.ModelForm[Node]):
    """Where the machine is."""

    class Meta:
        model = Node
        fields = ("name", "address", "ssh_port", "ssh_user")
        labels: ClassVar = {
            "name": _("Name"),
            "address": _("Address"),
            "ssh_port": _("SSH port"),
            "ssh_user": _("SSH user"),
        }
        help_texts: ClassVar = {
            "name": _("What it is called here."),
            "address": _("Host name or IP address, as this console reaches it."),
        }


class ConfirmForm(forms.Form):
    """Whether the key that answered is the machine's own."""

    pasted = forms.CharField(label=_("Paste what it printed"), required=False, max_length=4000)
    compared = forms.BooleanField(label=_("I cannot paste from there; I compared all of it by eye"), required=False)
    shown = forms.CharField(required=False, max_length=100, widget=forms.HiddenInput)


class PoolsForm(forms.Form):
    """Which of the pools found become pools here; `clean_space` vouches for their free space."""

    pools = forms.MultipleChoiceField(
        label=_("Pools"), error_messages={"required": _("Tick at least one, or leave: the node stays without a pool.")}
    )
    clean_space = forms.MultipleChoiceField(label=_("Clean"), required=False)

    def __init__(self, *args: Any, found: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("pools", "clean_space"):
            field = self.fields[name]
            assert isinstance(field, forms.MultipleChoiceField)
            field.choices = [(each, each) for each in found]
