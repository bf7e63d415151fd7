"""From a node's row to a session with the machine."""

from __future__ import annotations

import uuid

from django.conf import settings

from volumes.engine import lease
from volumes.models import Node, Operation
from volumes.nodes.commands import Command, Result
from volumes.nodes.session import Session
from volumes.nodes.target import Target


def target(node: Node, *, connect_timeout_s: int = 5) -> Target:
    """How to log in to a node."""
    return Target(
        name=node.name,
        address=node.address,
        port=node.ssh_port,
        user=node.ssh_user,
        host_key=node.host_key,
        state=settings.STATE,
        connect_timeout_s=connect_timeout_s,
    )


def run(
    operation: Operation, token: uuid.UUID, node: Node, *commands: Command, timeout_s: float = 60.0
) -> list[Result]:
    """One round trip for an operation, counted: few of them is what makes it quick.

    Raises LeaseLost when somebody else walks the operation: before anything is sent, or when this runner stood still while
    the answer was on its way. What came back is then not its own to write down any more.
    """
    lease.check(operation, token)
    operation.state["round_trips"] = int(operation.state.get("round_trips", 0)) + 1
    operation.save(update_fields=["state"])
    try:
        results = session(node).run(*commands, timeout_s=timeout_s)
    finally:
        lease.check(operation, token)
    if operation.state.pop("waited_for", None):  # it answers: the patience with its next silence begins anew
        operation.save(update_fields=["state"])
    return results


def session(node: Node) -> Session:
    """A session with a node; cheap, for the connection itself is shared by all of the console."""
    return Session(target(node))
