"""A page costs the same number of queries with 3 rows and with 300."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.factories import OperationFactory, PoolFactory, SnapshotFactory, StepFactory, VolumeFactory
from volumes.models import Drift, Node, Operation, Pool, Project, Snapshot, SnapshotStatus, Status, Step, User, Volume
from volumes.views import listing

FEW, MANY = 3, 300
KINDS = (Status.AVAILABLE, Status.DELETING, Status.ERROR_DELETING)


def fill(project: Project, pool: Pool, count: int) -> None:
    """Volumes of every kind, each with an operation that is under way, failed or done, and its steps."""
    volumes = [
        VolumeFactory.build(
            project=project,
            pool=pool,
            name=f"v{n}",
            status=KINDS[n % 3],
            created_at=timezone.now(),
            metadata={"a": "b"},
        )
        for n in range(count)
    ]
    Volume.objects.bulk_create(volumes)
    operations = [operation(volume) for volume in volumes]
    Operation.objects.bulk_create(operations)
    steps = [
        StepFactory.build(operation=each, number=n, key=f"s{n}", status=("done", "running")[n - 1])
        for each in operations
        for n in (1, 2)
    ]
    for step in steps:
        step.bytes_done, step.bytes_total = 2**29, 2**30
    Step.objects.bulk_create(steps)
    for volume, each in zip(volumes, operations, strict=True):
        volume.last_operation = each
    Volume.objects.bulk_update(volumes, ["last_operation"])
    snap(volumes)
    pool.facts = {"lvs": [{"name": v.lv_name, "size_bytes": 2**30, "hearth_id": str(v.pk)} for v in volumes]}
    pool.save()
    Drift.objects.bulk_create(
        Drift(node=pool.node, pool=pool, kind="foreign_lv", subject=f"{count}-{n}", last_seen_at=timezone.now())
        for n in range(count)
    )


def snap(volumes: list[Volume]) -> None:
    """A snapshot of each, in every kind of status; a third of them nearly full."""
    kinds = (SnapshotStatus.AVAILABLE, SnapshotStatus.DELETING, SnapshotStatus.INVALID)
    Snapshot.objects.bulk_create(
        SnapshotFactory.build(
            volume=v, name=v.name, status=kinds[n % 3], snap_percent=90.0, last_operation=v.last_operation
        )
        for n, v in enumerate(volumes)
    )


def operation(volume: Volume) -> Operation:
    now = timezone.now()
    under_way = {"status": "running", "started_at": now}
    over = {"started_at": now, "finished_at": now}
    fields = {
        "available": {"status": "succeeded", **over},
        "deleting": under_way,
        "error_deleting": {"status": "failed", **over},
    }
    return OperationFactory.build(volume=volume, **fields[volume.status])  # type: ignore[no-any-return]


PROJECT = ("volumes", "snapshots", "operations", "overview")
INFRASTRUCTURE = ("all-operations", "nodes", "pools")


@pytest.mark.parametrize(("person", "pages"), [("member", PROJECT), ("administrator", INFRASTRUCTURE)])
def test_the_lists_and_the_overview(
    request: pytest.FixtureRequest, person: str, pages: tuple[str, ...], alpha: Project, thick: Pool
) -> None:
    client: Client = request.getfixturevalue(person)
    alpha.set(quota_volumes=-1, quota_gib=-1, quota_snapshots=-1)
    User.objects.update(page_size=1000)
    urls = [reverse(name) for name in pages]
    if person == "member":
        urls += [f"{reverse('search')}?q=v", f"{reverse('volumes')}?_export=csv", f"{reverse('snapshots')}?_export=csv"]
    else:
        urls += [reverse("node", args=[thick.node.pk]), reverse("pool", args=[thick.pk])]
    client.cookies["activity"] = "all"
    fill(alpha, thick, FEW)
    few = {url: queries(client, url) for url in urls}
    fill(alpha, thick, MANY - FEW)
    many = {url: queries(client, url) for url in urls}
    assert many == few
    assert max(many.values()) <= 35, many


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        response = client.get(url)
        if response.streaming:
            assert b"".join(response.streaming_content)  # type: ignore[arg-type]
    assert response.status_code == 200
    return len([each for each in captured if "SAVEPOINT" not in each["sql"] and "DECLARE" not in each["sql"]])


def test_a_poll_of_many_rows(member: Client, alpha: Project, thick: Pool) -> None:
    fill(alpha, thick, FEW)
    few = poll(member)
    fill(alpha, thick, MANY - FEW)
    assert poll(member) == few


def poll(client: Client) -> int:
    moving = ",".join(
        str(pk) for pk in Volume.objects.filter(status=Status.DELETING).values_list("pk", flat=True)[: listing.AT_ONCE]
    )
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(reverse("volumes"), {"rows": moving}, headers={"hx-request": "true", "hx-trigger": "poll"})
    assert answer.content.count(b"<tbody") == len(moving.split(","))
    return len(captured)


def test_a_poll_of_many_snapshots(member: Client, alpha: Project, thick: Pool) -> None:
    def ask() -> int:
        ids = Snapshot.objects.filter(status=SnapshotStatus.DELETING).values_list("pk", flat=True)[: listing.AT_ONCE]
        query = {"rows": ",".join(map(str, ids))}
        with CaptureQueriesContext(connection) as captured:
            answer = member.get(reverse("snapshots"), query, headers={"hx-request": "true", "hx-trigger": "poll"})
        assert answer.content.count(b"<tbody") == len(ids)
        return len(captured)

    fill(alpha, thick, FEW)
    few = ask()
    fill(alpha, thick, MANY - FEW)
    assert ask() == few


def test_a_volume_with_many_snapshots(member: Client, volume: Volume) -> None:
    url = reverse("volume", args=[volume.pk]) + "?tab=snapshots"
    SnapshotFactory.create_batch(FEW, volume=volume)
    few = queries(member, url)
    SnapshotFactory.create_batch(27, volume=volume)
    assert queries(member, url) == few


def test_many_nodes_and_pools(administrator: Client, node: Node, alpha: Project) -> None:
    urls = [reverse(name) for name in ("nodes", "pools", "overview", "volume-create")]
    PoolFactory.create_batch(FEW)
    few = {url: queries(administrator, url) for url in urls}
    PoolFactory.create_batch(27)
    assert {url: queries(administrator, url) for url in urls} == few


def test_one_volume_with_a_long_history(member: Client, volume: Volume) -> None:
    url = reverse("volume", args=[volume.pk])
    urls = [url, f"{url}?tab=operations", f"{url}?tab=history"]
    now = timezone.now()

    def more(count: int) -> None:
        over = {"status": "succeeded", "started_at": now, "finished_at": now}
        Operation.objects.bulk_create([OperationFactory.build(volume=volume, **over) for _ in range(count)])

    more(FEW)
    few = {each: queries(member, each) for each in urls}
    more(MANY)
    assert {each: queries(member, each) for each in urls} == few
