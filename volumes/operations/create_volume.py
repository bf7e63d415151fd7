"""Create Volume: choose a pool, make the LV, zero it where the pool is not known to be clean, read back what was made.

Who: members. Status: creating -> available. A pool that fails is left clean and the next one is tried, unless the person
named the pool. If none takes it: `error`, with the reason, and nothing left on any node.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from volumes import placement, rules
from volumes.engine import outbox
from volumes.engine.protocol import Next, Step, register
from volumes.errors import NoRoom, NotAllowed, QuotaExceeded, Refused
from volumes.models import (
    GIB,
    Operation,
    Pool,
    Project,
    Status,
    User,
    Volume,
)
from volumes.nodes.commands import Command, Result, change, read
from volumes.nodes.errors import AlreadyExists, NodeError, NoSpace, WipeFailed
from volumes.nodes.lvm.change import create_thick, create_thin, own_tags, remove
from volumes.operations import common, wiping

MAX_COUNT = 100


def request(
    *,
    project: Project,
    actor: User,
    name: str = "",
    description: str = "",
    size_gib: int = 1,
    count: int = 1,
    pool: Pool | None = None,
    zone: str = "",
    metadata: Mapping[str, str] | None = None,
) -> list[Operation]:
    """Ask for `count` volumes, named `name-1` to `name-n` when there are several. Quota is taken here, all or nothing.

    They go into `pool`, or into some pool whose node is in `zone`, or into any.
    """
    if not rules.may_act(actor, project):
        raise NotAllowed(gettext("You may look at this project, but not change it."))
    if size_gib < 1:
        raise Refused(gettext("A volume has at least 1 GiB."), field="size")
    if not 1 <= count <= MAX_COUNT:
        raise Refused(
            gettext("Between 1 and %(most)d volumes can be made at once.") % {"most": MAX_COUNT}, field="count"
        )
    with transaction.atomic():
        project = Project.objects.select_for_update().get(pk=project.pk)
        if reason := rules.why_not_create(project, size_gib=size_gib, count=count):
            raise QuotaExceeded(reason)
        _refuse_if_nothing_fits(size_gib, pool, zone)
        return [
            _request_one(
                project,
                actor,
                _numbered(name, number, count),
                description,
                size_gib,
                pool,
                zone,
                metadata or {},
            )
            for number in range(1, count + 1)
        ]


def _numbered(name: str, number: int, count: int) -> str:
    return f"{name}-{number}" if name and count > 1 else name


def _refuse_if_nothing_fits(size_gib: int, pool: Pool | None, zone: str) -> None:
    if pool is not None and zone and pool.node.zone != zone:
        said = gettext("%(pool)s is not in zone %(zone)s. Leave out one of the two.") % {"pool": pool, "zone": zone}
        raise Refused(said, field="zone")
    choice = placement.choose(size_gib * GIB, among=[pool.pk] if pool else None, zone=zone)
    if choice.pool is not None:
        return
    if not choice.verdicts:
        raise NoRoom(
            gettext("There is no pool yet. An administrator adds the first node."),
            field="pool",
        )
    if pool is not None:
        raise NoRoom(f"{pool}: {choice.verdicts[0].why_not}", field="pool")
    if zone:
        raise _no_room_in(zone, choice)
    if choice.largest_gib:
        raise NoRoom(gettext("No pool has that much room: at most %(room)d GiB.") % {"room": choice.largest_gib})
    raise NoRoom(gettext("No pool takes new volumes now.") + "\n" + choice.sentence())


def _no_room_in(zone: str, choice: placement.Choice) -> NoRoom:
    words = {"zone": zone, "room": choice.largest_gib}
    if choice.largest_gib:
        return NoRoom(gettext("No pool in zone %(zone)s has that much room: at most %(room)d GiB.") % words)
    said = gettext("No pool in zone %(zone)s takes new volumes now.") % words
    return NoRoom(f"{said}\n{choice.sentence()}", field="zone")


def _request_one(
    project: Project,
    actor: User,
    name: str,
    description: str,
    size_gib: int,
    pool: Pool | None,
    zone: str,
    metadata: Mapping[str, str],
) -> Operation:
    volume = Volume(
        project=project,
        name=name,
        description=description,
        size_gib=size_gib,
        metadata=dict(metadata),
        created_by=actor,
    )
    operation = common.new_operation("create_volume", gettext("Create volume %(name)s"), volume, actor)
    operation.args = {"pool": str(pool.pk) if pool else None, "size_gib": size_gib, "zone": zone}
    operation.save(force_insert=True)
    volume.last_operation = operation
    volume.save(force_insert=True)
    volume.remember("", volume.status, operation=operation, actor=actor)
    outbox.send_on_commit(operation)
    return operation


class CreateVolume(common.VolumeVerb):
    """The verb; `state` remembers the pools tried."""

    name = "create_volume"

    def steps(self, operation: Operation) -> list[Step]:
        """Choose, make, zero if need be."""
        volume = self.volume(operation)
        steps = [
            Step(
                key="choose",
                title=gettext("Choose a pool"),
                local=lambda: self._choose(operation, volume),
            )
        ]
        pool = volume.pool
        if pool is None:
            return steps
        steps.append(
            Step(
                key="make",
                title=gettext("Make the logical volume, %(size)d GiB") % {"size": volume.size_gib},
                commands=_make(volume, pool),
                check=lambda results: _check_size(operation, volume, results),
                done=lambda facts: _already(operation, volume, facts),
            )
        )
        if not pool.is_thin and (operation.state.get("zero", False) or not pool.free_space_is_clean):
            steps += wiping.steps(
                wiping.Lv(volume.pk, volume.lv_name, int(operation.state.get("lv_bytes", 0)) or volume.size_bytes),
                pool,
                title=gettext("Zero it, for the pool's free space is not known to be clean"),
            )
        return steps

    def among(self, operation: Operation) -> list[uuid.UUID] | None:
        """The pools it may go to, by id; None for any."""
        named = operation.args.get("pool")
        return [uuid.UUID(named)] if named else None

    def _choose(self, operation: Operation, volume: Volume) -> str:
        """Fix the pool in the row, under a lock, so that two volumes are not promised the same space."""
        if volume.pool is not None:
            return gettext("%(pool)s: something of the last try may still be there.") % {"pool": volume.pool}
        tried = [uuid.UUID(pk) for pk in operation.state.get("tried", [])]
        named = operation.args.get("pool")
        with transaction.atomic():
            list(Pool.objects.select_for_update().order_by("pk"))
            choice = placement.choose(
                volume.size_bytes,
                among=self.among(operation),
                without=tried,
                zone=_zone(operation),
            )
            if choice.pool is None:
                raise NothingFits(why=choice.sentence() or gettext("There is no pool."))
            Volume.objects.filter(pk=volume.pk).update(pool=choice.pool, allocated_at=None)
            operation.state["zero"] = not (choice.pool.is_thin or choice.pool.free_space_is_clean)
            operation.set(node=choice.pool.node, state=operation.state)
        if named:
            return gettext("%(pool)s, as asked.") % {"pool": choice.pool}
        return choice.sentence()

    def undo(self, operation: Operation, facts: common.Facts) -> Sequence[Command]:
        """Remove the LV, if there is one and it is ours."""
        volume = self.volume(operation)
        if volume.pool is None or facts.lv is None or not common.is_ours(volume, facts.lv):
            return []
        if operation.state.get(
            "zero"
        ):  # not all of it was zeroed, and the rest of the pool may have been scrubbed meanwhile
            Pool.objects.filter(pk=volume.pool.pk).update(free_space_is_clean=False)
        return [change(remove(volume.pool.vg_name, volume.lv_name, ident=str(volume.pk)))]

    def may_leave(self, operation: Operation) -> bool:
        """A node that does not answer is passed over while nothing was sent to it and another may be tried."""
        pools = Pool.objects.filter(node__zone=_zone(operation)) if _zone(operation) else Pool.objects.all()
        return not operation.args.get("pool") and pools.count() > len(operation.state.get("tried", [])) + 1

    def succeed(self, operation: Operation) -> None:
        """The promise is kept."""
        volume = self.volume(operation)
        volume.transition(
            expect={Status.CREATING},
            to=Status.AVAILABLE,
            operation=operation,
            allocated_at=timezone.now(),
        )

    def fail(self, operation: Operation, reason: str) -> Next:
        """Try the next pool, or say that it could not be made."""
        volume = self.volume(operation)
        tried = operation.state.get("tried", [])
        if volume.pool is not None and not operation.args.get("pool") and not self._left(operation):
            operation.state["tried"] = [*tried, str(volume.pool.pk)]
            if placement.choose(
                volume.size_bytes,
                among=self.among(operation),
                without=[uuid.UUID(pk) for pk in operation.state["tried"]],
                zone=_zone(operation),
            ).pool:
                Volume.objects.filter(pk=volume.pk).update(pool=None, allocated_at=None)
                return Next.AGAIN
        self._give_up(operation, volume, reason)
        return Next.FAIL

    def cancel(self, operation: Operation, reason: str) -> None:
        """It was taken back; the row stays, so that nothing vanishes unexplained."""
        self._give_up(operation, self.volume(operation), reason)

    def _give_up(self, operation: Operation, volume: Volume, reason: str) -> None:
        fields = {} if self._left(operation) else {"pool": None, "allocated_at": None}
        volume.transition(
            expect={Status.CREATING},
            to=Status.ERROR,
            why=reason,
            operation=operation,
            **fields,
        )

    def _left(self, operation: Operation) -> bool:
        """Whether something was made and nobody saw it go: then the volume keeps its pool, so that Delete finds it."""
        made = operation.steps.filter(round=operation.round, key="make").exclude(started_at=None).exists()
        return made and operation.state.get("taken_back") != operation.round

    def explain(self, operation: Operation, error: NodeError) -> NodeError:
        """The remedies of a wipe speak of a delete: here, what was made is taken back."""
        error = super().explain(operation, error)
        if isinstance(error, WipeFailed):
            return NotMade(why=error.localized(gettext), results=error.results)
        return error

    def reopen(self, operation: Operation, actor: User | None) -> None:
        """Start over: any pool may be tried again, unless something is left in one."""
        volume = self.volume(operation)
        operation.state.pop("tried", None)
        operation.state["look"] = volume.pool is not None
        operation.save(update_fields=["state", "updated_at"])
        volume.transition(expect={Status.ERROR}, to=Status.CREATING, operation=operation, actor=actor)


def _zone(operation: Operation) -> str:
    """The zone asked for. A named pool wins: its node may have been given another zone since."""
    return "" if operation.args.get("pool") else str(operation.args.get("zone") or "")


class NotMade(NodeError):
    """Its extents could not be zeroed."""

    sentence = gettext_noop("%(why)s")
    way_out = gettext_noop("What was made was taken back. Check the node's disk, then try again.")


class NothingFits(NoSpace):
    """No pool can take it."""

    sentence = "%(why)s"
    way_out = ""


def _make(volume: Volume, pool: Pool) -> list[Command]:
    tags = own_tags(str(volume.pk))
    if pool.is_thin:
        make = create_thin(
            pool.vg_name,
            pool.thin_pool_name,
            volume.lv_name,
            volume.size_bytes,
            tags=tags,
        )
    else:
        make = create_thick(pool.vg_name, volume.lv_name, volume.size_bytes, tags=tags)
    return [
        change(make),
        read(["blockdev", "--getsize64", f"/dev/{pool.vg_name}/{volume.lv_name}"]),
    ]


def _check_size(operation: Operation, volume: Volume, results: Sequence[Result]) -> str:
    """The size is read back from the node, never assumed; LVM rounds up to whole extents."""
    found = int(results[-1].stdout.strip() or 0)
    _note_size(operation, volume, found)
    return gettext("read back: %(bytes)d bytes") % {"bytes": found}


def _note_size(operation: Operation, volume: Volume, found: int) -> None:
    if found < volume.size_bytes:
        raise WrongSize(asked=volume.size_bytes, found=found)
    operation.state["lv_bytes"] = found
    operation.save(update_fields=["state", "updated_at"])


def _already(operation: Operation, volume: Volume, facts: common.Facts) -> str:
    if facts.lv is None:
        return ""
    if not common.is_ours(volume, facts.lv):
        raise AlreadyExists(vg=facts.lv.vg, lv=facts.lv.name)
    _note_size(operation, volume, facts.lv.size_bytes)
    return gettext("It is there already: %(bytes)d bytes.") % {"bytes": facts.lv.size_bytes}


class WrongSize(NodeError):
    """The node made something else than was asked."""

    sentence = "The node made an LV of %(found)s bytes where %(asked)s were asked."


register(CreateVolume())
