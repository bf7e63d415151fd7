"""What was begun is never called whole again, and an offset belongs to one LV and one flush."""

from __future__ import annotations

import uuid

import pytest
from django.utils import timezone

from tests.factories import OperationFactory, SnapshotFactory, StepFactory
from volumes.engine import doubt, facts, lease, reconcile, record, runner, units
from volumes.models import GIB, Node, Operation, Pool, Status, Step, User, Volume
from volumes.nodes.commands import Result
from volumes.nodes.facts import NodeFacts
from volumes.nodes.lvm.report import Report, VolumeGroup
from volumes.operations import common, revert_volume
from volumes.operations.create_volume import CreateVolume
from volumes.operations.delete_volume import DeleteVolume

pytestmark = pytest.mark.django_db


@pytest.fixture
def deleting(volume: Volume) -> Operation:
    """A delete whose wipe is under way in its unit."""
    Volume.objects.filter(pk=volume.pk).update(status=Status.DELETING)
    operation = OperationFactory(volume=volume, state={"before": "available"})
    for number, (key, phase, status, resume) in enumerate(
        [
            ("look", "", "done", 0),
            ("idle", "", "done", 0),
            ("wipe", "zero", "done", 64),
            ("verify", "verify", "running", 192),
        ],
        1,
    ):
        unit = f"hearth-{operation.pk}-3" if phase else ""
        found = {"resume": resume, "unit_known": True} if phase else {}
        StepFactory(operation=operation, number=number, key=key, phase=phase, status=status, unit=unit, facts=found)
    doubt.begun(operation)
    return operation


def lost(operation: Operation) -> None:
    """The node restarted: its units are gone, and the watch wrote that down."""
    row = operation.steps.get(key="verify")
    row.facts |= {"state": {"name": row.unit, "state": "missing"}}
    row.save()
    pairs = record.rows_for(operation, DeleteVolume().steps(operation))
    units.ended(operation, [(step, r) for step, r in pairs if not r.is_over])


def test_after_a_power_loss_the_wipe_goes_on_from_what_was_flushed_never_from_what_was_read(
    deleting: Operation,
) -> None:
    lost(deleting)
    rows = {row.key: row for row in deleting.steps.all()}
    assert {rows[key].status for key in ("wipe", "verify")} == {Step.Status.WAITING}
    assert {rows[key].facts["offset"] for key in ("wipe", "verify")} == {64}
    assert {rows[key].unit for key in ("wipe", "verify")} == {""}


def test_after_a_power_loss_it_is_proven_again_that_nothing_holds_it(deleting: Operation) -> None:
    lost(deleting)
    assert set(deleting.steps.filter(key__in=("look", "idle")).values_list("status", flat=True)) == {"waiting"}


def test_a_power_loss_does_not_make_a_half_wiped_volume_whole(deleting: Operation, volume: Volume) -> None:
    lost(deleting)
    deleting.refresh_from_db()
    DeleteVolume().cancel(deleting, "Cancelled by alice.")
    volume.refresh_from_db()
    assert volume.status == Status.ERROR_DELETING


def test_a_new_round_wipes_from_the_first_byte(deleting: Operation) -> None:
    deleting.set(round=2)
    pairs = record.rows_for(deleting, DeleteVolume().steps(deleting))
    assert [row.facts for step, row in pairs if step.unit] == [{}, {}]


def test_a_cancel_after_the_last_step_comes_too_late(deleting: Operation, volume: Volume) -> None:
    deleting.steps.update(status=Step.Status.DONE)
    StepFactory(operation=deleting, number=5, key="remove", status="done")
    deleting.set(cancel_asked_at=timezone.now(), cancel_asked_by="alice")
    token = lease.take(deleting.pk)
    assert token is not None
    runner._walk(Operation.objects.get(pk=deleting.pk), token)
    deleting.refresh_from_db()
    assert deleting.status == Operation.Status.SUCCEEDED
    assert not Volume.objects.filter(pk=volume.pk).exists()


def test_a_doubt_is_settled_by_the_node_and_a_certainty_never() -> None:
    operation = OperationFactory()
    doubt.maybe(operation, "boot")
    assert doubt.has_begun(operation)
    doubt.settle(operation, begun=False)
    assert not doubt.has_begun(operation)
    doubt.begun(operation)
    doubt.settle(operation, begun=False)
    assert doubt.has_begun(operation)


def test_that_a_unit_is_not_there_proves_nothing_once_the_node_has_restarted() -> None:
    operation = OperationFactory()
    doubt.maybe(operation, "the first boot")
    doubt.settle_unit(operation, there=False, boot_id="the first boot")
    assert not doubt.has_begun(operation)
    doubt.maybe(operation, "the first boot")
    doubt.settle_unit(operation, there=False, boot_id="the second boot")
    assert doubt.has_begun(operation)


def test_what_was_never_sent_is_not_doubted_because_a_node_restarted() -> None:
    operation = OperationFactory()
    doubt.settle_unit(operation, there=False, boot_id="the second boot")
    assert not doubt.has_begun(operation)


def test_a_unit_that_takes_its_node_down_is_not_started_for_ever(deleting: Operation) -> None:
    deleting.steps.filter(key="verify").update(facts={"tries": units.MOST_TRIES, "resume": 0})
    with pytest.raises(units.KeepsRestarting):
        lost(deleting)


