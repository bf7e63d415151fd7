"""The application, and what must be known before it serves."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

NOT_DECIDED = [
    *("updated_at", "last_login", "password", "current_project"),
    *("facts", "facts_at", "last_seen_at", "state", "state_reason", "wipe_rate_mib_s", "present", "missing_reason"),
    *("size_bytes", "free_bytes", "extent_size_bytes", "data_percent", "metadata_percent", "vg_uuid"),
]
"""Fields that no person sets as a decision: what nodes say, every few seconds, would bury the decisions in the audit log."""


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
            auditlog.register(model, exclude_fields=NOT_DECIDED)
