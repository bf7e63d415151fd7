"""Asking to extend, snapshot, clone, revert: what is refused, what is taken, what is written."""

from __future__ import annotations

import pytest

from tests.factories import PoolFactory, SnapshotFactory, VolumeFactory
from volumes.errors import Conflict, NoRoom, NotAllowed, QuotaExceeded, Refused
from volumes.models import GIB, Operation, Pool, Project, Snapshot, SnapshotStatus, Status, User, Volume
from volumes.operations import (
    clone_volume,
    create_snapshot,
    delete_snapshot,
    delete_volume,
    extend_volume,
    revert_volume,
)

pytestmark = pytest.mark.django_db


class TestExtend:
    def test_takes_the_quota_for_the_difference_at_once(self, volume: Volume, alice: User, alpha: Project) -> None:
        operation = extend_volume.request(volume, new_size_gib=3, actor=alice)
        volume.refresh_from_db()
        assert (volume.status, volume.size_gib, volume.growth_gib) == (Status.EXTENDING, 1, 2)
        assert volume.last_operation == operation
        assert alpha.used() == (1, 3)

    def test_counts_in_the_pool_too(self, volume: Volume, thick: Pool, alice: User) -> None:
        extend_volume.request(volume, new_size_gib=60, actor=alice)
        with pytest.raises(NoRoom, match="at most 42 GiB"):
            extend_volume.request(VolumeFactory(project=volume.project, pool=thick), new_size_gib=60, actor=alice)

    def test_names_the_largest_size_the_quota_allows(self, volume: Volume, alice: User, alpha: Project) -> None:
        alpha.set(quota_gib=10)
        with pytest.raises(QuotaExceeded, match="at most 10 GiB") as refused:
            extend_volume.request(volume, new_size_gib=11, actor=alice)
        assert refused.value.field == "new_size"

    @pytest.mark.parametrize("size", [0, 1])
    def test_never_makes_it_smaller_or_equal(self, volume: Volume, alice: User, size: int) -> None:
        with pytest.raises(Refused, match="cannot shrink"):
            extend_volume.request(volume, new_size_gib=size, actor=alice)

    def test_is_refused_to_a_reader_and_while_it_moves(self, volume: Volume, alice: User, bob: User) -> None:
        with pytest.raises(NotAllowed):
            extend_volume.request(volume, new_size_gib=2, actor=bob)
        extend_volume.request(volume, new_size_gib=2, actor=alice)
        with pytest.raises(Refused, match="no longer extending"):
            extend_volume.request(volume, new_size_gib=3, actor=alice)

    def test_of_a_thick_volume_in_use_with_snapshots_is_refused_early(self, volume: Volume, alice: User) -> None:
        SnapshotFactory(volume=volume)
        volume.set(status=Status.IN_USE)
        with pytest.raises(Refused, match="grows only while detached"):
            extend_volume.request(volume, new_size_gib=2, actor=alice)


class TestSnapshot:
    def test_counts_and_reserves_room_that_cannot_overflow(self, volume: Volume, alice: User, alpha: Project) -> None:
        create_snapshot.request(volume, actor=alice, name="now")
        snapshot = Snapshot.objects.get()
        assert snapshot.cow_bytes >= GIB + GIB // 256
        assert alpha.used() == (1, 2)
        volume.refresh_from_db()
        assert volume.status == Status.AVAILABLE

    def test_gets_what_there_is_and_never_too_little(self, alice: User, alpha: Project) -> None:
        tight = PoolFactory(size_bytes=10 * GIB, free_bytes=GIB)
        volume = VolumeFactory(project=alpha, pool=tight, size_gib=8)
        create_snapshot.request(volume, actor=alice)
        assert Snapshot.objects.get().cow_bytes == GIB
        with pytest.raises(NoRoom, match="at least a tenth"):
            create_snapshot.request(VolumeFactory(project=alpha, pool=tight), actor=alice)

    def test_ends_with_the_quota(self, volume: Volume, alice: User, alpha: Project) -> None:
        alpha.set(quota_snapshots=0)
        with pytest.raises(QuotaExceeded, match="snapshots is used up"):
            create_snapshot.request(volume, actor=alice)

    def test_keeps_its_volume_from_moving_until_it_is_there(self, volume: Volume, alice: User) -> None:
        create_snapshot.request(volume, actor=alice)
        with pytest.raises(Refused, match="Wait until its snapshot"):
            delete_volume.request(volume, actor=alice)

    def test_goes_once(self, volume: Volume, alice: User) -> None:
        snapshot = SnapshotFactory(volume=volume)
        delete_snapshot.request(snapshot, actor=alice)
        with pytest.raises(Refused, match="being deleted already"):
            delete_snapshot.request(snapshot, actor=alice)