def test_a_removal_that_was_sent_before_is_not_blamed_on_others(
    deleting: Operation, volume: Volume, thick: Pool
) -> None:
    StepFactory(operation=deleting, number=5, key="remove", status="failed", node=thick.node)
    assert common.was_removed_by_us(volume)


def test_a_volume_that_was_not_seen_to_go_keeps_its_pool(volume: Volume, thick: Pool) -> None:
    Volume.objects.filter(pk=volume.pk).update(status=Status.CREATING)
    operation = OperationFactory(volume=volume, verb="create_volume", args={"pool": None})
    StepFactory(operation=operation, number=1, key="make", status="failed", started_at=timezone.now())
    CreateVolume().cancel(operation, "The node went away.")
    volume.refresh_from_db()
    assert (volume.status, volume.pool) == (Status.ERROR, thick)


def test_one_that_was_seen_to_go_needs_none(volume: Volume) -> None:
    Volume.objects.filter(pk=volume.pk).update(status=Status.CREATING)
    operation = OperationFactory(volume=volume, verb="create_volume", args={"pool": None}, state={"taken_back": 1})
    StepFactory(operation=operation, number=1, key="make", status="failed", started_at=timezone.now())
    CreateVolume().cancel(operation, "The disk is broken.")
    volume.refresh_from_db()
    assert (volume.status, volume.pool) == (Status.ERROR, None)


def test_extents_that_were_dirty_when_they_were_taken_are_zeroed_whatever_is_ticked_since(
    volume: Volume, thick: Pool
) -> None:
    operation = OperationFactory(volume=volume, verb="create_volume", state={"zero": True})
    assert thick.free_space_is_clean
    assert [step.key for step in CreateVolume().steps(operation)] == ["choose", "make", "wipe", "verify"]


def group(pool: Pool, *, gib: int) -> NodeFacts:
    """What a node says of a volume group of that size, with nothing in it."""
    vg = VolumeGroup(pool.vg_name, "uuid", gib * GIB, gib * GIB, 4 * 2**20, 0, "wz--n-", frozenset())
    return NodeFacts(
        **{name: getattr(facts_of_nothing(), name) for name in NodeFacts.__dataclass_fields__ if name != "lvm"},
        lvm=Report((vg,), (), ()),
    )


def facts_of_nothing() -> object:
    """The rest of a node's facts, which do not matter here."""

    class Anything:
        def __getattr__(self, name: str) -> str:
            return ""

    return Anything()


def test_a_group_that_grew_is_no_longer_clean(thick: Pool) -> None:
    facts.store_pool(thick, group(thick, gib=100), timezone.now())
    assert thick.free_space_is_clean
    facts.store_pool(thick, group(thick, gib=120), timezone.now())
    thick.refresh_from_db()
    assert not thick.free_space_is_clean


@pytest.mark.parametrize(
    "now", [{}, {"theirs": ["u1", 1 * GIB]}, {"theirs": ["u2", 2 * GIB]}], ids=["vanished", "shrank", "made anew"]
)
def test_bytes_that_others_left_behind_make_a_pool_unclean(thick: Pool, now: dict[str, list[object]]) -> None:
    reconcile._remember_strangers(thick, {"theirs": ["u1", 2 * GIB]})
    reconcile._remember_strangers(thick, now)
    thick.refresh_from_db()
    assert not thick.free_space_is_clean


def test_operations_that_follow_a_unit_say_when_its_node_goes_silent(deleting: Operation, node: Node) -> None:
    from volumes.engine import outbox

    deleting.set(waits_for=Operation.Waits.UNIT, status=Operation.Status.WAITING, lease_token=uuid.uuid4())
    outbox.await_node(deleting.node_id, "It does not answer.")
    deleting.refresh_from_db()
    assert deleting.waits_for == Operation.Waits.NODE
    assert deleting.waits_text.startswith("It does not answer.")
    assert deleting.run_after is not None


def test_a_unit_that_was_at_work_and_is_missing_after_a_death_is_begun_again_with_its_proofs(
    deleting: Operation,
) -> None:
    pairs = record.rows_for(deleting, DeleteVolume().steps(deleting))
    known = [(step, row) for step, row in pairs if not row.is_over and row.unit]
    answer = Result(("watch",), 0, "boot another\nnow 1.5\ntails\n", "", 0.1)
    units.adopt(deleting, known, answer)
    statuses = dict(deleting.steps.values_list("key", "status"))
    assert statuses == dict.fromkeys(("look", "idle", "wipe", "verify", "remove"), "waiting")
    assert deleting.steps.get(key="wipe").facts == {"tries": 1, "offset": 64}


def test_a_unit_that_only_reads_is_no_beginning(volume: Volume, alice: User) -> None:
    snapshot = SnapshotFactory(volume=volume)
    operation = revert_volume.request(volume, snapshot, actor=alice)
    StepFactory(operation=operation, number=9, key="before", status="done", unit=f"hearth-{operation.pk}-2")
    answer = f"boot b\nnow 1.5\nunit hearth-{operation.pk}-2 over digest 0 1 1\ntails\n"
    assert len(units.of(operation, Result(("watch",), 0, answer, "", 0.1))) == 1
    assert not doubt.has_begun(operation)
