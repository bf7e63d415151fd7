"""A real browser at a real server, for one person at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = (
    "1"  # the browser's driver runs a loop in this thread; the rows are read beside it
)

QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
Visit = Callable[..., Page]


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Debian's Chromium; as root it needs to be told that it has no sandbox."""
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {"executable_path": "/usr/bin/chromium", "args": [*sandbox, *QUIET]}


@pytest.fixture
def visit(browser: Browser, live_server: LiveServer) -> Iterator[Visit]:
    """Log somebody in, through the page, and open an address. A complaint of the page itself fails the test.

    `away` is for tests in which the server is: browsers complain about every request that fails.
    """
    contexts = []
    complaints: list[str] = []

    def visit(who: str, path: str = "/project/volumes/", *, away: bool = False, **options: Any) -> Page:
        options = {"viewport": {"width": 1440, "height": 900}, "base_url": live_server.url, **options}
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if not away:
            page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.goto(f"/accounts/login/?next={path}")
        page.get_by_label("User name").fill(who)
        page.get_by_label("Password").fill(who)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(f"**{path}")
        return page

    yield visit
    for context in contexts:
        context.close()
    assert not [text for text in complaints if "status of 404" not in text], complaints