class TestDeleteWithSnapshots:
    def test_wants_every_one_of_them_ticked(self, volume: Volume, alice: User) -> None:
        one, two = (SnapshotFactory(volume=volume, name=name) for name in ("one", "two"))
        with pytest.raises(Refused, match=r"1 snapshot that was not ticked: two\. Delete it too\?"):
            delete_volume.request(volume, actor=alice, snapshots=[one.pk])
        operation = delete_volume.request(volume, actor=alice, snapshots=[one.pk, two.pk])
        assert {s.status for s in Snapshot.objects.all()} == {SnapshotStatus.DELETING}
        assert set(Snapshot.objects.values_list("last_operation", flat=True)) == {operation.pk}

    def test_after_a_failure_before_the_first_byte_all_are_what_they_were(self, volume: Volume, alice: User) -> None:
        snapshot = SnapshotFactory(volume=volume)
        operation = delete_volume.request(volume, actor=alice, snapshots=[snapshot.pk])
        delete_volume.DeleteVolume().fail(operation, "It is in use.")
        volume.refresh_from_db()
        snapshot.refresh_from_db()
        assert (volume.status, snapshot.status) == (Status.AVAILABLE, SnapshotStatus.AVAILABLE)


class TestClone:
    def test_holds_its_source(self, volume: Volume, alice: User) -> None:
        operation = clone_volume.request(volume, actor=alice, name="copy")
        assert operation.title == "Create volume copy from data"
        with pytest.raises(Refused, match="It is being copied"):
            delete_volume.request(volume, actor=alice)

    def test_of_a_snapshot_holds_that(self, volume: Volume, alice: User) -> None:
        snapshot = SnapshotFactory(volume=volume)
        clone_volume.request(snapshot, actor=alice, name="copy")
        with pytest.raises(Refused, match="being copied to copy"):
            delete_snapshot.request(snapshot, actor=alice)

    def test_is_at_least_as_large(self, alice: User, alpha: Project, thick: Pool) -> None:
        source = VolumeFactory(project=alpha, pool=thick, size_gib=4)
        with pytest.raises(Refused, match="has 4 GiB, so it has at least that"):
            clone_volume.request(source, actor=alice, size_gib=3)

    def test_of_an_invalid_snapshot_is_refused(self, volume: Volume, alice: User) -> None:
        snapshot = SnapshotFactory(volume=volume, status=SnapshotStatus.INVALID)
        with pytest.raises(Refused, match="Its content is lost"):
            clone_volume.request(snapshot, actor=alice)

    def test_takes_quota(self, volume: Volume, alice: User, alpha: Project) -> None:
        alpha.set(quota_volumes=1)
        with pytest.raises(QuotaExceeded):
            clone_volume.request(volume, actor=alice)


class TestRevert:
    def test_moves_volume_and_snapshot_together(self, volume: Volume, alice: User) -> None:
        snapshot = SnapshotFactory(volume=volume)
        revert_volume.request(volume, snapshot, actor=alice)
        volume.refresh_from_db()
        snapshot.refresh_from_db()
        assert (volume.status, snapshot.status) == (Status.REVERTING, SnapshotStatus.RESTORING)
        assert Operation.objects.count() == 1

    def test_to_a_snapshot_of_another_volume_is_refused(self, volume: Volume, alice: User) -> None:
        with pytest.raises(Refused, match="of another volume"):
            revert_volume.request(volume, SnapshotFactory(), actor=alice)

    def test_of_a_volume_in_use_is_refused(self, volume: Volume, alice: User) -> None:
        snapshot = SnapshotFactory(volume=volume)
        volume.set(status=Status.IN_USE)
        with pytest.raises((Refused, Conflict), match="Detach it first"):
            revert_volume.request(volume, snapshot, actor=alice)

    def test_names_the_snapshots_it_could_fill_up(self, volume: Volume) -> None:
        chosen = SnapshotFactory(volume=volume, cow_bytes=GIB, snap_percent=50.0)
        small = SnapshotFactory(volume=volume, cow_bytes=GIB // 4, snap_percent=0.0)
        SnapshotFactory(volume=volume, cow_bytes=GIB, snap_percent=0.0)
        assert revert_volume.at_risk(chosen) == [small]
