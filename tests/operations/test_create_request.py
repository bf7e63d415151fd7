"""Asking for volumes: what is refused with which words, what is written, what the quota gives."""

from __future__ import annotations

import uuid

import pytest
from django_rq.queues import DjangoRQ

from tests.factories import PoolFactory, VolumeFactory
from volumes.engine.protocol import Next
from volumes.errors import NoRoom, NotAllowed, QuotaExceeded, Refused
from volumes.models import GIB, Operation, Pool, Project, Status, StatusChange, User, Volume
from volumes.operations import create_volume

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _a_pool(thick: Pool) -> None:
    """Somewhere to put them."""


def test_it_writes_the_volume_its_operation_and_its_history_together(alpha: Project, alice: User) -> None:
    (operation,) = create_volume.request(
        project=alpha, actor=alice, name="data", description="of the shop", size_gib=3, metadata={"tier": "gold"}
    )
    volume = Volume.objects.get()
    assert (volume.name, volume.description, volume.size_gib, volume.metadata) == (
        "data",
        "of the shop",
        3,
        {"tier": "gold"},
    )
    assert (volume.status, volume.project, volume.created_by) == (Status.CREATING, alpha, alice)
    assert volume.last_operation == operation
    assert (operation.verb, operation.status, operation.target_id) == ("create_volume", "queued", volume.pk)
    assert (operation.title, operation.actor, operation.actor_name) == ("Create volume data", alice, "alice")
    assert operation.target_size_gib == 3
    change = StatusChange.objects.get()
    assert (change.from_status, change.to_status, change.actor) == ("", "creating", alice)


def test_one_without_a_name_goes_by_its_id(alpha: Project, alice: User) -> None:
    (operation,) = create_volume.request(project=alpha, actor=alice)
    assert operation.target_name == str(operation.target_id)


def test_several_are_numbered(alpha: Project, alice: User) -> None:
    create_volume.request(project=alpha, actor=alice, name="web", count=3)
    assert sorted(Volume.objects.values_list("name", flat=True)) == ["web-1", "web-2", "web-3"]


def test_several_without_a_name_stay_without(alpha: Project, alice: User) -> None:
    create_volume.request(project=alpha, actor=alice, count=3)
    assert list(Volume.objects.values_list("name", flat=True)) == ["", "", ""]


def test_each_of_several_is_sent(alpha: Project, alice: User, queue: DjangoRQ) -> None:
    operations = create_volume.request(project=alpha, actor=alice, count=3)
    assert set(queue.get_job_ids()) == {f"op-{operation.pk}" for operation in operations}


class TestRefusals:
    def test_of_a_reader(self, alpha: Project, bob: User) -> None:
        with pytest.raises(NotAllowed, match="You may look at this project, but not change it"):
            create_volume.request(project=alpha, actor=bob)

    def test_of_a_stranger(self, alpha: Project, charlie: User) -> None:
        with pytest.raises(NotAllowed):
            create_volume.request(project=alpha, actor=charlie)

    def test_beyond_the_quota_leave_nothing_behind(self, alpha: Project, alice: User) -> None:
        alpha.set(quota_volumes=2)
        with pytest.raises(QuotaExceeded, match="room for 2 more volumes, not 3") as refused:
            create_volume.request(project=alpha, actor=alice, count=3)
        assert refused.value.field == "size"
        assert not Volume.objects.exists()
        assert not Operation.objects.exists()

    def test_of_what_fits_nowhere_say_the_largest_that_does(self, alpha: Project, alice: User) -> None:
        with pytest.raises(NoRoom, match="at most 100 GiB"):
            create_volume.request(project=alpha, actor=alice, size_gib=101)

    def test_where_no_pool_takes_anything_give_the_reason_for_each(
        self, alpha: Project, alice: User, thick: Pool
    ) -> None:
        thick.set(enabled=False, disabled_reason="being emptied")
        with pytest.raises(NoRoom, match=r"No pool takes new volumes now\.\nNot node / slow: .*being emptied"):
            create_volume.request(project=alpha, actor=alice)

    def test_of_a_named_pool_that_has_no_room_name_it(self, alpha: Project, alice: User) -> None:
        small = PoolFactory(node__name="n", vg_name="small", size_bytes=2 * GIB)
        with pytest.raises(NoRoom, match=r"n / small: only 2 GiB of room\.") as refused:
            create_volume.request(project=alpha, actor=alice, size_gib=3, pool=small)
        assert refused.value.field == "pool"

    def test_in_an_installation_without_a_pool_say_who_can_help(self, alpha: Project, alice: User) -> None:
        Pool.objects.all().delete()
        with pytest.raises(NoRoom, match="An administrator adds the first node"):
            create_volume.request(project=alpha, actor=alice)

    @pytest.mark.parametrize("asked", [{"size_gib": 0}, {"size_gib": -1}, {"count": 0}, {"count": 101}])
    def test_of_nonsense_are_sentences_too(self, alpha: Project, alice: User, asked: dict[str, int]) -> None:
        alpha.set(quota_volumes=-1)
        with pytest.raises(Refused):
            create_volume.request(project=alpha, actor=alice, **asked)
        assert not Volume.objects.exists()


