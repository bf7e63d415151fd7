"""Where things are. Everything that is made lives in one folder, which `make clean` removes."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def state_dir() -> Path:
    """The folder of images, guests and services (DEMO_STATE, default .state in the project)."""
    folder = Path(os.environ.get("DEMO_STATE") or ROOT / ".state").resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
