"""Why not: what may be done to pools, and which LVs may be volumes."""

from __future__ import annotations

import pytest

from tests.factories import OperationFactory, PoolFactory, SnapshotFactory, VolumeFactory
from tests.views.conftest import foreign_lv
from volumes import placement, rules
from volumes.models import GIB, Node, Operation, Pool, Project, Status, Volume

pytestmark = pytest.mark.django_db


def under_way(pool: Pool, verb: str = "scrub_pool") -> Operation:
    return OperationFactory(verb=verb, title="Scrub", target_kind="pool", target_id=pool.pk, project=None)


class TestScrub:
    def test_may_be_done_to_a_thick_pool_with_free_extents(self, thick: Pool, volume: Volume) -> None:
        assert rules.why_not_scrub(thick) is None

    def test_is_of_no_use_in_a_thin_pool(self, thin: Pool) -> None:
        assert rules.why_not_scrub(thin) == "A thin pool hands out zeroed blocks only, so there is nothing to scrub."

    @pytest.mark.parametrize(
        ("fields", "why"),
        [
            ({"free_bytes": 0}, "It has no free extent."),
            ({"present": False, "missing_reason": "It is not there."}, "It is not there."),
            ({"facts_at": None}, "It was not found on the node."),
        ],
    )
    def test_is_off_where_nothing_can_be_taken(self, thick: Pool, fields: dict[str, object], why: str) -> None:
        thick.set(**fields)
        assert rules.why_not_scrub(thick) == why

    def test_is_off_while_its_node_is_silent(self, thick: Pool, node: Node) -> None:
        node.lost("gone")
        thick.refresh_from_db()
        assert rules.why_not_scrub(thick) == "Its node does not answer."

    def test_is_off_while_something_else_is_done_to_the_pool(self, thick: Pool) -> None:
        operation = under_way(thick)
        assert rules.why_not_scrub(thick) == "Wait until this is done: Scrub."
        assert rules.why_not_scrub(thick, retried=operation) is None

    @pytest.mark.parametrize("status", [Status.CREATING, Status.EXTENDING])
    def test_waits_for_what_is_being_made_or_grown(self, thick: Pool, alpha: Project, status: str) -> None:
        VolumeFactory(project=alpha, pool=thick, status=status)
        assert rules.why_not_scrub(thick) == "Wait until what is being made or grown in it is ready."

    def test_does_not_take_the_space_that_a_full_snapshot_needs(self, volume: Volume, thick: Pool) -> None:
        snapshot = SnapshotFactory(volume=volume, name="nightly", snap_percent=84.0)
        assert rules.why_not_scrub(thick) == (
            "Snapshot nightly is 84 % full, and could not grow meanwhile. Delete or extend it first."
        )
        snapshot.set(snap_percent=10.0)
        assert rules.why_not_scrub(thick) is None

    def test_does_not_take_the_space_that_a_full_thin_pool_needs(self, thick: Pool) -> None:
        PoolFactory(node=thick.node, vg_name=thick.vg_name, thin_pool_name="swift", metadata_percent=90.0)
        assert rules.why_not_scrub(thick) == (
            "Thin pool swift in it is nearly full, and could not grow meanwhile. Extend it first."
        )


class TestRoom:
    def test_there_is_none_while_free_space_is_scrubbed(self, thick: Pool) -> None:
        under_way(thick)
        said = "its free space is being scrubbed; until that is done there is no room."
        assert placement.why_unusable(thick) == said
        listed = Pool.objects.with_promises().get(pk=thick.pk)
        assert placement.why_unusable(listed, growing=True) == said

    def test_other_operations_on_the_pool_do_not_matter(self, thick: Pool) -> None:
        under_way(thick, "adopt_lv")
        assert placement.why_unusable(Pool.objects.with_promises().get(pk=thick.pk)) is None


