"""Reconcile: what is provably wrong in a row is put right, the rest is shown, and no LV is ever touched."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.factories import OperationFactory, VolumeFactory
from volumes.engine import reconcile
from volumes.models import GIB, MOVING, Drift, Node, Pool, Status, StatusChange, Volume

pytestmark = pytest.mark.django_db
Kind = Drift.Kind


def lv(name: str, *, gib: int = 1, ident: object = None, segtype: str = "linear") -> dict[str, Any]:
    """An LV as the pool's facts list it."""
    return {
        "name": name,
        "size_bytes": gib * GIB,
        "hearth_id": str(ident) if ident else None,
        "segtype": segtype,
    }


def lv_of(volume: Volume, *, gib: int = 1) -> dict[str, Any]:
    return lv(volume.lv_name, gib=gib, ident=volume.pk)


def look(pool: Pool, *lvs: dict[str, Any], at: datetime | None = None) -> list[tuple[str, str]]:
    """The node said that these LVs are in the pool; what differs?"""
    pool.refresh_from_db()
    pool.set(facts={**pool.facts, "lvs": list(lvs)})
    reconcile.compare(pool.node, at or timezone.now())
    return list(pool.node.drifts.values_list("kind", "subject"))


@pytest.fixture
def settled(volume: Volume) -> Volume:
    """Nothing has happened to it for a minute."""
    Volume.objects.filter(pk=volume.pk).update(updated_at=timezone.now() - timedelta(minutes=1))
    volume.refresh_from_db()
    return volume


def test_where_rows_and_node_agree_there_is_no_drift(settled: Volume, thick: Pool) -> None:
    assert look(thick, lv_of(settled)) == []


class TestRowWithoutLv:
    def test_is_shown_and_the_volume_says_it_where_its_owner_looks(self, settled: Volume, thick: Pool) -> None:
        assert look(thick) == [(Kind.ROW_WITHOUT_LV, f"slow/{settled.lv_name}")]
        settled.refresh_from_db()
        assert settled.status == Status.ERROR
        assert settled.status_reason == "Volume data of project alpha has no LV in node / slow."
        assert StatusChange.objects.get().to_status == Status.ERROR

    def test_is_left_to_the_operation_that_is_at_work_on_it(self, settled: Volume, thick: Pool) -> None:
        OperationFactory(volume=settled)
        assert look(thick) == []
        settled.refresh_from_db()
        assert settled.status == Status.AVAILABLE

    def test_is_not_believed_of_a_row_that_changed_since_the_node_was_asked(self, volume: Volume, thick: Pool) -> None:
        assert look(thick, at=timezone.now() - timedelta(seconds=5)) == []

    def test_is_no_drift_for_a_volume_that_was_never_made(self, settled: Volume, thick: Pool) -> None:
        Volume.objects.filter(pk=settled.pk).update(allocated_at=None, status=Status.ERROR)
        assert look(thick) == []

    def test_leaves_a_status_alone_that_is_bad_already(self, settled: Volume, thick: Pool) -> None:
        Volume.objects.filter(pk=settled.pk).update(status=Status.ERROR_DELETING)
        assert look(thick) == [(Kind.ROW_WITHOUT_LV, f"slow/{settled.lv_name}")]
        settled.refresh_from_db()
        assert settled.status == Status.ERROR_DELETING


class TestLvWithoutRow:
    def test_of_ours_is_shown(self, thick: Pool) -> None:
        ident = uuid.uuid4()
        assert look(thick, lv(f"volume-{ident}", ident=ident)) == [(Kind.LV_WITHOUT_ROW, f"slow/volume-{ident}")]
        assert Drift.objects.get().detail == f"slow/volume-{ident} carries Hearth's tag and no row has its id."

    def test_whose_row_is_in_another_pool_says_so(self, settled: Volume, thin: Pool) -> None:
        look(thin, lv_of(settled))
        assert Drift.objects.get(pool=thin).detail.endswith("belongs to a row that is in another pool.")

    def test_of_an_operation_under_way_is_none(self, thick: Pool) -> None:
        operation = OperationFactory()
        assert look(thick, lv("volume-x", ident=operation.target_id)) == []

    def test_of_an_operation_on_the_pool_is_none(self, thick: Pool) -> None:
        """The free space while it is scrubbed carries the pool's id, a new thin pool the operation's."""
        operation = OperationFactory(verb="scrub_pool", target_kind="pool", target_id=thick.pk, project=None)
        for name, ident in ((thick.scrub_lv_name, thick.pk), ("swift", operation.pk)):
            assert look(thick, lv(name, ident=ident)) == []
        thick.refresh_from_db()
        assert thick.free_space_is_clean
        operation.delete()
        assert look(thick, lv(thick.scrub_lv_name, ident=thick.pk)) == [
            (Kind.LV_WITHOUT_ROW, f"slow/{thick.scrub_lv_name}")
        ]

    def test_with_a_tag_that_is_no_id_is_shown_like_any_other(self, thick: Pool) -> None:
        assert look(thick, lv("volume-x", ident="../../etc")) == [(Kind.LV_WITHOUT_ROW, "slow/volume-x")]

    def test_of_others_is_shown_and_stays_untouched(self, thick: Pool) -> None:
        assert look(thick, lv("root")) == [(Kind.FOREIGN_LV, "slow/root")]

    def test_that_is_a_thin_pool_is_none(self, thick: Pool) -> None:
        assert look(thick, lv("thin", segtype="thin-pool")) == []


