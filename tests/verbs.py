"""Verbs for tests of the engine: steps that need no node, and leave a trace of having run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar

from volumes.engine import protocol
from volumes.engine.protocol import Next, Step
from volumes.models import Node, Operation, User
from volumes.operations.node_verb import NodeVerb


class Trace(NodeVerb):
    """Runs its steps and writes down what was called. `steps_of` and `on_fail` are the test's to set."""

    name: ClassVar[str] = "trace"

    def __init__(self, *bodies: Callable[[], str], node: Node | None = None) -> None:
        self.bodies = list(bodies)
        self.called: list[str] = []
        self.on_fail = [Next.FAIL]
        self.its_node = node

    def node(self, operation: Operation) -> Node | None:
        return self.its_node

    def steps(self, operation: Operation) -> list[Step]:
        return [Step(key=f"s{n}", title=f"Step {n}", local=body) for n, body in enumerate(self.bodies, 1)]

    def begin(self, operation: Operation) -> None:
        self.called.append("begin")

    def succeed(self, operation: Operation) -> None:
        self.called.append("succeed")

    def fail(self, operation: Operation, reason: str) -> Next:
        self.called.append(f"fail: {reason}")
        return self.on_fail.pop(0)

    def cancel(self, operation: Operation, reason: str) -> None:
        self.called.append(f"cancel: {reason}")

    def reopen(self, operation: Operation, actor: User | None) -> None:
        self.called.append("reopen")


@contextmanager
def known(verb: Trace) -> Iterator[Trace]:
    """The engine knows the verb for as long as the block lasts."""
    protocol.register(verb)
    try:
        yield verb
    finally:
        del protocol._verbs[verb.name]
