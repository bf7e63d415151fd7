"""A node that shows another host key: it is asked for, compared by a person, and only then accepted."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import HOST_KEY
from tests.views.html import Element, page
from volumes.models import Node, Operation, User
from volumes.nodes.keys import parse_host_key
from volumes.operations import probe_node

OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHHTVPg7ySJd9sd7hVwZcTDc0lYv4NvXTyKt93pEQLuw"
PINNED, OTHER = parse_host_key(HOST_KEY).fingerprint, parse_host_key(OTHER_KEY).fingerprint


@pytest.fixture
def url(node: Node) -> str:
    return reverse("node-host-key", args=[node.pk])


@pytest.fixture
def changed(administrator: Client, node: Node, url: str) -> Node:
    """It was asked, and answered with a key that is not the pinned one."""
    answer(administrator, node, url, OTHER_KEY)
    return node


def answer(client: Client, node: Node, url: str, key: str) -> None:
    """Ask; the machine answers with this key."""
    client.post(url, {"again": "1"})
    node.set(facts={"offered_key": key})
    end()


def end(status: str = "succeeded", **fields: str) -> None:
    """As the worker ends it."""
    Operation.objects.filter(finished_at=None).update(status=status, finished_at=timezone.now(), **fields)


def shown(tree: Element) -> dict[str, str]:
    """What stands in the box of fingerprints."""
    box = tree.one("dl", class_="h-print")
    return dict(zip((dt.text for dt in box.all("dt")), (dd.text for dd in box.all("dd")), strict=True))


class TestAsking:
    def test_starts_at_the_nodes_page(self, administrator: Client, node: Node, url: str) -> None:
        form = page(administrator.get(reverse("node", args=[node.pk]))).one("form", action=url)
        assert form.one("button", name="again").text == "Ask for its host key again…"
        tree = page(administrator.post(url, {"again": form.one("button")["value"]}, follow=True))
        assert "Asking 127.0.0.1 for its key" in tree.one("main").one(role="status").text
        assert tree.one(id="poll")["data-moving"] == "1"
        assert Operation.objects.get().verb == "scan_node"

    def test_can_start_at_its_own_page_too(self, administrator: Client, node: Node, url: str) -> None:
        tree = page(administrator.get(url))
        assert tree.one("main").one("button", type="submit").text == "Ask for its host key"

    def test_says_why_nothing_answered(self, administrator: Client, node: Node, url: str) -> None:
        administrator.post(url, {"again": "1"})
        end("failed", reason="127.0.0.1 refuses connections.")
        tree = page(administrator.get(url))
        assert "127.0.0.1 refuses connections." in tree.one("main").one(role="alert").text
        assert tree.has("button", name="again")
        assert not tree.has("a", href="?change")

    def test_waits_for_what_else_is_done_to_the_node(
        self, administrator: Client, admin: User, node: Node, url: str
    ) -> None:
        probe_node.request(node, actor=admin)
        tree = page(administrator.get(reverse("node", args=[node.pk])))
        assert tree.one("form", action=url).one("button")["aria-disabled"] == "true"
        tree = page(administrator.post(url, {"again": "1"}, follow=True))
        assert "Something else is being done to this node" in tree.one("ul", role="status").text

    def test_of_a_node_without_a_key_is_the_set_up(self, administrator: Client, node: Node, url: str) -> None:
        node.set(host_key="")
        assert administrator.get(url)["Location"] == reverse("node-setup", args=[node.pk])
        assert not page(administrator.get(reverse("node", args=[node.pk]))).has("form", action=url)

    def test_is_no_business_of_members(self, member: Client, node: Node, url: str) -> None:
        page(member.post(url, {"again": "1"}), 403)
        assert not Operation.objects.exists()


class TestTheSameKey:
    def test_is_nothing_to_do(self, administrator: Client, node: Node, url: str) -> None:
        answer(administrator, node, url, HOST_KEY)
        tree = page(administrator.get(url))
        assert "It is the key that is pinned. Nothing has changed, so there is nothing to do." in tree.text
        assert shown(tree)["Pinned"] == shown(tree)["Offered"]
        assert not tree.has("input", name="pasted")

    def test_is_not_confirmed_twice(self, administrator: Client, node: Node, url: str) -> None:
        answer(administrator, node, url, HOST_KEY)
        page(administrator.post(url, {"compared": "on"}))
        node.refresh_from_db()
        assert (node.host_key, node.state) == (HOST_KEY, Node.State.UP)


class TestAnotherKey:
    def test_stands_beside_the_pinned_one_with_a_warning(self, administrator: Client, changed: Node, url: str) -> None:
        tree = page(administrator.get(url))
        said = tree.one("p", class_="h-callout bad").text
        assert said.startswith("It is another key than the pinned one. If the machine was reinstalled,")
        assert "somebody may be posing as it" in said
        both = shown(tree)
        assert (both["Pinned"].replace(" ", ""), both["Offered"].replace(" ", "")) == (PINNED, OTHER)
        assert tree.one("form", data_fingerprint=True)["data-fingerprint"] == OTHER

    @pytest.mark.parametrize(
        "sent", [{}, {"pasted": PINNED}, {"pasted": "nonsense"}, {"pasted": PINNED, "compared": "on"}]
    )
    def test_is_not_pinned_before_it_was_compared(
        self, administrator: Client, changed: Node, url: str, sent: dict[str, str]
    ) -> None:
        tree = page(administrator.post(url, sent))
        assert tree.one("div", role="alert", class_="err").text
        changed.refresh_from_db()
        assert (changed.host_key, changed.state) == (HOST_KEY, Node.State.UP)
        assert Operation.objects.count() == 1

    @pytest.mark.parametrize("sent", [{"pasted": f"256 {OTHER} root@node (ED25519)"}, {"compared": "on"}])
    def test_is_pinned_once_it_was_and_tried_at_once(
        self, administrator: Client, changed: Node, url: str, sent: dict[str, str]
    ) -> None:
        form = page(administrator.get(url)).one("form", data_fingerprint=True).values()
        tree = page(administrator.post(url, {**form, **sent}, follow=True))
        changed.refresh_from_db()
        assert changed.host_key == OTHER_KEY
        assert Operation.objects.get(finished_at=None).verb == "probe_node"
        assert "Another host key of node is pinned." in tree.one("ul", role="status").text

    def test_that_changed_again_meanwhile_is_compared_anew(
        self, administrator: Client, changed: Node, url: str
    ) -> None:
        tree = page(administrator.post(url, {"compared": "on", "shown": PINNED}))
        assert "answered with another key. Compare anew." in tree.text
        changed.refresh_from_db()
        assert changed.host_key == HOST_KEY

    def test_is_not_pinned_while_the_machine_is_being_asked_anew(
        self, administrator: Client, changed: Node, url: str
    ) -> None:
        Operation.objects.update(finished_at=None)
        assert "Asking 127.0.0.1 for its key" in page(administrator.post(url, {"compared": "on"})).text
        changed.refresh_from_db()
        assert changed.host_key == HOST_KEY


def test_the_nodes_page_shows_the_key_to_paste(administrator: Client, node: Node) -> None:
    fold = page(administrator.get(reverse("node", args=[node.pk]))).one("figure", class_="h-term").up("details")
    assert "open" not in fold.attrs
    assert "restrict ssh-ed25519 AAAA" in fold.one("button", data_copy=True)["data-copy"]
