"""Why not: every status, every role, every limit."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from tests.factories import OperationFactory, VolumeFactory
from volumes import rules
from volumes.models import BAD, DELETABLE, GOOD, MOVING, RESTING, UNLIMITED, Operation, Project, Status, User, Volume

pytestmark = pytest.mark.django_db


class TestWhoMayAct:
    def test_a_member_may_act_in_their_project_and_in_no_other(
        self, alice: User, alpha: Project, beta: Project
    ) -> None:
        assert rules.may_act(alice, alpha)
        assert not rules.may_act(alice, beta)

    def test_a_reader_may_not_and_is_told_so(self, bob: User, alpha: Project) -> None:
        assert not rules.may_act(bob, alpha)
        assert rules.why_not_act(bob, alpha) == "You may look at this project, but not change it."

    def test_the_administrator_may_act_everywhere(self, admin: User, alpha: Project) -> None:
        assert rules.may_act(admin, alpha)
        assert rules.why_not_act(admin, None) is None

    def test_only_the_administrator_may_act_where_there_is_no_project(self, alice: User) -> None:
        assert not rules.may_act(alice, None)

    def test_nobody_may_act_without_logging_in(self, alpha: Project) -> None:
        assert not rules.may_act(AnonymousUser(), alpha)

    def test_an_administrator_who_was_switched_off_may_not(self, admin: User, alpha: Project) -> None:
        admin.is_active = False
        assert not rules.may_act(admin, alpha)


class TestDelete:
    @pytest.mark.parametrize("status", sorted(DELETABLE))
    def test_is_offered_where_nothing_stands_in_its_way(self, status: str) -> None:
        assert rules.why_not_delete(Volume(status=status)) is None

    @pytest.mark.parametrize("status", sorted(set(Status) - DELETABLE))
    def test_says_in_a_sentence_why_it_is_off_everywhere_else(self, status: str) -> None:
        reason = rules.why_not_delete(Volume(status=status))
        assert reason is not None
        assert reason.endswith(".")

    def test_names_what_a_moving_volume_is_doing(self) -> None:
        reason = rules.why_not_delete(Volume(status=Status.EXTENDING))
        assert reason == "Wait until it is no longer extending."

    def test_tells_to_detach_first(self) -> None:
        assert rules.why_not_delete(Volume(status=Status.IN_USE)) == "It is in use. Detach it first."


class TestEdit:
    @pytest.mark.parametrize("status", sorted(set(Status) - {Status.DELETING}))
    def test_is_possible_in_every_status_but_deleting(self, status: str) -> None:
        assert rules.why_not_edit(Volume(status=status)) is None

    def test_is_refused_while_deleting(self) -> None:
        assert rules.why_not_edit(Volume(status=Status.DELETING)) == "It is being deleted."


class TestQuota:
    @pytest.fixture
    def small(self, alpha: Project) -> Project:
        """Five volumes of which one is there, 20 GiB of which eight are taken."""
        alpha.set(quota_volumes=5, quota_gib=20)
        VolumeFactory(project=alpha, size_gib=8, status=Status.ERROR)
        return alpha

    @pytest.mark.parametrize(
        ("size_gib", "count", "reason"),
        [
            (12, 1, None),
            (13, 1, "The quota has 12 GiB left, so at most 12 GiB."),
            (3, 4, None),
            (4, 4, "The quota has 12 GiB left: at most 3 GiB for each of 4 volumes."),
            (1, 4, None),
            (1, 5, "The quota leaves room for 4 more volumes, not 5."),
        ],
    )
    def test_says_what_would_fit(self, small: Project, size_gib: int, count: int, reason: str | None) -> None:
        assert rules.why_not_create(small, size_gib=size_gib, count=count) == reason

    def test_says_when_the_number_of_volumes_is_used_up(self, small: Project) -> None:
        small.quota_volumes = 1
        assert rules.why_not_create(small) == "The quota of 1 volume is used up."

    def test_says_when_the_space_is_used_up(self, small: Project) -> None:
        small.quota_gib = 8
        assert rules.why_not_create(small) == "The quota of 8 GiB is used up."

    def test_that_was_lowered_below_what_is_used_never_shows_a_negative_number(self, small: Project) -> None:
        small.quota_gib = 3
        assert rules.why_not_create(small) == "The quota of 3 GiB is used up."

    def test_of_minus_one_has_no_limit(self, small: Project) -> None:
        small.quota_volumes = small.quota_gib = UNLIMITED
        assert rules.why_not_create(small, size_gib=10**6, count=100) is None

    def test_counts_volumes_in_error_until_they_are_deleted(self, small: Project) -> None:
        assert small.used() == (1, 8)


class TestRetry:
    @pytest.fixture
    def failed(self, volume: Volume) -> Operation:
        operation = OperationFactory(
            volume=volume, verb="create_volume", status=Operation.Status.FAILED, finished_at=timezone.now()
        )
        Volume.objects.filter(pk=volume.pk).update(status=Status.ERROR, last_operation=operation)
        return operation

    def test_is_offered_for_what_failed_last(self, failed: Operation) -> None:
        assert rules.why_not_retry(failed) is None

    def test_is_off_while_it_is_under_way(self, failed: Operation) -> None:
        failed.finished_at = None
        assert rules.why_not_retry(failed) == "It is still under way."

    def test_is_off_for_what_succeeded(self, failed: Operation) -> None:
        failed.status = Operation.Status.SUCCEEDED
        assert rules.why_not_retry(failed) == "It succeeded."

    def test_is_off_when_the_volume_is_gone(self, failed: Operation, volume: Volume) -> None:
        volume.delete()
        assert rules.why_not_retry(failed) == "data is gone."

    def test_is_off_when_something_else_was_done_since(self, failed: Operation, volume: Volume) -> None:
        newer = OperationFactory(volume=volume)
        Volume.objects.filter(pk=volume.pk).update(last_operation=newer)
        assert rules.why_not_retry(failed) == "Something else has been done to data since."

    def test_is_off_when_the_volume_is_well(self, failed: Operation, volume: Volume) -> None:
        Volume.objects.filter(pk=volume.pk).update(status=Status.AVAILABLE)
        assert rules.why_not_retry(failed) == "data is available."

    def test_of_a_delete_that_put_the_volume_back_is_offered(self, failed: Operation, volume: Volume) -> None:
        Volume.objects.filter(pk=volume.pk).update(status=Status.AVAILABLE)
        failed.verb = "delete_volume"
        assert rules.why_not_retry(failed) is None


class TestCancel:
    def test_is_offered_until_it_is_over(self) -> None:
        assert rules.why_not_cancel(Operation()) is None

    def test_is_off_when_it_is_over(self) -> None:
        assert rules.why_not_cancel(Operation(finished_at=timezone.now())) == "It is over."

    def test_is_off_when_it_was_asked_before(self) -> None:
        assert rules.why_not_cancel(Operation(cancel_asked_at=timezone.now())) == "It is being cancelled."


def test_every_status_is_good_moving_bad_or_resting_and_only_one_of_them() -> None:
    sets = [GOOD, MOVING, BAD, RESTING]
    assert frozenset.union(*sets) == frozenset(Status)
    assert sum(map(len, sets)) == len(Status)


def test_nothing_that_moves_or_is_in_use_can_be_deleted() -> None:
    assert not DELETABLE & MOVING
    assert Status.IN_USE not in DELETABLE
    assert Status.ERROR_DETACHING not in DELETABLE


def test_the_moving_statuses_are_those_of_an_operation_under_way() -> None:
    words = "creating attaching detaching extending backing-up restoring-backup reverting retyping migrating deleting"
    assert set(words.split()) == MOVING
