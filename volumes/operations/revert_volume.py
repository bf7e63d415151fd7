"""Revert Volume: bring a volume back to what it was when one of its snapshots was taken. What was written since is lost.

Who: members. From: available, and only to a snapshot of the same size. Status: reverting -> available; the snapshot is
restoring -> available. LVM merges the snapshot into the volume, and a new one of the same content takes its place; other
snapshots, newer ones too, keep their content, unless a thick one lacks the room for what the merge overwrites. The result's
digest has to be the snapshot's. Once the merge was begun there is no way back: `error_reverting` says so, Retry goes on.
A thick merge frees space that was not wiped, so the pool is no longer taken for clean.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext, gettext_noop

from volumes import rules
from volumes.engine import doubt, outbox
from volumes.engine.protocol import Next, Step, register
from volumes.errors import NotAllowed, Refused
from volumes.models import GIB, Operation, Pool, Snapshot, SnapshotStatus, Status, User, Volume
from volumes.nodes.commands import Command, Result, change
from volumes.nodes.errors import NodeError
from volumes.nodes.lvm import change as lvm
from volumes.operations import common, create_snapshot, proving

FROM = {Status.AVAILABLE, Status.ERROR_REVERTING}


def request(volume: Volume, snapshot: Snapshot, *, actor: User) -> Operation:
    """Ask for it. Raises Refused with the obstacle, Conflict when somebody was faster."""
    if not rules.may_act(actor, volume.project):
        raise NotAllowed(gettext("You may look at this project, but not change it."))
    with transaction.atomic():
        volume = common.locked(volume)
        snapshot = Snapshot.objects.select_related("volume__pool__node", "project").get(pk=snapshot.pk)
        if snapshot.volume_id != volume.pk:
            raise Refused(gettext("That is a snapshot of another volume."), field="snapshot")
        if reason := rules.why_not_revert_to(snapshot):
            raise Refused(reason, field="snapshot")
        title = gettext("Revert volume %(name)s to snapshot %(snapshot)s")
        operation = common.new_operation(
            "revert_volume", title % {"name": "%(name)s", "snapshot": str(snapshot).replace("%", "%%")}, volume, actor
        )
        operation.args = {"snapshot": str(snapshot.pk), "snapshot_name": str(snapshot)}
        operation.state = {"cow_bytes": snapshot.cow_bytes}
        _begin(operation, volume, snapshot, actor)
        common.save_new(operation)
        outbox.send_on_commit(operation)
    return operation


def _begin(operation: Operation, volume: Volume, snapshot: Snapshot, actor: User | None) -> None:
    volume.transition(expect=FROM, to=Status.REVERTING, operation=operation, actor=actor, last_operation=operation)
    snapshot.transition(
        expect={SnapshotStatus.AVAILABLE, SnapshotStatus.ERROR},
        to=SnapshotStatus.RESTORING,
        operation=operation,
        actor=actor,
        last_operation=operation,
    )


def at_risk(snapshot: Snapshot) -> list[Snapshot]:
    """Other thick snapshots of the volume that the merge could fill up, because their space is not as large as the volume."""
    pool = snapshot.volume.pool
    if pool is None or pool.is_thin:
        return []
    written = snapshot.cow_bytes * (snapshot.snap_percent or 0.0) / 100
    others = snapshot.volume.snapshots.filter(status=SnapshotStatus.AVAILABLE).exclude(pk=snapshot.pk)
    return [other for other in others if other.cow_bytes * (1 - (other.snap_percent or 0.0) / 100) < written]


class RevertVolume(common.VolumeVerb):
    """The verb; `state` remembers the digest that the result must have, and whether the merge was seen to be begun."""

    name = "revert_volume"

    def snapshot(self, operation: Operation) -> Snapshot:
        """The snapshot it goes back to."""
        return Snapshot.objects.select_related("volume__pool__node", "project").get(pk=operation.args["snapshot"])

    def others(self, operation: Operation) -> list[str]:
        """The snapshot's LV."""
        return [self.snapshot(operation).lv_name]

    def steps(self, operation: Operation) -> list[Step]:
        """Look; digest the snapshot; merge; digest the volume; take the snapshot anew."""
        volume, snapshot = self.volume(operation), self.snapshot(operation)
        pool = common.pool_of(volume)
        vg, size, wanted = pool.vg_name, volume.size_bytes, str(operation.state.get("digest", ""))
        known = gettext("It is known from an earlier try.") if operation.state.get("merging") else ""
        look = Step(
            key="look",
            title=gettext("See that volume and snapshot are there and ours"),
            commands=[common.ask(volume, snapshot.lv_name)],
            check=lambda results: _look(operation, volume, snapshot, results),
            proof=True,
        )
        before = proving.digest_step(
            pool,
            f"{vg}/{snapshot.lv_name}",
            size,
            key="before",
            title=gettext("Read the snapshot: what the volume has to become"),
            keep=proving.remember(operation, "digest"),
            skip=known,
        )
        after = proving.digest_step(
            pool,
            f"{vg}/{volume.lv_name}",
            size,
            key="after",
            title=gettext("Read the volume and compare it with the snapshot"),
            wanted=wanted,
        )
        merging = [] if pool.is_thin else [proving.merge_step(f"{vg}/{volume.lv_name}", snapshot.cow_bytes or size)]
        return [
            look,
            before,
            *([] if pool.is_thin else [_book(pool)]),
            _merge(operation, volume, snapshot, pool),
            *merging,
            after,
            _anew(operation, volume, snapshot, pool),
        ]

    def undo(self, operation: Operation, facts: common.Facts) -> Sequence[Command]:
        """A merge cannot be taken back. The volume is never left inactive."""
        volume = self.volume(operation)
        if facts.lv is None or facts.lv.active or not common.is_ours(volume, facts.lv):
            return []
        return [change(lvm.activate(common.pool_of(volume).vg_name, volume.lv_name))]

    def succeed(self, operation: Operation) -> None:
        """The volume is what it was, and so is the snapshot."""
        snapshot = self.snapshot(operation)
        if operation.state.get("anew"):
            snapshot.transition(
                expect={SnapshotStatus.RESTORING},
                to=SnapshotStatus.AVAILABLE,
                operation=operation,
                cow_bytes=int(operation.state.get("cow_bytes", 0)),
                snap_percent=None if common.pool_of(snapshot).is_thin else 0.0,
            )
        else:
            why = gettext("Its content went into the volume, and there was no room to take it anew.")
            snapshot.remember(snapshot.status, "deleted", why=why, operation=operation)
            snapshot.delete()
        self.volume(operation).transition(expect={Status.REVERTING}, to=Status.AVAILABLE, operation=operation)

    def fail(self, operation: Operation, reason: str) -> Next:
        """Untouched, or in the middle."""
        self._settle(operation, reason)
        return Next.FAIL

    def cancel(self, operation: Operation, reason: str) -> None:
        """As a failure."""
        self._settle(operation, reason)

    def _settle(self, operation: Operation, reason: str) -> None:
        volume, snapshot = self.volume(operation), self.snapshot(operation)
        if doubt.has_begun(operation):
            half = gettext(
                "%(reason)s The merge was begun: until Retry has finished it, its content is not to be relied on."
            )
            volume.transition(
                expect={Status.REVERTING},
                to=Status.ERROR_REVERTING,
                why=half % {"reason": reason},
                operation=operation,
            )
            to, why = SnapshotStatus.ERROR, gettext("Its volume is in the middle of going back to it.")
        else:
            volume.transition(expect={Status.REVERTING}, to=Status.AVAILABLE, why=reason, operation=operation)
            to, why = SnapshotStatus.AVAILABLE, ""
        snapshot.transition(expect={SnapshotStatus.RESTORING}, to=to, why=why, operation=operation)

    def reopen(self, operation: Operation, actor: User | None) -> None:
        """Go on from whatever the node shows."""
        volume, snapshot = common.locked(self.volume(operation)), self.snapshot(operation)
        if volume.status == Status.AVAILABLE and (reason := rules.why_not_revert_to(snapshot)):
            raise Refused(reason)
        _begin(operation, volume, snapshot, actor)


