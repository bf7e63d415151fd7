"""Extend: how much fits, what it takes, and what is refused."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import OperationFactory, SnapshotFactory, VolumeFactory
from tests.views.html import Element, page
from volumes.models import GIB, Node, Operation, Pool, Project, Status, User, Volume

DIALOG = {"hx-request": "true", "hx-target": "dialog"}


@pytest.fixture
def url(volume: Volume) -> str:
    return reverse("volume-extend", args=[volume.pk])


def meter(tree: Element, number: int) -> str:
    return tree.one("section", class_="h-preview").all("div", class_="h-meter")[number].text


def test_it_names_the_largest_size_and_who_sets_that_limit(
    member: Client, url: str, alpha: Project, thick: Pool
) -> None:
    alpha.set(quota_gib=38)
    tree = page(member.get(url))
    assert "At most 38 GiB. The quota sets that limit, not the pool." in tree.one("p", data_largest="38").text
    thick.set(free_bytes=11 * GIB)
    tree = page(member.get(url))
    assert "At most 12 GiB. The pool sets that limit, not the quota." in tree.one("p", data_largest="12").text


def test_quota_and_room_are_previewed(member: Client, url: str, alpha: Project, thick: Pool) -> None:
    alpha.set(quota_gib=10)
    thick.set(free_bytes=60 * GIB)
    tree = page(member.get(url))
    assert tree.one("div", data_preview=True)["data-from"] == "1"
    assert tree.one("input", name="new_size")["value"] == "2"
    assert meter(tree, 0) == "Volume space of the project 2 of 10 GiB"
    assert meter(tree, 1) == "Taken in node / slow 41 of 100 GiB"
    asks = [bar.one("rect", class_="ask")["width"] for bar in tree.all("svg", class_="h-use ")]
    assert asks == ["10%", "1%"]


def test_a_thin_pool_shows_what_it_may_promise(member: Client, alpha: Project, thin: Pool) -> None:
    volume = VolumeFactory(project=alpha, pool=thin, size_gib=30)
    tree = page(member.get(reverse("volume-extend", args=[volume.pk])))
    assert meter(tree, 1) == "Promised in node / fast / thin 31 of 150 GiB"


def test_it_is_asked_for_and_the_row_says_from_where_to_where(
    member: Client, url: str, volume: Volume, alice: User
) -> None:
    tree = page(member.post(url, {"new_size": 3, "next": reverse("volumes")}, follow=True))
    operation = Operation.objects.get()
    assert (operation.verb, operation.actor, operation.args) == ("extend_volume", alice, {"from_gib": 1, "to_gib": 3})
    assert tree.one("ul", role="status").text == "Extending data to 3 GiB."
    row = tree.one("tbody", data_row=str(volume.pk))
    assert row.one("span", class_="h-grow").text == "1 → to 3 GiB"
    assert "Extending" in row.text
    shown = page(member.get(reverse("operation", args=[operation.pk])))
    assert "from 1 to 3 GiB" in shown.one("section", aria_labelledby="facts-t").text


def test_from_a_dialog_the_row_refreshes_in_place(member: Client, url: str, volume: Volume) -> None:
    answer = member.post(url, {"new_size": 2}, headers=DIALOG)
    assert answer.status_code == 204
    assert f'"rows": ["{volume.pk}"]' in answer["HX-Trigger"]


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ("1", "It has 1 GiB already; the new size must be larger"),
        ("39", "The project's quota allows at most 38 GiB."),
        ("", "This field is required."),
        ("many", "Enter a whole number."),
        ("0", "greater than or equal to 1"),
        ("9" * 30, "less than or equal to"),
    ],
)
def test_a_refusal_stands_at_the_field_and_keeps_what_was_typed(
    member: Client, url: str, alpha: Project, size: str, said: str
) -> None:
    alpha.set(quota_gib=38)
    for headers in (DIALOG, {}):
        tree = page(member.post(url, {"new_size": size}, headers=headers))
        field = tree.one("input", name="new_size")
        assert (field.attrs.get("value", ""), field["aria-invalid"]) == (size, "true")
        assert said in tree.one(id="id_new_size-err").text
    assert not Operation.objects.exists()


def test_more_than_the_pool_has_is_refused_with_what_it_has(member: Client, url: str, thick: Pool) -> None:
    thick.set(free_bytes=11 * GIB)
    tree = page(member.post(url, {"new_size": 13}))
    assert tree.one(id="id_new_size-err").text == "Its pool has room for at most 12 GiB."


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("quota", "The quota of 1 GiB is used up."),
        ("pool", "node / slow has no room left."),
        ("node", "node / slow: the node does not answer."),
        ("status", "Only available and in-use volumes can grow."),
    ],
)
def test_the_button_is_off_while_nothing_can_be_done(
    member: Client, url: str, volume: Volume, alpha: Project, thick: Pool, node: Node, change: str, said: str
) -> None:
    {
        "quota": lambda: alpha.set(quota_gib=1),
        "pool": lambda: thick.set(free_bytes=0),
        "node": lambda: node.set(state=Node.State.UNREACHABLE),
        "status": lambda: volume.set(status=Status.ERROR),
    }[change]()
    tree = page(member.get(url))
    button = tree.one("form", action=url).one("button", type="submit")
    assert button["aria-disabled"] == "true"
    assert tree.one(id=button["aria-describedby"]).text == said


def test_in_use_and_thick_with_a_snapshot_says_why_not(member: Client, volume: Volume) -> None:
    SnapshotFactory(volume=volume)
    volume.set(status=Status.IN_USE)
    row = page(member.get(reverse("volumes"))).one("tbody", data_row=str(volume.pk))
    item = next(each for each in row.all(class_="dropdown-item") if each.text.startswith("Extend"))
    assert "grows only while detached" in item.one("small").text
    head = page(member.get(reverse("volume", args=[volume.pk])))
    assert "grows only while detached" in head.one(id="why-not-extend").text


def test_a_pool_that_may_hold_somebodys_bytes_is_zeroed_first(member: Client, url: str, thick: Pool) -> None:
    assert "zeroed" not in page(member.get(url)).text
    thick.set(free_space_is_clean=False)
    assert "zeroed and read back first" in page(member.get(url)).text


def test_cancel_and_retry_say_what_that_means(member: Client, volume: Volume) -> None:
    operation = OperationFactory(volume=volume, verb="extend_volume", args={"from_gib": 1, "to_gib": 3})
    assert "nothing on it is touched" in page(member.get(reverse("operation-cancel", args=[operation.pk]))).text
    operation.set(status="failed", finished_at=timezone.now())
    tree = page(member.get(reverse("operation-retry", args=[operation.pk])))
    assert "The quota for the difference is taken anew." in tree.text
