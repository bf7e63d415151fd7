"""Pools on real nodes: scrubbed, adopted into, released from, made and extended."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults import SOON_S, slow, starts, supervised
from tests.stack import Stack
from volumes.engine import control, facts
from volumes.errors import NoRoom, Refused
from volumes.models import GIB, Drift, Operation, Pool, Status, StatusChange, User, Volume
from volumes.operations import (
    adopt_lv,
    create_thin_pool,
    extend_thin_pool,
    extend_volume,
    release_volume,
    scrub_pool,
)

VG = "stack-volumes"


def steps(operation: Operation) -> dict[str, str]:
    return dict(operation.steps.filter(round=operation.round).values_list("key", "status"))


def note(operation: Operation, key: str) -> str:
    return operation.steps.get(key=key, round=operation.round).note


MADE = """
lvcreate --yes -qq -Zn -Wn -n filler -L 5g {vg}
lvcreate --yes -qq -Zn -Wn -n gone1 -L 512m {vg}
lvcreate --yes -qq -Zn -Wn -n theirs -L 64m {vg}
lvcreate --yes -qq -Zn -Wn -n gone2 -L 1g {vg}
"""
OTHERS = {"filler", "theirs"}
DIRTY = (5 * 256, 5 * 256 + 128 + 16)
"""The extents at which gone1 and gone2 began."""


@pytest.fixture
def dirty(stack: Stack) -> Iterator[Stack]:
    """Foreign bytes lie in the free space of node-1, before and behind an LV of others; the pool says so."""
    node = stack.node1
    node.sh(MADE.format(vg=VG))
    for name in ("gone1", "gone2", "theirs"):
        node.fill(f"{VG}/{name}", mib=32)
    node.sh(f"lvremove --yes -qq {VG}/gone1 {VG}/gone2")
    stack.thick.set(free_space_is_clean=False)
    yield stack
    node.mend()
    node.tidy()
    node.scrub()


def where_it_was_dirty_is_zero(stack: Stack) -> bool:
    """The places that held foreign bytes, read through LVs made by hand."""
    disk = stack.node1.sh(f"pvs --noheadings -o pv_name -S vg_name={VG}")
    for number, start in enumerate(DIRTY):
        stack.node1.sh(f"lvcreate --yes -qq -Zn -Wn -n look{number} -l 8 {VG} {disk}:{start}-{start + 7}")
        if not begins_with_zeroes(stack, f"look{number}"):
            return False
    return True


def begins_with_zeroes(stack: Stack, lv: str) -> bool:
    """All that a test has written lies in the first 32 MiB."""
    return stack.node1.sh(f"cmp -n 32M /dev/{VG}/{lv} /dev/zero && echo zero || true") == "zero"


def test_the_places_are_the_right_ones(dirty: Stack) -> None:
    """Without a scrub the foreign bytes are found there."""
    assert not where_it_was_dirty_is_zero(dirty)


def is_clean(stack: Stack) -> bool:
    stack.thick.refresh_from_db()
    return stack.thick.free_space_is_clean


class TestScrub:
    def test_free_space_reads_as_zeroes_and_new_volumes_need_no_zeroing(self, dirty: Stack, admin: User) -> None:
        before = dirty.node1.sh(f"sha256sum </dev/{VG}/theirs")
        operation = dirty.wait_for(scrub_pool.request(dirty.thick, actor=admin), timeout_s=120)

        assert steps(operation) == dict.fromkeys(("look", "take", "wipe", "verify", "remove"), "done")
        assert "in 2 pieces" in note(operation, "take")
        assert is_clean(dirty)
        assert dirty.node1.sh(f"sha256sum </dev/{VG}/theirs") == before
        (create,) = dirty.ask_create(size_gib=1, pool=dirty.thick)
        dirty.wait_for(create)
        assert set(steps(create)) == {"choose", "make"}
        assert begins_with_zeroes(dirty, dirty.volume(create).lv_name)
        extents = dirty.node1.extents(dirty.volume(create))
        assert any(f":{start}-" in extents for start in DIRTY), "it lies where the foreign bytes were"
        dirty.assert_at_rest()

    @pytest.mark.long
    def test_bytes_that_are_freed_unwiped_meanwhile_leave_it_unclean(self, dirty: Stack, admin: User) -> None:
        slow(dirty.node1, 64)
        operation = scrub_pool.request(dirty.thick, actor=admin)
        dirty.wait_for_step(operation, "wipe", "bytes")
        dirty.node1.sh(f"lvremove --yes -qq {VG}/theirs")
        slow(dirty.node1, 0)
        dirty.wait_for(operation, timeout_s=120)

        assert note(operation, "remove").startswith("theirs vanished or shrank meanwhile")
        assert not is_clean(dirty)

    @pytest.mark.long
    def test_a_delete_without_a_wipe_meanwhile_leaves_it_unclean(self, dirty: Stack, admin: User) -> None:
        volume = dirty.create(size_gib=1, pool=dirty.thick)
        dirty.thick.set(wipe_method=Pool.WipeMethod.NONE)
        slow(dirty.node1, 64)
        operation = scrub_pool.request(dirty.thick, actor=admin)
        dirty.wait_for_step(operation, "wipe", "bytes")
        dirty.delete(volume)
        slow(dirty.node1, 0)
        dirty.wait_for(operation, timeout_s=120)

        assert note(operation, "remove").startswith("Bytes were freed unwiped meanwhile")
        assert not is_clean(dirty)
        dirty.assert_at_rest()

    @pytest.mark.long
    def test_meanwhile_there_is_no_room_and_a_delete_frees_clean_space(self, dirty: Stack, admin: User) -> None:
        volume = dirty.create(size_gib=1, pool=dirty.thick)
        slow(dirty.node1, 64)
        operation = scrub_pool.request(dirty.thick, actor=admin)
        dirty.wait_for_step(operation, "wipe", "bytes")
        with pytest.raises(Refused, match="its free space is being scrubbed"):
            dirty.ask_create(size_gib=1, pool=dirty.thick)
        dirty.delete(volume)
        slow(dirty.node1, 0)
        dirty.wait_for(operation, timeout_s=120)

        assert is_clean(dirty)
        dirty.assert_at_rest()

    @pytest.mark.long
    def test_cancelled_in_the_middle_it_leaves_no_lv_and_says_what_it_said_before(
        self, dirty: Stack, admin: User
    ) -> None:
        slow(dirty.node1, 64)
        operation = scrub_pool.request(dirty.thick, actor=admin)
        dirty.wait_for_step(operation, "wipe", "bytes")
        control.cancel(operation, actor=admin)
        dirty.wait_for(operation, status="cancelled")

        assert "It stopped at " in operation.reason
        assert set(dirty.node1.lvs()) == OTHERS
        assert not is_clean(dirty)
        dirty.assert_at_rest()

    @pytest.mark.long
    @pytest.mark.parametrize("when", ["during"])
    def test_it_goes_on_after_a_death_in_each_of_its_steps_and_wipes_once(
        self, dirty: Stack, admin: User, when: str
    ) -> None:
        for pattern in ("fullreport", "lvcreate", "systemd-run", "lvremove"):
            dirty.deaths.order(when, pattern)
        with supervised(dirty):
            operation = scrub_pool.request(dirty.thick, actor=admin)
            dirty.deaths.wait(SOON_S * 4)
            dirty.wait_for(operation, timeout_s=SOON_S)

        assert starts(dirty.node1, operation) == 1
        assert set(dirty.node1.lvs()) == OTHERS
        assert is_clean(dirty)
        assert where_it_was_dirty_is_zero(dirty)

    @pytest.mark.long
    def test_what_is_pressed_twice_is_done_once(self, stack: Stack, admin: User) -> None:
        for worker in stack.workers:
            worker.kill()
        operation = scrub_pool.request(stack.thick, actor=admin)
        with pytest.raises(Refused, match="Something else is being done to this pool: Scrub the free space"):
            scrub_pool.request(stack.thick, actor=admin)
        stack.revive()
        stack.wait_for(operation, timeout_s=120)
        assert is_clean(stack)


def foreign(stack: Stack, *, size: str = "1g", name: str = "theirs") -> str:
    """An LV that Hearth did not make, with bytes in it, and seen by the watch."""
    stack.node1.sh(f"lvcreate --yes -qq -n {name} -L {size} {VG}")
    stack.node1.fill(f"{VG}/{name}", mib=8)
    see(stack)
    return stack.node1.sh(f"head -c 8M /dev/{VG}/{name} | sha256sum")


def see(stack: Stack) -> None:
    """Read both nodes now."""
    for pool in (stack.thick, stack.thin):
        facts.refresh(pool.node)
        pool.refresh_from_db()


def adopt(stack: Stack, admin: User, lv: str = "theirs", *, pool: Pool | None = None) -> Operation:
    return adopt_lv.request(pool or stack.thick, lv=lv, project=stack.project, actor=admin, name="taken in")


@pytest.mark.long
class TestAdopt:
    def test_the_lv_keeps_its_bytes_and_is_a_volume_like_any_other(self, stack: Stack, admin: User) -> None:
        bytes_before = foreign(stack)
        operation = stack.wait_for(adopt(stack, admin))

        volume = Volume.objects.get()
        assert (volume.status, volume.name, volume.size_gib, volume.project) == (
            "available",
            "taken in",
            1,
            stack.project,
        )
        lv = stack.node1.lv(volume)
        assert lv is not None
        assert (lv.tags, lv.active, lv.open) == ({"hearth", f"hearth.id={volume.pk}"}, True, False)
        assert stack.node1.sh(f"head -c 8M /dev/{VG}/{volume.lv_name} | sha256sum") == bytes_before
        assert set(stack.node1.lvs()) == {volume.lv_name}
        assert stack.project.used() == (1, 1)
        assert set(steps(operation).values()) == {"done"}
        see(stack)
        assert not stack.thick.node.drifts.exists()
        stack.assert_at_rest()

        extents = stack.node1.extents(volume)
        stack.delete(volume)
        stack.node1.sh(f"lvcreate --yes -qq -Zn -Wn -n byhand -l 256 {VG} {extents}")
        assert begins_with_zeroes(stack, "byhand")

    def test_a_thin_one_too(self, stack: Stack, admin: User) -> None:
        stack.node2.sh(
            "lvcreate --yes -qq --type thin --thinpool thin -n theirs -V 2g fast && lvchange -an fast/theirs"
        )
        see(stack)
        stack.wait_for(adopt(stack, admin, pool=stack.thin))
        volume = Volume.objects.get()
        assert (volume.pool, volume.size_gib, volume.status) == (stack.thin, 2, Status.AVAILABLE)
        stack.delete(volume)
        assert stack.node2.lvs() == {}
        stack.assert_at_rest()

    @pytest.mark.parametrize(
        ("make", "lv", "why"),
        [
            (
                "mke2fs -q -F -N 64 /dev/{vg}/a; mkdir -p /mnt/a; mount -o ro /dev/{vg}/a /mnt/a",
                "a",
                "in use on the node",
            ),
            ("lvcreate --yes -qq -s -n snap -L 64m {vg}/a", "snap", "It is a snapshot of a"),
            ("lvcreate --yes -qq -s -n snap -L 64m {vg}/a", "a", "It has snapshots: snap"),
            ("lvcreate --yes -qq --type thin-pool -L 1g -n tp {vg}", "tp", "It is a thin pool"),
            ("lvchange -qq --addtag hearth {vg}/a", "a", "carries a tag of Hearth"),
            ("lvextend -qq -L +4m {vg}/a", "a", "lvextend --size 2g stack-volumes/a"),
            ("lvchange -qq --permission r {vg}/a", "a", "lvchange --permission rw stack-volumes/a"),
        ],
        ids=["in use", "snapshot", "origin", "thin pool", "tagged", "not whole", "read-only"],
    )
    def test_what_cannot_be_a_volume_is_refused_with_the_reason(
        self, stack: Stack, admin: User, make: str, lv: str, why: str
    ) -> None:
        foreign(stack, name="a")
        stack.node1.sh(make.format(vg=VG))
        try:
            see(stack)
            with pytest.raises(Refused, match=why):
                adopt(stack, admin, lv)
        finally:
            stack.node1.sh(f"umount /mnt/a 2>/dev/null; lvremove --yes -qq {VG}/tp 2>/dev/null; true")
        assert not Volume.objects.exists()
        assert not Operation.objects.exists()

    @pytest.mark.long
    def test_what_came_into_use_since_is_left_as_it_was_and_the_quota_comes_back(
        self, stack: Stack, admin: User
    ) -> None:
        foreign(stack)
        for worker in stack.workers:
            worker.kill()
        operation = adopt(stack, admin)
        assert stack.project.used() == (1, 1)
        device = f"/dev/{VG}/theirs"
        stack.node1.sh(f"mke2fs -q -F -N 64 {device}; mkdir -p /mnt/shop; mount -o ro {device} /mnt/shop")
        stack.revive()
        stack.wait_for(operation, status="failed")

        assert "in use on the node" in operation.reason
        assert not Volume.objects.exists()
        assert stack.project.used() == (0, 0)
        assert stack.node1.lvs()["theirs"].tags == frozenset()

        stack.node1.sh("umount /mnt/shop")
        control.retry(operation, actor=admin)
        stack.wait_for(operation)
        assert Volume.objects.get().status == Status.AVAILABLE
        stack.assert_at_rest()

    @pytest.mark.long
    @pytest.mark.parametrize("when", ["during"])
    def test_it_goes_on_after_a_death_in_each_of_its_steps(self, stack: Stack, admin: User, when: str) -> None:
        bytes_before = foreign(stack)
        for pattern in ("fullreport", "lvrename", "--activate y"):
            stack.deaths.order(when, pattern)
        with supervised(stack):
            operation = adopt(stack, admin)
            stack.deaths.wait(SOON_S * 3)
            stack.wait_for(operation, timeout_s=SOON_S)
        volume = Volume.objects.get()
        assert stack.node1.sh(f"head -c 8M /dev/{VG}/{volume.lv_name} | sha256sum") == bytes_before
        assert set(stack.node1.lvs()) == {volume.lv_name}
        stack.assert_at_rest()

    @pytest.mark.long
    def test_a_failure_after_the_renaming_gives_the_old_name_back(self, stack: Stack, admin: User) -> None:
        """The name it would get is taken."""
        foreign(stack)
        for worker in stack.workers:
            worker.kill()
        operation = adopt(stack, admin)
        stack.node1.sh(f"lvcreate --yes -qq -n volume-{operation.args['volume']} -L 4m {VG}")
        stack.revive()
        stack.wait_for(operation, status="failed")
        assert stack.node1.lvs()["theirs"].tags == frozenset()
        assert stack.node1.lvs()["theirs"].active
        assert not Volume.objects.exists()


@pytest.mark.long
class TestRelease:
    @pytest.mark.parametrize("name", ["", "shop-data"])
    def test_the_lv_stays_with_its_bytes_and_the_row_goes(self, stack: Stack, admin: User, name: str) -> None:
        volume = stack.create(size_gib=1, pool=stack.thick)
        stack.node1.fill(f"{VG}/{volume.lv_name}", mib=8)
        before = stack.node1.sh(f"head -c 8M /dev/{VG}/{volume.lv_name} | sha256sum")
        stack.wait_for(release_volume.request(volume, actor=admin, lv_name=name))

        kept = name or volume.lv_name
        assert not Volume.objects.exists()
        assert stack.project.used() == (0, 0)
        lv = stack.node1.lvs()[kept]
        assert (lv.tags, lv.active, lv.size_bytes) == (frozenset(), True, GIB)
        assert stack.node1.sh(f"head -c 8M /dev/{VG}/{kept} | sha256sum") == before
        change = StatusChange.objects.filter(object_id=volume.pk).first()
        assert change is not None
        assert (change.to_status, change.why) == (
            "released",
            f"Released: its LV stays on the node as {VG}/{kept}. Nothing was wiped.",
        )
        assert not is_clean(stack)
        see(stack)
        assert set(stack.thick.node.drifts.values_list("kind", flat=True)) == {Drift.Kind.FOREIGN_LV}

        stack.wait_for(adopt(stack, admin, kept))
        assert Volume.objects.get().status == Status.AVAILABLE
        stack.assert_at_rest()

    @pytest.mark.long
    def test_a_name_that_is_taken_changes_nothing(self, stack: Stack, admin: User) -> None:
        volume = stack.create(size_gib=1, pool=stack.thick)
        stack.node1.sh(f"lvcreate --yes -qq -n shop -L 4m {VG}")
        operation = stack.wait_for(release_volume.request(volume, actor=admin, lv_name="shop"), status="failed")
        assert "already exists" in operation.reason
        volume.refresh_from_db()
        assert volume.status == Status.AVAILABLE
        stack.assert_at_rest()

    @pytest.mark.long
    @pytest.mark.parametrize("when", ["during"])
    def test_it_goes_on_after_a_death_in_each_of_its_steps(self, stack: Stack, admin: User, when: str) -> None:
        volume = stack.create(size_gib=1, pool=stack.thick)
        for pattern in ("lvs*--select", "lvrename*--deltag"):  # both in one round trip
            stack.deaths.order(when, pattern)
        with supervised(stack):
            operation = release_volume.request(volume, actor=admin, lv_name="shop")
            stack.deaths.wait(SOON_S * 2)
            stack.wait_for(operation, timeout_s=SOON_S)
        assert not Volume.objects.exists()
        assert stack.node1.lvs()["shop"].tags == frozenset()
        stack.assert_at_rest()


@pytest.fixture
def thin_made(stack: Stack, admin: User) -> Iterator[Pool]:
    """A thin pool of 2 GiB in the volume group of node-1, made by Hearth."""
    stack.wait_for(create_thin_pool.request(stack.thick, name="swift", size_gib=2, actor=admin))
    yield Pool.objects.get(thin_pool_name="swift")
    stack.node1.sh(f"lvremove --yes -qq {VG}/swift")


@pytest.mark.long
class TestThinPool:
    def test_is_made_registered_and_takes_volumes(self, stack: Stack, admin: User, thin_made: Pool) -> None:
        assert (thin_made.node, thin_made.vg_name, thin_made.size_bytes) == (stack.thick.node, VG, 2 * GIB)
        assert thin_made.facts["zeroes_new_blocks"]
        volume = stack.create(size_gib=3, pool=thin_made)
        lv = stack.node1.lv(volume)
        assert lv is not None
        assert (lv.segtype, lv.pool, lv.size_bytes) == ("thin", "swift", 3 * GIB)
        see(stack)
        assert is_clean(stack)
        assert not stack.thick.node.drifts.exists()
        assert 5.9 < stack.thick.free_bytes / GIB < 6
        stack.delete(volume)

    def test_promises_stop_at_the_limit_with_the_number_in_the_sentence(self, stack: Stack, thin_made: Pool) -> None:
        stack.create(size_gib=2, pool=thin_made)
        with pytest.raises(NoRoom, match=r"at most 1 GiB more can be promised at 1\.5 times its size"):
            stack.ask_create(size_gib=2, pool=thin_made)
        with pytest.raises(NoRoom, match="room for at most 3 GiB"):
            extend_volume.request(Volume.objects.get(), new_size_gib=4, actor=stack.actor)
        stack.delete(Volume.objects.get())

    def test_grows_in_data_and_metadata_and_its_size_is_read_back(
        self, stack: Stack, admin: User, thin_made: Pool
    ) -> None:
        before = int(thin_made.facts["metadata_bytes"])
        operation = stack.wait_for(extend_thin_pool.request(thin_made, data_gib=1, metadata_mib=8, actor=admin))

        assert steps(operation) == {"look": "done", "metadata": "done", "data": "done"}
        thin_made.refresh_from_db()
        assert thin_made.size_bytes == 3 * GIB
        sizes = stack.node1.sh(f"lvs --noheadings --units b --nosuffix -o lv_size,lv_metadata_size {VG}/swift").split()
        assert [int(size) for size in sizes] == [3 * GIB, before + 8 * 1024**2]
        with pytest.raises(NoRoom, match="GiB free for data and metadata together"):
            extend_thin_pool.request(thin_made, data_gib=100, actor=admin)

    @pytest.mark.long
    def test_grows_once_though_the_worker_dies(self, stack: Stack, admin: User, thin_made: Pool) -> None:
        stack.deaths.order("after", "--poolmetadatasize")
        stack.deaths.order("during", "lvextend*--size")
        with supervised(stack):
            operation = extend_thin_pool.request(thin_made, data_gib=1, metadata_mib=4, actor=admin)
            stack.deaths.wait(SOON_S * 2)
            stack.wait_for(operation, timeout_s=SOON_S)
        thin_made.refresh_from_db()
        assert thin_made.size_bytes == 3 * GIB

    def test_cancelled_before_it_is_made_leaves_nothing(self, stack: Stack, admin: User) -> None:
        stack.node1.guest.pause()
        operation = create_thin_pool.request(stack.thick, name="swift", size_gib=2, actor=admin)
        control.cancel(operation, actor=admin)
        stack.node1.guest.cont()
        stack.wait_for(operation, status="cancelled")
        assert not Pool.objects.filter(thin_pool_name="swift").exists()
        assert stack.node1.sh(f"lvs --noheadings -o lv_name {VG}") == ""

    @pytest.mark.long
    @pytest.mark.parametrize("when", ["during"])
    def test_is_made_once_though_the_worker_dies(self, stack: Stack, admin: User, when: str) -> None:
        stack.deaths.order(when, "lvcreate")
        try:
            with supervised(stack):
                operation = create_thin_pool.request(stack.thick, name="swift", size_gib=1, actor=admin)
                stack.deaths.wait(SOON_S)
                stack.wait_for(operation, timeout_s=SOON_S)
            assert Pool.objects.get(thin_pool_name="swift").size_bytes == GIB
        finally:
            stack.node1.sh(f"lvremove --yes -qq {VG}/swift")