class TestAdopt:
    def why(self, **fields: object) -> str | None:
        return rules.why_not_adopt(foreign_lv("theirs", **fields), [], "vg")

    @pytest.mark.parametrize(("attr", "segtype"), [("-wi-a-----", "linear"), ("Vwi-a-tz--", "thin")])
    def test_plain_and_thin_ones_of_whole_gib_may_be(self, attr: str, segtype: str) -> None:
        assert self.why(attr=attr, segtype=segtype) is None

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"hearth_id": "x", "tags": ["hearth", "hearth.id=x"]}, "It carries a tag of Hearth."),
            ({"tags": ["hearth"]}, "It carries a tag of Hearth."),
            ({"tags": ["hearth.id=x"]}, "It carries a tag of Hearth."),
            ({"segtype": "thin-pool", "attr": "twi-a-tz--"}, "It is a thin pool. Register it as a pool of its own."),
            ({"attr": "swi-a-s---", "origin": "a"}, "It is a snapshot of a."),
            ({"attr": "Vwi-a-tz--", "segtype": "thin", "origin": "a"}, "It is a snapshot of a."),
            (
                {"attr": "rwi-a-r---", "segtype": "raid1"},
                "It is of the kind raid1; only linear and thin LVs can be volumes.",
            ),
            (
                {"attr": "Cwi-a-C---", "segtype": "cache"},
                "It is of the kind cache; only linear and thin LVs can be volumes.",
            ),
            ({"segtype": "striped"}, "It is of the kind striped; only linear and thin LVs can be volumes."),
            ({"attr": "-ri-a-----"}, "It can only be read. If that may change: lvchange --permission rw vg/theirs"),
            ({"open": True}, "It is in use on the node. Unmount it, or stop what uses it, first."),
            (
                {"size_bytes": GIB + GIB // 2},
                "It has 1.50 GiB, and a volume has whole GiB. To round it up: lvextend --size 2g vg/theirs",
            ),
        ],
    )
    def test_others_say_why_not(self, fields: dict[str, object], said: str) -> None:
        assert self.why(**fields) == said

    def test_an_origin_names_its_snapshots(self) -> None:
        snapshots = [foreign_lv(name, origin="theirs") for name in ("b", "a")]
        assert rules.why_not_adopt(foreign_lv("theirs"), snapshots, "vg") == "It has snapshots: a, b."
        assert self.why(attr="owi-a-s---") == "It has snapshots: ?."


@pytest.mark.parametrize("name", ["shop", "shop-data_2.old+", "_x", ".hidden", "backup_tmp"])
def test_names_that_an_lv_may_have(name: str) -> None:
    assert rules.why_not_lv_name(name) is None


@pytest.mark.parametrize("name", ["", "-x", "a b", "a/b", "$(reboot)", "x" * 101, "ü", "a\n", ".", ".."])
def test_names_that_lvm_does_not_take(name: str) -> None:
    assert rules.why_not_lv_name(name) is not None


@pytest.mark.parametrize(
    "name", ["snapshot1", "pvmove0", "volume-1", "snap-1", "scrub-x", "grow-x", "a_tdata", "a_rimage_0"]
)
def test_names_that_lvm_or_hearth_keeps(name: str) -> None:
    assert rules.why_not_lv_name(name) == "LVM, or Hearth, keeps names like this for itself."


class TestRelease:
    def test_only_an_available_volume_without_snapshots_may_go(self, volume: Volume) -> None:
        assert rules.why_not_release(volume) is None
        SnapshotFactory(volume=volume)
        assert rules.why_not_release(volume) == (
            "It has snapshots. Delete them first: Hearth would no longer know what they lean on."
        )

    @pytest.mark.parametrize(
        ("status", "why"),
        [
            (Status.IN_USE, "It is in use. Detach it first."),
            (Status.CREATING, "Wait until it is no longer creating."),
            (Status.ERROR, "Only available volumes can be released."),
        ],
    )
    def test_in_other_statuses_it_says_why_not(self, volume: Volume, status: str, why: str) -> None:
        volume.status = status
        assert rules.why_not_release(volume) == why


class TestThinPools:
    def test_are_made_in_volume_groups(self, thick: Pool, thin: Pool) -> None:
        assert rules.why_not_create_thin_pool(thick) is None
        assert (
            rules.why_not_create_thin_pool(thin) == "A thin pool is made in a volume group, not in another thin pool."
        )

    def test_grow_where_their_group_has_free_extents(self, thin: Pool, thick: Pool) -> None:
        assert rules.why_not_extend_thin_pool(thin) == (
            "fast has no free extent. Add a disk to it, or delete volumes in it."
        )
        thin.set(facts={"vg_free_bytes": GIB})
        assert rules.why_not_extend_thin_pool(thin) is None
        assert rules.why_not_extend_thin_pool(thick) == "A volume group grows by a disk: `vgextend` on the node."

    def test_do_not_grow_while_the_group_is_scrubbed(self, thin: Pool) -> None:
        thin.set(facts={"vg_free_bytes": GIB})
        under_way(PoolFactory(node=thin.node, vg_name=thin.vg_name))
        assert rules.why_not_extend_thin_pool(thin) == (
            "The free space of fast is being scrubbed; until that is done there is no room."
        )
