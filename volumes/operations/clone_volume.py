"""Create Volume from a volume or a snapshot: the same bytes, or the same and more room, and independent of the source.

Who: members. From: a source that is available (a volume also in use: then it is what a power failure would leave). Status:
creating -> available; the source is held against deletion meanwhile, and stays usable. What it gets is the source's content
of the moment in which the first steps run. In the source's own thin pool it is a thin snapshot that shares blocks: instant.
Elsewhere on the source's node every byte is copied, read back and compared; a volume is frozen by a snapshot for that, which
is removed afterwards. A failure or a cancel leaves nothing on the node.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.utils.translation import gettext

from volumes import placement, rules
from volumes.engine import outbox
from volumes.engine.protocol import Step, register
from volumes.errors import NoRoom, NotAllowed, QuotaExceeded, Refused
from volumes.models import GIB, Operation, Pool, Snapshot, User, Volume
from volumes.nodes.commands import Command, Result, change
from volumes.nodes.lvm import change as lvm
from volumes.nodes.lvm.report import LogicalVolume
from volumes.operations import common, create_snapshot, proving, wiping
from volumes.operations.create_volume import CreateVolume

FREEZE_SHARE = 25
"""Percent of a thick source's size for what is written to it while it is copied; less where the pool has no more."""


def request(
    source: Volume | Snapshot,
    *,
    actor: User,
    name: str = "",
    description: str = "",
    size_gib: int | None = None,
    pool: Pool | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Operation:
    """Ask for it. Without a size it is as large as the source; without a pool it goes to the source's, or the next best."""
    if not rules.may_act(actor, source.project):
        raise NotAllowed(gettext("You may look at this project, but not change it."))
    with transaction.atomic():
        project = type(source.project).objects.select_for_update().get(pk=source.project_id)
        common.locked(source if isinstance(source, Volume) else source.volume)
        source = type(source).objects.get(pk=source.pk)
        if reason := why_not(source):
            raise Refused(reason, field="source")
        size_gib = size_gib or source.size_gib
        if size_gib < source.size_gib:
            said = gettext("Its source has %(size)d GiB, so it has at least that.") % {"size": source.size_gib}
            raise Refused(said, field="size")
        if reason := rules.why_not_create(project, size_gib=size_gib):
            raise QuotaExceeded(reason)
        _refuse_if_nothing_fits(source, size_gib, pool)
        return _request(source, actor, name, description, size_gib, pool, metadata or {})


def why_not(source: Volume | Snapshot) -> str | None:
    """The reason it cannot be copied."""
    return rules.why_not_clone(source) if isinstance(source, Volume) else rules.why_not_copy_snapshot(source)


def pools_for(source: Volume | Snapshot) -> list[Pool]:
    """Where a copy can go: the pools of the source's node, its own first."""
    pool = common.pool_of(source)
    return sorted(Pool.objects.filter(node=pool.node), key=lambda other: (other.pk != pool.pk, other.label))


def _refuse_if_nothing_fits(source: Volume | Snapshot, size_gib: int, pool: Pool | None) -> None:
    near = [other.pk for other in pools_for(source)]
    if pool is not None and pool.pk not in near:
        said = gettext("A copy stays on the node of its source, %(node)s.") % {"node": common.pool_of(source).node}
        raise NoRoom(said, field="pool")
    choice = placement.choose(size_gib * GIB, among=[pool.pk] if pool else near)
    if choice.pool is None:
        raise NoRoom(choice.sentence(), field="pool" if pool else "size")


def _request(
    source: Volume | Snapshot,
    actor: User,
    name: str,
    description: str,
    size_gib: int,
    pool: Pool | None,
    metadata: Mapping[str, str],
) -> Operation:
    of = {"source_snapshot": source} if isinstance(source, Snapshot) else {"source_volume": source}
    volume = Volume(
        project=source.project,
        name=name,
        description=description,
        size_gib=size_gib,
        metadata=dict(metadata),
        created_by=actor,
        **of,
    )
    title = gettext("Create volume %(name)s from %(source)s")
    words = {"name": "%(name)s", "source": str(source).replace("%", "%%")}
    operation = common.new_operation("clone_volume", title % words, volume, actor)
    operation.args = {
        "pool": str(pool.pk) if pool else None,
        "size_gib": size_gib,
        "source_kind": source.kind,
        "source": str(source.pk),
        "source_gib": source.size_gib,
    }
    operation.save(force_insert=True)
    volume.last_operation = operation
    volume.save(force_insert=True)
    volume.remember("", volume.status, operation=operation, actor=actor)
    outbox.send_on_commit(operation)
    return operation


class CloneVolume(CreateVolume):
    """The verb; where nothing is said here it does what Create Volume does."""

    name = "clone_volume"

    def source(self, operation: Operation) -> Volume | Snapshot:
        """What it is made from."""
        if operation.args["source_kind"] == Snapshot.kind:
            rows = Snapshot.objects.select_related("volume__pool__node", "project")
            return rows.get(pk=operation.args["source"])
        return Volume.objects.select_related("pool__node", "project").get(pk=operation.args["source"])

    def among(self, operation: Operation) -> list[uuid.UUID] | None:
        """The named one; else the source's own pool where it fits, else the others of its node."""
        if named := super().among(operation):
            return named
        pools = pools_for(self.source(operation))
        tried = operation.state.get("tried", [])
        own = [pool.pk for pool in pools[:1] if str(pool.pk) not in tried]
        size = int(operation.args["size_gib"]) * GIB
        if own and placement.choose(size, among=own).pool is not None:
            return own
        return [pool.pk for pool in pools]

    def others(self, operation: Operation) -> list[str]:
        """The snapshot that freezes the source while it is copied."""
        return [_frozen_name(self.volume(operation))]

    def facts_command(self, operation: Operation) -> Command | None:
        """The volume's LV, and that snapshot: both are in volume groups of the same node, so both groups are asked."""
        volume = self.volume(operation)
        if volume.pool is None:
            return None
        return common.ask_in(
            {volume.pool.vg_name, common.pool_of(self.source(operation)).vg_name},
            volume.lv_name,
            *self.others(operation),
        )

    def steps(self, operation: Operation) -> list[Step]:
        """Choose; then share blocks, or freeze, make, copy and let go."""
        choose, *rest = super().steps(operation)
        volume = self.volume(operation)
        if volume.pool is None:
            return [choose]
        source = self.source(operation)
        look = Step(
            key="source",
            title=gettext("See that the source is there and ours"),
            commands=[common.ask(source)],
            check=lambda results: _look(source, results),
        )
        if volume.pool.is_thin and volume.pool == source.pool:
            return [choose, look, self._share(operation, volume, source)]
        frozen = source.lv_name if isinstance(source, Snapshot) else _frozen_name(volume)
        origin = f"{common.pool_of(source).vg_name}/{frozen}"
        target = f"{volume.pool.vg_name}/{volume.lv_name}"
        make, *zero = rest
        if int(operation.args["source_gib"]) == volume.size_gib:
            zero = []  # every byte of it is overwritten before anybody can read it
        copying = proving.copy_steps(volume.pool, origin, target, source.size_bytes, sparse=volume.pool.is_thin)
        freeze, thaw = self._freezing(operation, volume, source)
        return [choose, look, *freeze, make, *zero, *copying, *thaw]

    def _share(self, operation: Operation, volume: Volume, source: Volume | Snapshot) -> Step:
        vg = common.pool_of(volume).vg_name
        tags = lvm.own_tags(str(volume.pk))
        commands = [change(lvm.snapshot_thin(vg, source.lv_name, volume.lv_name, tags=tags, writable=True))]
        if volume.size_gib > int(operation.args["source_gib"]):
            commands.append(change(lvm.extend(vg, volume.lv_name, volume.size_bytes)))

        def check(results: Sequence[Result]) -> str:
            lv = common.ours(volume, common.parse(results[-1], volume).lv)
            if lv.size_bytes < volume.size_bytes:
                raise create_snapshot.OtherSize(lv=lv.name, found=lv.size_bytes, asked=volume.size_bytes)
            return gettext("read back: %(bytes)d bytes, sharing blocks until they are written") % {
                "bytes": lv.size_bytes
            }

        def done(facts: common.Facts) -> str:
            if facts.lv is None or not common.is_ours(volume, facts.lv) or facts.lv.size_bytes < volume.size_bytes:
                return ""
            return gettext("It is there already.")

        return Step(
            key="make",
            title=gettext("Share the source's blocks under a name of its own"),
            commands=[*commands, common.ask(volume)],
            check=check,
            done=done,
        )

    def _freezing(
        self, operation: Operation, volume: Volume, source: Volume | Snapshot
    ) -> tuple[list[Step], list[Step]]:
        """What holds a volume still while it is copied, and what takes that away. A snapshot is still as it is."""
        if isinstance(source, Snapshot):
            return [], []
        pool, name, tags = common.pool_of(source), _frozen_name(volume), lvm.own_tags(str(volume.pk))
        thaw = Step(
            key="thaw",
            title=gettext("Remove the snapshot that froze the source"),
            commands=[change(lvm.remove(pool.vg_name, name, ident=str(volume.pk)))],
            done=lambda facts: "" if name in facts.lvs else gettext("It is gone already."),
        )
        if pool.is_thin:
            make, wipe = lvm.snapshot_thin(pool.vg_name, source.lv_name, name, tags=tags), []
        else:
            size = _freeze_bytes(source, pool)
            make = lvm.snapshot_thick(pool.vg_name, source.lv_name, name, size, tags=tags)
            wipe = self._wipe_frozen(operation, volume, pool, name, size)
        freeze = Step(
            key="freeze",
            title=gettext("Freeze the source's content of this moment"),
            commands=[change(make)],
            done=lambda facts: gettext("It is frozen already.") if name in facts.lvs else "",
        )
        return [freeze], [*wipe, thaw]

    def _wipe_frozen(self, operation: Operation, volume: Volume, pool: Pool, name: str, size: int) -> list[Step]:
        """Its copy-on-write space holds bytes of the source: parted, wiped and read back as a deleted snapshot's."""
        vg = pool.vg_name

        def parted(facts: common.Facts) -> str:
            lv = facts.lvs.get(name)
            if lv is not None and lv.is_thick_snapshot:
                return ""
            operation.state["frozen_split"] = True
            operation.save(update_fields=["state", "updated_at"])
            return gettext("It is parted already.") if lv is None or _is_writable(lv) else ""

        def measure(results: Sequence[Result]) -> str:
            lv = common.named(results[-1], name)
            operation.state["frozen_bytes"] = lv.size_bytes if lv else 0
            operation.save(update_fields=["state", "updated_at"])
            return ""

        split = [] if operation.state.get("frozen_split") else [change(lvm.split_snapshot(vg, name))]
        part = Step(
            key="part",
            title=gettext("Part that snapshot from the source"),
            commands=[*split, change(lvm.writable(vg, name)), common.ask_in({vg}, name)],
            check=measure,
            done=parted,
        )
        block = wiping.Lv(volume.pk, name, int(operation.state.get("frozen_bytes", 0)) or size)
        return [part, *wiping.thick_steps(block, pool, mark=":frozen")]

    def undo(self, operation: Operation, facts: common.Facts) -> Sequence[Command]:
        """Remove the LV, and the snapshot that froze the source."""
        volume, source = self.volume(operation), self.source(operation)
        name = _frozen_name(volume)
        commands = list(super().undo(operation, facts))
        if name in facts.lvs and common.is_ours(volume, facts.lvs[name]):
            pool = common.pool_of(source)
            if not pool.is_thin:
                Pool.objects.filter(pk=pool.pk).update(free_space_is_clean=False)  # its space is not wiped here
            commands.append(change(lvm.remove(pool.vg_name, name, ident=str(volume.pk))))
        return commands

    def reopen(self, operation: Operation, actor: User | None) -> None:
        """Start over, from what the source is by then."""
        model = Snapshot if operation.args["source_kind"] == Snapshot.kind else Volume
        source = model.objects.filter(pk=operation.args["source"]).first()
        if source is None:
            raise Refused(gettext("What it was to be made from is gone."))
        common.locked(source if isinstance(source, Volume) else source.volume)
        if reason := why_not(source):
            raise Refused(reason)
        for key in ("frozen_split", "frozen_bytes"):
            operation.state.pop(key, None)
        super().reopen(operation, actor)


def _frozen_name(volume: Volume) -> str:
    return f"copy-{volume.pk}"


def _is_writable(lv: LogicalVolume) -> bool:
    return lv.attr[1:2] == "w"


def _freeze_bytes(source: Volume, pool: Pool) -> int:
    """A quarter of the source, or what there is; never less than LVM can use."""
    counted = Pool.objects.with_promises().get(pk=pool.pk)
    extent = pool.extent_size_bytes
    wanted = min(source.size_bytes * FREEZE_SHARE // 100, placement.room_bytes(counted))
    return max(wanted // extent, 4) * extent


def _look(source: Volume | Snapshot, results: Sequence[Result]) -> str:
    lv = common.ours(source, common.parse(results[0], source).lv)
    if isinstance(source, Volume) and lv.size_bytes < source.size_bytes:
        raise create_snapshot.OtherSize(lv=lv.name, found=lv.size_bytes, asked=source.size_bytes)
    return gettext("It has %(bytes)d bytes.") % {"bytes": lv.size_bytes}


register(CloneVolume())
