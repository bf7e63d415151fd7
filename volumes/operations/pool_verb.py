"""What the verbs on pools share: they are the administrator's, and read the volume group as a whole before they change it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from django.db import transaction
from django.utils.translation import gettext, gettext_noop

from volumes.engine import outbox
from volumes.engine.protocol import Next, Step
from volumes.errors import Conflict, NotAllowed, Refused
from volumes.models import Node, Operation, Pool, User
from volumes.nodes.commands import Command, Result, read
from volumes.nodes.errors import NodeError, NoSuchVolumeGroup, VolumeGroupIncomplete
from volumes.nodes.lvm.report import Report, VolumeGroup, full_report, parse_report
from volumes.operations import common, wiping


def locked(pool: Pool, actor: User | None) -> Pool:
    """The row, fresh and nobody else's until the transaction ends. Raises NotAllowed, Conflict when it is gone."""
    if actor is None or not actor.is_administrator:
        raise NotAllowed(gettext("Only administrators change pools."))
    found = Pool.objects.select_for_update(of=("self",)).select_related("node").filter(pk=pool.pk).first()
    if found is None:
        raise Conflict(gettext("%(name)s no longer exists.") % {"name": pool})
    return found


def request(
    pool: Pool,
    actor: User,
    prepare: Callable[[Pool], Operation],
) -> Operation:
    """Ask for it. `prepare` says no, or returns the operation, while the pool is locked."""
    with transaction.atomic():
        pool = locked(pool, actor)
        running = Operation.objects.unfinished().filter(target_kind="pool", target_id=pool.pk).first()
        if running is not None:
            raise Conflict(gettext("Something else is being done to this pool: %(what)s.") % {"what": running.title})
        operation = prepare(pool)
        common.save_new(operation)
        outbox.send_on_commit(operation)
    return operation


def new_operation(verb: str, title: str, pool: Pool, actor: User) -> Operation:
    """An operation on a pool, not yet saved."""
    return Operation(
        verb=verb,
        title=title[:300],
        actor=actor,
        actor_name=actor.get_username(),
        target_kind="pool",
        target_id=pool.pk,
        target_name=str(pool),
        node=pool.node,
    )


def ask(pool: Pool) -> Command:
    """Everything about its volume group. Read the answer with `group_of`."""
    return read(full_report(pool.vg_name))


def group_of(pool: Pool, results: Sequence[Result]) -> tuple[Report, VolumeGroup]:
    """The last of the results, which has to be about the very group that was registered, with all of its disks."""
    report = parse_report(results[-1].stdout)
    vg = report.vg(pool.vg_name)
    if vg is None or (pool.vg_uuid and vg.uuid != pool.vg_uuid):
        raise OtherVolumeGroup(vg=pool.vg_name, node=pool.node.name, found=vg.uuid if vg else "-")
    if vg.missing_pvs:
        raise VolumeGroupIncomplete(vg=vg.name, node=pool.node.name, detail=f"{vg.missing_pvs} PVs are missing")
    return report, vg


def refresh(pool: Pool, vg: VolumeGroup) -> None:
    """How much of the group is free, for all thick pools there are of it, without waiting for the next look."""
    rows = Pool.objects.filter(node=pool.node, vg_name=vg.name, thin_pool_name="")
    rows.update(free_bytes=vg.free_bytes, size_bytes=vg.size_bytes)


@dataclass(frozen=True)
class Planned:
    """One line of what a dialog says will happen."""

    title: str
    commands: list[str]
    estimate_s: float | None


def planned(steps: Sequence[Step], pool: Pool) -> list[Planned]:
    """What the steps would do, for a dialog: nothing is asked of the node."""
    lines = []
    for step in steps:
        if step.skip:
            continue
        commands = [str(command) for command in step.commands]
        if step.unit and step.phase == next(iter(step.unit.bytes_total)):
            commands += [str(command) for command in step.unit.start("hearth-…", 0)]
        lines.append(Planned(step.title, commands, wiping.estimate_s(pool, step)))
    return lines


class PoolVerb:
    """A verb on a pool. Its facts are a `Report` of the volume group."""

    name: ClassVar[str]

    def pool(self, operation: Operation) -> Pool:
        """The pool it is about."""
        found = Pool.objects.select_related("node").filter(pk=operation.target).first()
        if found is None:
            raise PoolGone(name=operation.target_name)
        return found

    def node(self, operation: Operation) -> Node | None:
        """Where it is; None where the pool is gone."""
        found = Pool.objects.select_related("node").filter(pk=operation.target).first()
        return found.node if found else None

    def facts_command(self, operation: Operation) -> Command | None:
        """The whole volume group."""
        return ask(self.pool(operation))

    def facts(self, operation: Operation, result: Result) -> Report:
        """The answer, parsed."""
        return parse_report(result.stdout)

    def begin(self, operation: Operation) -> None:
        """Nothing to do."""

    def explain(self, operation: Operation, error: NodeError) -> NodeError:
        """It says enough."""
        return error

    def may_leave(self, operation: Operation) -> bool:
        """A pool is where it is: wait for its node."""
        return False

    def steps(self, operation: Operation) -> list[Step]:
        """The plan."""
        raise LookupError(f"{self.name} has no plan.")

    def undo(self, operation: Operation, facts: Report) -> Sequence[Command]:
        """Nothing to take back."""
        return []

    def succeed(self, operation: Operation) -> None:
        """Nothing more to do."""

    def fail(self, operation: Operation, reason: str) -> Next:
        """The reason is the result."""
        return Next.FAIL

    def cancel(self, operation: Operation, reason: str) -> None:
        """As a failure."""
        self.fail(operation, reason)

    def reopen(self, operation: Operation, actor: User | None) -> None:
        """Retry: everything is looked at anew. Raises what the request would raise."""
        pool = locked(self.pool(operation), actor)
        if reason := self.why_not(pool, operation):
            raise Refused(reason)
        operation.state = {}
        operation.save(update_fields=["state", "updated_at"])

    def why_not(self, pool: Pool, operation: Operation) -> str | None:
        """The reason it cannot be begun again."""
        return None


class PoolGone(NodeError):
    """Somebody removed the row meanwhile."""

    sentence = gettext_noop("%(name)s is no pool of Hearth any more.")


class OtherVolumeGroup(NoSuchVolumeGroup):
    """The node has a volume group of that name, but it is not the one that was registered."""

    sentence = gettext_noop(
        "Volume group %(vg)s on %(node)s is not the one that was registered: its UUID is %(found)s."
    )
    way_out = gettext_noop("Check the node's disks. If the group was made anew on purpose, register it again.")
