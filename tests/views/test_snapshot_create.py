"""Create a snapshot: what it takes, what it will be worth, and what is refused."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import SnapshotFactory, VolumeFactory
from tests.views.html import Element, page
from volumes.models import GIB, Operation, Pool, Project, Snapshot, SnapshotStatus, Status, User, Volume

DIALOG = {"hx-request": "true", "hx-target": "dialog"}


@pytest.fixture
def url(volume: Volume) -> str:
    return reverse("volume-snapshot", args=[volume.pk])


def preview(tree: Element) -> Element:
    return tree.one("section", class_="h-preview")


def test_it_is_asked_for_and_the_list_shows_it_coming(
    member: Client, url: str, volume: Volume, thick: Pool, alice: User
) -> None:
    sent = {"name": "before", "description": "the move", "metadata": "ticket=7"}
    tree = page(member.post(url, sent, follow=True))
    snapshot = Snapshot.objects.get()
    assert (snapshot.name, snapshot.description, snapshot.metadata) == ("before", "the move", {"ticket": "7"})
    assert (snapshot.volume, snapshot.size_gib, snapshot.created_by) == (volume, 1, alice)
    assert tree.one("h1").text == "Snapshots"
    assert tree.one("ul", role="status").text == "Creating snapshot before of data."
    assert "Creating" in tree.one("tbody", data_row=str(snapshot.pk)).text


def test_it_leads_back_to_where_one_came_from(member: Client, url: str, volume: Volume) -> None:
    wanted = f"{reverse('volume', args=[volume.pk])}?tab=snapshots"
    assert page(member.get(url, {"next": wanted})).one("input", name="next", type="hidden", value=wanted)
    assert member.post(url, {"next": wanted})["Location"] == wanted
    Snapshot.objects.update(status=SnapshotStatus.AVAILABLE)
    assert member.post(url, {"next": "https://elsewhere.example/"})["Location"] == reverse("snapshots")


def test_a_dialog_opens_the_list(member: Client, url: str) -> None:
    answer = member.post(url, {"name": "now"}, headers=DIALOG)
    assert (answer.status_code, answer["HX-Redirect"]) == (204, reverse("snapshots"))


def test_the_quota_is_previewed_with_it(member: Client, url: str, volume: Volume, alpha: Project) -> None:
    alpha.set(quota_snapshots=4, quota_gib=20)
    SnapshotFactory(volume=volume)
    tree = page(member.get(url))
    space, count = preview(tree).all("div", class_="h-meter")
    assert space.text == "Volume space of the project 3 of 20 GiB"
    assert count.text == "Snapshots of the project 2 of 4"
    assert count.one("rect", class_="ask")["width"] == "25%"
    alpha.set(quota_snapshots=-1)
    assert "2 , no limit" in preview(page(member.get(url))).text


def test_thick_says_that_it_cannot_overflow_where_the_pool_has_the_room(member: Client, url: str) -> None:
    text = preview(page(member.get(url))).text
    assert "It gets 1 GiB of copy-on-write space in node / slow" in text
    assert "cannot overflow" in text


def test_thick_says_what_happens_when_it_fills_where_the_pool_has_less(
    member: Client, alpha: Project, thick: Pool
) -> None:
    volume = VolumeFactory(project=alpha, pool=thick, size_gib=40)
    thick.set(free_bytes=9 * GIB)
    warning = preview(page(member.get(reverse("volume-snapshot", args=[volume.pk])))).one("p", class_="h-callout warn")
    assert "It gets only 9 GiB" in warning.text
    assert "the snapshot is lost; the volume is not" in warning.text


def test_thin_says_that_it_shares_blocks(member: Client, alpha: Project, thin: Pool) -> None:
    volume = VolumeFactory(project=alpha, pool=thin)
    text = preview(page(member.get(reverse("volume-snapshot", args=[volume.pk])))).text
    assert "shares its blocks with the volume" in text
    assert "It gets" not in text


def test_in_use_is_warned_about(member: Client, url: str, volume: Volume) -> None:
    assert "crash-consistent" not in page(member.get(url)).text
    volume.set(status=Status.IN_USE)
    assert "crash-consistent" in page(member.get(url)).one("p", class_="h-callout warn").text
    assert member.post(url, {"name": "live"}).status_code == 302
    volume.refresh_from_db()
    assert volume.status == Status.IN_USE


def change(what: str, volume: Volume, alpha: Project, thick: Pool) -> None:
    {
        "count": lambda: alpha.set(quota_snapshots=0),
        "space": lambda: alpha.set(quota_gib=1),
        "room": lambda: thick.set(free_bytes=0),
        "status": lambda: volume.set(status=Status.ERROR),
        "moving": lambda: SnapshotFactory(volume=volume, status=SnapshotStatus.CREATING),
    }[what]()


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("count", "The quota of 0 snapshots is used up."),
        ("space", "The quota of 1 GiB is used up."),
        ("room", "has too little room for it"),
        ("status", "Only available and in-use volumes can have snapshots."),
        ("moving", "Wait until its snapshot is ready or gone."),
    ],
)
def test_what_cannot_be_done_says_why_and_keeps_the_input(
    member: Client, url: str, volume: Volume, alpha: Project, thick: Pool, what: str, said: str
) -> None:
    change(what, volume, alpha, thick)
    button = page(member.get(url)).one("form", action=url).one("button", type="submit")
    assert button["aria-disabled"] == "true"
    assert said in page(member.get(url)).one(id=button["aria-describedby"]).text
    before = Operation.objects.count()
    tree = page(member.post(url, {"name": "typed", "metadata": "a=b"}, headers=DIALOG))
    assert tree.one("dialog").one("p", role="alert").text
    assert tree.one("input", name="name")["value"] == "typed"
    assert tree.one("textarea", name="metadata").text == "a=b"
    assert Operation.objects.count() == before


def test_metadata_that_makes_no_sense_is_told_at_its_field(member: Client, url: str) -> None:
    tree = page(member.post(url, {"name": "x" * 256, "metadata": "?"}))
    assert tree.one(id="id_name-err")
    assert "open" in tree.one(id="id_metadata-err").up("details").attrs
    assert not Snapshot.objects.exists()
