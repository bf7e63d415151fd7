"""No form is accepted from another site, and no page forgets the token its own forms need."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests.views.html import page
from tests.views.pages import PAGES, World
from volumes.models import User


@pytest.fixture
def strict(admin: User) -> Client:
    """A browser whose forms are checked as in real life."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin)
    return client


def test_without_a_token_nothing_is_accepted(strict: Client, world: World) -> None:
    for at in (at for at in PAGES if at.post):
        shown = page(strict.post(at.url(world), at.sends(world)), 403)
        assert shown.one("h1").text == "This form is too old", at.id


def test_the_login_form_too(db: None) -> None:
    client = Client(enforce_csrf_checks=True)
    page(client.post(reverse("login"), {"username": "alice", "password": "alice"}), 403)


def test_every_form_that_posts_carries_a_token_and_no_other_does(strict: Client, world: World) -> None:
    """A token in a GET form would end up in addresses and logs."""
    for at in (at for at in PAGES if "200" in at.get):
        response = strict.get(at.url(world))
        if response.status_code == 200 and "html" in response["Content-Type"]:
            for form in page(response).all("form"):
                posts = form.attrs.get("method", "get").lower() == "post"
                assert form.has("input", name="csrfmiddlewaretoken") == posts, (at.id, form.attrs)


def test_with_the_token_of_its_page_a_form_is_accepted(strict: Client, world: World) -> None:
    url = reverse("volume-edit", args=[world.volume.pk])
    form = page(strict.get(url)).one("form", action=url)
    assert strict.post(url, {**form.values(), "name": "renamed"}).status_code == 302
    world.volume.refresh_from_db()
    assert world.volume.name == "renamed"


def test_the_token_of_another_site_is_not_enough(strict: Client, world: World) -> None:
    url = reverse("volume-edit", args=[world.volume.pk])
    form = page(strict.get(url)).one("form", action=url)
    page(strict.post(url, form.values(), headers={"origin": "https://elsewhere.example"}), 403)
