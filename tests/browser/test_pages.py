"""Every page in a real browser: nothing an accessibility checker calls serious, and nothing that scrolls sideways."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.factories import OperationFactory, SnapshotFactory, StepFactory, VolumeFactory
from tests.views.conftest import foreign_lv
from volumes.models import Operation, Pool, Project, Status, User, Volume

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIZES = {"wide": {"width": 1440, "height": 900}, "narrow": {"width": 390, "height": 844}}


@pytest.fixture
def rows(alice: User, admin: User, alpha: Project, thick: Pool, thin: Pool) -> Iterator[list[str]]:
    """One of everything, and the addresses of all pages that show it."""
    admin.current_project = alpha
    admin.save()
    bad = VolumeFactory(
        project=alpha, pool=thick, name="bad", status=Status.ERROR_DELETING, status_reason="The wipe stopped at 43 %."
    )
    moving = VolumeFactory(project=alpha, pool=thick, name="moving", status=Status.DELETING)
    good = VolumeFactory(project=alpha, pool=thin, name="good")
    running = OperationFactory(volume=moving, status="running", project=alpha)
    StepFactory(
        operation=running,
        number=1,
        key="wipe",
        status="running",
        bytes_done=5 * 2**28,
        bytes_total=2**31,
        rate=2e8,
        eta_s=4,
    )
    failed = OperationFactory(
        volume=bad, status="failed", reason="The wipe stopped at 43 %.", finished_at=bad.created_at
    )
    Volume.objects.filter(pk=bad.pk).update(last_operation=failed)
    growing = VolumeFactory(project=alpha, pool=thick, name="growing", status=Status.EXTENDING, growth_gib=2)
    used = VolumeFactory(project=alpha, pool=thick, name="used", status=Status.IN_USE)
    full = SnapshotFactory(volume=used, name="full", snap_percent=84.0)
    lost = SnapshotFactory(
        volume=used, name="lost", status="invalid", status_reason="It overflowed.", snap_percent=100.0
    )
    thin_one = SnapshotFactory(volume=good, name="before")
    about = {"target_kind": "snapshot", "target_id": lost.pk, "target_name": "lost"}
    on_snapshot = OperationFactory(volume=used, verb="delete_snapshot", title="Delete snapshot lost", **about)
    fill(thick, thin, bad, good)
    yield [
        "/project/",
        "/project/volumes/",
        "/project/volumes/create/",
        f"/project/volumes/{good.pk}/",
        f"/project/volumes/{bad.pk}/",
        f"/project/volumes/{good.pk}/edit/",
        f"/project/volumes/{good.pk}/delete/",
        f"/project/volumes/{good.pk}/extend/",
        f"/project/volumes/{good.pk}/revert/?snapshot={thin_one.pk}",
        f"/project/volumes/create/?source=snapshot:{thin_one.pk}",
        f"/project/volumes/{growing.pk}/",
        f"/project/volumes/{used.pk}/snapshot/",
        f"/project/volumes/{used.pk}/?tab=snapshots",
        "/project/snapshots/",
        f"/project/snapshots/{full.pk}/",
        f"/project/snapshots/{lost.pk}/",
        f"/project/snapshots/{thin_one.pk}/edit/",
        f"/project/snapshots/{thin_one.pk}/delete/",
        f"/project/snapshots/delete/?ids={full.pk}&ids={lost.pk}",
        f"/operations/{on_snapshot.pk}/",
        f"/operations/{on_snapshot.pk}/cancel/",
        "/project/operations/",
        f"/operations/{running.pk}/",
        f"/operations/{failed.pk}/",
        f"/operations/{running.pk}/cancel/",
        f"/operations/{failed.pk}/retry/",
        "/infrastructure/nodes/",
        f"/infrastructure/nodes/{thick.node_id}/",
        f"/infrastructure/nodes/{thick.node_id}/edit/",
        f"/infrastructure/nodes/{thick.node_id}/host-key/",
        "/infrastructure/nodes/add/",
        "/infrastructure/pools/",
        f"/infrastructure/pools/{thick.pk}/",
        f"/infrastructure/pools/{thin.pk}/",
        f"/infrastructure/pools/{thin.pk}/edit/",
        f"/infrastructure/pools/{thick.pk}/scrub/",
        f"/infrastructure/pools/{thick.pk}/adopt/",
        f"/infrastructure/pools/{thick.pk}/thin/",
        f"/infrastructure/pools/{thin.pk}/extend/",
        f"/project/volumes/{good.pk}/release/",
        "/infrastructure/operations/",
        "/search/?q=good",
        "/preferences/",
    ]
    Operation.objects.update(finished_at=None)


def fill(thick: Pool, thin: Pool, bad: Volume, good: Volume) -> None:
    """Facts of both pools: every kind of LV, every kind of piece."""
    snapshot = SnapshotFactory(volume=bad, name="nightly", snap_percent=40.0)
    names = [bad.lv_name, snapshot.lv_name, "theirs", "swift_tdata", "swift_tmeta", "*", ""]
    pieces = [[number * 2560, 2560, name, 9 if name == "*" else 1] for number, name in enumerate(names)]
    disks = [{"pv": f"/dev/sd{letter}", "missing": False, "free": 2560, "pieces": pieces} for letter in "bc"]
    lvs = [
        foreign_lv("theirs"),
        foreign_lv("busy", open=True),
        foreign_lv("swift", segtype="thin-pool", attr="twi-aotz--"),
    ]
    lvs += [foreign_lv(row.lv_name, hearth_id=str(row.pk), tags=["hearth"]) for row in (bad, snapshot)]
    thick.set(facts={"lvs": lvs, "map": disks, "vg_free_bytes": 2**34})
    inside = foreign_lv(good.lv_name, hearth_id=str(good.pk), segtype="thin", data_percent=12.0)
    thin.set(facts={"lvs": [inside], "map": disks, "vg_free_bytes": 2**34, "metadata_bytes": 2**26}, data_percent=84.0)


def serious(page: Page) -> list[str]:
    """What axe finds and calls serious or critical."""
    found = Axe().run(page).response["violations"]
    return [f"{page.url}: {one['id']}" for one in found if one["impact"] in {"serious", "critical"}]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_every_page_is_readable_by_everybody_and_fits(rows: list[str], visit: Visit, size: str, scheme: str) -> None:
    page = visit("admin", "/project/", viewport=SIZES[size], color_scheme=scheme)
    problems = []
    for path in rows:
        page.goto(path)
        width = page.evaluate("document.documentElement.scrollWidth")
        problems += [f"{path} is {width} px wide"] if width > SIZES[size]["width"] else []
        problems += serious(page)
    assert problems == []


def test_keys_open_search_creation_help_and_escape_closes(rows: list[str], visit: Visit) -> None:
    page = visit("alice")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox").first).to_be_focused()
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("c")
    expect(page.get_by_role("dialog")).to_contain_text("Create volume")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Keyboard")


def test_a_moving_row_is_followed_and_a_tick_survives(rows: list[str], visit: Visit) -> None:
    page = visit("alice")
    page.get_by_label("Select good").check()
    moving = Volume.objects.get(name="moving")
    Operation.objects.filter(target_id=moving.pk).update(finished_at=moving.created_at)
    Volume.objects.filter(pk=moving.pk).update(status=Status.AVAILABLE)
    expect(page.locator(f"#volume-{moving.pk}")).to_contain_text("Available", timeout=15_000)
    expect(page.get_by_label("Select good")).to_be_checked()


def test_nothing_is_asked_for_while_all_rests(rows: list[str], visit: Visit) -> None:
    Operation.objects.update(finished_at="2026-01-01T00:00:00Z")
    Volume.objects.update(status=Status.AVAILABLE)
    page = visit("alice")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if not request.url.endswith("favicon.svg") else None)
    page.wait_for_timeout(3500)
    assert asked == []


def test_a_reader_finds_every_action_off_with_the_reason(rows: list[str], bob: User, visit: Visit) -> None:
    page = visit("bob")
    page.get_by_label("Actions for good").click()
    expect(page.get_by_text("You may look at this project, but not change it.").first).to_be_visible()
