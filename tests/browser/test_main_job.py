"""The main job, as a person does it: create a volume, watch it, delete it, on real nodes."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.processes import until
from tests.stack import Stack
from volumes.models import Operation, Status, Volume

pytestmark = pytest.mark.browser
SLOW = 45_000
"""Milliseconds a node in a virtual machine may take."""


def create(page: Page, name: str, *, size: int = 1, count: int = 1, pool: object = None) -> None:
    """Fill the dialog in."""
    page.get_by_role("link", name="Create volume").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Size").fill(str(size))
    dialog.get_by_label("How many").fill(str(count))
    if pool is not None:
        dialog.get_by_label("Pool").select_option(str(pool))
    dialog.get_by_role("button", name="Create volume").click()


def row(page: Page, name: str) -> object:
    return page.locator("tbody", has=page.get_by_role("link", name=name, exact=True))


def ask_delete(page: Page, name: str) -> None:
    """Open the row's menu, choose Delete, and the dialog is there with the focus on Cancel."""
    page.get_by_label(f"Actions for {name}").click()
    page.locator("details[open]").get_by_text("Delete volume…").click()
    expect(page.get_by_role("dialog")).to_contain_text(f"Delete volume {name}?")


def test_a_volume_is_created_seen_and_deleted_without_a_reload(stack: Stack, visit: Visit) -> None:
    page = visit("alice")
    create(page, "data", pool=stack.thick.pk)
    expect(row(page, "data")).to_contain_text("Available", timeout=SLOW)
    volume = Volume.objects.get(name="data")
    assert stack.node1.lv(volume) is not None

    stack.node1.fill(f"stack-volumes/{volume.lv_name}", mib=16)
    ask_delete(page, "data")
    expect(page.get_by_role("dialog").get_by_role("button", name="Cancel")).to_be_focused()
    page.get_by_role("dialog").get_by_role("button", name="Delete volume").click()
    expect(row(page, "data")).to_have_count(0, timeout=SLOW)
    assert volume.lv_name not in stack.node1.lvs()
    stack.assert_at_rest()

    operation = Operation.objects.get(verb="delete_volume")
    page.goto(f"/operations/{operation.pk}/")
    for text in ("blkdiscard", "read back", "lvremove"):
        expect(page.locator("main")).to_contain_text(text)


def test_a_wipe_is_watched_cancelled_and_retried(stack: Stack, visit: Visit) -> None:
    volume = stack.create(name="slow", pool=stack.thick)
    stack.node1.guest.set_disk_speed(60 * 2**20)
    page = visit("alice", f"/project/volumes/{volume.pk}/delete/")
    page.get_by_role("button", name="Delete volume").click()
    page.wait_for_url("**/project/volumes/**")
    operation = Operation.objects.get(verb="delete_volume")
    page.goto(f"/operations/{operation.pk}/")
    expect(page.locator("main")).to_contain_text("MiB/s", timeout=SLOW)
    page.get_by_role("link", name="Cancel…").click()
    page.get_by_role("button", name="Stop it").click()
    stack.wait_for(operation, status="cancelled")
    expect(page.locator("main")).to_contain_text("partly erased", timeout=SLOW)
    volume.refresh_from_db()
    assert volume.status == Status.ERROR_DELETING

    stack.node1.guest.set_disk_speed(0)
    page.get_by_role("link", name="Retry…").click()
    page.get_by_role("button", name="Retry the delete").click()
    until("it runs again", lambda: Operation.objects.get(pk=operation.pk).round == 2, timeout_s=20)
    stack.wait_for(operation)
    expect(page.locator("main")).to_contain_text("Done", timeout=SLOW)
    stack.assert_at_rest()


def test_several_are_made_and_deleted_together_with_a_result_for_each(stack: Stack, visit: Visit) -> None:
    page = visit("alice")
    create(page, "twin", count=2, pool=stack.thin.pk)
    for name in ("twin-1", "twin-2"):
        expect(row(page, name)).to_contain_text("Available", timeout=SLOW)
        page.get_by_label(f"Select {name}").check()
    page.get_by_role("toolbar").get_by_text("Delete 2").click()
    expect(page.get_by_role("heading", name="Delete 2 volumes?")).to_be_visible()
    page.get_by_role("button", name="Delete 2 volumes").click()
    until("both are gone", lambda: not Volume.objects.exists(), timeout_s=45)
    stack.assert_at_rest()


def test_all_of_it_works_without_javascript(stack: Stack, visit: Visit) -> None:
    page = visit("alice", java_script_enabled=False)
    page.get_by_role("link", name="Create volume").click()
    page.get_by_label("Name").fill("plain")
    page.get_by_role("button", name="Create volume").click()
    expect(page.get_by_role("heading", name="Volumes")).to_be_visible()
    volume = Volume.objects.get(name="plain")
    stack.wait_for(Operation.objects.get(target_id=volume.pk))
    page.reload()
    expect(row(page, "plain")).to_contain_text("Available")
    page.goto(f"/project/volumes/{volume.pk}/delete/")
    page.get_by_role("button", name="Delete volume").click()
    until("it is gone", lambda: not Volume.objects.exists(), timeout_s=45)
    page.goto("/project/volumes/")
    expect(row(page, "plain")).to_have_count(0)
    stack.assert_at_rest()
