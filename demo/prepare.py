"""One Django process that brings a console's state up to date: python -m demo.prepare, with the nodes on its input."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

from demo.paths import ROOT
from demo.shell import say
from demo.storage import NodeSpec


def main() -> None:
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    _collect_static()
    nodes = json.load(sys.stdin)
    if nodes:
        from demo.seed import NodeAddress, seed

        seed([NodeAddress(NodeSpec(*node.pop("spec")), **node) for node in nodes])
    say("  State is up to date.")


def _collect_static() -> None:
    """Only when a file has changed: compressing them takes longer than everything else here."""
    sources = sorted(path for path in (ROOT / "static").rglob("*") if path.is_file())
    seen = [f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in sources]
    seen.append((ROOT / "requirements.lock").read_text())
    now = hashlib.sha256("\n".join(seen).encode()).hexdigest()
    mark = Path(settings.STATIC_ROOT) / ".collected"
    if not mark.exists() or mark.read_text() != now:
        call_command("collectstatic", interactive=False, verbosity=0)
        mark.write_text(now)


if __name__ == "__main__":
    main()