class TestChoosing:
    """The step that fixes the pool."""

    @staticmethod
    def choose(operation: Operation) -> str:
        verb = create_volume.CreateVolume()
        step = verb.steps(operation)[0]
        assert step.local is not None
        return step.local()

    def test_says_why_this_pool_and_why_not_each_other(self, alpha: Project, alice: User) -> None:
        PoolFactory(node__name="other", vg_name="vg", node__enabled=False, node__disabled_reason="moving house")
        (operation,) = create_volume.request(project=alpha, actor=alice)
        assert self.choose(operation).splitlines() == [
            "Chose node / slow: the most room, 100 GiB of room.",
            "Not other / vg: the node is disabled for new volumes (moving house).",
        ]

    def test_of_a_named_pool_says_that_it_was_asked_for(self, alpha: Project, alice: User, thick: Pool) -> None:
        PoolFactory(size_bytes=500 * GIB)
        (operation,) = create_volume.request(project=alpha, actor=alice, pool=thick)
        assert self.choose(operation) == "node / slow, as asked."
        assert Volume.objects.get().pool == thick

    def test_the_volume_itself_takes_up_room_for_the_next(self, alpha: Project, alice: User, thick: Pool) -> None:
        first, second = create_volume.request(project=alpha, actor=alice, size_gib=60, count=2)
        self.choose(first)
        with pytest.raises(create_volume.NothingFits, match=r"only 40 GiB of room\."):
            self.choose(second)


