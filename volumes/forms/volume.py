"""Create, edit and extend a volume; name a snapshot."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from volumes.forms.fields import MetadataField, SourceField
from volumes.models import Node, Pool, Project
from volumes.operations.create_volume import MAX_COUNT

MAX_GIB = 1024 * 1024
NAME_LENGTH = 255


class EditForm(forms.Form):
    """What people write about a volume or a snapshot."""

    name = forms.CharField(
        label=_("Name"), max_length=NAME_LENGTH, required=False, help_text=_("May be empty: then its id serves.")
    )
    description = forms.CharField(label=_("Description"), max_length=255, required=False)
    metadata = MetadataField(label=_("Metadata"), required=False, help_text=_("One key=value a line."))


class ExtendForm(forms.Form):
    """The size a volume shall have. Whether it is larger than the present one, and fits, is the operation's to say."""

    new_size = forms.IntegerField(label=_("New size"), min_value=1, max_value=MAX_GIB)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_size"].widget.attrs.update({"inputmode": "numeric", "autocomplete": "off", "step": 1})


class CreateForm(forms.Form):
    """A new volume, or several. `pool` and `zone` narrow where it may go."""

    name = forms.CharField(
        label=_("Name"), max_length=NAME_LENGTH, required=False, help_text=_("May be empty: then its id serves.")
    )
    description = forms.CharField(label=_("Description"), max_length=255, required=False)
    size = forms.IntegerField(label=_("Size"), min_value=1, max_value=MAX_GIB, initial=1)
    count = forms.IntegerField(
        label=_("How many"),
        min_value=1,
        max_value=MAX_COUNT,
        initial=1,
        required=False,
        help_text=_("Several become name-1 to name-n."),
    )
    pool = forms.ModelChoiceField(
        label=_("Pool"),
        queryset=Pool.objects.none(),
        required=False,
        empty_label=_("Let Hearth choose: the one with the most room"),
    )
    zone = forms.ChoiceField(
        label=_("Zone"), required=False, help_text=_("Only pools of nodes in this zone are considered.")
    )
    source = SourceField(
        label=_("Copy from"), required=False, help_text=_("Its bytes of this moment. The copy is independent of it.")
    )
    metadata = MetadataField(label=_("Metadata"), required=False, help_text=_("One key=value a line."))

    def __init__(self, *args: Any, project: Project, pools: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        source = self.fields["source"]
        assert isinstance(source, SourceField)
        source.offer(project)
        field = self.fields["pool"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Pool.objects.select_related("node") if pools is None else pools
        zone = self.fields["zone"]
        assert isinstance(zone, forms.ChoiceField)
        zones = Node.objects.exclude(zone="").order_by("zone").values_list("zone", flat=True).distinct()
        zone.choices = [("", _("Any")), *((name, name) for name in zones)]
        for name in ("size", "count"):
            self.fields[name].widget.attrs.update({"inputmode": "numeric", "autocomplete": "off", "step": 1})

    def clean_count(self) -> int:
        """One unless told otherwise."""
        return self.cleaned_data.get("count") or 1

    def clean(self) -> None:
        """The number of the last of several has to fit behind the name."""
        name, count = self.cleaned_data.get("name", ""), self.cleaned_data.get("count", 1)
        if count > 1 and self.cleaned_data.get("source"):
            self.add_error("count", _("One copy at a time."))
        most = NAME_LENGTH - len(f"-{count}")
        if count > 1 and len(name) > most:
            said = _("With a number behind it, the name has at most %(most)d characters.")
            self.add_error("name", said % {"most": most})
