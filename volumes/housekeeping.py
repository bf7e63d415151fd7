"""Periodic jobs that no person asks for."""

from __future__ import annotations

from datetime import timedelta

from django.core.management import call_command
from django.utils import timezone

from volumes.engine import outbox, reconcile
from volumes.models import Drift
from volumes.operations import extend_snapshot

KEEP_LOGINS_DAYS = 90


def sweep() -> None:
    """Send what should run and is in nobody's hands; the watch does it too, more often."""
    outbox.sweep()


def grow_snapshots() -> None:
    """Thick snapshots that are nearly full get more room, before they are lost."""
    for snapshot in extend_snapshot.nearly_full():
        extend_snapshot.request(snapshot)


def reconcile_rows() -> None:
    """Put right the rows that say they move while nothing moves them."""
    reconcile.settle_strays()


def forget_old() -> None:
    """Old sessions, old failed logins, differences of nodes nobody has seen for long."""
    call_command("clearsessions")
    call_command("axes_reset_logs", age=KEEP_LOGINS_DAYS)
    Drift.objects.filter(last_seen_at__lt=timezone.now() - timedelta(days=KEEP_LOGINS_DAYS)).delete()
