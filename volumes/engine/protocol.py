"""What a verb tells the engine: its steps, and what each outcome means."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from volumes.models import Node, Operation, User

if TYPE_CHECKING:
    from volumes.nodes.commands import Command, Result
    from volumes.nodes.errors import NodeError
    from volumes.nodes.units import UnitState

Facts = Any
"""What `Verb.facts_command` made the node say, parsed by the verb itself. The engine only hands it on."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step, as data. It either runs `commands`, or is a `phase` of a `unit`, or is `local` (no node needed).

    `done(facts)` is asked before a step is run again after a crash: a sentence says it is already done and how that is seen.
    `check(results)` reads the output; it returns a note for people, or raises when the node did not do what was asked.
    Steps without a check go to the node together, in one round trip. What `destroys` cannot be taken back once it was sent.
    A `proof` is given again before a unit that the node lost is begun again.
    """

    key: str
    title: str
    commands: Sequence[Command] = ()
    unit: Unit | None = None
    phase: str = ""
    local: Callable[[], str] | None = None
    done: Callable[[Facts], str] | None = None
    check: Callable[[Sequence[Result]], str] | None = None
    skip: str = ""
    destroys: bool = False
    proof: bool = False


@dataclass(frozen=True, kw_only=True)
class Unit:
    """Long work that the node does by itself. Its phases are consecutive steps that name the same unit.

    `start(name, offset_bytes)` builds the commands; `report(state)` maps each phase to a note, or raises when it failed.
    `bytes_total` maps each phase to the bytes it goes through.
    """

    key: str
    start: Callable[[str, int], Sequence[Command]]
    report: Callable[[UnitState], dict[str, str]]
    bytes_total: dict[str, int]


class Next(enum.Enum):
    """What a verb wants after a failure."""

    FAIL = "fail"
    AGAIN = "again"


class Verb(Protocol):
    """What there is to know about an operation's kind. One instance serves all operations of the verb."""

    name: ClassVar[str]

    def node(self, operation: Operation) -> Node | None:
        """The node it works on now, if it has been chosen."""

    def steps(self, operation: Operation) -> list[Step]:
        """The plan, from what is known now. Asked again after every step."""

    def facts_command(self, operation: Operation) -> Command | None:
        """What to ask the node before a step is run again."""

    def facts(self, operation: Operation, result: Result) -> Facts:
        """The answer, parsed."""

    def undo(self, operation: Operation, facts: Facts) -> Sequence[Command]:
        """What takes back, after a failure or a cancel, whatever the facts still show of it."""

    def begin(self, operation: Operation) -> None:
        """Called when a runner first takes it."""

    def explain(self, operation: Operation, error: NodeError) -> NodeError:
        """The same error, saying more where the node can be asked for it (what holds a busy device)."""

    def may_leave(self, operation: Operation) -> bool:
        """Whether it would rather go to another node than wait for this one, as long as nothing was sent to it."""

    def succeed(self, operation: Operation) -> None:
        """All steps are done. Called in the transaction that ends the operation."""

    def fail(self, operation: Operation, reason: str) -> Next:
        """A step failed and was undone. Decides what becomes of the row."""

    def cancel(self, operation: Operation, reason: str) -> None:
        """Somebody cancelled it and it was undone."""

    def reopen(self, operation: Operation, actor: User | None) -> None:
        """Retry: move the row back, or raise Conflict."""


_verbs: dict[str, Verb] = {}


def register(verb: Verb) -> Verb:
    """Make a verb known by its name."""
    _verbs[verb.name] = verb
    return verb


def verb_of(operation: Operation) -> Verb:
    """The verb of an operation."""
    return _verbs[operation.verb]


def is_known(name: str) -> bool:
    """Whether a verb of that name exists (an older console may have left others behind)."""
    return name in _verbs
