"""Verbs on nodes: the administrator's, one at a time, and a key that nobody compared is not trusted."""

from __future__ import annotations

import pytest
from django.utils import timezone

from tests.factories import HOST_KEY, NodeFactory
from tests.services import free_ports
from volumes.engine import runner
from volumes.errors import Conflict, NotAllowed, Refused
from volumes.models import Node, Operation, User
from volumes.nodes import keys
from volumes.nodes.keys import parse_host_key
from volumes.operations import probe_node, scan_node

pytestmark = pytest.mark.django_db
OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHHTVPg7ySJd9sd7hVwZcTDc0lYv4NvXTyKt93pEQLuw"


@pytest.fixture
def offered() -> Node:
    """A machine that was asked for its key, and whose key nobody has confirmed."""
    return NodeFactory(name="new", host_key="", state=Node.State.UNKNOWN, facts={"offered_key": HOST_KEY})


class TestRequest:
    def test_is_the_administrators(self, node: Node, alice: User) -> None:
        for verb in (scan_node, probe_node):
            with pytest.raises(NotAllowed, match="Only administrators set up nodes"):
                verb.request(node, actor=alice)

    def test_twice_is_the_same_operation(self, node: Node, admin: User) -> None:
        assert probe_node.request(node, actor=admin) == probe_node.request(node, actor=admin)
        assert Operation.objects.count() == 1

    def test_while_something_else_is_done_to_the_node_names_it(self, node: Node, admin: User) -> None:
        scan_node.request(node, actor=admin)
        with pytest.raises(Conflict, match="Something else is being done to this node: Ask node for its host key"):
            probe_node.request(node, actor=admin)


class TestConfirm:
    def test_takes_the_key_whose_fingerprint_the_machine_itself_printed(self, offered: Node, admin: User) -> None:
        printed = f"256 {parse_host_key(HOST_KEY).fingerprint} root@new (ED25519)"
        scan_node.confirm(offered, actor=admin, pasted=printed)
        assert offered.host_key == HOST_KEY
        assert "offered_key" not in offered.facts

    def test_refuses_another_fingerprint_with_a_warning(self, offered: Node, admin: User) -> None:
        printed = f"256 {parse_host_key(OTHER_KEY).fingerprint} root@new (ED25519)"
        with pytest.raises(Refused, match="The machine that answered is not the one") as refused:
            scan_node.confirm(offered, actor=admin, pasted=printed)
        assert refused.value.field == "pasted"
        assert offered.host_key == ""

    def test_refuses_when_nothing_was_compared(self, offered: Node, admin: User) -> None:
        with pytest.raises(Refused, match="compare it by eye"):
            scan_node.confirm(offered, actor=admin)

    def test_takes_the_word_of_a_person_who_compared_by_eye(self, offered: Node, admin: User) -> None:
        scan_node.confirm(offered, actor=admin, compared=True)
        assert offered.host_key == HOST_KEY

    def test_refuses_a_machine_that_was_not_asked(self, admin: User) -> None:
        with pytest.raises(Refused, match="has not been asked"):
            scan_node.confirm(NodeFactory(host_key=""), actor=admin, compared=True)

    def test_replaces_the_key_that_was_pinned(self, offered: Node, admin: User) -> None:
        offered.set(host_key=OTHER_KEY)
        scan_node.confirm(offered, actor=admin, compared=True, shown=parse_host_key(HOST_KEY).fingerprint)
        offered.refresh_from_db()
        assert (offered.host_key, offered.facts) == (HOST_KEY, {})

    def test_of_the_key_that_is_pinned_already_says_that_there_is_nothing_to_do(
        self, offered: Node, admin: User
    ) -> None:
        offered.set(host_key=f"{HOST_KEY} root@new", state=Node.State.UP)
        with pytest.raises(Refused, match="pinned already, so there is nothing to confirm"):
            scan_node.confirm(offered, actor=admin, compared=True)
        offered.refresh_from_db()
        assert offered.state == Node.State.UP

    def test_is_the_administrators(self, offered: Node, alice: User) -> None:
        with pytest.raises(NotAllowed):
            scan_node.confirm(offered, actor=alice, compared=True)


