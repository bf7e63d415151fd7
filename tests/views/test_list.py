"""Filters, order and pages of the lists: all in the address, on the server, over the whole set."""

from __future__ import annotations

from datetime import timedelta
from itertools import chain

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import OperationFactory, PoolFactory, ProjectFactory, VolumeFactory
from tests.views.conftest import failed_operation
from tests.views.html import Element, page
from volumes.models import GIB, Operation, Pool, Project, Status, User, Volume

VOLUMES, OPERATIONS = "/project/volumes/", "/project/operations/"


@pytest.fixture
def some(alpha: Project, thick: Pool) -> dict[str, Volume]:
    """Volumes that differ in everything one can filter by."""
    other = PoolFactory(node=thick.node, vg_name="other")
    made = {
        "db-1": VolumeFactory(project=alpha, pool=thick, name="db-1", size_gib=10),
        "db-2": VolumeFactory(project=alpha, pool=other, name="db-2", size_gib=2),
        "web": VolumeFactory(project=alpha, pool=thick, name="web", size_gib=5, status=Status.IN_USE),
        "broken": VolumeFactory(project=alpha, pool=None, name="broken", status=Status.ERROR),
        "moving": VolumeFactory(project=alpha, pool=thick, name="moving", status=Status.DELETING),
    }
    now = timezone.now()
    for age, volume in enumerate(made.values()):
        Volume.objects.filter(pk=volume.pk).update(created_at=now - timedelta(days=age))
    VolumeFactory(project=ProjectFactory(name="gamma"), name="db-of-somebody-else")
    return made


def names(tree: Element) -> list[str]:
    return [row["data-name"] for row in tree.all("tbody", data_row=True)]


def found(client: Client, **query: object) -> list[str]:
    return names(page(client.get(VOLUMES, query)))


def test_all_of_the_project_and_nothing_else(member: Client, some: dict[str, Volume]) -> None:
    assert set(found(member)) == set(some)


def test_who_needs_somebody_comes_first_then_what_moves(member: Client, some: dict[str, Volume]) -> None:
    assert found(member) == ["broken", "moving", "db-1", "db-2", "web"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"name": "db"}, {"db-1", "db-2"}),
        ({"name": "DB-"}, {"db-1", "db-2"}),
        ({"name": " web "}, {"web"}),
        ({"status": "error"}, {"broken"}),
        ({"status": ["error", "in-use"]}, {"broken", "web"}),
        ({"size_min": 5}, {"db-1", "web"}),
        ({"size_max": 2}, {"db-2", "broken", "moving"}),
        ({"size_min": 2, "size_max": 5}, {"db-2", "web"}),
        ({"name": "db", "size_min": 5}, {"db-1"}),
        ({"group": "bad"}, {"broken"}),
        ({"group": "moving"}, {"moving"}),
        ({"group": "in-use"}, {"web"}),
        ({"group": "available", "name": "1"}, {"db-1"}),
        ({"name": "nothing like it"}, set()),
        ({"created_before": (timezone.now() - timedelta(days=3)).date()}, {"broken", "moving"}),
        ({"created_after": timezone.now().date(), "name": "db"}, {"db-1"}),
    ],
)
def test_filters_work_together(
    member: Client, some: dict[str, Volume], query: dict[str, object], expected: set[str]
) -> None:
    assert set(found(member, **query)) == expected


def test_by_pool(member: Client, some: dict[str, Volume], thick: Pool) -> None:
    assert set(found(member, pool=thick.pk)) == {"db-1", "web", "moving"}


def test_by_id_in_the_same_box(member: Client, some: dict[str, Volume]) -> None:
    ident = str(some["web"].pk)
    for part in (ident, ident.replace("-", ""), ident[:8], ident.upper(), ident[10:23]):
        assert found(member, name=part) == ["web"], part


def test_the_count_is_announced_and_the_filters_can_be_taken_off(member: Client, some: dict[str, Volume]) -> None:
    tree = page(member.get(VOLUMES, {"name": "db", "size_min": 5, "sort": "name"}))
    count = tree.one(id="found")
    assert (count["aria-live"], count.text) == ("polite", "1 of 5")
    chips = {chip.one("b").text: chip.one("a")["href"] for chip in tree.all("span", class_="h-chip")}
    assert set(chips) == {"db", "at least 5 GiB"}
    assert set(names(page(member.get(VOLUMES + chips["at least 5 GiB"])))) == {"db-1", "db-2"}
    assert any(link.text == "Clear" and link["href"] == VOLUMES for link in tree.all("a"))


