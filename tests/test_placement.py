"""Placement: which pool, and the reason for every other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import NodeFactory, PoolFactory, VolumeFactory
from volumes.models import GIB, Node, Pool
from volumes.placement import choose, room_bytes

pytestmark = pytest.mark.django_db


def why_not(pool: Pool, size_gib: int = 1) -> str | None:
    """The verdict on one pool."""
    (verdict,) = (v for v in choose(size_gib * GIB).verdicts if v.pool == pool)
    return verdict.why_not


class TestWeighing:
    def test_the_pool_with_the_most_room_wins(self) -> None:
        PoolFactory(size_bytes=10 * GIB)
        large = PoolFactory(size_bytes=30 * GIB)
        PoolFactory(size_bytes=20 * GIB)
        assert choose(GIB).pool == large

    def test_of_two_with_equal_room_the_first_by_name_wins(self) -> None:
        PoolFactory(node__name="b")
        first = PoolFactory(node__name="a")
        assert choose(GIB).pool == first

    def test_the_sentence_says_why_this_one_and_why_not_each_other(self) -> None:
        PoolFactory(node__name="large", vg_name="vg", size_bytes=30 * GIB)
        PoolFactory(node__name="less", vg_name="vg", size_bytes=20 * GIB)
        PoolFactory(node__name="small", vg_name="vg", size_bytes=2 * GIB)
        PoolFactory(node__name="off", vg_name="vg", node__enabled=False, node__disabled_reason="new disks on Friday")
        assert choose(4 * GIB).sentence().splitlines() == [
            "Chose large / vg: the most room, 30 GiB of room.",
            "Not less / vg: less room, 20 GiB of room.",
            "Not off / vg: the node is disabled for new volumes (new disks on Friday).",
            "Not small / vg: only 2 GiB of room.",
        ]

    def test_there_is_no_choice_where_there_is_no_pool(self) -> None:
        choice = choose(GIB)
        assert (choice.pool, choice.verdicts, choice.sentence()) == (None, (), "")


class TestFilters:
    def test_a_disabled_node_is_passed_over_with_its_reason(self) -> None:
        pool = PoolFactory(node__enabled=False, node__disabled_reason="it smells")
        assert why_not(pool) == "the node is disabled for new volumes (it smells)."

    def test_a_disabled_pool_is_passed_over_with_its_reason(self) -> None:
        pool = PoolFactory(enabled=False, disabled_reason="being emptied")
        assert why_not(pool) == "the pool is disabled for new volumes (being emptied)."

    def test_a_node_that_does_not_answer_is_passed_over(self) -> None:
        pool = PoolFactory(node__state=Node.State.UNREACHABLE)
        assert why_not(pool) == "the node does not answer."

    def test_a_node_that_fell_silent_is_passed_over(self) -> None:
        pool = PoolFactory(node__last_seen_at=timezone.now() - timedelta(minutes=1))
        assert why_not(pool) == "the node does not answer."

    def test_a_pool_that_is_not_on_its_node_is_passed_over(self) -> None:
        pool = PoolFactory(present=False, missing_reason="Volume group vg is not on the node.")
        assert why_not(pool) == "Volume group vg is not on the node."

    def test_a_pool_that_was_never_read_is_passed_over(self) -> None:
        assert why_not(PoolFactory(facts_at=None)) == "it was not found on the node."

    def test_a_thin_pool_that_does_not_zero_new_blocks_is_passed_over(self) -> None:
        pool = PoolFactory(thin=True, facts={"zeroes_new_blocks": False})
        assert why_not(pool) == "it does not zero new blocks, so a volume could show somebody else's data."

    @pytest.mark.parametrize(
        ("figures", "reason"),
        [
            ({"data_percent": 95.0}, "its data is 95 % full."),
            ({"metadata_percent": 99.6}, "its metadata is 100 % full."),
            ({"data_percent": 94.9}, None),
        ],
    )
    def test_a_thin_pool_that_is_nearly_full_is_passed_over(
        self, figures: dict[str, float], reason: str | None
    ) -> None:
        assert why_not(PoolFactory(thin=True, **figures)) == reason

    def test_a_pool_that_was_tried_is_left_out(self, thick: Pool) -> None:
        choice = choose(GIB, without=[thick.pk])
        assert choice.pool is None
        assert choice.verdicts[0].why_not == "it was tried and failed."

    def test_a_pool_in_another_zone_than_the_one_asked_for_is_passed_over(self) -> None:
        pools = [PoolFactory(node__zone=zone) for zone in ("east", "west", "")]
        choice = choose(GIB, zone="east")
        assert choice.pool == pools[0]
        assert {verdict.pool: verdict.why_not for verdict in choice.verdicts} == {
            pools[0]: None,
            pools[1]: "its node is in zone west, not east.",
            pools[2]: "its node is in no zone, not in east.",
        }

    def test_without_a_zone_all_are_equal(self) -> None:
        PoolFactory(node__zone="east", size_bytes=10 * GIB)
        roomier = PoolFactory(node__zone="west")
        assert choose(GIB).pool == roomier

    def test_naming_pools_looks_at_no_other(self, thick: Pool, thin: Pool) -> None:
        choice = choose(GIB, among=[thick.pk])
        assert [verdict.pool for verdict in choice.verdicts] == [thick]


class TestRoom:
    @staticmethod
    def room(pool: Pool) -> int:
        return room_bytes(Pool.objects.with_promises().get(pk=pool.pk)) // GIB

    def test_of_a_thick_pool_is_what_its_node_says_is_free(self) -> None:
        pool = PoolFactory(size_bytes=100 * GIB, free_bytes=40 * GIB)
        VolumeFactory(pool=pool, size_gib=60)
        assert self.room(pool) == 40

    def test_of_a_thick_pool_shrinks_by_what_was_promised_since_its_facts_were_read(self, thick: Pool) -> None:
        VolumeFactory(pool=thick, size_gib=30, allocated_at=None)
        VolumeFactory(pool=thick, size_gib=20, allocated_at=timezone.now())
        assert self.room(thick) == 50

    def test_of_a_thick_pool_is_never_negative(self) -> None:
        pool = PoolFactory(size_bytes=10 * GIB, free_bytes=0)
        VolumeFactory(pool=pool, size_gib=5, allocated_at=None)
        assert self.room(pool) == 0

    def test_of_a_thin_pool_is_its_size_times_the_ratio_less_every_promise(self, thin: Pool) -> None:
        VolumeFactory(pool=thin, size_gib=60)
        VolumeFactory(pool=thin, size_gib=40, allocated_at=None)
        assert self.room(thin) == 50

    def test_of_a_thin_pool_does_not_grow_because_volumes_are_empty(self, thin: Pool) -> None:
        VolumeFactory(pool=thin, size_gib=150)
        assert self.room(thin) == 0
        assert why_not(thin) == "at most 0 GiB more can be promised at 1.5 times its size."

    def test_the_largest_size_that_fits_counts_usable_pools_only(self) -> None:
        PoolFactory(size_bytes=50 * GIB, node=NodeFactory(enabled=False))
        PoolFactory(size_bytes=7 * GIB)
        assert choose(GIB).largest_gib == 7

    def test_the_largest_size_that_fits_counts_the_zone_asked_for_only(self) -> None:
        PoolFactory(size_bytes=50 * GIB, node__zone="west")
        PoolFactory(size_bytes=7 * GIB, node__zone="east")
        assert choose(GIB, zone="east").largest_gib == 7
