"""The application, and what must be known before it serves."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class VolumesConfig(AppConfig):
    """Registers every verb, and the configuration models for the audit log."""

    name = "volumes"
    verbose_name = _("Hearth")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Import the verbs, so that the engine can find them by name without knowing any."""
        from auditlog.registry import auditlog

        from volumes import models, operations  # noqa: F401

        for model in (models.Project, models.Membership, models.Node, models.Pool, models.User):
            auditlog.register(model, exclude_fields=["facts", "facts_at", "last_seen_at", "last_login", "password"])