def test_the_tabs_count_the_filtered_set(member: Client, some: dict[str, Volume]) -> None:
    tabs = page(member.get(VOLUMES, {"size_min": 2})).one(id="status-tabs")
    assert [tab.text for tab in tabs.all("li")] == ["All 3", "Available 2", "In use 1", "Moving 0", "Needs you 0"]
    for tab in tabs.all("a"):
        assert "size_min=2" in tab["href"]


def test_the_form_of_the_filters_shows_what_is_on(member: Client, some: dict[str, Volume], thick: Pool) -> None:
    tree = page(member.get(VOLUMES, {"status": "error", "size_min": 1, "pool": thick.pk, "group": "bad", "name": "b"}))
    panel = next(form for form in tree.all("form", class_="panel") if form.has("input", name="size_min"))
    values = panel.values()
    assert (values["status"], values["size_min"], values["pool"]) == (["error"], ["1"], [str(thick.pk)])
    assert (values["group"], values["name"]) == (["bad"], ["b"])


def test_a_filter_that_makes_no_sense_says_so_and_hides_nothing(member: Client, some: dict[str, Volume]) -> None:
    tree = page(member.get(VOLUMES, {"size_min": "many", "status": "no-such", "created_after": "yesterday"}))
    assert "This filter was not applied" in tree.one("p", role="alert").text
    assert set(names(tree)) == set(some)


def test_nothing_matches(member: Client, some: dict[str, Volume]) -> None:
    tree = page(member.get(VOLUMES, {"name": "nothing"}))
    assert tree.one("div", class_="h-empty").one("a")["href"] == VOLUMES
    assert "5 volumes, but none like this" in tree.text


def test_an_empty_project_says_the_next_step(member: Client, thick: Pool) -> None:
    tree = page(member.get(VOLUMES))
    assert tree.one("div", class_="h-empty").one("a")["href"] == reverse("volume-create")


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("name", ["broken", "db-1", "db-2", "moving", "web"]),
        ("-name", ["web", "moving", "db-2", "db-1", "broken"]),
        ("size", ["db-2", "web", "db-1"]),
        ("-size", ["db-1", "web", "db-2"]),
        ("created", ["moving", "broken", "web", "db-2", "db-1"]),
        ("pool", ["db-2"]),
    ],
)
def test_order(member: Client, some: dict[str, Volume], sort: str, expected: list[str]) -> None:
    ordered = [name for name in found(member, sort=sort) if sort.strip("-") not in {"size", "pool"} or name in expected]
    assert ordered == expected


def test_the_head_says_the_order_and_turns_it_round(member: Client, some: dict[str, Volume]) -> None:
    tree = page(member.get(VOLUMES, {"sort": "size", "name": "db", "page": 1}))
    (head,) = [cell for cell in tree.all("th", scope="col") if "aria-sort" in cell.attrs]
    assert (head.text, head["aria-sort"]) == ("Size", "ascending")
    assert "sort=-size" in head.one("a")["href"]
    assert "name=db" in head.one("a")["href"]
    assert "page=" not in head.one("a")["href"]


class TestPages:
    @pytest.fixture(autouse=True)
    def _many(self, alpha: Project, thick: Pool, alice: User) -> None:
        alice.page_size = 4
        alice.save()
        for n in range(1, 11):
            VolumeFactory(project=alpha, pool=thick, name=f"v{n:02}")

    def test_each_volume_is_on_one_page(self, member: Client) -> None:
        seen = [found(member, sort="name", page=number) for number in (1, 2, 3)]
        assert [len(each) for each in seen] == [4, 4, 2]
        assert list(chain(*seen)) == [f"v{n:02}" for n in range(1, 11)]

    def test_the_foot_says_where_one_is(self, member: Client) -> None:
        foot = page(member.get(VOLUMES, {"page": 2, "sort": "name", "name": "v"})).one("div", class_="h-foot")
        assert "5–8 of 10" in foot.text
        assert foot.one("a", aria_current="page").text == "2"
        for link in foot.all("a", href=True):
            assert "sort=name" in link["href"]
            assert "name=v" in link["href"]

    @pytest.mark.parametrize("number", ["0", "99", "-1", "x", ""])
    def test_a_page_that_is_not_there_is_replaced_by_one_that_is(self, member: Client, number: str) -> None:
        assert len(found(member, page=number, sort="name")) in {2, 4}

    def test_the_size_of_a_page_is_the_persons(self, member: Client, alice: User) -> None:
        member.post(reverse("columns", args=["volumes"]), {"rows": "100", "next": VOLUMES})
        assert len(found(member)) == 10
        alice.refresh_from_db()
        assert alice.page_size == 100