def test_a_size_that_differs_is_shown_with_both_numbers(settled: Volume, thick: Pool) -> None:
    assert look(thick, lv_of(settled, gib=2)) == [(Kind.SIZE_DIFFERS, f"slow/{settled.lv_name}")]
    assert Drift.objects.get().detail == "The row of data says 1073741824 bytes, the node 2147483648."


def test_a_pool_that_is_missing_is_shown_and_its_volumes_are_left_alone(settled: Volume, thick: Pool) -> None:
    thick.set(present=False, missing_reason="Volume group slow is not on the node.")
    assert look(thick) == [(Kind.POOL_MISSING, "slow")]
    settled.refresh_from_db()
    assert settled.status == Status.AVAILABLE


@pytest.mark.parametrize(("skew", "drifts"), [(4.0, 0), (-4.0, 0), (6.0, 1), (-90.0, 1)])
def test_a_clock_that_is_off_is_shown(thick: Pool, skew: float, drifts: int) -> None:
    thick.node.set(facts={"clock_skew_s": skew})
    assert len(look(thick)) == drifts


class TestThinPool:
    def test_that_is_nearly_full_is_shown_for_data_and_for_metadata(self, thin: Pool) -> None:
        thin.set(data_percent=81.0, metadata_percent=90.0)
        assert look(thin) == [(Kind.THIN_FULL, "fast/thin data"), (Kind.THIN_FULL, "fast/thin metadata")]

    def test_that_does_not_zero_is_shown_with_the_command_that_mends_it(self, thin: Pool) -> None:
        thin.set(facts={"zeroes_new_blocks": False})
        assert look(thin) == [(Kind.NOT_ZEROING, "fast/thin")]
        assert "lvchange --zero y fast/thin" in Drift.objects.get().detail


class TestRemembering:
    def test_a_drift_that_lasts_keeps_its_first_time(self, thick: Pool) -> None:
        look(thick, lv("root"))
        first = Drift.objects.get()
        look(thick, lv("root"))
        again = Drift.objects.get()
        assert again.first_seen_at == first.first_seen_at
        assert again.last_seen_at > first.last_seen_at

    def test_a_drift_that_is_gone_is_forgotten(self, thick: Pool) -> None:
        look(thick, lv("root"))
        assert look(thick) == []


