"""Logging in and out, and being locked out after too many wrong passwords."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests.views.html import page
from volumes.models import Project, User

URL = "/accounts/login/"


def attempt(client: Client, name: str = "alice", password: str = "wrong", **more: str) -> int:
    return client.post(URL, {"username": name, "password": password}, **more).status_code  # type: ignore[arg-type]


def test_a_person_logs_in_and_out(client: Client, alice: User) -> None:
    tree = page(client.post(URL, {"username": "alice", "password": "alice"}, follow=True))
    assert tree.one("h1").text == "Overview"
    out = tree.one("form", action=reverse("logout"))
    assert out["method"] == "post"
    assert client.post(reverse("logout"))["Location"] == URL
    assert client.get(reverse("overview")).status_code == 302


def test_a_wrong_password_is_told_and_the_name_stays(client: Client, alice: User) -> None:
    tree = page(client.post(URL, {"username": "alice", "password": "wrong"}))
    assert tree.one("p", role="alert").text
    assert tree.one("input", name="username")["value"] == "alice"
    assert "value" not in tree.one("input", name="password").attrs


def test_nobody_learns_whether_a_name_exists(client: Client, alice: User) -> None:
    wrong = page(client.post(URL, {"username": "alice", "password": "wrong"})).one("p", role="alert").text
    unknown = page(client.post(URL, {"username": "nobody", "password": "wrong"})).one("p", role="alert").text
    assert wrong == unknown


def test_a_new_session_is_made_at_login(client: Client, alice: User) -> None:
    client.get(URL)
    client.cookies["sessionid"] = "fixed-by-somebody-else"
    client.post(URL, {"username": "alice", "password": "alice"})
    assert client.cookies["sessionid"].value != "fixed-by-somebody-else"


class TestLockout:
    def test_comes_with_the_eighth_wrong_password(self, client: Client, alice: User) -> None:
        assert [attempt(client) for _ in range(7)] == [200] * 7
        tree = page(client.post(URL, {"username": "alice", "password": "wrong"}), 429)
        assert tree.one("h1").text == "Locked for a while"
        assert "15 minutes" in tree.text

    def test_holds_against_the_right_password(self, client: Client, alice: User) -> None:
        for _ in range(8):
            attempt(client)
        assert attempt(client, password="alice") == 429
        assert client.get(reverse("overview")).status_code == 302

    def test_is_of_one_name_at_one_address(self, client: Client, alice: User, bob: User) -> None:
        for _ in range(8):
            attempt(client)
        assert attempt(client, name="bob", password="bob") == 302
        assert attempt(Client(), password="alice", REMOTE_ADDR="10.0.0.9") == 302

    def test_forgets_the_wrong_ones_after_a_right_one(self, client: Client, alice: User) -> None:
        for _ in range(2):
            assert [attempt(client) for _ in range(7)] == [200] * 7
            assert attempt(client, password="alice") == 302
            client.post(reverse("logout"))

    def test_holds_at_the_door_of_the_administration(self, client: Client, admin: User, alpha: Project) -> None:
        sent = {"username": "admin", "password": "wrong"}
        answers = [client.post("/admin/login/", sent).status_code for _ in range(8)]
        assert answers[-1] in {302, 429}
        assert attempt(client, name="admin", password="admin") == (429 if answers[-1] == 429 else 302)


@pytest.mark.parametrize("password", ["short", "12345678901", "password123"])
def test_a_new_password_has_to_be_a_good_one(member: Client, alice: User, password: str) -> None:
    sent = {"old_password": "alice", "new_password1": password, "new_password2": password}
    tree = page(member.post(reverse("password_change"), sent))
    assert tree.one(role="alert").text
    alice.refresh_from_db()
    assert alice.check_password("alice")


def test_a_good_new_password_is_taken(member: Client, alice: User) -> None:
    new = "a long sentence nobody knows"
    sent = {"old_password": "alice", "new_password1": new, "new_password2": new}
    page(member.post(reverse("password_change"), sent, follow=True))
    alice.refresh_from_db()
    assert alice.check_password(new)
    assert member.get(reverse("overview")).status_code == 200
