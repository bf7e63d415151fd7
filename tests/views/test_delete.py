"""Delete from its own page and dialog: what it names, what will run, and what it refuses."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import VolumeFactory
from tests.views.html import Element, page
from volumes.models import BAD, DELETABLE, MOVING, Node, Operation, Pool, Project, Status, User, Volume

DIALOG = {"hx-request": "true", "hx-target": "dialog"}
VERBS = ["Edit", "Extend", "Create snapshot", "Clone", "Revert to a snapshot", "Delete volume"]


@pytest.fixture
def url(volume: Volume) -> str:
    return reverse("volume-delete", args=[volume.pk])


def buttons(tree: Element) -> list[Element]:
    footer = tree.one("form", method="post", action=True, hx_post=True).one("footer")
    return [each for each in footer if each.tag in {"button", "a"}]


def test_it_names_the_object_its_size_and_its_place(member: Client, url: str) -> None:
    tree = page(member.get(url))
    assert tree.one(id="dlg-t").text == "Delete volume data?"
    assert "1 GiB on node / slow" in tree.one(id="dlg-d").text
    assert "cannot be brought back" in tree.text


def test_it_says_what_will_happen_and_shows_every_command(member: Client, url: str, volume: Volume) -> None:
    tree = page(member.get(url))
    plan = [line.text for line in tree.one("ol", class_="h-plan").all("li")]
    assert [
        word for word in ("Wipe 1 GiB with zeroes", "Verify", "Remove it") if not any(word in line for line in plan)
    ] == []
    commands = tree.one("figure", class_="h-term").text
    for word in ("lvchange", "systemd-run", "lvremove", volume.lv_name):
        assert word in commands
    assert "open" not in tree.one("figure", class_="h-term").up("details").attrs


def test_the_time_is_this_nodes_own(member: Client, url: str, node: Node) -> None:
    assert "not known yet" in page(member.get(url)).text
    node.set(wipe_rate_mib_s=10.0)
    text = page(member.get(url)).text
    assert "at this node's measured 10 MiB/s" in text
    assert "about 1 min 40 s" in text


def test_in_the_dialog_the_harmless_button_is_at_the_corner_and_has_the_focus(member: Client, url: str) -> None:
    red, cancel = buttons(page(member.get(url, headers=DIALOG)))
    assert ("btn-danger" in red.classes, red["type"], "autofocus" in red.attrs) == (True, "submit", False)
    assert ("push" in cancel.classes, cancel["type"], "autofocus" in cancel.attrs) == (True, "button", True)
    assert cancel.text.startswith("Cancel")


def test_nothing_that_destroys_is_ticked(member: Client, url: str) -> None:
    assert not any("checked" in field.attrs for field in page(member.get(url, headers=DIALOG)).all("input"))


def test_a_pool_that_wipes_nothing_says_so_loudly(member: Client, url: str, thick: Pool) -> None:
    thick.set(wipe_method=Pool.WipeMethod.NONE)
    tree = page(member.get(url))
    assert "Its bytes are not wiped." in tree.one("p", class_="h-callout warn").text
    assert "with zeroes" not in tree.one("ol", class_="h-plan").text
    assert "In all about" in tree.text, "what is left to do takes a known time"


def test_a_thin_volume_is_discarded(member: Client, alpha: Project, thin: Pool) -> None:
    volume = VolumeFactory(project=alpha, pool=thin)
    text = page(member.get(reverse("volume-delete", args=[volume.pk]))).text
    assert "Discard 1 GiB" in text
    assert "Wipe" not in text


def test_one_that_was_never_made_has_nothing_to_wipe(member: Client, alpha: Project) -> None:
    volume = VolumeFactory(project=alpha, pool=None, status=Status.ERROR)
    text = page(member.get(reverse("volume-delete", args=[volume.pk]))).text
    assert "in no pool" in text
    assert "never made on a node" in text


def test_it_is_asked_for_and_the_list_shows_it_going(member: Client, url: str, volume: Volume, alice: User) -> None:
    tree = page(member.post(url, follow=True))
    operation = Operation.objects.get()
    assert (operation.verb, operation.target_id, operation.actor) == ("delete_volume", volume.pk, alice)
    assert tree.one("ul", role="status").text == "Deleting data."
    assert "Deleting" in tree.one("tbody", data_row=str(volume.pk)).text


def test_from_a_dialog_the_row_refreshes_in_place(member: Client, url: str, volume: Volume) -> None:
    answer = member.post(url, headers=DIALOG)
    assert answer.status_code == 204
    assert f'"rows": ["{volume.pk}"]' in answer["HX-Trigger"]


def test_what_cannot_be_deleted_says_why_and_is_not(member: Client, url: str, volume: Volume) -> None:
    for status in set(Status) - DELETABLE:
        volume.set(status=status)
        for tree in (page(member.get(url, headers=DIALOG)), page(member.post(url, headers=DIALOG))):
            red = next(each for each in buttons(tree) if "btn-danger" in each.classes)
            assert red["aria-disabled"] == "true", status
            assert tree.one(id=red["aria-describedby"]).text, status
    assert not Operation.objects.exists()


def test_what_can_be_deleted_is(member: Client, url: str, volume: Volume) -> None:
    for status in DELETABLE:
        Operation.objects.all().delete()
        volume.set(status=status)
        assert member.post(url).status_code == 302, status
        volume.refresh_from_db()
        assert volume.status == Status.DELETING


def test_the_second_click_is_told_that_the_first_one_won(member: Client, url: str) -> None:
    member.post(url)
    tree = page(member.post(url, headers=DIALOG))
    assert tree.one(id="why-not").text == "It is being deleted already."
    assert Operation.objects.count() == 1


class TestExcuses:
    """The same answer stands in the row menu, on the page and in the dialog."""

    def test_of_each_status(self, member: Client, volume: Volume) -> None:
        for status in sorted({Status.IN_USE, *MOVING, *BAD, Status.AWAITING_TRANSFER}):
            volume.set(status=status)
            row = page(member.get(reverse("volumes"))).one("tbody", data_row=str(volume.pk))
            items = row.one("ul", class_="dropdown-menu h-menu").all(class_="dropdown-item")
            assert [item.text.split("…")[0] for item in items if "…" in item.text] == VERBS
            if status in DELETABLE:
                assert items[-1].tag == "a", status
                assert "data-deletable" in row.attrs
            else:
                assert (items[-1]["role"], items[-1]["aria-disabled"], items[-1]["tabindex"]) == ("link", "true", "0")
                assert items[-1].one("small").text == row["data-why-not"]
                head = page(member.get(reverse("volume", args=[volume.pk])))
                assert row["data-why-not"] in head.one(id="why-not-delete").text

    def test_a_reader_finds_every_action_off_and_why(self, reader: Client, world: object) -> None:
        tree = page(reader.get(reverse("volumes")))
        for item in tree.one("main").all("a"):
            assert not any(
                word in item["href"]
                for word in ("/edit/", "/extend/", "/snapshot/", "/delete/", "/create/", "/retry/", "/cancel/")
            ), item["href"]
        offs = [item for item in tree.all(aria_disabled="true") if "dropdown-item" in item.classes]
        assert len(offs) == len(VERBS) * Volume.objects.count()
        assert {item.one("small").text for item in offs} == {"You may look at this project, but not change it."}
