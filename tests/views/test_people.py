"""What people choose for themselves: project, theme, rows per page."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import MembershipFactory
from tests.views.html import page
from volumes.models import Membership, Project, User, Volume

SWITCH = "/project/switch/"


def test_the_switcher_offers_ones_own_projects(
    member: Client, administrator: Client, alice: User, beta: Project
) -> None:
    def offered(client: Client) -> list[str]:
        return [
            button.text for button in page(client.get(reverse("overview"))).one("form", action=SWITCH).all("button")
        ]

    assert offered(member) == ["alpha"]
    assert offered(administrator) == ["alpha", "beta"]
    MembershipFactory(user=alice, project=beta, role=Membership.Role.READER)
    assert offered(member) == ["alpha", "beta"]


def test_switching_changes_what_every_page_is_about(member: Client, alice: User, beta: Project, volume: Volume) -> None:
    MembershipFactory(user=alice, project=beta, role=Membership.Role.READER)
    assert member.post(SWITCH, {"project": beta.pk})["Location"] == reverse("overview")
    tree = page(member.get(reverse("volumes")))
    assert "Volumes · beta" in tree.one("title").text
    assert not tree.has("tbody", data_row=True)
    assert tree.one("button", aria_current="true").text == "beta"
    assert "Reader of beta" in tree.text
    assert member.get(reverse("volume-create")).status_code == 403


@pytest.mark.parametrize("wanted", ["", "x", str(uuid.uuid4())])
def test_to_nowhere_one_cannot_switch(member: Client, wanted: str) -> None:
    page(member.post(SWITCH, {"project": wanted}), 404)


def test_to_the_project_of_others_one_cannot_switch(member: Client, alice: User, alpha: Project, beta: Project) -> None:
    page(member.post(SWITCH, {"project": beta.pk}), 404)
    alice.refresh_from_db()
    assert alice.current_project == alpha


def test_who_is_no_longer_in_a_project_is_no_longer_at_it(
    member: Client, alice: User, beta: Project, volume: Volume
) -> None:
    MembershipFactory(user=alice, project=beta)
    alice.memberships.get(project__name="alpha").delete()
    assert "Volumes · beta" in page(member.get(reverse("volumes"))).one("title").text
    assert member.get(reverse("volume", args=[volume.pk])).status_code == 404


def test_the_theme_is_kept_with_the_person_and_for_the_login_page(member: Client, alice: User) -> None:
    member.post(reverse("theme"), {"theme": "dark"})
    assert page(member.get(reverse("overview"))).one("html")["data-theme"] == "dark"
    member.post(reverse("logout"))
    assert page(member.get(reverse("login"))).one("html")["data-theme"] == "dark"
    alice.refresh_from_db()
    assert alice.theme == "dark"


def test_the_button_goes_round(member: Client) -> None:
    seen = []
    for _ in range(3):
        form = page(member.get(reverse("overview"))).one("form", id="theme-form")
        seen.append(form.values()["theme"][0])
        member.post(form["action"], form.values())
    assert sorted(seen) == ["auto", "dark", "light"]


@pytest.mark.parametrize("theme", ["", "pink", "<script>"])
def test_a_theme_that_is_none_is_the_systems(member: Client, theme: str) -> None:
    member.post(reverse("theme"), {"theme": theme})
    member.cookies["theme"] = theme
    assert page(member.get(reverse("overview"))).one("html")["data-theme"] == "auto"


def test_through_htmx_only_the_button_comes_back(member: Client) -> None:
    answer = member.post(reverse("theme"), {"theme": "light"}, headers={"hx-request": "true"})
    assert page(answer).one("form", id="theme-form").values()["theme"] == ["auto"]
    assert '"value": "light"' in answer["HX-Trigger"]


def test_preferences(member: Client, alice: User) -> None:
    url = reverse("preferences")
    form = page(member.get(url)).all("form", class_="h-card h-form-page")[0].values()
    assert (form["page_size"], form["theme"]) == (["20"], ["auto"])
    tree = page(member.post(url, {**form, "page_size": 50, "theme": "dark"}, follow=True))
    assert "Saved." in tree.one("ul", role="status").text
    alice.refresh_from_db()
    assert (alice.page_size, alice.theme) == (50, "dark")


@pytest.mark.parametrize("size", ["0", "1001", "-1", "x", ""])
def test_rows_per_page_are_1_to_1000(member: Client, alice: User, size: str) -> None:
    tree = page(member.post(reverse("preferences"), {"page_size": size, "theme": "auto"}))
    assert tree.one(role="alert")["id"] == "id_page_size-err"
    member.post(reverse("columns", args=["volumes"]), {"rows": size})
    alice.refresh_from_db()
    assert alice.page_size == 20


def test_the_columns_of_no_list_are_not_found(member: Client) -> None:
    page(member.post(reverse("columns", args=["people"]), {"columns": "x"}), 404)


def test_the_menu_of_the_person_says_who_they_are(member: Client, reader: Client, administrator: Client) -> None:
    for client, role in (
        (member, "Member of alpha"),
        (reader, "Reader of alpha"),
        (administrator, "Administrator of this installation"),
    ):
        assert role in page(client.get(reverse("overview"))).one("header", class_="h-top").text


def test_the_navigation_is_the_persons(member: Client, administrator: Client, world: object) -> None:
    def titles(client: Client) -> list[str]:
        return [
            link["title"] for link in page(client.get(reverse("overview"))).one("nav", id="side").all("a", title=True)
        ]

    project = ["Overview", "Volumes", "Snapshots", "Operations"]
    assert titles(member) == project
    assert titles(administrator) == [*project, "Nodes", "Pools", "All operations"]
