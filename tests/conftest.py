"""Fixtures of all tests: the people of the demo, their projects, a node, its pools, a volume."""

from __future__ import annotations

from collections.abc import Iterator

import django_rq
import pytest
from django.conf import settings

from tests import services
from tests.factories import MembershipFactory, NodeFactory, PoolFactory, ProjectFactory, UserFactory, VolumeFactory
from volumes.models import Membership, Node, Pool, Project, User, Volume

pytest_plugins = ["tests.stack"]


def pytest_configure() -> None:
    """Two settings that only cost time here: slow password hashes, and names of static files that need collecting."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Start the servers once a test wants the database."""
    services.services.start()


@pytest.fixture
def queue(transactional_db: None) -> Iterator[django_rq.queues.DjangoRQ]:
    """The queue, empty before and after. With it, what a transaction sends on commit is really sent."""
    services.services.redis.start()
    queue = django_rq.get_queue("default")
    queue.connection.flushall()
    yield queue
    services.services.redis.start()
    queue.connection.flushall()


@pytest.fixture
def alpha(db: None) -> Project:
    return ProjectFactory(name="alpha")


@pytest.fixture
def beta(db: None) -> Project:
    return ProjectFactory(name="beta")


@pytest.fixture
def alice(alpha: Project) -> User:
    """Member of alpha."""
    user = UserFactory(username="alice", current_project=alpha)
    MembershipFactory(user=user, project=alpha)
    return user


@pytest.fixture
def bob(alpha: Project) -> User:
    """Reader of alpha."""
    user = UserFactory(username="bob", current_project=alpha)
    MembershipFactory(user=user, project=alpha, role=Membership.Role.READER)
    return user


@pytest.fixture
def charlie(beta: Project) -> User:
    """Member of beta."""
    user = UserFactory(username="charlie", current_project=beta)
    MembershipFactory(user=user, project=beta)
    return user


@pytest.fixture
def admin(db: None) -> User:
    """Administrator of the installation, member of nothing."""
    return UserFactory(username="admin", is_superuser=True, is_staff=True)


@pytest.fixture
def node(db: None) -> Node:
    """A node that answered a moment ago; nothing listens there."""
    return NodeFactory(name="node")


@pytest.fixture
def thick(node: Node) -> Pool:
    """100 GiB, clean, empty."""
    return PoolFactory(node=node, vg_name="slow")


@pytest.fixture
def thin(node: Node) -> Pool:
    """100 GiB, of which 150 can be promised."""
    return PoolFactory(node=node, vg_name="fast", thin=True)


@pytest.fixture
def volume(alpha: Project, thick: Pool) -> Volume:
    """Available, 1 GiB, in the thick pool."""
    return VolumeFactory(project=alpha, pool=thick, name="data")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs the guests is marked so, and comes last: quick failures first."""
    for item in items:
        if "machines" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.nodes)
    items.sort(key=lambda item: item.get_closest_marker("nodes") is not None)
