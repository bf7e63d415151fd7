"""Delete Snapshot: part it from its volume, wipe its copy-on-write space, remove it, see that it is gone. The volume stays.

Who: members. From: available and the bad statuses, also `invalid`; never while something is copied from it. Status: deleting
-> the row is gone. Busy, or any failure before it was parted: back to what it was. Afterwards: `error_deleting`, Retry.
"""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext

from volumes import rules
from volumes.engine import outbox
from volumes.engine.protocol import Next, Step, register
from volumes.errors import Conflict, NotAllowed, Refused
from volumes.models import SNAPSHOT_DELETABLE, Operation, Snapshot, SnapshotStatus, User
from volumes.operations import common, unsnapping


def request(snapshot: Snapshot, *, actor: User) -> Operation:
    """Ask for it. Raises Refused with the obstacle, Conflict when somebody was faster."""
    if not rules.may_act(actor, snapshot.project):
        raise NotAllowed(gettext("You may look at this project, but not change it."))
    with transaction.atomic():
        common.locked(snapshot.volume)
        try:
            snapshot.refresh_from_db()
        except Snapshot.DoesNotExist as error:
            raise Conflict(gettext("%(name)s no longer exists.") % {"name": snapshot}) from error
        if reason := rules.why_not_delete_snapshot(snapshot):
            raise Refused(reason)
        operation = common.new_operation("delete_snapshot", gettext("Delete snapshot %(name)s"), snapshot, actor)
        operation.state = {"before": snapshot.status, "before_why": snapshot.status_reason}
        snapshot.transition(
            expect={snapshot.status},
            to=SnapshotStatus.DELETING,
            operation=operation,
            actor=actor,
            last_operation=operation,
        )
        common.save_new(operation)
        outbox.send_on_commit(operation)
    return operation


class DeleteSnapshot(common.SnapshotVerb):
    """The verb; `state` remembers the status before."""

    name = "delete_snapshot"

    def steps(self, operation: Operation) -> list[Step]:
        """As `unsnapping` says; where it was never made, only the row goes."""
        snapshot = self.snapshot(operation)
        return unsnapping.steps(operation, snapshot)

    def succeed(self, operation: Operation) -> None:
        """The row goes, and with it the quota it held."""
        forget(operation, self.snapshot(operation))

    def fail(self, operation: Operation, reason: str) -> Next:
        """Whole still, or in the middle of going."""
        settle(operation, self.snapshot(operation), reason)
        return Next.FAIL

    def cancel(self, operation: Operation, reason: str) -> None:
        """As a failure."""
        settle(operation, self.snapshot(operation), reason)

    def reopen(self, operation: Operation, actor: User | None) -> None:
        """Delete again, from whatever it became."""
        snapshot = self.snapshot(operation)
        for key in ("absent", "plain"):
            operation.state.pop(key, None)
        operation.save(update_fields=["state", "updated_at"])
        snapshot.transition(expect=SNAPSHOT_DELETABLE, to=SnapshotStatus.DELETING, operation=operation, actor=actor)


def forget(operation: Operation, snapshot: Snapshot, *, mark: str = "") -> None:
    """It is gone from the node: the row goes too, and the pool has its space back."""
    pool = common.pool_of(snapshot)
    if not operation.state.get(f"absent{mark}"):
        common.give_back(operation, pool, int(operation.state.get(f"cow_bytes{mark}", 0)), mark=mark)
    snapshot.remember(snapshot.status, "deleted", operation=operation)
    snapshot.delete()


def settle(operation: Operation, snapshot: Snapshot, reason: str, *, mark: str = "", before: str = "") -> None:
    """What becomes of one that is still there after a failure."""
    if unsnapping.touched(operation, mark):
        to, why = SnapshotStatus.ERROR_DELETING.value, reason
    else:
        to = before or str(operation.state.get("before", SnapshotStatus.AVAILABLE))
        why = reason if to == SnapshotStatus.AVAILABLE else str(operation.state.get("before_why", reason))
    snapshot.transition(expect={SnapshotStatus.DELETING}, to=to, why=why, operation=operation)


register(DeleteSnapshot())
