"""Edit: name, description and metadata, nothing else."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests.views.html import page
from volumes.models import Operation, Status, StatusChange, Volume


@pytest.fixture
def url(volume: Volume) -> str:
    volume.set(description="of the shop", metadata={"tier": "gold", "role": "database"})
    return reverse("volume-edit", args=[volume.pk])


def test_the_form_holds_what_is_there(member: Client, url: str) -> None:
    form = page(member.get(url)).one("form", action=url).values()
    assert (form["name"], form["description"]) == (["data"], ["of the shop"])
    assert sorted(form["metadata"][0].split()) == ["role=database", "tier=gold"]


def test_it_changes_what_was_typed_and_asks_nothing_of_a_node(member: Client, url: str, volume: Volume) -> None:
    sent = {"name": "shop", "description": "", "metadata": "tier = silver\n\nowner=ops=night\n"}
    tree = page(member.post(url, sent, follow=True))
    volume.refresh_from_db()
    assert (volume.name, volume.description) == ("shop", "")
    assert volume.metadata == {"tier": "silver", "owner": "ops=night"}
    assert not Operation.objects.exists()
    assert tree.one("h1").text == "shop"
    assert tree.one("ul", role="status").text == "Changed shop."


def test_it_stands_in_the_history(member: Client, url: str, volume: Volume) -> None:
    member.post(url, {"name": "shop", "description": "of the shop", "metadata": "tier=gold\nrole=database"})
    assert StatusChange.objects.get().why == "Edited: name: 'data' > 'shop'."
    history = page(member.get(reverse("volume", args=[volume.pk]), {"tab": "history"}))
    assert "edited Edited: name: 'data' > 'shop'. alice" in history.text


def test_saving_without_a_change_writes_no_history(member: Client, url: str) -> None:
    assert member.post(url, page(member.get(url)).one("form", action=url).values()).status_code == 302
    assert not StatusChange.objects.exists()


def test_from_a_dialog_the_row_refreshes_in_place(member: Client, url: str, volume: Volume) -> None:
    answer = member.post(url, {"name": "shop"}, headers={"hx-request": "true", "hx-target": "dialog"})
    assert answer.status_code == 204
    assert f'"rows": ["{volume.pk}"]' in answer["HX-Trigger"]


def test_in_a_dialog_a_mistake_comes_back_as_a_dialog(member: Client, url: str) -> None:
    answer = member.post(
        url, {"name": "x" * 256, "metadata": "?"}, headers={"hx-request": "true", "hx-target": "dialog"}
    )
    dialog = page(answer).one("dialog")
    assert dialog.one("input", name="name")["value"] == "x" * 256
    assert dialog.one(id="id_name-err")["role"] == "alert"
    assert dialog.one(id="id_metadata-err")["role"] == "alert"


def test_it_goes_back_to_where_one_came_from_and_nowhere_else(member: Client, url: str, volume: Volume) -> None:
    page_of = reverse("volume", args=[volume.pk])
    for wanted, leads in [
        ("/project/volumes/?page=2", "/project/volumes/?page=2"),
        ("https://x.example/", page_of),
        ("//x.example", page_of),
    ]:
        assert member.post(url, {"name": "shop", "next": wanted})["Location"] == leads


def test_it_is_possible_in_every_status_but_one(member: Client, url: str, volume: Volume) -> None:
    for status in set(Status) - {Status.DELETING}:
        volume.set(status=status)
        assert member.post(url, {"name": "shop"}).status_code == 302, status


def test_while_it_is_deleted_it_says_why_not(member: Client, url: str, volume: Volume) -> None:
    volume.set(status=Status.DELETING)
    for tree in (page(member.get(url)), page(member.post(url, {"name": "shop"}))):
        button = tree.one("form", action=url).one("button", type="submit")
        assert tree.one(id=button["aria-describedby"]).text == "It is being deleted."
    assert Volume.objects.get().name == "data"
