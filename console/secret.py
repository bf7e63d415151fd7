"""The installation's secret key: made once, kept in the state folder, readable by its owner only."""

import os
import secrets
from pathlib import Path


def secret_key(state: Path) -> str:
    """Read the key, or make one; of two processes that start at once, one makes it and both read the same."""
    path = state / "secret_key"
    if not path.exists():
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = state / f".secret_key.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(64))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()
