"""The overview: what needs somebody first, worst first; quota, capacity, what runs."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import OperationFactory, UserFactory, VolumeFactory
from tests.views.conftest import failed_operation, logged_in
from tests.views.html import Element, page
from volumes.models import GIB, Node, Pool, Project, Status, User, Volume


def overview(client: Client) -> Element:
    return page(client.get(reverse("overview")))


def concerns(client: Client) -> list[Element]:
    return overview(client).one("section", aria_labelledby="needs-t").all("li")


def test_when_all_is_well_it_says_so(member: Client, volume: Volume) -> None:
    tree = overview(member)
    assert concerns(member) == []
    assert "Nothing. Everything is as it should be." in tree.text
    assert tree.one("title").text.startswith("Overview · alpha")


def test_a_volume_in_a_bad_status_stands_there_with_its_remedy(member: Client, volume: Volume) -> None:
    operation = failed_operation(volume)
    volume.set(status=Status.ERROR_DELETING, status_reason="The wipe stopped at 43 %.")
    (line,) = concerns(member)
    assert "Volume data: error deleting The wipe stopped at 43 %." in line.text
    assert [link["href"] for link in line.all("a")] == [
        reverse("operation", args=[operation.pk]),
        reverse("operation-retry", args=[operation.pk]),
    ]
    assert overview(member).one("title").text.startswith("1 needs you")


def test_a_reader_sees_it_without_the_button(reader: Client, volume: Volume) -> None:
    failed_operation(volume)
    volume.set(status=Status.ERROR)
    (line,) = concerns(reader)
    assert [link.text for link in line.all("a")] == ["Open operation"]


def test_other_projects_are_not_told(stranger: Client, volume: Volume) -> None:
    failed_operation(volume)
    volume.set(status=Status.ERROR)
    assert concerns(stranger) == []
    assert overview(stranger).one("title").text.startswith("Overview")


def test_the_worst_comes_first(administrator: Client, alpha: Project, thick: Pool, node: Node) -> None:
    alpha.set(quota_gib=1)
    VolumeFactory(project=alpha, pool=thick, name="broken", status=Status.ERROR)
    thick.set(free_bytes=15 * GIB)
    node.drifts.create(kind="foreign_lv", subject="swap", detail="", last_seen_at=timezone.now())
    texts = [line.text for line in concerns(administrator)]
    assert [next(word for word in ("broken", "85 % full", "used up", "belongs to nobody") if word in text) for text in texts] == [
        "broken", "85 % full", "used up", "belongs to nobody"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"free_bytes": 15 * GIB}, "node / slow is 85 % full"),
        (
            {"present": False, "missing_reason": "No such volume group."},
            "Pool node / slow was not found No such volume group.",
        ),
    ],
)
def test_pools_that_need_somebody(
    administrator: Client, member: Client, thick: Pool, fields: dict[str, object], said: str
) -> None:
    thick.set(**fields)
    assert any(said in line.text for line in concerns(administrator))
    assert concerns(member) == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"data_percent": 96.0}, "node / fast / thin is 96 % full Once it is full, its volumes stop taking writes."),
        ({"metadata_percent": 82.0}, "Metadata of node / fast / thin is 82 % full"),
    ],
)
def test_thin_pools_that_need_somebody(administrator: Client, thin: Pool, fields: dict[str, object], said: str) -> None:
    thin.set(**fields)
    assert any(said in line.text for line in concerns(administrator))


@pytest.mark.parametrize(("gib", "state"), [(8, ""), (9, "warn"), (10, "bad")])
def test_quota_turns_amber_at_90_and_red_at_100_percent(
    member: Client, alpha: Project, thick: Pool, gib: int, state: str
) -> None:
    alpha.set(quota_gib=10)
    VolumeFactory(project=alpha, pool=thick, size_gib=gib)
    bar = overview(member).one("section", aria_labelledby="q-t").one("svg", aria_label=f"Volume space: {gib} of 10 GiB")
    assert bar.classes - {"h-use"} == {state} - {""}
    assert bool(concerns(member)) == bool(state)


def test_what_runs_and_what_was_done(member: Client, world: object, volume: Volume) -> None:
    done = {"status": "succeeded", "started_at": timezone.now(), "finished_at": timezone.now()}
    OperationFactory(volume=volume, title="Create volume data", **done)
    tree = overview(member)
    assert "Delete volume moving" in tree.one("section", aria_labelledby="run-t").text
    assert "50 %" in tree.one("section", aria_labelledby="run-t").text
    assert "Create volume data" in tree.one("section", aria_labelledby="rec-t").text


def test_capacity_is_for_administrators(administrator: Client, member: Client, thick: Pool) -> None:
    assert overview(administrator).has("section", aria_labelledby="cap-t")
    assert not overview(member).has("section", aria_labelledby="cap-t")


def test_a_person_in_no_project_is_told_whom_to_ask(db: None) -> None:
    client = logged_in(UserFactory(username="dora"))
    assert "You are in no project yet" in overview(client).text
    for name in ("volumes", "volume-create", "operations"):
        assert "Ask an administrator" in page(client.get(reverse(name)), 404).text
    assert page(client.get(reverse("search"), {"q": "x"}))


def test_the_first_project_is_asked_for(admin: User) -> None:
    client = logged_in(admin)
    text = overview(client).text
    assert "Make the first project" in text
    assert "Add the first node" in text