class TestAskingANodeInService:
    """The key that is pinned stays in force, whatever the machine answers."""

    def test_keeps_its_key_and_its_state(
        self, node: Node, admin: User, queue: object, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(keys, "scan_host_key", lambda *_, **__: parse_host_key(OTHER_KEY))
        runner.run(scan_node.request(node, actor=admin).pk)
        node.refresh_from_db()
        assert (node.host_key, node.state) == (HOST_KEY, Node.State.UP)
        assert scan_node.offered(node) == parse_host_key(OTHER_KEY)

    def test_forgets_what_it_answered_before(self, node: Node, admin: User, queue: object) -> None:
        node.set(ssh_port=free_ports(1)[0], facts={"offered_key": OTHER_KEY, "kernel": "6.1"})
        runner.run(scan_node.request(node, actor=admin).pk)
        node.refresh_from_db()
        assert (node.host_key, node.state, node.facts) == (HOST_KEY, Node.State.UP, {"kernel": "6.1"})

    def test_works_where_the_pinned_key_cannot_be_read(self, offered: Node, admin: User) -> None:
        offered.set(host_key="garbage")
        assert scan_node.pinned(offered) is None
        scan_node.confirm(offered, actor=admin, compared=True)
        assert offered.host_key == HOST_KEY


class TestAddPools:
    @pytest.fixture
    def found(self, node: Node) -> Node:
        pools = [{"lvm_name": name, "vg_uuid": "u"} for name in ("slow", "fast/thin")]
        node.set(facts={"found_pools": pools})
        return node

    def test_registers_what_was_found(self, found: Node, admin: User) -> None:
        pools = probe_node.add_pools(found, actor=admin, lvm_names=["slow", "fast/thin"], clean=["slow"])
        assert [(p.vg_name, p.thin_pool_name, p.free_space_is_clean) for p in pools] == [
            ("slow", "", True),
            ("fast", "thin", False),
        ]

    def test_twice_makes_no_second_row(self, found: Node, admin: User) -> None:
        probe_node.add_pools(found, actor=admin, lvm_names=["slow"])
        probe_node.add_pools(found, actor=admin, lvm_names=["slow"])
        assert found.pools.count() == 1

    def test_refuses_what_was_not_found_and_registers_nothing(self, found: Node, admin: User) -> None:
        with pytest.raises(Refused, match="root was not found on the node"):
            probe_node.add_pools(found, actor=admin, lvm_names=["slow", "root"])
        assert found.pools.count() == 0

    def test_is_the_administrators(self, found: Node, alice: User) -> None:
        with pytest.raises(NotAllowed):
            probe_node.add_pools(found, actor=alice, lvm_names=["slow"])


@pytest.mark.usefixtures("queue")
class TestSentences:
    """What "Test connection" says of machines that cannot be used. No node is needed for these."""

    @pytest.mark.parametrize("verb", [scan_node, probe_node])
    def test_a_port_where_nothing_listens(self, admin: User, verb: object) -> None:
        node = NodeFactory(ssh_port=free_ports(1)[0])
        assert self.reason(verb, node, admin).startswith(f"127.0.0.1 refuses connections on port {node.ssh_port}")

    @pytest.mark.parametrize("verb", [scan_node, probe_node])
    def test_a_name_that_does_not_exist(self, admin: User, verb: object) -> None:
        node = NodeFactory(address="no-such-machine.invalid")
        assert "no-such-machine.invalid cannot be resolved" in self.reason(verb, node, admin)

    def test_a_key_that_nobody_confirmed(self, admin: User) -> None:
        node = NodeFactory(name="new", host_key="")
        assert self.reason(probe_node, node, admin) == "The host key of new has not been confirmed yet."

    def reason(self, verb: object, node: Node, admin: User) -> str:
        operation = verb.request(node, actor=admin)  # type: ignore[attr-defined]
        began = timezone.now()
        runner.run(operation.pk)
        operation.refresh_from_db()
        assert operation.status == Operation.Status.FAILED, operation.traceback
        assert (timezone.now() - began).total_seconds() < 12
        return operation.reason