class TestZone:
    """It is remembered, and holds for every round."""

    @pytest.fixture
    def pools(self, thick: Pool) -> dict[str, Pool]:
        """The largest one is in no zone."""
        near = {"a": 20, "b": 10}
        pools = {
            name: PoolFactory(node__name=name, node__zone="east", vg_name="vg", size_bytes=size * GIB)
            for name, size in near.items()
        }
        return {**pools, "far": PoolFactory(node__name="far", node__zone="west", vg_name="vg")}

    def test_is_where_the_volume_goes(self, alpha: Project, alice: User, pools: dict[str, Pool]) -> None:
        (operation,) = create_volume.request(project=alpha, actor=alice, zone="east")
        assert operation.args["zone"] == "east"
        assert TestChoosing.choose(operation).splitlines() == [
            "Chose a / vg: the most room, 20 GiB of room.",
            "Not b / vg: less room, 10 GiB of room.",
            "Not far / vg: its node is in zone west, not east.",
            "Not node / slow: its node is in no zone, not in east.",
        ]

    def test_is_not_left_when_a_pool_in_it_fails(self, alpha: Project, alice: User, pools: dict[str, Pool]) -> None:
        (operation,) = create_volume.request(project=alpha, actor=alice, zone="east")
        verb = create_volume.CreateVolume()
        rounds = []
        for _ in range(2):
            assert verb.may_leave(operation) is (not rounds), "where there is nowhere to go, the node is waited for"
            TestChoosing.choose(operation)
            rounds.append((str(Volume.objects.get().pool), verb.fail(operation, "The disk said no.")))
        assert rounds == [("a / vg", Next.AGAIN), ("b / vg", Next.FAIL)]
        assert Volume.objects.get().status == Status.ERROR

    def test_without_room_says_how_much_it_has(self, alpha: Project, alice: User, pools: dict[str, Pool]) -> None:
        with pytest.raises(NoRoom, match="No pool in zone east has that much room: at most 20 GiB") as refused:
            create_volume.request(project=alpha, actor=alice, size_gib=21, zone="east")
        assert refused.value.field == "size"

    def test_that_takes_nothing_gives_the_reason_for_each_pool(
        self, alpha: Project, alice: User, pools: dict[str, Pool]
    ) -> None:
        pools["far"].set(enabled=False, disabled_reason="being emptied")
        said = r"No pool in zone west takes new volumes now\.\n(.*\n)*Not far / vg: .*being emptied"
        with pytest.raises(NoRoom, match=said) as refused:
            create_volume.request(project=alpha, actor=alice, zone="west")
        assert refused.value.field == "zone"

    def test_that_contradicts_a_named_pool_is_refused(
        self, alpha: Project, alice: User, pools: dict[str, Pool]
    ) -> None:
        with pytest.raises(Refused, match=r"far / vg is not in zone east\. Leave out one of the two") as refused:
            create_volume.request(project=alpha, actor=alice, pool=pools["far"], zone="east")
        assert refused.value.field == "zone"
        assert not Volume.objects.exists()

    def test_loses_against_a_named_pool_whose_node_moved_meanwhile(
        self, alpha: Project, alice: User, pools: dict[str, Pool]
    ) -> None:
        (operation,) = create_volume.request(project=alpha, actor=alice, pool=pools["far"], zone="west")
        pools["far"].node.set(zone="south")
        assert TestChoosing.choose(operation) == "far / vg, as asked."


class TestPlan:
    def test_a_clean_thick_pool_needs_no_zeroing(self, alpha: Project, thick: Pool) -> None:
        assert self.keys(VolumeFactory(project=alpha, pool=thick)) == ["choose", "make"]

    def test_a_thick_pool_that_is_not_known_to_be_clean_is_zeroed_before_anybody_can_read(
        self, alpha: Project, thick: Pool
    ) -> None:
        thick.set(free_space_is_clean=False)
        assert self.keys(VolumeFactory(project=alpha, pool=thick)) == ["choose", "make", "wipe", "verify"]

    def test_a_thin_pool_hands_out_zeroes(self, alpha: Project, thin: Pool) -> None:
        thin.set(free_space_is_clean=False)
        assert self.keys(VolumeFactory(project=alpha, pool=thin)) == ["choose", "make"]

    @pytest.mark.parametrize("name", ["$(reboot); --force", "a\nb", "名前 ☃", "x" * 255, "'\"\\", "-rf /"])
    def test_nothing_that_a_person_typed_is_in_any_command(self, alpha: Project, thick: Pool, name: str) -> None:
        volume = VolumeFactory(project=alpha, pool=thick, name=name, description=name, metadata={name: name})
        for step in create_volume.CreateVolume().steps(Operation(target_id=volume.pk)):
            for command in step.commands:
                assert not any(name in word for word in command.argv)

    def keys(self, volume: Volume) -> list[str]:
        operation = Operation(pk=uuid.uuid4(), verb="create_volume", target_id=volume.pk)
        return [step.key for step in create_volume.CreateVolume().steps(operation)]
