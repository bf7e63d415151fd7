"""Live pages: what moves is followed, what a person is doing is left alone, and silence is admitted."""

from __future__ import annotations

import re

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, Route, expect

from tests.browser.acts import advance, end, open_menu, row
from tests.browser.conftest import Visit
from tests.factories import OperationFactory, StepFactory, VolumeFactory
from volumes.models import GIB, Pool, Project, User, Volume

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def good(alice: User, alpha: Project, thick: Pool) -> Volume:
    return VolumeFactory(project=alpha, pool=thick, name="good")


@pytest.fixture
def moving(alice: User, alpha: Project, thick: Pool) -> Volume:
    """Being deleted; its wipe is at a quarter."""
    volume = VolumeFactory(project=alpha, pool=thick, name="moving", status="deleting", size_gib=4)
    operation = OperationFactory(volume=volume, status="running", actor_name="alice")
    StepFactory(
        operation=operation, number=1, key="wipe", title="Wipe", status="running", bytes_done=GIB, bytes_total=4 * GIB
    )
    volume.set(last_operation=operation)
    return volume


def test_the_bar_grows_and_menus_ticks_and_typed_words_stay(visit: Visit, good: Volume, moving: Volume) -> None:
    page = visit("alice")
    page.get_by_label("Select moving").check()
    page.get_by_label("Filter by name or id").fill("half a wo")
    open_menu(page, "moving")
    expect(row(page, "moving").locator("progress")).to_have_attribute("value", "25")
    advance(moving, GIB)
    expect(row(page, "moving").locator("progress")).to_have_attribute("value", "50")
    expect(row(page, "moving").locator("details.h-drop")).to_have_attribute("open", "")
    expect(page.get_by_label("Select moving")).to_be_checked()
    expect(page.get_by_label("Filter by name or id")).to_have_value("half a wo")
    expect(page.get_by_role("toolbar")).to_contain_text("1 selected")


def test_the_focus_stays_in_an_open_menu(visit: Visit, moving: Volume) -> None:
    page = visit("alice")
    open_menu(page, "moving")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    focused = page.evaluate("document.activeElement.textContent")
    advance(moving, GIB)
    expect(row(page, "moving").locator("progress")).to_have_attribute("value", "50")
    assert page.evaluate("document.activeElement.textContent") == focused


def test_a_row_that_is_gone_vanishes_and_counts_follow(visit: Visit, good: Volume, moving: Volume) -> None:
    page = visit("alice")
    expect(page.locator("#found")).to_have_text("2")
    end(moving)
    moving.delete()
    expect(row(page, "moving")).to_have_count(0)
    expect(page.locator("#found")).to_have_text("1")
    expect(row(page, "good")).to_be_visible()


def test_the_last_row_leaves_the_words_for_an_empty_list(visit: Visit, moving: Volume) -> None:
    page = visit("alice")
    end(moving)
    moving.delete()
    expect(page.get_by_role("heading", name="No volumes yet")).to_be_visible()


def test_operation_volume_and_overview_are_live_too(visit: Visit, moving: Volume) -> None:
    page = visit("alice", f"/operations/{moving.last_operation_id}/")
    others = [page.context.new_page() for _ in range(2)]
    for other, path in zip(others, ("/project/", f"/project/volumes/{moving.pk}/"), strict=True):
        other.goto(path)
    advance(moving, GIB)
    for each in (page, *others):
        expect(each.locator("main progress").last).to_have_attribute("value", "50")
    end(moving)
    expect(page.locator("main .h-over")).to_contain_text("Done in")
    expect(others[1].locator("main .h-head")).to_contain_text("Available")


def test_a_fold_that_somebody_opened_stays_open(visit: Visit, moving: Volume) -> None:
    StepFactory(operation=moving.last_operation, number=2, key="remove", title="Remove it", planned=[["lvremove", "x"]])
    page = visit("alice", f"/operations/{moving.last_operation_id}/")
    page.get_by_text("Remove it").click()
    expect(page.get_by_text("Will run")).to_be_visible()
    advance(moving, GIB)
    expect(page.locator("main progress").last).to_have_attribute("value", "50")
    expect(page.get_by_text("Will run")).to_be_visible()


def test_a_server_that_is_away_is_admitted_and_its_return_noticed(visit: Visit, moving: Volume) -> None:
    page = visit("alice", away=True)
    mark = page.locator("#live-mark")
    page.route("**/project/volumes/**", lambda route: route.abort("connectionrefused"))
    expect(mark).to_have_text(re.compile(r"^Stale since \d\d:\d\d$"))
    expect(row(page, "moving")).to_be_visible()
    page.unroute("**/project/volumes/**")
    advance(moving, GIB)
    expect(row(page, "moving").locator("progress")).to_have_attribute("value", "50", timeout=15_000)
    expect(mark).to_have_text("Live, 1 moving")


def test_a_server_that_breaks_is_asked_less_and_less(visit: Visit, moving: Volume) -> None:
    page = visit("alice", away=True)
    asked: list[str] = []

    def broken(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=503, body="away")

    page.route("**/project/volumes/**", broken)
    expect(page.locator("#live-mark")).to_contain_text("Stale since")
    page.wait_for_timeout(3500)
    assert 1 <= len(asked) <= 3


def test_one_request_a_tick_serves_the_whole_page(
    visit: Visit, alpha: Project, thick: Pool, good: Volume, moving: Volume
) -> None:
    for n in range(5):
        OperationFactory(volume=VolumeFactory(project=alpha, pool=thick, name=f"m{n}", status="creating"))
    page = visit("alice")
    with page.expect_request(lambda request: "rows=" in request.url) as asked:
        pass
    assert len(asked.value.url.partition("rows=")[2].split("%2C")) == 6


def test_when_the_session_is_over_the_page_leads_to_the_login(visit: Visit, moving: Volume) -> None:
    page = visit("alice")
    Session.objects.all().delete()
    page.wait_for_url("**/accounts/login/**")
    expect(page.get_by_label("User name")).to_be_visible()


def test_the_activity_opens_at_the_foot_of_every_page_and_lives(visit: Visit, good: Volume, moving: Volume) -> None:
    page = visit("alice")
    button = page.locator("#activity-button")
    expect(button).to_contain_text("1")
    page.keyboard.press("a")
    dock = page.locator("#activity")
    expect(dock).to_contain_text("Delete volume moving")
    expect(button).to_have_attribute("aria-expanded", "true")
    advance(moving, GIB)
    expect(dock.locator("progress")).to_have_attribute("value", "50")
    page.goto("/preferences/")
    dock.get_by_role("link", name="Failed").click()
    expect(dock).to_contain_text("Nothing here.")
    dock.get_by_label("Close activity").click()
    expect(dock).to_be_hidden()
    page.reload()
    expect(dock).to_be_hidden()


def test_when_all_rests_the_last_look_is_the_last(visit: Visit, moving: Volume) -> None:
    page = visit("alice")
    end(moving)
    expect(page.locator("#live-mark")).to_have_text("All at rest")
    asked = count(page)
    page.wait_for_timeout(3500)
    assert len(asked) <= 1, "one more look, because two queries may have disagreed"


def count(page: Page) -> list[str]:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    return asked
