"""People at the pages: each fixture is a client logged in as one of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from tests.factories import OperationFactory, SnapshotFactory, StepFactory, VolumeFactory
from tests.views.pages import World
from volumes.models import GIB, Node, Operation, Pool, Project, Status, User, Volume


@pytest.fixture(scope="session", autouse=True)
def _somewhere_for_static_files() -> None:
    """The server looks for the folder of collected files as it starts."""
    Path(settings.STATIC_ROOT).mkdir(exist_ok=True)


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def anonymous(db: None) -> Client:
    return Client()


@pytest.fixture
def member(alice: User) -> Client:
    """alice, of alpha."""
    return logged_in(alice)


@pytest.fixture
def reader(bob: User) -> Client:
    """bob, who may look at alpha."""
    return logged_in(bob)


@pytest.fixture
def stranger(charlie: User) -> Client:
    """charlie, of beta."""
    return logged_in(charlie)


@pytest.fixture
def administrator(admin: User, alpha: Project) -> Client:
    """admin, at alpha."""
    User.objects.filter(pk=admin.pk).update(current_project=alpha)
    return logged_in(admin)


@pytest.fixture
def world(volume: Volume, thick: Pool, thin: Pool, node: Node, alpha: Project) -> World:
    """A volume of alpha; one operation that failed on another one, one that runs on a third; a snapshot of a fourth."""
    broken = VolumeFactory(project=alpha, pool=thick, name="broken", status=Status.ERROR_DELETING)
    failed = failed_operation(broken)
    moving = VolumeFactory(project=alpha, pool=thick, name="moving", status=Status.DELETING)
    running = OperationFactory(volume=moving, status=Operation.Status.RUNNING, started_at=timezone.now())
    Volume.objects.filter(pk=moving.pk).update(last_operation=running)
    StepFactory(operation=running, number=1, key="look", status="done")
    StepFactory(operation=running, number=2, key="wipe", status="running", bytes_done=2**29, bytes_total=2**30)
    other = VolumeFactory(project=alpha, pool=thick, name="other")
    snapshot = SnapshotFactory(volume=other, name="then")
    thick.set(facts={"lvs": [foreign_lv("theirs")]})
    thin.set(facts={"vg_free_bytes": 2 * GIB, "metadata_bytes": 2**24})
    return World(volume, failed, running, node, thick, thin, alpha, snapshot)


def foreign_lv(name: str, **fields: object) -> dict[str, object]:
    """An LV that Hearth did not make, as the facts of its pool list it."""
    given = {"uuid": name, "size_bytes": GIB, "hearth_id": None, "tags": [], "attr": "-wi-a-----", "segtype": "linear"}
    return {"name": name, "open": False, "active": True, "origin": "", **given, **fields}


def failed_operation(volume: Volume, **fields: object) -> Operation:
    """The last word about a volume: it failed a moment ago."""
    now = timezone.now()
    given = {"status": Operation.Status.FAILED, "reason": "The disk said no.", "started_at": now, "finished_at": now}
    given["node"] = volume.pool.node if volume.pool else None
    operation = OperationFactory(volume=volume, actor_name="alice", **{**given, **fields})
    Volume.objects.filter(pk=volume.pk).update(last_operation=operation)
    return operation
