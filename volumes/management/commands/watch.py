"""`manage.py watch`: follow the nodes and their units."""

import signal
from typing import Any

from django.core.management.base import BaseCommand

from volumes.engine.watch import Watch


class Command(BaseCommand):
    """Runs until it is told to stop."""

    help = "Follows the nodes: units, facts, and operations that nobody carries."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Start the watch; SIGTERM and SIGINT end it."""
        watch = Watch()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: watch.over.set())
        watch.run()
