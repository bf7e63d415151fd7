"""Rows for tests: people, projects, nodes as they look when all is well, pools, volumes."""

from __future__ import annotations

from typing import Any

import factory
from django.utils import timezone

from volumes.models import (
    GIB,
    Membership,
    Node,
    Operation,
    Pool,
    Project,
    Snapshot,
    SnapshotStatus,
    Status,
    Step,
    User,
    Volume,
)

HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGqZzUzMZxWX0C9DCEJ1Rkx2vlKoWUtZTvCOdbEWVzTz"


class UserFactory(factory.django.DjangoModelFactory[User]):
    """A person; the password is the name, as in the demo."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"person{n}")

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        return model_class.objects.create_user(*args, **{"password": kwargs["username"], **kwargs})


class ProjectFactory(factory.django.DjangoModelFactory[Project]):
    class Meta:
        model = Project

    name = factory.Sequence(lambda n: f"project{n}")


class MembershipFactory(factory.django.DjangoModelFactory[Membership]):
    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    project = factory.SubFactory(ProjectFactory)


class NodeFactory(factory.django.DjangoModelFactory[Node]):
    """A node that answered a moment ago. Nothing listens at its address."""

    class Meta:
        model = Node

    name = factory.Sequence(lambda n: f"node{n}")
    address = "127.0.0.1"
    ssh_port = 1
    host_key = HOST_KEY
    state = Node.State.UP
    last_seen_at = factory.LazyFunction(timezone.now)


class PoolFactory(factory.django.DjangoModelFactory[Pool]):
    """A thick pool of 100 GiB, all of it free and clean. `PoolFactory(thin=True)` makes a thin one."""

    class Meta:
        model = Pool

    class Params:
        thin = factory.Trait(thin_pool_name="thin", data_percent=0.0, metadata_percent=1.0)

    node = factory.SubFactory(NodeFactory)
    vg_name = factory.Sequence(lambda n: f"vg{n}")
    free_space_is_clean = True
    facts_at = factory.LazyFunction(timezone.now)
    size_bytes = 100 * GIB
    free_bytes = factory.SelfAttribute("size_bytes")


class VolumeFactory(factory.django.DjangoModelFactory[Volume]):
    """An available volume of 1 GiB, made on its node before the pool's facts were read."""

    class Meta:
        model = Volume

    project = factory.SubFactory(ProjectFactory)
    pool = factory.SubFactory(PoolFactory)
    name = factory.Sequence(lambda n: f"volume{n}")
    size_gib = 1
    status = Status.AVAILABLE
    allocated_at = factory.LazyAttribute(lambda volume: volume.pool and volume.pool.node.created_at)


class SnapshotFactory(factory.django.DjangoModelFactory[Snapshot]):
    """An available snapshot of a volume, made on its node before the pool's facts were read."""

    class Meta:
        model = Snapshot

    volume = factory.SubFactory(VolumeFactory)
    project = factory.SelfAttribute("volume.project")
    name = factory.Sequence(lambda n: f"snapshot{n}")
    size_gib = factory.SelfAttribute("volume.size_gib")
    status = SnapshotStatus.AVAILABLE
    allocated_at = factory.SelfAttribute("volume.allocated_at")
    cow_bytes = factory.LazyAttribute(lambda snapshot: 0 if snapshot.volume.pool.is_thin else snapshot.size_gib * GIB)
    snap_percent = factory.LazyAttribute(lambda snapshot: None if snapshot.volume.pool.is_thin else 0.0)


class OperationFactory(factory.django.DjangoModelFactory[Operation]):
    """A queued operation on a volume."""

    class Meta:
        model = Operation

    class Params:
        volume = factory.SubFactory(VolumeFactory)

    verb = "delete_volume"
    title = factory.LazyAttribute(lambda operation: f"Delete volume {operation.target_name}")
    project = factory.SelfAttribute("volume.project")
    target_id = factory.SelfAttribute("volume.pk")
    target_name = factory.LazyAttribute(lambda operation: str(operation.volume))
    node = factory.SelfAttribute("volume.pool.node")


class StepFactory(factory.django.DjangoModelFactory[Step]):
    class Meta:
        model = Step

    operation = factory.SubFactory(OperationFactory)
    number = factory.Sequence(lambda n: n + 1)
    key = factory.Sequence(lambda n: f"step{n}")
    title = factory.LazyAttribute(lambda step: step.key)
    node = factory.SelfAttribute("operation.node")
