"""What an operation has begun that cannot be taken back: remembered in its state, across rounds, restarts and retries.

"yes" is for ever. "maybe" is a destructive step that was sent and whose outcome is not known yet; the node's facts settle it.
"""

from __future__ import annotations

from volumes.models import Operation

KEY = "begun"


def has_begun(operation: Operation) -> bool:
    """Whether something irreversible was, or may have been, begun."""
    return bool(operation.state.get(KEY))


def begun(operation: Operation) -> None:
    """It is certain."""
    _set(operation, "yes")


def maybe(operation: Operation) -> None:
    """It was sent, and no answer came."""
    if not has_begun(operation):
        _set(operation, "maybe")


def settle(operation: Operation, *, begun: bool) -> None:
    """The node was asked."""
    if begun:
        _set(operation, "yes")
    elif operation.state.get(KEY) == "maybe":
        _set(operation, "")


def _set(operation: Operation, value: str) -> None:
    if operation.state.get(KEY, "") != value:
        operation.state[KEY] = value
        operation.save(update_fields=["state", "updated_at"])
