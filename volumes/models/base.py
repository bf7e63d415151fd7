"""What every row of Hearth has."""

import uuid
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class Row(models.Model):
    """A row with a UUID and its times."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        abstract = True

    @property
    def short_id(self) -> str:
        """The first eight characters, enough to tell rows of one list apart."""
        return str(self.id)[:8]

    def set(self, **fields: Any) -> None:
        """Write these fields and no others, so that two writers of one row do not undo each other."""
        for name, value in fields.items():
            setattr(self, name, value)
        self.save(update_fields=[*fields, "updated_at"])
