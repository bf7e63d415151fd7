"""The pool page as an administrator uses it: from a piece of the picture to its row, and the dialogs."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.factories import VolumeFactory
from tests.views.conftest import foreign_lv
from volumes.models import GIB, Operation, Pool, Project, Status, User, Volume

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def pool_page(admin: User, alpha: Project, thick: Pool, visit: Visit) -> Page:
    """A volume, an LV of others that may be adopted and one that may not, in a group with free space."""
    User.objects.filter(pk=admin.pk).update(current_project=alpha)
    shop = VolumeFactory(project=alpha, pool=thick, name="shop", size_gib=40)
    pieces = [[0, 10240, shop.lv_name, 1], [10240, 10240, "theirs", 1], [20480, 5120, "", 1]]
    lvs = [
        foreign_lv("theirs", size_bytes=40 * GIB),
        foreign_lv("busy", open=True),
        foreign_lv(shop.lv_name, uuid="s", hearth_id=str(shop.pk), tags=["hearth"], size_bytes=40 * GIB),
    ]
    disk = {"pv": "/dev/sdb", "missing": False, "free": 5120, "pieces": pieces}
    thick.set(facts={"lvs": lvs, "map": [disk], "vg_free_bytes": 20 * GIB}, free_bytes=20 * GIB)
    return visit("admin", f"/infrastructure/pools/{thick.pk}/")


def test_a_piece_of_the_picture_leads_to_its_row(pool_page: Page) -> None:
    pool_page.get_by_role("link", name="theirs: not Hearth's, 40 GiB").first.click()
    expect(pool_page).to_have_url(f"{pool_page.url.partition('#')[0]}#lv-theirs")
    pool_page.get_by_text("The 3 pieces as a table").click()
    expect(pool_page.locator(".h-pieces")).to_contain_text("10,240–20,479")


def test_an_lv_is_adopted_from_its_row(pool_page: Page, alpha: Project) -> None:
    pool_page.locator("#lv-theirs").get_by_role("link", name="Adopt…").click()
    dialog = pool_page.get_by_role("dialog")
    expect(dialog.get_by_role("radio", name="theirs")).to_be_checked()
    expect(dialog.get_by_role("radio", name="busy")).to_be_disabled()
    expect(dialog).to_contain_text("It is in use on the node.")
    dialog.get_by_text("Show the 6 commands").click()
    expect(dialog).to_contain_text("lvrename --yes slow theirs")
    dialog.get_by_label("Name").fill("taken in")
    dialog.get_by_role("button", name="Adopt").click()
    expect(dialog).to_have_count(0)
    expect(pool_page.locator("main")).to_contain_text("Adopt node / slow: theirs as a volume of alpha", timeout=15_000)
    volume = Volume.objects.get(name="taken in")
    assert (volume.project, volume.size_gib, volume.status) == (alpha, 40, Status.CREATING)


def test_a_busy_one_says_why_its_button_does_nothing(pool_page: Page) -> None:
    line = pool_page.locator("#lv-busy")
    expect(line).to_contain_text("It is in use on the node. Unmount it, or stop what uses it, first.")
    line.get_by_text("Adopt…").click(force=True)
    expect(pool_page.get_by_role("dialog")).to_have_count(0)


def test_free_space_is_scrubbed_and_a_volume_released(pool_page: Page, thick: Pool) -> None:
    pool_page.locator("main").get_by_label("Actions for shop").click()
    pool_page.get_by_role("link", name="Release from Hearth…").click()
    dialog = pool_page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_label("New name of the LV").fill("shop data")
    dialog.get_by_role("button", name="Release volume").click()
    expect(dialog).to_contain_text("A name of an LV is made of letters")
    dialog.get_by_label("New name of the LV").fill("shop-data")
    dialog.get_by_role("button", name="Release volume").click()
    expect(dialog).to_have_count(0)
    assert Operation.objects.get().args == {"lv_name": "shop-data"}

    pool_page.get_by_role("link", name="Scrub free space…").click()
    expect(dialog).to_contain_text("20 GiB are free")
    dialog.get_by_role("button", name="Scrub free space").click()
    expect(pool_page.locator("main")).to_contain_text("Being scrubbed", timeout=15_000)
    assert Operation.objects.filter(verb="scrub_pool", target_id=thick.pk).count() == 1
