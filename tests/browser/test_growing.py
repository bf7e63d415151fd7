"""Extend and snapshots, as a person does them: the previews follow, the rows live, the dialogs keep what was typed."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.acts import bar, end, open_menu, row
from tests.browser.conftest import Visit
from tests.factories import SnapshotFactory, VolumeFactory
from volumes.models import Pool, Project, Snapshot, SnapshotStatus, User, Volume

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def good(alice: User, alpha: Project, thick: Pool) -> Volume:
    alpha.set(quota_gib=50)
    return VolumeFactory(project=alpha, pool=thick, name="good", size_gib=10)


def test_the_bars_follow_the_new_size_and_a_refusal_keeps_it(visit: Visit, good: Volume) -> None:
    page = visit("alice")
    open_menu(page, "good").get_by_text("Extend…").click()
    dialog = page.get_by_role("dialog")
    size = dialog.get_by_label("New size")
    expect(size).to_have_value("11")
    expect(bar(page, "gib").first.locator("[data-then]")).to_have_text("11")
    size.fill("46")
    expect(bar(page, "gib").first.locator("[data-then]")).to_have_text("46")
    expect(bar(page, "gib").first.locator("svg")).to_contain_class("warn")
    size.fill("60")
    expect(bar(page, "gib").first.locator("svg")).to_contain_class("bad")
    expect(dialog.locator("[data-largest]")).to_contain_class("bad")
    dialog.get_by_role("button", name="Extend").click()
    expect(dialog.get_by_role("alert")).to_have_text("The project's quota allows at most 50 GiB.")
    expect(size).to_have_value("60")
    expect(size).to_be_focused()
    size.fill("20")
    dialog.get_by_role("button", name="Extend").click()
    expect(row(page, "good")).to_contain_text("10→ to 20 GiB")
    end(good)
    Volume.objects.update(size_gib=20, growth_gib=0)
    expect(row(page, "good")).to_contain_text("20 GiB")
    expect(row(page, "good")).to_contain_text("Available")


def test_a_snapshot_is_made_followed_and_deleted(visit: Visit, good: Volume) -> None:
    page = visit("alice", f"/project/volumes/{good.pk}/")
    page.get_by_role("link", name="Create snapshot…").click()
    page.get_by_role("dialog").get_by_label("Name").fill("before")
    page.get_by_role("dialog").get_by_role("button", name="Create snapshot").click()
    page.wait_for_url("**/?tab=snapshots")
    expect(row(page, "before")).to_contain_text("Creating")
    snapshot = Snapshot.objects.get()
    end_of(snapshot, SnapshotStatus.AVAILABLE)
    expect(row(page, "before")).to_contain_text("Available")
    page.goto("/project/snapshots/")
    open_menu(page, "before").get_by_text("Delete snapshot…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_text("commands").click()
    expect(dialog.locator("figure")).to_contain_text("lvconvert")
    page.keyboard.press("Escape")
    expect(row(page, "before")).to_contain_text("Available")
    open_menu(page, "before").get_by_text("Delete snapshot…").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete snapshot").click()
    expect(row(page, "before")).to_contain_text("Deleting")
    end_of(snapshot, SnapshotStatus.DELETING)
    Snapshot.objects.all().delete()
    expect(page.get_by_role("heading", name="No snapshots yet")).to_be_visible()


def end_of(snapshot: Snapshot, status: str) -> None:
    """Its operation ends, as a worker would end it."""
    end(snapshot.volume, snapshot.volume.status)
    operation = Snapshot.objects.get(pk=snapshot.pk).last_operation
    assert operation is not None
    operation.set(status="succeeded", finished_at=operation.created_at)
    Snapshot.objects.filter(pk=snapshot.pk).update(status=status)


def test_several_are_deleted_together_with_a_result_for_each(visit: Visit, good: Volume) -> None:
    SnapshotFactory(volume=good, name="one")
    SnapshotFactory(volume=good, name="two", status=SnapshotStatus.INVALID)
    page = visit("alice", "/project/snapshots/")
    for name in ("one", "two"):
        page.get_by_label(f"Select {name}").check()
    page.get_by_role("toolbar").get_by_text("Delete 2").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete 2 snapshots").click()
    for name in ("one", "two"):
        expect(row(page, name)).to_contain_text("Deleting")


def test_what_goes_along_is_ticked_and_the_name_is_typed_before_the_button_is_on(visit: Visit, good: Volume) -> None:
    SnapshotFactory(volume=good, name="one")
    page = visit("alice")
    open_menu(page, "good").get_by_text("Delete volume…").click()
    dialog = page.get_by_role("dialog")
    red = dialog.locator(".btn-danger")
    expect(red).to_have_attribute("aria-disabled", "true")
    expect(red).to_have_accessible_description("Off until all its snapshots are ticked.")
    expect(dialog.get_by_label("one")).not_to_be_checked()
    dialog.get_by_label("one").check()
    expect(red).to_have_accessible_description("Off until its name is typed.")
    dialog.get_by_label("Type good to confirm").fill("goo")
    red.click(force=True)
    expect(dialog).to_be_visible()
    dialog.get_by_label("Type good to confirm").fill("good")
    expect(red).not_to_have_attribute("aria-disabled", "true")
    red.click()
    expect(dialog).to_have_count(0)
    expect(row(page, "good")).to_contain_text("Deleting")
    assert Snapshot.objects.get().status == SnapshotStatus.DELETING
