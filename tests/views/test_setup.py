"""Adding a node: three steps on one address, each of which can be left and taken up again."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import HOST_KEY
from tests.views.html import Element, page
from volumes.models import Node, Operation, Pool
from volumes.nodes.keys import parse_host_key

ADDRESS = {"name": "node-9", "address": "127.0.0.1", "ssh_port": "2222", "ssh_user": "root"}
FINGERPRINT = parse_host_key(HOST_KEY).fingerprint
OTHER = "SHA256:" + "A" * 43
FOUND = [
    {"lvm_name": "vg", "kind": "thick", "vg_uuid": "u", "size_bytes": 2**33, "free_bytes": 2**33, "lvs": 1},
    {"lvm_name": "vg/thin", "kind": "thin", "vg_uuid": "u", "size_bytes": 2**32, "free_bytes": 2**31, "lvs": 0},
]


@pytest.fixture
def node(administrator: Client) -> Node:
    """Step 1 is done: an operation asks the machine for its key."""
    assert administrator.post(reverse("node-add"), ADDRESS).status_code == 302
    return Node.objects.get()


@pytest.fixture
def url(node: Node) -> str:
    return reverse("node-setup", args=[node.pk])


def end(verb: str, status: str = "succeeded", **fields: str) -> None:
    """As the worker ends it."""
    Operation.objects.filter(verb=verb, finished_at=None).update(status=status, finished_at=timezone.now(), **fields)


def offer(node: Node) -> None:
    """The machine answered with its key."""
    node.set(facts={"offered_key": HOST_KEY, "offered_fingerprint": FINGERPRINT})
    end("scan_node")


def now(client: Client, url: str) -> Element:
    """The step one is at."""
    return page(client.get(url)).one("li", aria_current="step")


def test_step_1_shows_the_key_to_paste(administrator: Client) -> None:
    tree = page(administrator.get(reverse("node-add")))
    script = tree.one("figure", class_="h-term").one("button", data_copy=True)["data-copy"]
    assert "restrict ssh-ed25519 AAAA" in script
    assert "ssh-keygen -lf" in script
    assert all(line in tree.one("pre").text for line in script.splitlines())
    assert "PRIVATE" not in tree.text
    assert "Add the first node" in tree.one("h1").text


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("name", "a b"), ("name", "-x"), ("address", "-oProxyCommand=reboot"), ("address", "a b"), ("address", ""),
     ("ssh_port", "0"), ("ssh_port", "65536"), ("ssh_port", "x"), ("ssh_user", "root -v"), ("ssh_user", "")],
)  # fmt: skip
def test_step_1_refuses_what_is_no_address(administrator: Client, field: str, value: str) -> None:
    tree = page(administrator.post(reverse("node-add"), {**ADDRESS, field: value}))
    assert tree.one(role="alert")["id"] == f"id_{field}-err"
    assert tree.one("input", name=field).attrs.get("value", "") == value
    assert not Node.objects.exists()


def test_step_1_refuses_a_name_that_is_taken(administrator: Client, node: Node) -> None:
    tree = page(administrator.post(reverse("node-add"), ADDRESS))
    assert "already exists" in tree.one(role="alert").text


def test_step_2_waits_for_the_machine(administrator: Client, url: str) -> None:
    assert "Asking 127.0.0.1 for its key" in now(administrator, url).one(role="status").text
    assert page(administrator.get(url)).one(id="poll")["data-moving"] == "1"


def test_step_2_says_why_a_machine_did_not_answer_and_asks_again(administrator: Client, url: str, node: Node) -> None:
    end("scan_node", "failed", reason="127.0.0.1 refuses connections.", remedy="Start sshd.")
    step = now(administrator, url)
    assert "127.0.0.1 refuses connections. Start sshd." in step.one(role="alert").text
    administrator.post(url, {"again": "1"})
    assert Operation.objects.filter(verb="scan_node", finished_at=None).count() == 1


def test_step_2_lets_one_change_the_address(administrator: Client, url: str, node: Node) -> None:
    end("scan_node", "failed")
    form = page(administrator.get(url + "?change")).one("li", aria_current="step").one("form")
    assert form.values()["address"] == ["127.0.0.1"]
    administrator.post(url + "?change", {**ADDRESS, "address": "10.0.0.9"})
    node.refresh_from_db()
    assert (node.address, Operation.objects.filter(finished_at=None).count()) == ("10.0.0.9", 1)


def test_step_2_shows_the_fingerprint_whole(administrator: Client, url: str, node: Node) -> None:
    offer(node)
    step = now(administrator, url)
    assert step.one("span", class_="h-fp").text.replace(" ", "") == FINGERPRINT
    assert step.one("form", data_fingerprint=True)["data-fingerprint"] == FINGERPRINT


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"pasted": ""}, "Paste what the machine printed, or compare it by eye and tick the box."),
        ({"pasted": OTHER}, "They differ."),
        ({"pasted": "nonsense"}, "They differ."),
        ({"pasted": OTHER, "compared": "on"}, "They differ."),
        ({"pasted": FINGERPRINT[:-1]}, "They differ."),
    ],
)
def test_step_2_pins_nothing_that_was_not_compared(
    administrator: Client, url: str, node: Node, sent: dict[str, str], said: str
) -> None:
    offer(node)
    tree = page(administrator.post(url, sent))
    assert said in tree.one("div", role="alert", class_="err").text
    assert tree.one("input", name="pasted")["value"] == sent["pasted"]
    node.refresh_from_db()
    assert node.host_key == ""


@pytest.mark.parametrize(
    "sent", [{"pasted": FINGERPRINT}, {"pasted": f"256 {FINGERPRINT} root@node (ED25519)"}, {"compared": "on"}]
)
def test_step_2_pins_what_was(administrator: Client, url: str, node: Node, sent: dict[str, str]) -> None:
    offer(node)
    assert administrator.post(url, sent)["Location"] == url
    node.refresh_from_db()
    assert node.host_key == HOST_KEY
    assert "Logging in to node-9" in now(administrator, url).one(role="status").text


class TestStep3:
    @pytest.fixture(autouse=True)
    def _pinned(self, node: Node) -> None:
        offer(node)
        node.set(host_key=HOST_KEY, state="up", facts={"found_pools": FOUND}, last_seen_at=timezone.now())
        Operation.objects.create(
            verb="probe_node",
            title="Test",
            target_kind="node",
            target_id=node.pk,
            status="succeeded",
            finished_at=timezone.now(),
        )

    def test_lists_what_was_found_and_ticks_nothing(self, administrator: Client, url: str) -> None:
        step = now(administrator, url)
        boxes = step.all("input", type="checkbox")
        assert [(box["name"], box["value"], "checked" in box.attrs) for box in boxes] == [
            ("pools", "vg", False), ("clean_space", "vg", False), ("pools", "vg/thin", False)
        ]  # fmt: skip
        assert "1 LV in it" in step.text

    def test_makes_pools_of_what_was_ticked(self, administrator: Client, url: str, node: Node) -> None:
        tree = page(administrator.post(url, {"pools": ["vg", "vg/thin"], "clean_space": ["vg"]}, follow=True))
        pools = {pool.lvm_name: pool.free_space_is_clean for pool in Pool.objects.all()}
        assert pools == {"vg": True, "vg/thin": False}
        assert "node-9 has 2 pools now." in tree.one("ul", role="status").text
        assert tree.one("h1").text == "node-9"

    def test_wants_at_least_one(self, administrator: Client, url: str) -> None:
        assert "Tick at least one" in page(administrator.post(url, {})).text
        assert not Pool.objects.exists()

    def test_takes_nothing_that_was_not_found(self, administrator: Client, url: str) -> None:
        administrator.post(url, {"pools": ["vg", "../../x"]})
        assert not Pool.objects.exists()

    def test_says_why_a_login_failed(self, administrator: Client, url: str, node: Node) -> None:
        Operation.objects.create(
            verb="probe_node",
            title="Test",
            target_kind="node",
            target_id=node.pk,
            status="failed",
            reason="The node rejects the key.",
            finished_at=timezone.now(),
        )
        assert "The node rejects the key." in now(administrator, url).one(role="alert").text

    def test_says_when_there_is_no_volume_group(self, administrator: Client, url: str, node: Node) -> None:
        node.set(facts={"found_pools": []})
        assert "There is no volume group on this machine." in now(administrator, url).text

    def test_comes_back_later_for_what_is_not_a_pool_yet(self, administrator: Client, url: str) -> None:
        administrator.post(url, {"pools": ["vg"]})
        end("probe_node")
        assert [box["value"] for box in now(administrator, url).all("input", name="pools")] == ["vg/thin"]


def test_a_node_that_is_half_set_up_is_on_the_list_and_on_the_overview(administrator: Client, url: str) -> None:
    for name in ("nodes", "overview"):
        assert page(administrator.get(reverse(name))).one("main").has("a", href=url), name
