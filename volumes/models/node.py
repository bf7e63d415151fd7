"""Nodes: Linux machines with sshd and at least one volume group."""

from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from volumes.models.base import Row
from volumes.nodes.keys import parse_host_key

SILENT_AFTER = timedelta(seconds=45)
"""A node unheard of for so long is shown as not answering, whatever its last word was."""


def validate_host_key(text: str) -> None:
    """A key that cannot be read would make every look at the node fail, and say so nowhere but in the log."""
    try:
        parse_host_key(text)
    except ValueError as error:
        said = _("This is no host key. Paste the line of /etc/ssh/ssh_host_ed25519_key.pub: its type, then the key.")
        raise ValidationError(said) from error


class Node(Row):
    """A storage machine. `host_key` is the pinned key; while it is blank Hearth does not connect."""

    class State(models.TextChoices):
        """What the last contact said."""

        UNKNOWN = "unknown", _("Not asked yet")
        UP = "up", _("Up")
        UNREACHABLE = "unreachable", _("Not answering")
        BROKEN = "broken", _("Cannot be used")

    name = models.CharField(
        _("name"),
        max_length=63,
        unique=True,
        validators=[
            RegexValidator(r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$", _("Letters, digits, dots and dashes."))
        ],
    )
    address = models.CharField(
        _("address"),
        max_length=255,
        validators=[RegexValidator(r"^[A-Za-z0-9:][A-Za-z0-9.:-]*$", _("A host name or an IP address."))],
    )
    ssh_port = models.PositiveIntegerField(
        _("SSH port"), default=22, validators=[MinValueValidator(1), MaxValueValidator(65535)]
    )
    ssh_user = models.CharField(
        _("SSH user"),
        max_length=32,
        default="root",
        validators=[RegexValidator(r"^[a-z_][a-z0-9_-]*$", _("A user name of the node."))],
    )
    host_key = models.TextField(
        _("host key"),
        blank=True,
        validators=[validate_host_key],
        help_text=_("Type and key, as confirmed by a person."),
    )
    zone = models.CharField(_("zone"), max_length=64, blank=True)
    tags = models.JSONField(_("tags"), default=list, blank=True)
    enabled = models.BooleanField(_("takes new volumes"), default=True)
    disabled_reason = models.CharField(_("why not"), max_length=255, blank=True)
    bulk_limit = models.PositiveIntegerField(
        _("bulk jobs at once"), default=2, validators=[MinValueValidator(1), MaxValueValidator(64)]
    )
    bandwidth_mib_s = models.PositiveIntegerField(
        _("bandwidth cap in MiB/s"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Shared by all bulk jobs of the node. Empty: no cap."),
    )
    state = models.CharField(_("state"), max_length=11, choices=State, default=State.UNKNOWN)
    state_reason = models.TextField(_("reason"), blank=True)
    last_seen_at = models.DateTimeField(_("last seen"), null=True, blank=True)
    facts_at = models.DateTimeField(_("facts of"), null=True, blank=True)
    facts = models.JSONField(_("facts"), default=dict, blank=True)
    wipe_rate_mib_s = models.FloatField(_("measured wipe rate in MiB/s"), null=True, blank=True)

    class Meta:
        ordering = ("name",)
        verbose_name = _("node")
        verbose_name_plural = _("nodes")

    def __str__(self) -> str:
        return self.name

    @property
    def is_up(self) -> bool:
        """Whether it answered lately."""
        return self.state == self.State.UP and not self.is_silent

    @property
    def is_silent(self) -> bool:
        """Whether it has not been heard of for longer than a node that is asked every few seconds ever should."""
        return self.last_seen_at is None or timezone.now() - self.last_seen_at > SILENT_AFTER

    def heard(self, **fields: Any) -> None:
        """It answered."""
        self.set(state=self.State.UP, state_reason="", last_seen_at=timezone.now(), **fields)

    def lost(self, reason: str, *, broken: bool = False) -> None:
        """It did not answer, or cannot be used (wrong host key, no LVM); `reason` is a sentence."""
        self.set(state=self.State.BROKEN if broken else self.State.UNREACHABLE, state_reason=reason)