def _look(operation: Operation, volume: Volume, snapshot: Snapshot, results: Sequence[Result]) -> str:
    facts = common.parse(results[0], volume)
    lv = common.ours(volume, facts.lv)
    if lv.size_bytes != snapshot.size_gib * GIB:
        raise create_snapshot.OtherSize(lv=lv.name, found=lv.size_bytes, asked=snapshot.size_bytes)
    if operation.state.get("merging") and doubt.has_begun(operation):
        return gettext("An earlier try has begun the merge.")
    found = common.ours(snapshot, facts.lvs.get(snapshot.lv_name))
    if found.snapshot_invalid:
        raise LostSnapshot(lv=found.name)
    if found.origin != volume.lv_name:
        raise create_snapshot.OtherOrigin(lv=found.name, found=found.origin or "-", asked=volume.lv_name)
    operation.state["cow_bytes"] = found.size_bytes if found.is_thick_snapshot else 0
    operation.save(update_fields=["state", "updated_at"])
    return ""


def _book(pool: Pool) -> Step:
    """Before the merge frees what nobody wiped."""

    def book() -> str:
        Pool.objects.filter(pk=pool.pk).update(free_space_is_clean=False)
        return gettext("new volumes in %(pool)s are zeroed from now on, until its free space is scrubbed") % {
            "pool": pool
        }

    return Step(key="unclean", title=gettext("Note that the pool's free space will not be clean"), local=book)


