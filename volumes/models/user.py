"""People."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A person. A superuser is the installation's administrator; everybody else acts through memberships."""

    class Theme(models.TextChoices):
        """How the pages look."""

        AUTO = "auto", _("Like the system")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    theme = models.CharField(_("theme"), max_length=5, choices=Theme, default=Theme.AUTO)
    page_size = models.PositiveIntegerField(
        _("rows per page"), default=20, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    hidden_columns = models.JSONField(_("hidden columns"), default=list, blank=True)
    current_project = models.ForeignKey(
        "volumes.Project", verbose_name=_("current project"), null=True, blank=True, on_delete=models.SET_NULL
    )

    @property
    def is_administrator(self) -> bool:
        """Whether this person runs the installation."""
        return self.is_active and self.is_superuser
