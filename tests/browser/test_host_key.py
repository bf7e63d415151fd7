"""A node that was reinstalled, from its page to the new key: asked for, compared, pinned."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.factories import HOST_KEY
from tests.views.test_host_key import OTHER, OTHER_KEY
from volumes.models import Node, Operation, Project, User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_new_host_key_is_asked_for_compared_and_pinned(admin: User, alpha: Project, node: Node, visit: Visit) -> None:
    node.lost("node shows another host key than the one that was confirmed.", broken=True)
    page = visit("admin", f"/infrastructure/nodes/{node.pk}/")
    page.get_by_text("Show the key to paste again").click()
    expect(page.get_by_text("ssh-keygen -lf")).to_be_visible()
    page.get_by_role("button", name="Ask for its host key again…").click()
    expect(page.get_by_text("Asking 127.0.0.1 for its key")).to_be_visible()

    node.set(facts={"offered_key": OTHER_KEY})
    Operation.objects.update(status="succeeded", finished_at=timezone.now())
    expect(page.get_by_text("It is another key than the pinned one.")).to_be_visible(timeout=15_000)
    node.refresh_from_db()
    assert node.host_key == HOST_KEY
    page.get_by_label("Paste what it printed").fill(f"256 {OTHER} root@node (ED25519)")
    expect(page.get_by_text("The same. All 43 characters agree.")).to_be_visible()
    page.get_by_role("button", name="Pin this key instead").click()
    expect(page.get_by_text("Another host key of node is pinned.")).to_be_visible()
    node.refresh_from_db()
    assert node.host_key == OTHER_KEY
