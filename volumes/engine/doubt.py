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


def maybe(operation: Operation, boot_id: str) -> None:
    """It is about to be sent, to a node of this boot: from here on nobody but the node can say that it did not begin."""
    if operation.state.get(KEY) != "yes":
        operation.state |= {KEY: "maybe", "boot": boot_id}
        operation.save(update_fields=["state", "updated_at"])


def settle(operation: Operation, *, begun: bool) -> None:
    """The node was asked."""
    if operation.state.get(KEY) == "maybe":
        _set(operation, "yes" if begun else "")


def settle_unit(operation: Operation, *, there: bool, boot_id: str) -> None:
    """The node was asked for a unit. That it is not there proves something only in the boot in which it was sent."""
    if there:
        _set(operation, "yes")
    else:
        settle(operation, begun=not boot_id or operation.state.get("boot") != boot_id)


def _set(operation: Operation, value: str) -> None:
    if operation.state.get(KEY, "") != value:
        operation.state[KEY] = value
        operation.save(update_fields=["state", "updated_at"])
