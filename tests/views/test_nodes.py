"""Pages of nodes: what they show, and what an administrator sets there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import HOST_KEY
from tests.views.html import Element, page
from volumes.models import Drift, Node, Operation, Pool, User, Volume
from volumes.operations import scan_node

FACTS = {"os": "Debian 12", "kernel": "6.1.0", "lvm_version": "2.03.16", "clock_skew_s": 42.0, "uptime_s": 7200}


@pytest.fixture
def url(node: Node) -> str:
    node.set(facts=FACTS, facts_at=timezone.now(), zone="rack 7", tags=["ssd"], wipe_rate_mib_s=288.4)
    return reverse("node", args=[node.pk])


def row(client: Client) -> Element:
    return page(client.get(reverse("nodes"))).one("tbody", data_row=True)


def test_the_list_and_the_page_show_the_facts(administrator: Client, url: str, volume: Volume) -> None:
    listed = row(administrator).text
    for word in ("node", "Up", "rack 7", "288 MiB/s", "2.03.16", "100 GiB"):
        assert word in listed, word
    main = page(administrator.get(url)).one("main").text
    for word in (
        "Debian 12",
        "6.1.0",
        "2.03.16",
        "42 s ahead",
        "rack 7",
        "ssd",
        "root@127.0.0.1:1",
        "0 of 2 places",
        "SHA256:",
        "node / slow",
    ):
        assert word in main, word


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({}, "Up"),
        ({"enabled": False, "disabled_reason": "moving house"}, "Up, takes no new volumes"),
        ({"state": "unreachable", "state_reason": "Connection timed out."}, "Not answering"),
        ({"state": "broken", "state_reason": "LVM is too old."}, "Cannot be used"),
        ({"state": "unknown"}, "Not asked yet"),
        ({"host_key": ""}, "Key not confirmed"),
        ({"last_seen_at": timezone.now() - timedelta(minutes=2)}, "Not answering"),
    ],
)
def test_a_state_is_a_word_and_its_reason_stands_below(
    administrator: Client, url: str, node: Node, fields: dict[str, object], word: str
) -> None:
    node.set(**fields)
    listed = row(administrator)
    assert listed.all("td")[0].text == word
    for reason in (fields.get("state_reason"), fields.get("disabled_reason")):
        assert str(reason or "") in listed.text
        assert str(reason or "") in page(administrator.get(url)).one("main").text


def test_a_silent_node_is_told_to_those_whose_volumes_are_on_it(
    member: Client, stranger: Client, node: Node, volume: Volume
) -> None:
    node.lost("Connection timed out.")
    assert "1 volume of yours is on it." in page(member.get(reverse("overview"))).one("main").text
    assert "Connection" not in page(member.get(reverse("overview"))).text
    assert "does not answer" not in page(stranger.get(reverse("overview"))).one("main").text


def test_where_rows_and_node_differ_it_says_so(administrator: Client, url: str, node: Node, thick: Pool) -> None:
    Drift.objects.create(
        node=node,
        pool=thick,
        kind="size_differs",
        subject="slow/x",
        detail="2 GiB, not 1.",
        last_seen_at=timezone.now(),
    )
    assert "Size differs: slow/x 2 GiB, not 1." in page(administrator.get(url)).text
    assert "Size differs: slow/x" in page(administrator.get(reverse("overview"))).text


class TestSettings:
    def test_are_kept(self, administrator: Client, url: str, node: Node) -> None:
        edit = reverse("node-edit", args=[node.pk])
        form = page(administrator.get(edit)).one("form", action=edit).values()
        assert (form["zone"], form["tags"]) == (["rack 7"], ["ssd"])
        administrator.post(edit, {"zone": "rack 8", "tags": "ssd, fast ssd", "bulk_limit": 4, "bandwidth_mib_s": 100})
        node.refresh_from_db()
        assert (node.zone, node.tags, node.bulk_limit, node.bandwidth_mib_s) == ("rack 8", ["ssd", "fast"], 4, 100)
        assert node.address == "127.0.0.1"

    def test_of_the_cap_say_that_the_bulk_jobs_share_it(self, administrator: Client, url: str, node: Node) -> None:
        node.set(bandwidth_mib_s=100)
        assert "100 MiB/s, shared by all bulk jobs" in page(administrator.get(url)).text
        assert "Shared by all bulk jobs" in page(administrator.get(reverse("node-edit", args=[node.pk]))).text

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("bulk_limit", "0"),
            ("bulk_limit", "65"),
            ("bulk_limit", ""),
            ("bandwidth_mib_s", "0"),
            ("tags", "a/b"),
            ("zone", "z" * 65),
        ],
    )
    def test_that_make_no_sense_come_back_with_the_reason(
        self, administrator: Client, url: str, node: Node, field: str, value: str
    ) -> None:
        sent = {"zone": "z", "tags": "a", "bulk_limit": "2", "bandwidth_mib_s": "", field: value}
        edit = reverse("node-edit", args=[node.pk])
        tree = page(administrator.post(edit, sent))
        assert tree.one(role="alert")["id"] == f"id_{field}-err"
        assert tree.one("form", action=edit).values()[field] == [value]
        node.refresh_from_db()
        assert node.zone == "rack 7"

    def test_of_the_engine_cannot_be_smuggled_in(self, administrator: Client, url: str, node: Node) -> None:
        administrator.post(
            reverse("node-edit", args=[node.pk]),
            {"bulk_limit": 2, "host_key": "x", "address": "elsewhere", "state": "up"},
        )
        node.refresh_from_db()
        assert (node.host_key, node.address) == (HOST_KEY, "127.0.0.1")


class TestDisabling:
    def test_needs_a_reason(self, administrator: Client, url: str, node: Node) -> None:
        enable = reverse("node-enable", args=[node.pk])
        assert page(administrator.post(enable, {"disabled_reason": ""})).one(role="alert").text
        node.refresh_from_db()
        assert node.enabled

    def test_and_enabling_again(self, administrator: Client, url: str, node: Node) -> None:
        enable = reverse("node-enable", args=[node.pk])
        administrator.post(enable, {"disabled_reason": "moving house"})
        node.refresh_from_db()
        assert (node.enabled, node.disabled_reason) == (False, "moving house")
        tree = page(administrator.get(enable))
        assert "It was disabled because: moving house" in tree.text
        administrator.post(enable)
        node.refresh_from_db()
        assert (node.enabled, node.disabled_reason) == (True, "")


class TestTheConnection:
    def test_is_tested_by_an_operation(self, administrator: Client, url: str, node: Node) -> None:
        tree = page(administrator.post(reverse("node-test", args=[node.pk]), follow=True))
        operation = Operation.objects.get()
        assert (operation.verb, operation.target_id) == ("probe_node", node.pk)
        button = tree.one("form", action=reverse("node-test", args=[node.pk])).one("button")
        assert button["aria-disabled"] == "true"
        assert tree.one(id=button["aria-describedby"]).has("a", href=reverse("operation", args=[operation.pk]))

    def test_is_not_tested_twice_at_once(self, administrator: Client, url: str, node: Node) -> None:
        for _ in range(2):
            assert administrator.post(reverse("node-test", args=[node.pk])).status_code == 302
        assert Operation.objects.count() == 1

    def test_waits_for_what_else_is_done_to_the_node(
        self, administrator: Client, admin: User, url: str, node: Node
    ) -> None:
        scan_node.request(node, actor=admin)
        tree = page(administrator.post(reverse("node-test", args=[node.pk]), follow=True))
        said = tree.one("ul", role="status").one("li", class_="h-callout bad").text
        assert said == "Something else is being done to this node: Ask node for its host key."
        assert Operation.objects.count() == 1

    def test_of_a_node_whose_key_is_not_confirmed_leads_to_the_set_up(
        self, administrator: Client, url: str, node: Node
    ) -> None:
        node.set(host_key="")
        tree = page(administrator.get(url))
        assert tree.one(id="why-not-test").one("a")["href"] == reverse("node-setup", args=[node.pk])


def test_an_empty_console_leads_to_the_first_node(administrator: Client) -> None:
    for name in ("overview", "nodes", "pools"):
        assert page(administrator.get(reverse(name))).one("main").has("a", href=reverse("node-add")), name
