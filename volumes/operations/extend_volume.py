"""Extend Volume: grow the LV and read back what it is now. There is no way to make a volume smaller.

Who: members. From: available, in-use. Status: extending -> what it was, whatever happens: it grows in one stroke or not at
all, and its size is what the node says. Where the pool is not known to be clean, the extents it will get are taken into an
LV of their own first, zeroed and read back, and then given to the volume: nobody ever reads what was in them. A thick volume
with snapshots is inactive for a moment while it grows, which LVM wants; it is never left so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext, gettext_noop

from volumes import placement, rules
from volumes.engine import outbox
from volumes.engine.protocol import Next, Step, register
from volumes.errors import NoRoom, NotAllowed, QuotaExceeded, Refused
from volumes.models import GIB, UNLIMITED, Operation, Pool, Status, User, Volume
from volumes.nodes.commands import Command, Result, change, read
from volumes.nodes.errors import DeviceBusy, NodeError
from volumes.nodes.lvm import change as lvm
from volumes.nodes.lvm.report import where
from volumes.operations import common, wiping


@dataclass(frozen=True)
class Largest:
    """The largest size a volume could be given now, in GiB, and what sets that limit."""

    gib: int
    by_pool: bool

    def sentence(self) -> str:
        """For people."""
        if self.by_pool:
            return gettext("Its pool has room for at most %(gib)d GiB.") % {"gib": self.gib}
        return gettext("The project's quota allows at most %(gib)d GiB.") % {"gib": self.gib}


def largest(volume: Volume) -> Largest:
    """How far it could grow."""
    room = 0
    if volume.pool is not None:
        pool = Pool.objects.with_promises().get(pk=volume.pool.pk)
        room = 0 if placement.why_unusable(pool, growing=True) else placement.room_bytes(pool) // GIB
    quota = volume.project.quota_gib
    left = room if quota == UNLIMITED else max(0, quota - volume.project.used()[1])
    return Largest(volume.size_gib + min(room, left), by_pool=room <= left)


def request(volume: Volume, *, new_size_gib: int, actor: User) -> Operation:
    """Ask for it. Quota for the difference is taken here. Raises Refused with what fits, Conflict when somebody was faster."""
    if not rules.may_act(actor, volume.project):
        raise NotAllowed(gettext("You may look at this project, but not change it."))
    with transaction.atomic():
        type(volume.project).objects.select_for_update().get(pk=volume.project_id)
        volume = common.locked(volume)
        if reason := rules.why_not_extend(volume):
            raise Refused(reason)
        _refuse_if_too_small_or_large(volume, new_size_gib)
        operation = common.new_operation("extend_volume", gettext("Extend volume %(name)s"), volume, actor)
        operation.args = {"from_gib": volume.size_gib, "to_gib": new_size_gib}
        operation.state = {"before": volume.status}
        volume.transition(
            expect={volume.status},
            to=Status.EXTENDING,
            operation=operation,
            actor=actor,
            growth_gib=new_size_gib - volume.size_gib,
            last_operation=operation,
        )
        common.save_new(operation)
        outbox.send_on_commit(operation)
    return operation


def _refuse_if_too_small_or_large(volume: Volume, new_size_gib: int) -> None:
    if new_size_gib <= volume.size_gib:
        said = gettext("It has %(size)d GiB already; the new size must be larger, for a volume cannot shrink.")
        raise Refused(said % {"size": volume.size_gib}, field="new_size")
    if volume.pool is not None:
        pool = Pool.objects.select_for_update().get(pk=volume.pool.pk)
        if reason := placement.why_unusable(pool, growing=True):
            raise NoRoom(f"{pool}: {reason}", field="new_size")
    most = largest(volume)
    if new_size_gib > most.gib:
        raise (NoRoom if most.by_pool else QuotaExceeded)(most.sentence(), field="new_size")


class ExtendVolume(common.VolumeVerb):
    """The verb; `state` remembers the status before, whether to zero first, and the extents made ready."""

    name = "extend_volume"

    def steps(self, operation: Operation) -> list[Step]:
        """Look; make room ready where it may hold somebody's bytes; grow."""
        volume = self.volume(operation)
        pool = common.pool_of(volume)
        look = Step(
            key="look",
            title=gettext("See that it is there, ours, and how large it is"),
            commands=[common.ask(volume)],
            check=lambda results: _look(operation, volume, pool, results),
        )
        if "zero" not in operation.state:
            return [look]
        ready = _ready_steps(operation, volume, pool) if operation.state["zero"] else []
        return [look, *ready, _grow_step(operation, volume, pool)]

    def others(self, operation: Operation) -> list[str]:
        """The LV that holds the room made ready for it."""
        return [_room(operation, self.volume(operation)).lv_name]

    def undo(self, operation: Operation, facts: common.Facts) -> Sequence[Command]:
        """Give the room back, and never leave the volume inactive. What its size is now is written down by the way."""
        volume = self.volume(operation)
        vg, lv, room = common.pool_of(volume).vg_name, facts.lv, _room(operation, volume)
        commands = []
        if room.lv_name in facts.lvs and common.is_ours(volume, facts.lvs[room.lv_name]):
            # not all of it was zeroed, and the rest of the pool may have been scrubbed meanwhile
            Pool.objects.filter(pk=common.pool_of(volume).pk).update(free_space_is_clean=False)
            commands.append(change(lvm.remove(vg, room.lv_name, ident=str(volume.pk))))
        if lv is not None and common.is_ours(volume, lv):
            operation.state["seen_bytes"] = lv.size_bytes
            if not lv.active:
                commands.append(change(lvm.activate(vg, volume.lv_name)))
        return commands

    def succeed(self, operation: Operation) -> None:
        """It is larger."""
        self._settle(operation, "")

    def fail(self, operation: Operation, reason: str) -> Next:
        """What it was, and as large as the node says."""
        self._settle(operation, reason)
        return Next.FAIL

    def cancel(self, operation: Operation, reason: str) -> None:
        """As a failure."""
        self._settle(operation, reason)

    def _settle(self, operation: Operation, reason: str) -> None:
        volume = self.volume(operation)
        size_gib = int(operation.state.get("seen_bytes", 0)) // GIB or volume.size_gib
        if volume.pool is not None and not volume.pool.is_thin and size_gib > volume.size_gib:
            taken = (size_gib - volume.size_gib) * GIB
            Pool.objects.filter(pk=volume.pool.pk).update(free_bytes=F("free_bytes") - taken)
        volume.transition(
            expect={Status.EXTENDING},
            to=operation.state.get("before", Status.AVAILABLE),
            why=reason,
            operation=operation,
            size_gib=size_gib,
            growth_gib=0,
        )

    def reopen(self, operation: Operation, actor: User | None) -> None:
        """Take the quota anew: it was given back when it failed."""
        volume = common.locked(self.volume(operation))
        if reason := rules.why_not_extend(volume):
            raise Refused(reason)
        to_gib = int(operation.args["to_gib"])
        _refuse_if_too_small_or_large(volume, to_gib)
        operation.state = {**operation.state, "before": volume.status}
        for key in ("zero", "extents", "seen_bytes", "grown"):
            operation.state.pop(key, None)
        operation.save(update_fields=["state", "updated_at"])
        growth = to_gib - volume.size_gib
        volume.transition(
            expect={volume.status}, to=Status.EXTENDING, operation=operation, actor=actor, growth_gib=growth
        )


