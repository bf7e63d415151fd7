"""Scrub Free Space: take every free extent of a thick pool into one LV, zero it, read it back, and give it back.

Who: administrators. Afterwards the pool's free space is clean, so new volumes need no zeroing, unless bytes were freed
unwiped meanwhile. While it runs nothing new finds room in the group, and nothing in it can grow.

How it knows: the pool is called clean right before all free extents are taken, when nobody can be given any. Whoever frees
bytes unwiped from then on takes that word back, as ever, and it stays taken back. A scrub that is cancelled or fails puts the
word back to what it was, before a single extent is free again.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext, gettext_noop

from volumes import rules
from volumes.engine import reconcile
from volumes.engine.protocol import Next, Step, register
from volumes.errors import Refused
from volumes.models import Operation, Pool, User
from volumes.nodes.commands import Command, Result, change
from volumes.nodes.errors import AlreadyExists, NodeError, NoSuchLogicalVolume, WipeFailed
from volumes.nodes.lvm import change as lvm
from volumes.nodes.lvm.report import LogicalVolume, Report
from volumes.operations import pool_verb, wiping


def request(pool: Pool, *, actor: User) -> Operation:
    """Ask for it. Raises Refused with the obstacle."""

    def prepare(pool: Pool) -> Operation:
        if reason := rules.why_not_scrub(pool):
            raise Refused(reason)
        return pool_verb.new_operation(
            "scrub_pool", gettext("Scrub the free space of %(name)s") % {"name": pool}, pool, actor
        )

    return pool_verb.request(pool, actor, prepare)


def plan(pool: Pool) -> list[pool_verb.Planned]:
    """What it would do now."""
    operation = Operation(verb="scrub_pool", target_id=pool.pk, state={"bytes": pool.free_bytes})
    return pool_verb.planned(ScrubPool().steps(operation), pool)


class ScrubPool(pool_verb.PoolVerb):
    """The verb; `state` remembers whether the pool was clean before, the LVs of others, and how much was taken."""

    name = "scrub_pool"

    def steps(self, operation: Operation) -> list[Step]:
        """Look; take; zero and read back; give back."""
        pool = self.pool(operation)
        name, ident = pool.scrub_lv_name, str(pool.pk)
        make = lvm.take_all(pool.vg_name, name, tags=lvm.own_tags(ident))
        steps = [
            Step(
                key="look",
                title=gettext("See that this is the group, and who else has LVs in it"),
                commands=[pool_verb.ask(pool)],
                check=lambda results: _look(operation, pool, results),
            ),
            Step(
                key="take",
                title=gettext("Take all free extents into one LV"),
                commands=[change(make), pool_verb.ask(pool)],
                check=lambda results: _taken(operation, pool, pool_verb.group_of(pool, results)[0]),
                done=lambda report: _taken(operation, pool, report) if _ours(pool, report) else "",
            ),
        ]
        if "bytes" not in operation.state:
            return steps
        block = wiping.Lv(pool.pk, name, int(operation.state["bytes"]))
        return [
            *steps,
            *wiping.steps(block, pool, title=gettext("Overwrite them with zeroes")),
            Step(
                key="remove",
                title=gettext("Give them back"),
                commands=[change(lvm.remove(pool.vg_name, name, ident=ident)), pool_verb.ask(pool)],
                check=lambda results: _given_back(operation, pool, pool_verb.group_of(pool, results)[0]),
                done=lambda report: "" if _ours(pool, report) else _given_back(operation, pool, report),
            ),
        ]

    def undo(self, operation: Operation, facts: Report) -> Sequence[Command]:
        """Say first that the space is what it was, then give it back."""
        pool = self.pool(operation)
        if _ours(pool, facts) is None:
            return []
        _put_back(operation)
        return [change(lvm.remove(pool.vg_name, pool.scrub_lv_name, ident=str(pool.pk)))]

    def succeed(self, operation: Operation) -> None:
        """In the transaction that ends it: clean, unless somebody took that back or an LV of others is gone."""
        if operation.state.get("lost"):
            Pool.objects.filter(pk=operation.target).update(free_space_is_clean=False)

    def fail(self, operation: Operation, reason: str) -> Next:
        """What it was. An LV that could not be removed holds its extents still."""
        _put_back(operation)
        return Next.FAIL

    def explain(self, operation: Operation, error: NodeError) -> NodeError:
        """The remedies of a wipe speak of a delete."""
        if isinstance(error, WipeFailed):
            return NotScrubbed(why=error.localized(gettext), results=error.results)
        return error

    def why_not(self, pool: Pool, operation: Operation) -> str | None:
        """As a new one."""
        return rules.why_not_scrub(pool, retried=operation)


def _look(operation: Operation, pool: Pool, results: Sequence[Result]) -> str:
    report, vg = pool_verb.group_of(pool, results)
    closed = [pv.name for pv in report.pvs if pv.free_bytes and not pv.allocatable]
    if closed:
        raise NotAllocatable(vg=vg.name, pvs=", ".join(closed))
    mine = _ours(pool, report)
    if mine is None and not vg.free_bytes:
        raise NothingFree(vg=vg.name)
    operation.state["others"] = {lv.uuid: [lv.name, lv.size_bytes] for lv in report.lvs if lv.hearth_id is None}
    with transaction.atomic():
        row = Pool.objects.select_for_update().get(pk=pool.pk)
        operation.state.setdefault("clean_before", row.free_space_is_clean and mine is None)
        operation.save(update_fields=["state", "updated_at"])
        reconcile.begin_anew(row, [lv for lv in report.lvs if not lv.pool])
        row.set(free_space_is_clean=True)
    if mine is not None:
        return gettext("An earlier scrub left its LV behind; it is used again.")
    return gettext("%(bytes)d bytes are free.") % {"bytes": vg.free_bytes}


def _ours(pool: Pool, report: Report) -> LogicalVolume | None:
    found = report.lv(pool.vg_name, pool.scrub_lv_name)
    if found is not None and found.hearth_id != str(pool.pk):
        raise AlreadyExists(vg=pool.vg_name, lv=pool.scrub_lv_name)
    return found


def _taken(operation: Operation, pool: Pool, report: Report) -> str:
    found = _ours(pool, report)
    if found is None:
        raise NoSuchLogicalVolume(vg=pool.vg_name, lv=pool.scrub_lv_name)
    operation.state["bytes"] = found.size_bytes
    operation.save(update_fields=["state", "updated_at"])
    pieces = sum(piece.lv == found.name for piece in report.pieces)
    return gettext("read back: %(bytes)d bytes in %(count)d pieces") % {"bytes": found.size_bytes, "count": pieces}


def _given_back(operation: Operation, pool: Pool, report: Report) -> str:
    if _ours(pool, report) is not None:
        raise NotGivenBack(lv=pool.scrub_lv_name)
    lost = []
    for uuid, (name, size) in operation.state.get("others", {}).items():
        lv = report.by_uuid(uuid)
        if lv is None or lv.size_bytes < size:
            lost.append(name)
    operation.state["lost"] = lost
    operation.save(update_fields=["state", "updated_at"])
    pool.refresh_from_db(fields=["free_space_is_clean"])
    if lost:
        said = gettext("%(lvs)s vanished or shrank meanwhile, and nobody wiped what it held: not clean. Scrub again.")
        return said % {"lvs": ", ".join(lost)}
    if not pool.free_space_is_clean:
        return gettext("Bytes were freed unwiped meanwhile, so the free space is not clean. Scrub again.")
    return gettext("all free space of %(pool)s reads as zero") % {"pool": pool}


def _put_back(operation: Operation) -> None:
    """The pool's word about its free space is what it was; where it was taken back meanwhile, it stays so."""
    if operation.state.get("clean_before") is False:
        Pool.objects.filter(pk=operation.target).update(free_space_is_clean=False)


class NothingFree(NodeError):
    """There is nothing to scrub."""

    sentence = gettext_noop("Volume group %(vg)s has no free extent, so there is nothing to scrub.")


class NotAllocatable(NodeError):
    """Extents that LVM hands out to nobody cannot be taken, and would stay as they are."""

    sentence = gettext_noop(
        "In volume group %(vg)s the free extents of %(pvs)s cannot be taken: allocation is switched off there."
    )
    way_out = gettext_noop("Switch it on with `pvchange --allocatable y`, scrub, and switch it off again.")


class NotGivenBack(NodeError):
    """lvremove said yes and the LV is still listed."""

    sentence = gettext_noop("%(lv)s was removed, and is still there.")


class NotScrubbed(NodeError):
    """The space could not be zeroed, or does not read as zeroes."""

    sentence = gettext_noop("%(why)s")
    way_out = gettext_noop(
        "The extents were given back; the free space is no cleaner than before. Check the node's disk."
    )


register(ScrubPool())
