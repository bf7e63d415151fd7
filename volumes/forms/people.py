"""What people set for themselves."""

from __future__ import annotations

from typing import ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from volumes.models import User


class PreferencesForm(forms.ModelForm[User]):
    """Rows per page and theme."""

    class Meta:
        model = User
        fields = ("page_size", "theme")
        labels: ClassVar = {"page_size": _("Rows per page"), "theme": _("Theme")}
        help_texts: ClassVar = {"page_size": _("1 to 1000.")}
