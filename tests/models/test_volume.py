"""The row of a volume: one UPDATE decides every change of its status."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from tests.factories import OperationFactory, VolumeFactory
from volumes.errors import Conflict
from volumes.models import GIB, Status, StatusChange, User, Volume

pytestmark = pytest.mark.django_db


def test_transition_changes_the_status_with_one_conditional_update(volume: Volume) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        volume.transition(expect={Status.AVAILABLE}, to=Status.DELETING)

    updates = [query["sql"] for query in queries if query["sql"].startswith("UPDATE")]
    assert len(updates) == 1
    assert "\"status\" = 'available'" in updates[0].partition("WHERE")[2]
    assert volume.status == Status.DELETING


def test_transition_leaves_a_row_in_the_history(volume: Volume, alice: User) -> None:
    operation = OperationFactory(volume=volume)

    volume.transition(
        expect={Status.AVAILABLE}, to=Status.ERROR, why="The disk is on fire.", operation=operation, actor=alice
    )

    change = StatusChange.objects.get()
    assert (change.kind, change.object_id, change.project) == ("volume", volume.pk, volume.project)
    assert (change.from_status, change.to_status, change.why) == ("available", "error", "The disk is on fire.")
    assert (change.operation, change.actor) == (operation, alice)
    assert volume.status_reason == "The disk is on fire."


def test_transition_from_another_status_is_a_conflict_that_says_what_it_is_doing(volume: Volume) -> None:
    stale = Volume.objects.get(pk=volume.pk)
    volume.transition(expect={Status.AVAILABLE}, to=Status.DELETING)

    with pytest.raises(Conflict, match=r"^data is deleting\.$"):
        stale.transition(expect={Status.AVAILABLE}, to=Status.EXTENDING)

    assert stale.status == Status.DELETING
    assert StatusChange.objects.count() == 1


def test_transition_of_a_volume_that_is_gone_says_so(volume: Volume) -> None:
    Volume.objects.filter(pk=volume.pk).delete()
    with pytest.raises(Conflict, match="no longer exists"):
        volume.transition(expect={Status.AVAILABLE}, to=Status.DELETING)


def test_transition_clears_the_reason_of_an_earlier_failure(volume: Volume) -> None:
    volume.transition(expect={Status.AVAILABLE}, to=Status.ERROR, why="It failed.")
    volume.transition(expect={Status.ERROR}, to=Status.DELETING)
    assert volume.status_reason == ""


def test_transition_moves_the_time_of_the_last_change(volume: Volume) -> None:
    before = volume.updated_at
    volume.transition(expect={Status.AVAILABLE}, to=Status.ERROR)
    assert volume.updated_at >= before


def test_the_history_outlives_the_volume(volume: Volume) -> None:
    volume.transition(expect={Status.AVAILABLE}, to=Status.DELETING)
    volume.delete()
    assert StatusChange.objects.count() == 1


def test_a_volume_without_a_name_is_called_by_its_id() -> None:
    volume = VolumeFactory(name="")
    assert str(volume) == str(volume.id)


def test_nothing_that_a_person_typed_is_in_the_name_of_the_lv() -> None:
    volume = VolumeFactory(name="$(reboot); --force")
    assert volume.lv_name == f"volume-{volume.id}"


def test_sizes_are_promised_in_gib_and_made_in_bytes() -> None:
    assert VolumeFactory(size_gib=3).size_bytes == 3 * GIB


def test_a_volume_of_nothing_cannot_be_stored() -> None:
    with pytest.raises(IntegrityError, match="volume_has_a_size"):
        VolumeFactory(size_gib=0)


class TestVisibleTo:
    def test_members_and_readers_see_their_project_and_others_do_not(
        self, volume: Volume, alice: User, bob: User, charlie: User, admin: User
    ) -> None:
        assert volume in Volume.objects.visible_to(alice)
        assert volume in Volume.objects.visible_to(bob)
        assert volume in Volume.objects.visible_to(admin)
        assert volume not in Volume.objects.visible_to(charlie)
