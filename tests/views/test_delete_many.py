"""Deleting several: asked once, each for itself, and each says what became of it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import PoolFactory, ProjectFactory, VolumeFactory
from tests.views.html import page
from volumes.models import Operation, Pool, Project, Status, Volume

URL = "/project/volumes/delete/"
DIALOG = {"hx-request": "true", "hx-target": "dialog"}


@pytest.fixture
def three(alpha: Project, thick: Pool) -> list[Volume]:
    """Two that can go and one that is in use."""
    names = {"one": Status.AVAILABLE, "two": Status.ERROR, "used": Status.IN_USE}
    return [VolumeFactory(project=alpha, pool=thick, name=name, status=status) for name, status in names.items()]


def ids(volumes: list[Volume]) -> dict[str, list[str]]:
    return {"ids": [str(volume.pk) for volume in volumes]}


def test_the_list_asks_first(member: Client, three: list[Volume]) -> None:
    tree = page(member.post(URL, ids(three)))
    assert tree.one("h1").text == "Delete 2 volumes?"
    assert "2 GiB on node" in tree.one(id="dlg-d").text
    going = tree.one("section", aria_labelledby="dlg-a").text
    staying = tree.one("section", aria_labelledby="dlg-b").text
    assert all(word in going for word in ("one", "two", "node / slow"))
    assert "about" not in going, "nothing was measured yet"
    assert "used It is in use. Detach it first." in staying
    assert not Operation.objects.exists()


def test_only_what_can_go_is_sent_along(member: Client, three: list[Volume]) -> None:
    form = page(member.post(URL, ids(three))).one("form", action=URL)
    assert sorted(form.values()["ids"]) == sorted(ids(three[:2])["ids"])
    assert form.has("button", name="do")


class TestAPoolThatWipesNothing:
    """Its volumes are named, and it is said once for all of them, loudly."""

    def test_is_told_of_each_volume_in_it(self, member: Client, alpha: Project, three: list[Volume]) -> None:
        bare = [PoolFactory(node__name=name, vg_name="bare", wipe_method=Pool.WipeMethod.NONE) for name in ("b", "a")]
        left = [VolumeFactory(project=alpha, pool=pool, name=f"left-{pool.node}") for pool in bare]
        tree = page(member.post(URL, ids([*three, *left])))
        said = tree.one("p", class_="h-callout warn").text
        assert said.startswith("The bytes of 2 of them are not wiped. The wipe method of a / bare, b / bare is none:")
        lines = [line.text for line in tree.one("section", aria_labelledby="dlg-a").all("li")]
        assert [line.split()[0] for line in lines if "not wiped" in line] == ["left-a", "left-b"]

    def test_is_not_spoken_of_when_its_volumes_stay(self, member: Client, three: list[Volume], thick: Pool) -> None:
        thick.set(wipe_method=Pool.WipeMethod.NONE)
        assert "not wiped" not in page(member.post(URL, ids(three[2:]))).text

    def test_is_none_when_it_is_thin(self, member: Client, alpha: Project, thin: Pool) -> None:
        thin.set(wipe_method=Pool.WipeMethod.NONE)
        assert "not wiped" not in page(member.post(URL, ids([VolumeFactory(project=alpha, pool=thin)]))).text


def test_all_of_them_go(member: Client, three: list[Volume]) -> None:
    tree = page(member.post(URL, {**ids(three[:2]), "do": "1"}, follow=True))
    assert Operation.objects.count() == 2
    assert tree.one("ul", role="status").text == "Deleting 2 volumes."


def test_from_a_dialog_their_rows_refresh_in_place(member: Client, three: list[Volume]) -> None:
    answer = member.post(URL, {**ids(three[:2]), "do": "1"}, headers=DIALOG)
    assert answer.status_code == 204
    assert all(str(volume.pk) in answer["HX-Trigger"] for volume in three[:2])


def test_each_has_its_own_result(member: Client, three: list[Volume]) -> None:
    """The third became busy after the dialog had opened."""
    answer = member.post(URL, {**ids(three), "do": "1"}, headers=DIALOG)
    lines = {line.one("b").text: line for line in page(answer).one("dialog").all("li")}
    assert lines["used"].one("small").text == "It is in use. Detach it first."
    for volume in three[:2]:
        operation = Operation.objects.get(target_id=volume.pk)
        assert lines[volume.name].has("a", href=reverse("operation", args=[operation.pk]))
    assert "2 of 3" in page(answer).one(id="dlg-t").text
    assert str(three[0].pk) in answer["HX-Trigger"]
    assert str(three[2].pk) not in answer["HX-Trigger"]


def test_when_none_can_go_the_button_is_off_and_says_so(member: Client, three: list[Volume]) -> None:
    tree = page(member.post(URL, ids(three[2:])))
    red = tree.one("button", class_="btn btn-danger")
    assert red["aria-disabled"] == "true"
    assert tree.one(id=red["aria-describedby"]).text == "None of them can be deleted now."


def test_nothing_ticked_is_said(member: Client, three: list[Volume]) -> None:
    tree = page(member.post(URL, {"next": "/project/volumes/?sort=name"}, follow=True))
    assert "Nothing was selected" in tree.one("ul", role="status").text


def test_what_is_no_id_is_passed_over(member: Client, three: list[Volume]) -> None:
    sent = {"ids": ["x", "", "' OR 1=1", str(three[0].pk), str(three[0].pk)], "do": "1"}
    assert member.post(URL, sent).status_code == 302
    assert Operation.objects.get().target_id == three[0].pk


def test_volumes_of_another_project_are_left_alone(
    member: Client, stranger: Client, alpha: Project, three: list[Volume]
) -> None:
    theirs = VolumeFactory(project=ProjectFactory())
    member.post(URL, {**ids([theirs]), "do": "1"})
    stranger.post(URL, {**ids(three), "do": "1"})
    assert not Operation.objects.exists()


def test_a_reader_deletes_nothing(reader: Client, three: list[Volume]) -> None:
    page(reader.post(URL, {**ids(three), "do": "1"}), 403)
    assert not Operation.objects.exists()
