"""What the verbs on nodes share: they are the administrator's, and belong to no project."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from django.db import transaction
from django.utils.translation import gettext

from volumes.engine import outbox
from volumes.engine.protocol import Next, Step
from volumes.errors import Conflict, NotAllowed
from volumes.models import Node, Operation, User
from volumes.nodes.commands import Command, Result
from volumes.nodes.errors import NodeError


def request(verb: str, title: str, node: Node, actor: User) -> Operation:
    """Ask for it; where the same is under way already, that operation is the answer. `title` has a place for the name."""
    if not actor.is_administrator:
        raise NotAllowed(gettext("Only administrators set up nodes."))
    with transaction.atomic():
        Node.objects.select_for_update().get(pk=node.pk)
        running = Operation.objects.unfinished().filter(target_kind="node", target_id=node.pk).first()
        if running is not None:
            if running.verb != verb:
                raise Conflict(
                    gettext("Something else is being done to this node: %(what)s.") % {"what": running.title}
                )
            return running
        operation = Operation(
            verb=verb,
            title=title % {"name": node},
            actor=actor,
            actor_name=actor.get_username(),
            target_kind="node",
            target_id=node.pk,
            target_name=node.name,
        )
        operation.save(force_insert=True)
        outbox.send_on_commit(operation)
    return operation


class NodeVerb:
    """Local steps only: what is learnt goes into the node's row."""

    name: ClassVar[str]

    def target(self, operation: Operation) -> Node:
        """The node it is about."""
        return Node.objects.get(pk=operation.target)

    def node(self, operation: Operation) -> Node | None:
        """None: it must neither wait for the node nor take one of its places."""
        return None

    def steps(self, operation: Operation) -> list[Step]:
        """The plan."""
        raise LookupError(f"{self.name} has no plan.")

    def facts_command(self, operation: Operation) -> Command | None:
        """Nothing to look at: looking is all it does."""
        return None

    def facts(self, operation: Operation, result: Result) -> None:
        """Nothing."""

    def undo(self, operation: Operation, facts: object) -> Sequence[Command]:
        """Nothing was changed."""
        return []

    def begin(self, operation: Operation) -> None:
        """Nothing to do."""

    def explain(self, operation: Operation, error: NodeError) -> NodeError:
        """It says enough."""
        return error

    def may_leave(self, operation: Operation) -> bool:
        """A person waits for the answer, so a node that does not answer is the answer."""
        return True

    def succeed(self, operation: Operation) -> None:
        """What was learnt is in the row already."""

    def fail(self, operation: Operation, reason: str) -> Next:
        """The reason is the result."""
        return Next.FAIL

    def cancel(self, operation: Operation, reason: str) -> None:
        """Nothing to do."""

    def reopen(self, operation: Operation, actor: User | None) -> None:
        """Ask again."""
