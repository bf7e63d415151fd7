"""Pages for what goes wrong: each says what to do, none shows how the console is made."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client, override_settings
from django.urls import reverse

from tests.views.html import page
from volumes.views import errors, overview, search


@pytest.fixture
def careless(member: Client) -> Client:
    """A browser that gets the page of an error, where a test would get the exception."""
    member.raise_request_exception = False
    return member


def test_404_says_where_to_go_on(member: Client) -> None:
    tree = page(member.get("/no/such/page/"), 404)
    assert tree.one("h1").text == "There is nothing here"
    assert tree.one("main").one("a")["href"] == reverse("overview")
    assert "Resolver" not in tree.text
    assert "path" not in tree.text


def test_404_of_somebody_who_is_not_logged_in(client: Client, db: None) -> None:
    tree = page(client.get("/no/such/page/"), 404)
    assert tree.one("main").one("a")["href"] == reverse("login")
    assert not tree.has("nav")


def test_404_about_a_volume_says_so_in_its_own_words(stranger: Client, world: Any) -> None:
    tree = page(stranger.get(reverse("volume", args=[world.volume.pk])), 404)
    assert "There is no such volume, or it is not yours to see." in tree.text
    assert "data" not in tree.one("main").text


def test_403_gives_the_reason(reader: Client, world: Any) -> None:
    tree = page(reader.get(reverse("volume-delete", args=[world.volume.pk])), 403)
    assert tree.one("h1").text == "This is not yours to do"
    assert "You may look at this project, but not change it." in tree.text


def test_a_refused_dialog_is_answered_with_its_status(reader: Client, world: Any) -> None:
    answer = reader.get(
        reverse("volume-edit", args=[world.volume.pk]), headers={"hx-request": "true", "hx-target": "dialog"}
    )
    assert answer.status_code == 403


@pytest.mark.parametrize("view", ["overview", "search"])
def test_500_says_nothing_of_the_inside(careless: Client, monkeypatch: pytest.MonkeyPatch, view: str) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr({"overview": overview, "search": search}[view], "render", broken)
    response = careless.get(reverse(view))
    tree = page(response, 500)
    assert tree.one("h1").text == "Something broke here"
    assert b"secret inside" not in response.content
    assert b"Traceback" not in response.content
    assert tree.one("a")["href"] == "/project/"
    assert "Content-Security-Policy" in response


def test_500_needs_no_database(db: None, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert errors.server_error(None).status_code == 500  # type: ignore[arg-type]


def test_a_foreign_host_name_is_a_400_that_says_which_setting(careless: Client) -> None:
    tree = page(careless.get("/project/", headers={"host": "elsewhere.example"}), 400)
    assert "HEARTH_ALLOWED_HOSTS" in tree.text


@override_settings(DEBUG=False)
@pytest.mark.parametrize(
    "path",
    [
        "/project/volumes/not-a-uuid/",
        "/operations/1/",
        "/project/switch/x",
        "/infrastructure/nodes/../../etc/passwd",
        "/static/../settings.py",
        "/%00",
        "/%ff",
    ],
)
def test_addresses_that_make_no_sense(member: Client, path: str) -> None:
    assert member.get(path).status_code == 404