class TestFreeSpace:
    """An LV that was removed outside Hearth left its bytes in the free space."""

    def test_is_no_longer_clean_when_an_lv_of_others_vanished(self, thick: Pool) -> None:
        look(thick, lv("root"))
        look(thick)
        thick.refresh_from_db()
        assert not thick.free_space_is_clean

    def test_is_no_longer_clean_when_the_lv_of_a_volume_vanished(self, settled: Volume, thick: Pool) -> None:
        look(thick)
        thick.refresh_from_db()
        assert not thick.free_space_is_clean

    def test_can_be_made_clean_again_while_the_row_of_the_lost_lv_is_still_there(
        self, settled: Volume, thick: Pool
    ) -> None:
        look(thick)
        thick.set(free_space_is_clean=True)
        look(thick)
        thick.refresh_from_db()
        assert thick.free_space_is_clean

    def test_stays_clean_while_the_lvs_of_others_that_were_there_from_the_first_stay(self, thick: Pool) -> None:
        look(thick, lv("root"))
        look(thick, lv("root"))
        thick.refresh_from_db()
        assert thick.free_space_is_clean

    def test_is_no_longer_clean_when_an_lv_of_others_appeared(self, thick: Pool) -> None:
        look(thick, lv("root"))
        look(thick, lv("root"), lv("swap"))
        thick.refresh_from_db()
        assert not thick.free_space_is_clean

    def test_is_no_longer_clean_when_the_lv_of_a_volume_shrank(self, settled: Volume, thick: Pool) -> None:
        look(thick, {**lv_of(settled), "size_bytes": settled.size_bytes // 2})
        thick.refresh_from_db()
        assert not thick.free_space_is_clean

    def test_stays_clean_when_an_lv_of_others_is_adopted(self, thick: Pool) -> None:
        look(thick, {**lv("root"), "uuid": "u"})
        look(thick, {**lv_of(VolumeFactory(pool=thick)), "uuid": "u"})
        thick.refresh_from_db()
        assert thick.free_space_is_clean

    def test_stays_clean_when_an_lv_of_others_is_renamed_and_not_when_it_shrinks_with_it(self, thick: Pool) -> None:
        look(thick, {**lv("root", gib=2), "uuid": "u"})
        look(thick, {**lv("boot", gib=2), "uuid": "u"})
        thick.refresh_from_db()
        assert thick.free_space_is_clean
        look(thick, {**lv("root"), "uuid": "u"})
        thick.refresh_from_db()
        assert not thick.free_space_is_clean

    def test_is_no_longer_clean_when_a_volume_was_released(self, settled: Volume, thick: Pool) -> None:
        look(thick, {**lv_of(settled), "uuid": "u"})
        settled.delete()
        assert look(thick, {**lv("shop"), "uuid": "u"}) == [(Kind.FOREIGN_LV, "slow/shop")]
        thick.refresh_from_db()
        assert not thick.free_space_is_clean

    def test_stays_clean_when_a_thin_pool_of_ours_appears_and_not_when_it_vanishes(self, thick: Pool) -> None:
        look(thick)
        pool = {**lv("swift", ident=uuid.uuid4(), segtype="thin-pool"), "uuid": "u"}
        assert look(thick, pool) == []
        thick.refresh_from_db()
        assert thick.free_space_is_clean
        look(thick)
        thick.refresh_from_db()
        assert not thick.free_space_is_clean

    def test_of_a_thin_pool_is_never_in_doubt(self, thin: Pool) -> None:
        look(thin, lv("root"))
        look(thin)
        thin.refresh_from_db()
        assert thin.free_space_is_clean

    def test_stays_clean_when_a_delete_ended_between_the_look_and_the_comparison(
        self, settled: Volume, thick: Pool
    ) -> None:
        """The node still listed the LV when it was asked; by the time of the comparison the row was gone."""
        asked_at = timezone.now()
        OperationFactory(volume=settled, finished_at=timezone.now(), status="succeeded")
        seen = lv_of(settled)
        settled.delete()

        assert look(thick, seen, at=asked_at) == []
        look(thick)

        thick.refresh_from_db()
        assert thick.free_space_is_clean


class TestStrays:
    @pytest.mark.parametrize("status", sorted(MOVING))
    def test_every_moving_status_without_an_operation_is_put_right(self, settled: Volume, status: str) -> None:
        Volume.objects.filter(pk=settled.pk).update(status=status)
        assert reconcile.settle_strays() == 1
        settled.refresh_from_db()
        assert settled.is_bad
        assert settled.status_reason.startswith("Nothing was working on it any more.")

    def test_a_deleting_one_becomes_error_deleting(self, settled: Volume) -> None:
        Volume.objects.filter(pk=settled.pk).update(status=Status.DELETING)
        reconcile.settle_strays()
        settled.refresh_from_db()
        assert settled.status == Status.ERROR_DELETING

    def test_a_volume_that_rests_is_left_alone(self, settled: Volume) -> None:
        assert reconcile.settle_strays() == 0

    def test_a_moving_one_with_an_operation_is_left_to_it(self, settled: Volume) -> None:
        Volume.objects.filter(pk=settled.pk).update(status=Status.DELETING)
        OperationFactory(volume=settled)
        assert reconcile.settle_strays() == 0

    def test_one_that_began_to_move_a_moment_ago_is_given_time(self) -> None:
        VolumeFactory(status=Status.CREATING)
        assert reconcile.settle_strays() == 0


def test_every_pool_of_the_node_is_compared(node: Node, thick: Pool, thin: Pool) -> None:
    for pool in (thick, thin):
        pool.set(facts={"lvs": [lv("root")]})
    reconcile.compare(node, timezone.now())
    assert set(node.drifts.values_list("subject", flat=True)) == {"slow/root", "fast/root"}
