"""The one request that keeps a page live: what it answers, and when a page asks for it at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from tests.views.html import Element, page
from volumes.models import Volume
from volumes.views import listing

POLL = {"hx-request": "true", "hx-trigger": "poll"}


def poll(client: Client, url: str, **query: str) -> Element:
    return page(client.get(url, query, headers=POLL))


@pytest.mark.parametrize("name", ["overview", "volumes", "operations", "search", "preferences"])
def test_nothing_is_asked_while_all_rests(member: Client, volume: Volume, name: str) -> None:
    asks = page(member.get(reverse(name))).one(id="poll")
    assert (asks["data-moving"], asks["data-every"]) == ("0", "0")


@pytest.mark.parametrize("name", ["overview", "volumes", "operations", "search", "preferences"])
def test_while_something_moves_every_page_asks(member: Client, world: Any, name: str) -> None:
    asks = page(member.get(reverse(name), {"q": "x"})).one(id="poll")
    assert asks["data-moving"] == "1"
    assert asks["hx-get"].startswith(reverse(name))


def test_what_moves_in_another_project_moves_nothing_here(stranger: Client, world: Any) -> None:
    assert page(stranger.get(reverse("volumes"))).one(id="poll")["data-moving"] == "0"


def test_pages_about_machines_look_now_and_then(administrator: Client, world: Any) -> None:
    for url in (
        reverse("nodes"),
        reverse("pools"),
        reverse("node", args=[world.node.pk]),
        reverse("pool", args=[world.pool.pk]),
        reverse("overview"),
    ):
        assert int(page(administrator.get(url)).one(id="poll")["data-every"]) >= 10


def test_only_the_rows_asked_for_come_back(member: Client, world: Any) -> None:
    moving = Volume.objects.get(name="moving")
    tree = poll(member, reverse("volumes"), rows=str(moving.pk))
    (row,) = tree.all("tbody", data_row=True)
    assert (row["id"], row["hx-swap-oob"]) == (f"volume-{moving.pk}", "morph")
    assert "50 %" in row.text
    assert not tree.has("html")
    assert {each["id"] for each in tree.all(hx_swap_oob=True)} >= {
        "poll",
        "side",
        "activity-button",
        "found",
        "status-tabs",
        "live-mark",
    }


def test_the_title_comes_along(member: Client, world: Any) -> None:
    assert poll(member, reverse("volumes")).one("title").text.startswith("1 needs you · Volumes · alpha")


def test_a_row_that_is_gone_is_taken_out(member: Client, world: Any) -> None:
    gone = world.volume.pk
    world.volume.delete()
    row = poll(member, reverse("volumes"), rows=f"{gone}").one("tbody", id=f"volume-{gone}")
    assert row["hx-swap-oob"] == "delete"


def test_the_rows_of_another_project_come_back_as_gone(stranger: Client, world: Any) -> None:
    tree = poll(stranger, reverse("volumes"), rows=str(world.volume.pk))
    assert tree.one("tbody")["hx-swap-oob"] == "delete"
    assert "data" not in tree.text.split()


def test_a_row_has_the_columns_that_are_shown(member: Client, world: Any) -> None:
    member.post(reverse("columns", args=["volumes"]), {"columns": ["", "size"]})
    whole = page(member.get(reverse("volumes"))).one("tbody", data_name="data").one("tr").all("td")
    polled = (
        poll(member, reverse("volumes"), rows=str(world.volume.pk)).one("tbody", data_name="data").one("tr").all("td")
    )
    assert len(whole) == len(polled) == 4


@pytest.mark.parametrize("rows", ["", "x", ",,,", "' OR 1=1", "0" * 9999])
def test_odd_rows_are_no_rows(member: Client, world: Any, rows: str) -> None:
    assert not poll(member, reverse("volumes"), rows=rows).has("tbody", data_row=True)


def test_a_whole_page_that_is_live_comes_in_one_piece(member: Client, world: Any) -> None:
    for url in (
        reverse("overview"),
        reverse("volume", args=[world.volume.pk]),
        reverse("operation", args=[world.running.pk]),
    ):
        main = poll(member, url).one("main", hx_swap_oob="morph")
        assert main.text == page(member.get(url)).one("main").text


def test_the_poll_of_somebody_whose_session_is_over_is_no_page(client: Client, world: Any) -> None:
    """The script then says since when the page is stale."""
    response = client.get(reverse("volumes"), headers=POLL)
    assert response.status_code in {302, 401, 403}


def test_script_and_server_agree_how_many_rows_go_into_one_request() -> None:
    script = (Path(settings.BASE_DIR) / "static" / "live.js").read_text()
    assert f"const AT_ONCE = {listing.AT_ONCE};" in script


class TestDock:
    """The activity, at the foot of every page."""

    def dock(self, client: Client, **query: str) -> Element:
        return page(client.get(reverse("activity"), query, headers={"hx-request": "true"}))

    def test_is_closed_until_somebody_opens_it(self, member: Client, world: Any) -> None:
        assert "hidden" in page(member.get(reverse("volumes"))).one(id="activity").attrs

    def test_shows_what_runs_what_failed_and_what_was_done(self, member: Client, world: Any) -> None:
        tree = self.dock(member, show="all")
        text = tree.one("section", id="activity").text
        for word in ("Running 1", "Failed 1", "Delete volume moving", "50 %", "The disk said no."):
            assert word in text

    def test_stays_open_on_the_next_page(self, member: Client, world: Any) -> None:
        self.dock(member, show="failed")
        text = page(member.get(reverse("preferences"))).one("section", id="activity").text
        assert "The disk said no." in text
        assert "moving" not in text
        self.dock(member, show="none")
        assert "hidden" in page(member.get(reverse("preferences"))).one(id="activity").attrs

    def test_can_be_narrowed_to_ones_own(self, member: Client, world: Any) -> None:
        world.running.set(actor=world.alpha.memberships.get(user__username="alice").user)
        text = self.dock(member, show="all", mine="1").one("section", id="activity").text
        assert "Delete volume moving" in text
        assert "Delete volume broken" not in text

    def test_shows_others_nothing_of_it(self, stranger: Client, world: Any) -> None:
        assert "Nothing here." in self.dock(stranger, show="all").text

    @pytest.mark.parametrize("show", ["", "nonsense", "all.x.y", "<script>", "x" * 5000])
    def test_takes_no_nonsense(self, member: Client, world: Any, show: str) -> None:
        self.dock(member, show=show)
        page(member.get(reverse("volumes")))
