"""The demo's people and nodes."""

from __future__ import annotations

import pytest
from django.contrib.auth import authenticate

from demo.people import LOGINS
from demo.seed import NodeAddress, NotTheDemoError, seed
from demo.storage import NODES
from volumes.models import Membership, Node, Pool, Project, User

pytestmark = pytest.mark.django_db
ADDRESSES = [NodeAddress(spec, "127.0.0.1", 2211 + number, "ssh-ed25519 AAAA") for number, spec in enumerate(NODES)]


@pytest.fixture
def demo(settings) -> None:
    settings.DEMO = True


@pytest.mark.usefixtures("demo")
def test_everybody_can_log_in_with_their_name(rf):
    seed([])
    request = rf.post("/")
    assert [name for name in LOGINS if authenticate(request, username=name, password=name) is None] == []
    assert User.objects.get(username="admin").is_administrator
    roles = Membership.objects.values_list("user__username", "project__name", "role")
    assert set(roles) == {("alice", "alpha", "member"), ("bob", "alpha", "reader"), ("charlie", "beta", "member")}


@pytest.mark.usefixtures("demo")
def test_nodes_have_their_pinned_keys_and_clean_pools():
    seed(ADDRESSES)
    assert set(Node.objects.values_list("name", "ssh_port", "host_key")) == {
        ("node-1", 2211, "ssh-ed25519 AAAA"),
        ("node-2", 2212, "ssh-ed25519 AAAA"),
    }
    assert set(Pool.objects.values_list("vg_name", "thin_pool_name", "free_space_is_clean")) == {
        ("stack-volumes", "", True),
        ("fast", "thin", True),
    }


@pytest.mark.usefixtures("demo")
def test_a_second_start_keeps_what_people_changed_but_follows_the_guests():
    seed(ADDRESSES)
    Project.objects.filter(name="alpha").update(quota_gib=7)
    Pool.objects.update(free_space_is_clean=False)
    Node.objects.update(zone="cellar")
    seed([NodeAddress(NODES[0], "127.0.0.1", 4000, "ssh-ed25519 BBBB")])
    assert Project.objects.get(name="alpha").quota_gib == 7
    assert not Pool.objects.filter(free_space_is_clean=True).exists()
    node = Node.objects.get(name="node-1")
    assert (node.ssh_port, node.host_key, node.zone) == (4000, "ssh-ed25519 BBBB", "cellar")


def test_passwords_everybody_knows_are_refused_outside_the_demo(settings):
    settings.DEMO = False
    with pytest.raises(NotTheDemoError):
        seed(ADDRESSES)
    assert not User.objects.exists()