def _room(operation: Operation, volume: Volume) -> wiping.Lv:
    """The LV that holds the extents while they are made ready."""
    growth = int(operation.args["to_gib"]) * GIB - int(operation.args["from_gib"]) * GIB
    return wiping.Lv(volume.pk, f"grow-{volume.pk}", growth)


def _look(operation: Operation, volume: Volume, pool: Pool, results: Sequence[Result]) -> str:
    """Also decides, once, whether what it gets has to be zeroed."""
    lv = common.ours(volume, common.parse(results[0], volume).lv)
    asked = int(operation.args["to_gib"]) * GIB
    operation.state |= {"is_origin": lv.is_origin, "zero": not pool.is_thin and not pool.free_space_is_clean}
    operation.save(update_fields=["state", "updated_at"])
    if lv.size_bytes > asked:
        raise LargerAlready(lv=lv.name, found=lv.size_bytes, asked=asked)
    if lv.is_origin and lv.open:
        raise OriginInUse(lv=f"{lv.vg}/{lv.name}", detail=gettext("something has it open"))
    return gettext("It has %(bytes)d bytes.") % {"bytes": lv.size_bytes}


def _ready_steps(operation: Operation, volume: Volume, pool: Pool) -> list[Step]:
    room = _room(operation, volume)
    gib = {"size": room.size_bytes // GIB}
    make = lvm.create_thick(pool.vg_name, room.lv_name, room.size_bytes, tags=lvm.own_tags(str(volume.pk)))

    def remember(results: Sequence[Result]) -> str:
        operation.state["extents"] = results[-1].stdout.split()
        operation.save(update_fields=["state", "updated_at"])
        return " ".join(operation.state["extents"])

    return [
        Step(
            key="room",
            title=gettext("Take %(size)d GiB aside, for the pool's free space is not known to be clean") % gib,
            commands=[change(make)],
            done=lambda facts: gettext("They are taken.") if room.lv_name in facts.lvs else "",
        ),
        *wiping.steps(room, pool, title=gettext("Zero them before the volume gets them")),
        Step(
            key="where",
            title=gettext("See which extents they are"),
            commands=[read(where(pool.vg_name, room.lv_name))],
            check=remember,
        ),
    ]


def _grow_step(operation: Operation, volume: Volume, pool: Pool) -> Step:
    vg, lv, to_bytes = pool.vg_name, volume.lv_name, int(operation.args["to_gib"]) * GIB
    commands = []
    if operation.state["zero"]:
        commands.append(change(lvm.remove(vg, f"grow-{volume.pk}", ident=str(volume.pk))))
    if operation.state["is_origin"]:
        commands.append(change(lvm.deactivate(vg, lv, ident=str(volume.pk))))
    commands.append(change(lvm.extend(vg, lv, to_bytes, operation.state.get("extents", ()))))
    if operation.state.get("grown"):  # it was cut off before the activation
        commands = []
    commands += [change(lvm.activate(vg, lv))] if operation.state["is_origin"] else []

    def check(results: Sequence[Result]) -> str:
        found = common.ours(volume, common.parse(results[-1], volume).lv)
        operation.state["seen_bytes"] = found.size_bytes
        operation.save(update_fields=["state", "updated_at"])
        if found.size_bytes != to_bytes:
            raise NotGrown(lv=lv, found=found.size_bytes, asked=to_bytes)
        return gettext("read back: %(bytes)d bytes") % {"bytes": found.size_bytes}

    def done(facts: common.Facts) -> str:
        found = facts.lv
        if found is None or found.size_bytes != to_bytes or f"grow-{volume.pk}" in facts.lvs:
            return ""
        operation.state |= {"seen_bytes": found.size_bytes, "grown": True}
        operation.save(update_fields=["state", "updated_at"])
        if not found.active:
            return ""
        return gettext("It has %(bytes)d bytes already.") % {"bytes": found.size_bytes}

    title = gettext("Grow it from %(from)d to %(to)d GiB") % {
        "from": operation.args["from_gib"],
        "to": operation.args["to_gib"],
    }
    return Step(key="grow", title=title, commands=[*commands, common.ask(volume)], check=check, done=done)


class LargerAlready(NodeError):
    """Somebody grew the LV outside Hearth."""

    sentence = gettext_noop("%(lv)s has %(found)s bytes already, more than the %(asked)s asked. Nothing was changed.")
    way_out = gettext_noop("See on the pool's page what differs; an administrator decides which size is right.")


class NotGrown(NodeError):
    """lvextend said yes and the LV has another size."""

    sentence = gettext_noop("%(lv)s has %(found)s bytes where %(asked)s were asked.")


class OriginInUse(DeviceBusy):
    """LVM grows an origin only while it is inactive."""

    way_out = gettext_noop("A thick volume with snapshots grows only while nothing has it open. Stop what uses it.")


register(ExtendVolume())