def _merge(operation: Operation, volume: Volume, snapshot: Snapshot, pool: Pool) -> Step:
    """Merging an open volume would be put off by LVM until it is next activated, so it is proven first that nothing holds it."""
    vg, lv = pool.vg_name, volume.lv_name

    def begun(_results: Sequence[Result]) -> str:
        _note_merging(operation)
        return ""

    def done(facts: common.Facts) -> str:
        if facts.lv is None or (snapshot.lv_name in facts.lvs and not facts.lv.is_merging):
            return ""
        if not facts.lv.active:  # it was cut off between the merge and the activation that begins it
            operation.state["scheduled"] = True
            operation.save(update_fields=["state", "updated_at"])
            return ""
        _note_merging(operation)
        return gettext("The merge is under way, or over.")

    schedule = [
        change(lvm.deactivate(vg, lv, ident=str(volume.pk))),
        change(lvm.merge_snapshot(vg, snapshot.lv_name)),
    ]
    return Step(
        key="begin",
        title=gettext("Prove that nothing holds the volume, and let LVM put the snapshot's content back"),
        commands=[*([] if operation.state.get("scheduled") else schedule), change(lvm.activate(vg, lv))],
        check=begun,
        done=done,
        skip=gettext("An earlier try has begun it.") if operation.state.get("merging") else "",
        destroys=True,
    )


def _note_merging(operation: Operation) -> None:
    operation.state["merging"] = True
    operation.save(update_fields=["state", "updated_at"])


def _anew(operation: Operation, volume: Volume, snapshot: Snapshot, pool: Pool) -> Step:
    """The merge gave the snapshot up; one of the same content takes its place. Where the room is gone, the revert is good still."""
    tags = lvm.own_tags(str(snapshot.pk))
    if pool.is_thin:
        make = lvm.snapshot_thin(pool.vg_name, volume.lv_name, snapshot.lv_name, tags=tags)
    else:
        size = int(operation.state.get("cow_bytes", 0)) or snapshot.cow_bytes
        make = lvm.snapshot_thick(pool.vg_name, volume.lv_name, snapshot.lv_name, size, tags=tags)

    def check(results: Sequence[Result]) -> str:
        return note(common.parse(results[-1], snapshot))

    def note(facts: common.Facts) -> str:
        lv = facts.lvs.get(snapshot.lv_name)
        operation.state["anew"] = lv is not None and common.is_ours(snapshot, lv)
        operation.state["cow_bytes"] = lv.size_bytes if lv is not None and lv.is_thick_snapshot else 0
        operation.save(update_fields=["state", "updated_at"])
        return (
            ""
            if operation.state["anew"]
            else gettext("There was no room for it: the snapshot is gone, the volume is right.")
        )

    def done(facts: common.Facts) -> str:
        if snapshot.lv_name not in facts.lvs:
            return ""
        note(facts)
        return gettext("It is there already.")

    return Step(
        key="anew",
        title=gettext("Take the snapshot anew, for the merge used it up"),
        commands=[change(make, allow_failure=True), common.ask(snapshot)],
        check=check,
        done=done,
    )


class LostSnapshot(NodeError):
    """Its copy-on-write space overflowed."""

    sentence = gettext_noop("%(lv)s is invalid: its copy-on-write space overflowed, so there is nothing to go back to.")


register(RevertVolume())
