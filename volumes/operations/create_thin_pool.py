"""Create Thin Pool: in the volume group of a thick pool. It zeroes every block before it hands it out.

Who: administrators. The row of the new pool is written when the node has shown that the thin pool is there; volumes can be
placed in it from then on. A failure or a cancel leaves neither.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from volumes import placement, rules
from volumes.engine import facts
from volumes.engine.protocol import Step, register
from volumes.errors import NoRoom, Refused
from volumes.models import GIB, Operation, Pool, User
from volumes.nodes.commands import Command, Result, change
from volumes.nodes.errors import AlreadyExists, NodeError
from volumes.nodes.lvm import change as lvm
from volumes.nodes.lvm.report import LogicalVolume, Report, parse_report
from volumes.operations import pool_verb

METADATA_SHARE = 1000
"""LVM takes about a thousandth for metadata, and as much for its spare."""
METADATA_LEAST = 4 * 1024**2


def largest_gib(pool: Pool) -> int:
    """The largest thin pool that surely fits, metadata and spare beside it."""
    found = Pool.objects.with_promises().get(pk=pool.pk)
    room = placement.room_bytes(found)
    return max(0, room - 2 * max(METADATA_LEAST, room // METADATA_SHARE)) // GIB


def request(pool: Pool, *, name: str, size_gib: int, actor: User) -> Operation:
    """Ask for it. Raises Refused with the obstacle, or with what fits."""

    def prepare(pool: Pool) -> Operation:
        if reason := rules.why_not_create_thin_pool(pool):
            raise Refused(reason)
        _refuse(pool, name, size_gib)
        title = gettext("Create thin pool %(name)s") % {"name": f"{pool} / {name}"}
        operation = pool_verb.new_operation("create_thin_pool", title, pool, actor)
        operation.args = {"name": name, "size_gib": size_gib}
        operation.target_size_gib = size_gib
        return operation

    return pool_verb.request(pool, actor, prepare)


def plan(pool: Pool, name: str, size_gib: int) -> list[pool_verb.Planned]:
    """What it would do now."""
    operation = Operation(verb="create_thin_pool", target_id=pool.pk, args={"name": name, "size_gib": size_gib})
    return pool_verb.planned(CreateThinPool().steps(operation), pool)


def _refuse(pool: Pool, name: str, size_gib: int) -> None:
    if reason := rules.why_not_lv_name(name):
        raise Refused(reason, field="name")
    taken = {entry["name"] for entry in pool.facts.get("lvs", [])}
    rows = Pool.objects.filter(node=pool.node, vg_name=pool.vg_name, thin_pool_name=name)
    if name in taken or rows.exists():
        raise Refused(gettext("%(vg)s has an LV of that name already.") % {"vg": pool.vg_name}, field="name")
    most = largest_gib(pool)
    if not 1 <= size_gib <= most:
        said = gettext("Between 1 and %(most)d GiB fit; metadata comes on top.") if most else gettext("No GiB is free.")
        raise NoRoom(said % {"most": most}, field="size")


class CreateThinPool(pool_verb.PoolVerb):
    """The verb. The LV carries the operation's id, which becomes the new pool's."""

    name = "create_thin_pool"

    def steps(self, operation: Operation) -> list[Step]:
        """Look; make and read back."""
        pool, name, ident = self.pool(operation), str(operation.args["name"]), str(operation.pk)
        size_bytes = int(operation.args["size_gib"]) * GIB
        make = lvm.create_thin_pool(pool.vg_name, name, size_bytes, tags=lvm.own_tags(ident))
        return [
            Step(
                key="look",
                title=gettext("See that this is the group, and that the name is free"),
                commands=[pool_verb.ask(pool)],
                check=lambda results: _look(operation, pool, results),
            ),
            Step(
                key="make",
                title=gettext("Make the thin pool, %(size)d GiB") % {"size": operation.args["size_gib"]},
                commands=[change(make), pool_verb.ask(pool)],
                check=lambda results: _made(operation, pool, results[-1].stdout),
                done=lambda report: gettext("It is there already.") if _ours(operation, pool, report) else "",
            ),
            Step(
                key="read",
                title=gettext("Read it back and register it"),
                commands=[pool_verb.ask(pool)],
                check=lambda results: _register(operation, pool, results),
            ),
        ]

    def undo(self, operation: Operation, facts: Report) -> Sequence[Command]:
        """Remove it, while nothing is in it."""
        pool = self.pool(operation)
        found = _ours(operation, pool, facts)
        if found is None or Pool.objects.filter(pk=operation.pk).exists():
            return []
        return [change(lvm.remove_thin_pool(pool.vg_name, found.name, ident=str(operation.pk)))]

    def why_not(self, pool: Pool, operation: Operation) -> str | None:
        """As a new one."""
        if reason := rules.why_not_create_thin_pool(pool, retried=operation):
            return reason
        _refuse(pool, str(operation.args["name"]), int(operation.args["size_gib"]))
        return None


def _ours(operation: Operation, pool: Pool, report: Report) -> LogicalVolume | None:
    found = report.lv(pool.vg_name, str(operation.args["name"]))
    return found if found is not None and found.hearth_id == str(operation.pk) else None


def _look(operation: Operation, pool: Pool, results: Sequence[Result]) -> str:
    report, vg = pool_verb.group_of(pool, results)
    name = str(operation.args["name"])
    if report.lv(pool.vg_name, name) is not None and _ours(operation, pool, report) is None:
        raise AlreadyExists(vg=pool.vg_name, lv=name)
    return gettext("%(bytes)d bytes are free.") % {"bytes": vg.free_bytes}


def _made(operation: Operation, pool: Pool, printed: str) -> str:
    found = _ours(operation, pool, parse_report(printed))
    if found is None or not found.is_thin_pool or not found.zero:
        raise NotMade(lv=f"{pool.vg_name}/{operation.args['name']}")
    words = {"bytes": found.size_bytes, "meta": found.metadata_size_bytes or 0, "chunk": found.chunk_size_bytes or 0}
    return gettext("read back: %(bytes)d bytes, %(meta)d of metadata, chunks of %(chunk)d, zeroing") % words


def _register(operation: Operation, pool: Pool, results: Sequence[Result]) -> str:
    """Its row, with what the node says of it: a volume can be placed there at once."""
    report, vg = pool_verb.group_of(pool, results)
    _made(operation, pool, results[-1].stdout)
    row, _ = Pool.objects.get_or_create(
        node=pool.node,
        vg_name=pool.vg_name,
        thin_pool_name=str(operation.args["name"]),
        defaults={"pk": operation.pk, "vg_uuid": vg.uuid},
    )
    facts.store_report(row, report, operation.started_at or timezone.now())
    pool_verb.refresh(pool, vg)
    return gettext("%(pool)s is a pool now") % {"pool": row}


class NotMade(NodeError):
    """lvcreate said yes, and it is not there, or does not zero."""

    sentence = gettext_noop("%(lv)s was to be a thin pool that zeroes new blocks, and is not.")


register(CreateThinPool())
