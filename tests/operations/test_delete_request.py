"""Asking to delete: what is refused, what is written, and what the dialog says will happen."""

from __future__ import annotations

import pytest
from django_rq.queues import DjangoRQ

from tests.factories import VolumeFactory
from volumes.errors import Conflict, NotAllowed, Refused
from volumes.models import DELETABLE, Operation, Pool, Status, StatusChange, User, Volume
from volumes.operations import delete_volume, edit

pytestmark = pytest.mark.django_db


def test_it_moves_the_volume_and_writes_the_operation_together(volume: Volume, alice: User) -> None:
    operation = delete_volume.request(volume, actor=alice)
    volume.refresh_from_db()
    assert (volume.status, volume.last_operation) == (Status.DELETING, operation)
    assert (operation.title, operation.node) == ("Delete volume data", volume.pool.node)
    change = StatusChange.objects.get()
    assert (change.from_status, change.to_status, change.operation, change.actor) == (
        "available",
        "deleting",
        operation,
        alice,
    )


def test_it_is_sent_once_it_is_committed(volume: Volume, alice: User, queue: DjangoRQ) -> None:
    operation = delete_volume.request(volume, actor=alice)
    assert queue.get_job_ids() == [f"op-{operation.pk}"]


def test_a_reader_may_not(volume: Volume, bob: User) -> None:
    with pytest.raises(NotAllowed):
        delete_volume.request(volume, actor=bob)
    volume.refresh_from_db()
    assert volume.status == Status.AVAILABLE


def test_a_second_click_is_told_that_it_is_deleting_already(volume: Volume, alice: User) -> None:
    delete_volume.request(volume, actor=alice)
    with pytest.raises(Refused, match="It is being deleted already"):
        delete_volume.request(volume, actor=alice)
    assert Operation.objects.count() == 1


@pytest.mark.parametrize("status", sorted(set(Status) - DELETABLE))
def test_every_other_status_is_refused_and_nothing_is_written(volume: Volume, alice: User, status: str) -> None:
    Volume.objects.filter(pk=volume.pk).update(status=status)
    with pytest.raises(Refused):
        delete_volume.request(volume, actor=alice)
    assert not Operation.objects.exists()
    assert not StatusChange.objects.exists()


class TestDialog:
    @staticmethod
    def titles(volume: Volume) -> list[str]:
        return [line.title for line in delete_volume.plan(volume)]

    def test_of_a_thick_volume_names_the_wipe_and_the_read_back(self, volume: Volume) -> None:
        titles = self.titles(volume)
        assert "Wipe 1 GiB with zeroes" in titles
        assert "Verify that all of it reads back as zeroes" in titles

    def test_of_a_large_volume_says_that_a_sample_is_read_back(self, volume: Volume) -> None:
        volume.set(size_gib=50)
        assert "Verify: read back the first and last 64 MiB and a random sample" in self.titles(volume)

    def test_of_a_thin_volume_says_that_its_blocks_are_discarded(self, thin: Pool) -> None:
        titles = self.titles(VolumeFactory(pool=thin, size_gib=5))
        assert "Discard 5 GiB: the thin pool hands out zeroed blocks only" in titles
        assert not any("Wipe" in title for title in titles)

    def test_estimates_from_the_nodes_own_measured_rate(self, volume: Volume) -> None:
        volume.pool.node.set(wipe_rate_mib_s=256.0)
        volume.refresh_from_db()
        (wipe,) = (line for line in delete_volume.plan(volume) if line.title.startswith("Wipe"))
        assert wipe.estimate_s == 4.0

    def test_does_not_guess_where_nothing_was_measured(self, volume: Volume) -> None:
        (wipe,) = (line for line in delete_volume.plan(volume) if line.title.startswith("Wipe"))
        assert wipe.estimate_s is None

    def test_shows_the_commands_that_will_run(self, volume: Volume) -> None:
        commands = [command for line in delete_volume.plan(volume) for command in line.commands]
        assert any(command.startswith("lvremove") and volume.lv_name in command for command in commands)

    def test_of_a_volume_that_is_nowhere_has_nothing_to_do(self) -> None:
        assert delete_volume.plan(VolumeFactory(pool=None, status=Status.ERROR)) == []


class TestEdit:
    def test_changes_what_people_wrote_and_leaves_a_trace(self, volume: Volume, alice: User) -> None:
        edit.request(volume, actor=alice, name="new", description="words", metadata={"a": "b"})
        volume.refresh_from_db()
        assert (volume.name, volume.description, volume.metadata) == ("new", "words", {"a": "b"})
        change = StatusChange.objects.get()
        assert (change.from_status, change.to_status, change.actor) == ("available", "available", alice)
        assert "name: 'data' > 'new'" in change.why

    def test_without_a_change_leaves_no_trace(self, volume: Volume, alice: User) -> None:
        edit.request(volume, actor=alice, name="data", description="")
        assert not StatusChange.objects.exists()

    def test_by_a_reader_is_refused(self, volume: Volume, bob: User) -> None:
        with pytest.raises(NotAllowed):
            edit.request(volume, actor=bob, name="x", description="")

    def test_loses_against_a_delete_that_came_between(self, volume: Volume, alice: User) -> None:
        stale = Volume.objects.get(pk=volume.pk)
        delete_volume.request(volume, actor=alice)
        with pytest.raises(Conflict, match="It is being deleted"):
            edit.request(stale, actor=alice, name="x", description="")
        volume.refresh_from_db()
        assert volume.name == "data"