def test_columns_can_be_hidden_and_come_back(member: Client, some: dict[str, Volume]) -> None:
    url = reverse("columns", args=["volumes"])
    member.post(url, {"columns": ["", "size"]})
    heads = [cell.text for cell in page(member.get(VOLUMES)).all("th", scope="col")]
    assert heads == ["", "Name", "Size", "Status", "Actions"]
    assert len(page(member.get(OPERATIONS)).all("main")) == 1
    member.post(url, {"columns": ["", "size", "pool", "attached", "created"]})
    assert len(page(member.get(VOLUMES)).all("th", scope="col")) == 8


class TestOperations:
    @pytest.fixture(autouse=True)
    def _some(self, some: dict[str, Volume]) -> None:
        failed_operation(some["broken"])
        done = {"status": Operation.Status.SUCCEEDED, "started_at": timezone.now(), "finished_at": timezone.now()}
        OperationFactory(volume=some["db-1"], title="Create volume db-1", actor_name="alice", **done)
        OperationFactory(volume=some["moving"], title="Delete volume moving", actor_name="bob")

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({}, {"Delete volume broken", "Create volume db-1", "Delete volume moving"}),
            ({"group": "bad"}, {"Delete volume broken"}),
            ({"group": "running"}, {"Delete volume moving"}),
            ({"status": "succeeded"}, {"Create volume db-1"}),
            ({"by": "ali"}, {"Delete volume broken", "Create volume db-1"}),
            ({"name": "delete"}, {"Delete volume broken", "Delete volume moving"}),
            ({"name": "delete", "by": "bob"}, {"Delete volume moving"}),
        ],
    )
    def test_filters(self, member: Client, query: dict[str, str], expected: set[str]) -> None:
        tree = page(member.get(OPERATIONS, query))
        assert {row.one("th").text for row in tree.all("tbody", data_row=True)} == expected

    def test_by_the_id_of_the_volume(self, member: Client, some: dict[str, Volume]) -> None:
        tree = page(member.get(OPERATIONS, {"name": str(some["db-1"].pk)}))
        assert [row.one("th").text for row in tree.all("tbody", data_row=True)] == ["Create volume db-1"]

    def test_another_project_sees_none_of_them(self, stranger: Client) -> None:
        assert not page(stranger.get(OPERATIONS)).has("tbody", data_row=True)

    def test_the_administrator_sees_those_of_all_projects(self, administrator: Client) -> None:
        OperationFactory(volume__project__name="delta", title="Delete volume of delta")
        tree = page(administrator.get(reverse("all-operations")))
        assert len(tree.all("tbody", data_row=True)) == 4
        assert "delta" in tree.one("table").text


def test_sizes_carry_their_bytes(member: Client, some: dict[str, Volume]) -> None:
    row = page(member.get(VOLUMES)).one("tbody", data_name="db-1")
    assert row.one("span", title=f"{10 * GIB:,} bytes").text == "10 GiB"


def test_times_carry_their_moment(member: Client, volume: Volume) -> None:
    moment = page(member.get(VOLUMES)).one("tbody", data_row=True).one("time")
    assert moment["title"].startswith(f"{volume.created_at:%Y-%m-%d %H:%M:%S}")
    assert moment["datetime"] == volume.created_at.isoformat(timespec="seconds")


def test_every_id_has_a_button_that_copies_it(member: Client, some: dict[str, Volume]) -> None:
    for row in page(member.get(VOLUMES)).all("tbody", data_row=True):
        assert row.one("button", data_copy=True)["data-copy"] == row["data-row"]
