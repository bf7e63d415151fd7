"""Taking a node in: its key is shown, confirmed by a person, and never replaced; its pools are found."""

from __future__ import annotations

import pytest

from tests.factories import HOST_KEY
from tests.stack import Stack
from volumes.models import GIB, Node, Operation, User
from volumes.nodes.keys import fingerprint
from volumes.operations import probe_node, scan_node


@pytest.fixture
def new(stack: Stack) -> Node:
    """node-2 as somebody has just typed it in."""
    guest = stack.node2.guest
    return Node.objects.create(name="new", address="127.0.0.1", ssh_port=guest.port)


def reason(stack: Stack, node: Node, admin: User) -> str:
    """What "Test connection" says."""
    operation = stack.wait_for(probe_node.request(node, actor=admin), status="failed")
    node.refresh_from_db()
    assert node.state == Node.State.BROKEN
    assert node.state_reason == operation.reason
    return operation.reason


def test_a_machine_becomes_a_node_with_pools_in_three_steps(stack: Stack, new: Node, admin: User) -> None:
    stack.wait_for(scan_node.request(new, actor=admin))
    new.refresh_from_db()
    own = stack.node2.sh("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")
    assert new.facts["offered_fingerprint"] in own
    assert new.host_key == ""

    scan_node.confirm(new, actor=admin, pasted=own)
    assert new.host_key == stack.node2.guest.host_key
    operation = stack.wait_for(probe_node.request(new, actor=admin))
    new.refresh_from_db()
    assert new.is_up
    assert operation.steps.get(key="probe").note.startswith("LVM 2.03.")

    found = {pool["lvm_name"]: pool for pool in new.facts["found_pools"]}
    assert set(found) == {"fast", "fast/thin"}
    assert (found["fast/thin"]["kind"], found["fast/thin"]["size_bytes"]) == ("thin", 7 * GIB)
    (pool,) = probe_node.add_pools(new, actor=admin, lvm_names=["fast/thin"])
    assert (pool.label, pool.free_space_is_clean) == ("new / fast / thin", False)
    assert pool.vg_uuid == stack.node2.sh("vgs --noheadings -o vg_uuid fast")


def test_another_host_key_than_the_confirmed_one_is_never_talked_to(stack: Stack, new: Node, admin: User) -> None:
    new.set(host_key=HOST_KEY)
    logins = "journalctl -u ssh --since -1min --no-pager | grep -c Accepted || true"
    before = stack.node2.sh(logins)
    said = reason(stack, new, admin)
    assert said == "new shows another host key than the one that was confirmed. Nothing was sent to it."
    assert stack.node2.sh(logins) == before
    assert fingerprint(HOST_KEY.split()[1]) != fingerprint(stack.node2.guest.host_key.split()[1])


def test_a_machine_that_does_not_know_our_key_says_where_to_paste_it(stack: Stack, new: Node, admin: User) -> None:
    stack.node2.sh(
        "mv /root/.ssh/authorized_keys /root/.ssh/kept; grep -v hearth$ /root/.ssh/kept >/root/.ssh/authorized_keys"
    )
    try:
        new.set(host_key=stack.node2.guest.host_key, address="localhost")  # an address of its own: no warm connection
        said = reason(stack, new, admin)
    finally:
        stack.node2.sh("mv /root/.ssh/kept /root/.ssh/authorized_keys")
    assert said == "new does not accept the console's key for user root."
    operation = Operation.objects.get(verb="probe_node")
    assert operation.remedy.startswith("Paste the console's public key into the authorized_keys file of root")


def test_a_machine_without_lvm_is_told_apart(stack: Stack, new: Node, admin: User) -> None:
    new.set(host_key=stack.node2.guest.host_key)
    stack.node2.sh("mount --bind /dev/null /usr/sbin/lvm")
    try:
        said = reason(stack, new, admin)
    finally:
        stack.node2.sh("umount /usr/sbin/lvm")
    assert "LVM" in said
    assert "new" in said
