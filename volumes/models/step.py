"""Steps: what an operation does on a node, one row each, nothing hidden."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from volumes.models.operation import Operation


class Step(models.Model):
    """One step. `commands` holds what ran, exactly: argv (secrets masked), exit code, output tail, seconds."""

    class Status(models.TextChoices):
        """Where it stands."""

        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        SKIPPED = "skipped", _("Not needed")
        FAILED = "failed", _("Failed")
        UNDONE = "undone", _("Undone")

    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="steps")
    round = models.PositiveIntegerField(default=1)
    number = models.PositiveIntegerField()
    key = models.CharField(max_length=32)
    title = models.CharField(max_length=200)
    note = models.TextField(blank=True)
    node_name = models.CharField(max_length=63, blank=True)
    node = models.ForeignKey("volumes.Node", null=True, on_delete=models.SET_NULL, related_name="+")
    status = models.CharField(max_length=8, choices=Status, default=Status.WAITING)
    planned = models.JSONField(default=list, blank=True)
    commands = models.JSONField(default=list, blank=True)
    facts = models.JSONField(default=dict, blank=True)
    unit = models.CharField(max_length=80, blank=True)
    bytes_done = models.BigIntegerField(null=True)
    bytes_total = models.BigIntegerField(null=True)
    rate = models.FloatField(null=True)
    rates = models.JSONField(default=list, blank=True)
    eta_s = models.FloatField(null=True)
    phase = models.CharField(max_length=32, blank=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    progress_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("number",)
        constraints = [
            models.UniqueConstraint(fields=["operation", "number"], name="steps_are_numbered"),
            models.UniqueConstraint(fields=["operation", "round", "key"], name="one_step_per_key_and_round"),
        ]
        indexes = [models.Index(fields=["status", "unit"])]
        verbose_name = _("step")
        verbose_name_plural = _("steps")

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    @property
    def is_over(self) -> bool:
        """Whether it will not run again in this round."""
        return self.status in {self.Status.DONE, self.Status.SKIPPED, self.Status.UNDONE}

    @property
    def exit_code(self) -> int | None:
        """Exit code of the last command that ran."""
        return self.commands[-1]["exit_code"] if self.commands else None

    @property
    def seconds(self) -> float | None:
        """How long it has run, or ran."""
        if self.started_at is None:
            return None
        return ((self.finished_at or timezone.now()) - self.started_at).total_seconds()

    @property
    def percent(self) -> float | None:
        """Progress, 0 to 100, where bytes are counted."""
        if not self.bytes_total or self.bytes_done is None:
            return None
        return min(100.0, 100.0 * self.bytes_done / self.bytes_total)
