"""What stands in the demo's console: its people, their projects, its nodes. Runs where Django is set up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.hashers import make_password

from demo.people import LOGINS, MEMBERSHIPS
from demo.storage import NodeSpec
from volumes.models import Membership, Node, Pool, Project, User


class NotTheDemoError(Exception):
    """Passwords that everybody knows were asked for outside the demo."""


@dataclass(frozen=True)
class NodeAddress:
    """How to reach a guest; its host key was read over its serial port, not over the network."""

    spec: NodeSpec
    address: str
    port: int
    host_key: str


def seed(nodes: Iterable[NodeAddress]) -> None:
    """Make what is missing. What somebody has changed since stays as it is, but for the guests' addresses."""
    if not settings.DEMO:
        raise NotTheDemoError("The demo's people have passwords that everybody knows. They exist in the demo only.")
    _people()
    for node in nodes:
        _node(node)


def _people() -> None:
    people = {name: _person(name) for name in LOGINS}
    projects = {name: Project.objects.get_or_create(name=name)[0] for name in ("alpha", "beta")}
    for person, project, role in MEMBERSHIPS:
        Membership.objects.get_or_create(user=people[person], project=projects[project], defaults={"role": role})


def _person(name: str) -> User:
    is_admin = name == "admin"
    found = User.objects.filter(username=name).first()
    return found or User.objects.create(
        username=name, password=make_password(name), is_superuser=is_admin, is_staff=is_admin
    )


def _node(given: NodeAddress) -> None:
    reached = {"address": given.address, "ssh_port": given.port, "host_key": given.host_key}
    node, _ = Node.objects.update_or_create(name=given.spec.name, defaults=reached)
    # The guests' disks were blank, so whatever is free in their pools reads as zeroes.
    Pool.objects.get_or_create(
        node=node,
        vg_name=given.spec.vg_name,
        thin_pool_name=given.spec.thin_pool,
        defaults={"free_space_is_clean": True},
    )
