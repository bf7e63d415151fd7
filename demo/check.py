"""`make test`: the checks that read the code, then one run of the tests. All are run, whatever fails."""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

from demo.image import ensure_image
from demo.paths import ROOT, state_dir
from demo.shell import DemoError, say
from demo.site import program, python


def main() -> int:
    parser = argparse.ArgumentParser(prog="demo.check", description=__doc__)
    parser.add_argument("--fast", action="store_true", help="leave out the tests that need guests")
    parser.add_argument("--lint", action="store_true", help="leave out all tests")
    parser.add_argument("--long", action="store_true", help="only the tests that take a minute or more each")
    given, more = parser.parse_known_args()
    with tempfile.TemporaryDirectory(prefix="hearth-check-") as folder:
        failed = [name for name, argv in _checks() if not _passes(name, argv, _environment(folder))]
    which = "not nodes" if given.fast else "long" if given.long else "not long"
    tests = 0 if given.lint else _pytest(which, more)
    if failed:
        say(f"Failed, besides what the tests say: {', '.join(failed)}")
    return tests or int(bool(failed))


def _checks() -> list[tuple[str, list[str]]]:
    templates = sorted(str(path) for path in (ROOT / "templates").rglob("*.html"))
    return [
        ("ruff check", [program("ruff"), "check", "--quiet"]),
        ("ruff format", [program("ruff"), "format", "--check", "--quiet"]),
        ("djade", [program("djade"), "--check", *templates]),
        ("mypy", [program("mypy"), "--no-error-summary"]),
        ("lint-imports", [program("lint-imports")]),
        ("check --deploy", [python(), "manage.py", "check", "--deploy", "--fail-level", "WARNING"]),
        ("makemigrations --check", [python(), "manage.py", "makemigrations", "--check", "--dry-run"]),
    ]


def _environment(folder: str) -> dict[str, str]:
    """As in production: its own state, https, a name of its own. Nothing of the caller's installation is touched."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEARTH_")}
    kept.pop("DATABASE_URL", None)
    made = {"HEARTH_STATE": folder, "HEARTH_HTTPS": "1", "HEARTH_ALLOWED_HOSTS": "hearth.example"}
    made |= {"HEARTH_SECRET_KEY": secrets.token_urlsafe(64), "HEARTH_CSRF_ORIGINS": "https://hearth.example"}
    return kept | made


def _passes(name: str, argv: Sequence[str], environment: dict[str, str]) -> bool:
    """Run one check. What it says is shown only when it fails."""
    start = time.monotonic()
    done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    ok = done.returncode == 0
    say(f"  {name}: {'ok' if ok else 'FAILED'} ({time.monotonic() - start:.1f} s)")
    if not ok:
        say(f"{done.stdout}{done.stderr}".strip())
    return ok


def _pytest(which: str, more: Sequence[str]) -> int:
    if which != "not nodes":
        try:
            ensure_image(state_dir())  # here, where no test's time limit runs
        except DemoError as error:
            say(f"Failed: {error}\nWhat to do: {error.remedy}")
            return 1
    return subprocess.run([python(), "-m", "pytest", "-m", which, *more], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
