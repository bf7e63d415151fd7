"""The page of a volume, alive and gone."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import OperationFactory, StepFactory
from tests.views.conftest import failed_operation
from tests.views.html import page
from volumes.models import Node, Operation, Pool, Status, StatusChange, User, Volume
from volumes.operations import delete_volume
from volumes.operations.delete_volume import DeleteVolume

POLL = {"hx-request": "true", "hx-trigger": "poll"}


@pytest.fixture
def url(volume: Volume) -> str:
    return reverse("volume", args=[volume.pk])


def test_the_overview_holds_all_there_is_to_know(member: Client, url: str, volume: Volume, alice: User) -> None:
    volume.set(description="of the shop", metadata={"tier": "gold"}, created_by=alice)
    tree = page(member.get(url))
    for word in (
        "data",
        str(volume.pk),
        "of the shop",
        "1 GiB",
        "alpha",
        "tier=gold",
        "by alice",
        f"slow/{volume.lv_name}",
        "thick",
        "zeroed, then read back",
    ):
        assert word in tree.one("main").text, word
    assert tree.one("button", data_copy=str(volume.pk))["aria-label"].startswith(str(volume.pk))


def test_its_tabs_are_addresses(member: Client, url: str) -> None:
    for tab, query in (("Overview", ""), ("Operations 0", "?tab=operations"), ("History", "?tab=history")):
        tree = page(member.get(url + query))
        assert tree.one("main").one("a", aria_current="page").text == tab
    assert page(member.get(url + "?tab=nonsense")).one("main").one("a", aria_current="page").text == "Overview"


def test_a_failure_stands_on_the_page_with_its_reason_and_what_to_do(member: Client, url: str, volume: Volume) -> None:
    operation = failed_operation(volume)
    volume.set(status=Status.ERROR_DELETING, status_reason="The wipe stopped at 43 %.")
    callout = page(member.get(url)).one("div", class_="h-callout bad")
    assert "The wipe stopped at 43 %." in callout.text
    links = {link.text: link["href"] for link in callout.all("a")}
    assert links["Open operation"] == reverse("operation", args=[operation.pk])
    assert links["Retry"].startswith(reverse("operation-retry", args=[operation.pk]))
    assert links["Retry"].endswith(f"?next={url}")


def test_a_bad_status_without_a_reason_says_at_least_that(member: Client, url: str, volume: Volume) -> None:
    volume.set(status=Status.ERROR)
    assert "No reason was written down." in page(member.get(url)).text


def test_progress_is_percent_rate_and_time_left(member: Client, url: str, volume: Volume) -> None:
    operation = OperationFactory(volume=volume, status="running", started_at=timezone.now())
    StepFactory(
        operation=operation, status="running", bytes_done=2**28, bytes_total=2**30, rate=2**20 * 64.0, eta_s=12.0
    )
    volume.set(status=Status.DELETING, last_operation=operation)
    for where in (
        url,
        reverse("volumes"),
        reverse("operations"),
        reverse("overview"),
        reverse("operation", args=[operation.pk]),
    ):
        tree = page(member.get(where)).one("main")
        bar = tree.all("progress")[-1]
        assert (bar["value"], bar["max"], bool(bar["aria-label"])) == ("25", "100", True)
        for word in ("25 %", "12 s left") + (("64 MiB/s",) if where != reverse("overview") else ()):
            assert word in tree.text, where


class TestGone:
    @pytest.fixture
    def operation(self, volume: Volume, alice: User) -> Operation:
        """It was deleted, as the engine does it."""
        operation = delete_volume.request(volume, actor=alice)
        now = timezone.now()
        operation.set(status="succeeded", started_at=now, finished_at=now)
        DeleteVolume().succeed(operation)
        return operation

    def test_it_says_so_and_leads_to_what_was_done(self, member: Client, url: str, operation: Operation) -> None:
        tree = page(member.get(url), 404)
        assert tree.one("h1").text == "data"
        assert "Deleted for alice" in tree.text
        assert tree.one("main").has("a", href=reverse("operation", args=[operation.pk]))

    def test_its_history_stays(self, member: Client, url: str, operation: Operation) -> None:
        assert "deleting → to deleted" in page(member.get(url), 404).one("table").text

    def test_the_operation_names_what_it_deleted(self, reader: Client, operation: Operation) -> None:
        assert "data (gone)" in page(reader.get(reverse("operation", args=[operation.pk]))).text

    def test_a_page_that_was_open_turns_into_it(self, member: Client, url: str, operation: Operation) -> None:
        answer = member.get(url, headers=POLL)
        assert answer.status_code == 200, "htmx swaps nothing that is an error"
        assert "Deleted" in page(answer).one("main", hx_swap_oob="morph").text

    def test_a_stranger_learns_nothing(self, stranger: Client, url: str, operation: Operation) -> None:
        tree = page(stranger.get(url), 404)
        assert tree.one("h1").text == "There is nothing here"
        assert "data" not in tree.one("main").text


def test_history_tells_from_to_why_and_who(
    member: Client, url: str, volume: Volume, alice: User, alpha: object
) -> None:
    StatusChange.objects.create(
        kind="volume",
        object_id=volume.pk,
        from_status="creating",
        to_status="available",
        actor=alice,
        why="It is there.",
    )
    row = page(member.get(url + "?tab=history")).one("tbody").one("tr")
    assert [cell.text for cell in row.all("td")[1:3]] == ["It is there.", "alice"]
    assert row.one("th").text == "creating → to available"


def test_members_see_the_place_and_administrators_may_go_there(
    member: Client, administrator: Client, url: str, thick: Pool, node: Node
) -> None:
    assert "node / slow" in page(member.get(url)).one("main").text
    assert not page(member.get(url)).has("a", href=reverse("pool", args=[thick.pk]))
    assert page(administrator.get(url)).has("a", href=reverse("pool", args=[thick.pk]))
