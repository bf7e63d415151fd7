"""Every address and every kind of person: strangers find nothing, readers change nothing, nobody sees what is not theirs."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import get_resolver, reverse

from tests.views.html import page
from tests.views.pages import LOGIN, NOWHERE, PAGES, PEOPLE, World
from volumes.models import Node, Operation, Pool, Snapshot, StatusChange, Volume


@pytest.fixture(params=PEOPLE)
def person(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def browser(person: str, request: pytest.FixtureRequest) -> Client:
    return request.getfixturevalue(person)  # type: ignore[no-any-return]


def answer(response: HttpResponseBase, expected: str) -> str:
    """`/readyz` may well be 503: nothing runs here."""
    found = str(response.status_code)
    if found == "302" and response["Location"].startswith(reverse("login")) and expected != "302":
        found = LOGIN
    return {"405": NOWHERE, "503": "200"}.get(found, found)


def rows() -> list[Any]:
    """All that an action could change."""
    kinds = (Volume, Snapshot, Operation, Node, Pool, StatusChange)
    return [sorted(kind.objects.values_list(), key=str) for kind in kinds]


def test_reading(browser: Client, person: str, world: World) -> None:
    before = rows()
    expected = {at.id: at.expected("get", person) for at in PAGES}
    assert {at.id: answer(browser.get(at.url(world)), expected[at.id]) for at in PAGES} == expected
    assert rows() == before, "looking changes nothing"


def test_changing(browser: Client, person: str, world: World) -> None:
    before, wrong = rows(), {}
    for at in (at for at in PAGES if at.post):
        with transaction.atomic():
            expected = at.expected("post", person)
            found = answer(browser.post(at.url(world), at.sends(world)), expected)
            may = expected == "302" and at.changes and person in {"member", "administrator"}
            if found != expected or ((may or person != "stranger") and (rows() != before) != may):
                wrong[at.id] = (found, expected, "changed" if rows() != before else "changed nothing")
            transaction.set_rollback(True)
    assert wrong == {}


def test_a_stranger_changes_nothing_of_others(stranger: Client, world: World) -> None:
    before = [
        Volume.objects.filter(project=world.alpha).values().order_by("pk"),
        Operation.objects.filter(project=world.alpha).values(),
    ]
    was = [list(each) for each in before]
    for at in (at for at in PAGES if at.post):
        stranger.post(at.url(world), at.sends(world))
    assert [list(each.all()) for each in before] == was


def test_what_is_only_read_takes_no_post(administrator: Client, world: World) -> None:
    before = rows()
    for at in (at for at in PAGES if not at.post):
        administrator.post(at.url(world), {"name": "x"})
    assert rows() == before


def test_other_methods_do_nothing(administrator: Client, world: World) -> None:
    before = rows()
    for at in PAGES:
        for method in ("put", "patch", "delete"):
            assert getattr(administrator, method)(at.url(world)).status_code in {200, 302, 405}, at.id
    assert rows() == before


def test_every_address_is_in_the_table() -> None:
    names = {pattern.name for pattern in get_resolver("volumes.urls").url_patterns}
    names |= {pattern.name for pattern in get_resolver(settings.ROOT_URLCONF).url_patterns if hasattr(pattern, "name")}
    assert names == {at.name for at in PAGES}


def test_what_never_was_is_not_found(administrator: Client) -> None:
    for name in ("volume", "volume-edit", "volume-extend", "snapshot", "snapshot-delete", "operation", "node", "pool"):
        page(administrator.get(reverse(name, args=["00000000-0000-4000-8000-000000000000"])), 404)


def test_logging_in_leads_to_where_one_wanted_to_go(client: Client, world: World, alice: object) -> None:
    wanted = reverse("volume", args=[world.volume.pk])
    form = page(client.get(wanted, follow=True)).one("form", action=reverse("login"))
    sent = {**form.values(), "username": "alice", "password": "alice"}
    assert client.post(reverse("login"), sent)["Location"] == wanted


def test_a_login_never_leads_elsewhere(client: Client, alice: object) -> None:
    sent = {"username": "alice", "password": "alice", "next": "https://elsewhere.example/"}
    assert client.post(reverse("login"), sent)["Location"] == reverse("overview")


def test_a_disabled_person_is_out_at_once(member: Client, alice: Any) -> None:
    assert member.get(reverse("overview")).status_code == 200
    alice.is_active = False
    alice.save()
    assert answer(member.get(reverse("overview")), LOGIN) == LOGIN
