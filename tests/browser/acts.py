"""What a person does again and again."""

from __future__ import annotations

from django.db.models import F
from django.utils import timezone
from playwright.sync_api import Locator, Page

from volumes.models import Operation, Status, Step, Volume


def row(page: Page, name: str) -> Locator:
    return page.locator(f'tbody[data-name="{name}"]')


def open_menu(page: Page, name: str) -> Locator:
    """The row's menu, open."""
    page.get_by_label(f"Actions for {name}", exact=True).click()
    return row(page, name).locator(".h-menu")


def bar(page: Page, what: str) -> Locator:
    """A meter of the preview in the create dialog: `gib` or `count`."""
    return page.locator(f"[data-bar={what}]")


def end(volume: Volume, status: str = Status.AVAILABLE) -> None:
    """Its operation ends, as a worker would end it."""
    Operation.objects.filter(target_id=volume.pk).update(finished_at=timezone.now(), status="succeeded")
    Volume.objects.filter(pk=volume.pk).update(status=status)


def advance(volume: Volume, size_bytes: int) -> None:
    """Its step comes further, as the watch would write it."""
    Step.objects.filter(operation__target_id=volume.pk, status="running").update(
        bytes_done=F("bytes_done") + size_bytes
    )
