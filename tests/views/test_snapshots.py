"""The list of snapshots: filters, order, columns, live rows, CSV; and deleting several."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import ProjectFactory, SnapshotFactory, VolumeFactory
from tests.views.html import Element, page
from tests.views.test_csv import read
from volumes.models import GIB, Operation, Pool, Project, Snapshot, SnapshotStatus, Volume

URL, DELETE = "/project/snapshots/", "/project/snapshots/delete/"
DIALOG = {"hx-request": "true", "hx-target": "dialog"}
POLL = {"hx-request": "true", "hx-trigger": "poll"}
VERBS = ["Edit", "Create volume from it", "Revert the volume to it", "Delete snapshot"]


@pytest.fixture
def some(alpha: Project, thick: Pool, thin: Pool) -> dict[str, Snapshot]:
    """Snapshots that differ in everything one can filter by."""
    db = VolumeFactory(project=alpha, pool=thick, name="db", size_gib=10)
    web = VolumeFactory(project=alpha, pool=thin, name="web", size_gib=2)
    made = {
        "db-monday": SnapshotFactory(volume=db, name="db-monday", snap_percent=12.0),
        "db-sunday": SnapshotFactory(volume=db, name="db-sunday", snap_percent=84.0),
        "lost": SnapshotFactory(volume=db, name="lost", status=SnapshotStatus.INVALID, status_reason="It overflowed."),
        "release": SnapshotFactory(volume=web, name="release"),
        "going": SnapshotFactory(volume=web, name="going", status=SnapshotStatus.DELETING),
    }
    now = timezone.now()
    for age, snapshot in enumerate(made.values()):
        Snapshot.objects.filter(pk=snapshot.pk).update(created_at=now - timedelta(days=age))
    SnapshotFactory(volume=VolumeFactory(project=ProjectFactory(name="gamma")), name="db-of-somebody-else")
    return made


def names(tree: Element) -> list[str]:
    return [row["data-name"] for row in tree.all("tbody", data_row=True)]


def found(client: Client, **query: object) -> list[str]:
    return names(page(client.get(URL, query)))


def test_all_of_the_project_who_needs_somebody_first(member: Client, some: dict[str, Snapshot]) -> None:
    assert found(member) == ["lost", "db-sunday", "going", "db-monday", "release"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"name": "db"}, {"db-monday", "db-sunday"}),
        ({"status": "invalid"}, {"lost"}),
        ({"status": ["invalid", "deleting"]}, {"lost", "going"}),
        ({"volume": "we"}, {"release", "going"}),
        ({"volume": "db", "name": "sun"}, {"db-sunday"}),
        ({"size_min": 3}, {"db-monday", "db-sunday", "lost"}),
        ({"size_max": 3, "status": "available"}, {"release"}),
        ({"group": "bad"}, {"lost", "db-sunday"}),
        ({"group": "moving"}, {"going"}),
        ({"group": "available", "volume": "web"}, {"release"}),
        ({"created_before": (timezone.now() - timedelta(days=3)).date()}, {"release", "going"}),
        ({"name": "nothing like it"}, set()),
    ],
)
def test_filters_work_together(
    member: Client, some: dict[str, Snapshot], query: dict[str, object], expected: set[str]
) -> None:
    assert set(found(member, **query)) == expected


def test_by_the_id_of_either(member: Client, some: dict[str, Snapshot]) -> None:
    assert found(member, name=some["lost"].short_id) == ["lost"]
    assert set(found(member, volume=some["release"].volume_id)) == {"release", "going"}


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("name", ["db-monday", "db-sunday", "going", "lost", "release"]),
        ("-created", ["db-monday", "db-sunday", "lost", "release", "going"]),
        ("-used", ["db-sunday", "db-monday", "lost"]),
        ("volume", ["db", "db", "db", "web", "web"]),
        ("size", [2, 2, 10, 10, 10]),
    ],
)
def test_order(member: Client, some: dict[str, Snapshot], sort: str, expected: list[object]) -> None:
    ordered = found(member, sort=sort)
    kind = {"volume": lambda s: s.volume.name, "size": lambda s: s.size_gib}.get(sort, lambda s: s.name)
    assert [kind(some[name]) for name in ordered][: len(expected)] == expected


def test_the_tabs_count_and_the_chips_name_what_is_on(member: Client, some: dict[str, Snapshot]) -> None:
    tree = page(member.get(URL, {"volume": "db", "sort": "name"}))
    assert [tab.text for tab in tree.one(id="status-tabs").all("li")] == [
        "All 3",
        "Available 2",
        "Moving 0",
        "Needs you 2",
    ]
    assert tree.one(id="found").text == "3 of 5"
    assert tree.one("span", class_="h-chip").text == "Volume db"


def test_a_filter_that_makes_no_sense_hides_nothing(member: Client, some: dict[str, Snapshot]) -> None:
    tree = page(member.get(URL, {"size_min": "many", "status": "none"}))
    assert "This filter was not applied" in tree.one("p", role="alert").text
    assert set(names(tree)) == set(some)


def test_an_empty_project_says_where_they_are_made(member: Client, thick: Pool) -> None:
    assert page(member.get(URL)).one("div", class_="h-empty").one("a")["href"] == reverse("volumes")


def test_columns_can_be_hidden_in_a_poll_too(member: Client, some: dict[str, Snapshot]) -> None:
    member.post(reverse("columns", args=["snapshots"]), {"columns": ["", "volume"]})
    heads = [cell.text for cell in page(member.get(URL)).all("th", scope="col")]
    assert heads == ["", "Name", "Volume", "Status", "Actions"]
    tree = page(member.get(URL, {"rows": str(some["going"].pk)}, headers=POLL))
    (row,) = tree.all("tbody", data_row=True)
    assert (row["id"], row["hx-swap-oob"], len(row.one("tr").all("td"))) == (
        f"snapshot-{some['going'].pk}",
        "morph",
        4,
    )


def test_a_row_that_is_gone_is_taken_out(member: Client, stranger: Client, some: dict[str, Snapshot]) -> None:
    pk = some["going"].pk
    theirs = page(stranger.get(URL, {"rows": str(pk)}, headers=POLL)).one("tbody", id=f"snapshot-{pk}")
    assert theirs["hx-swap-oob"] == "delete"
    some["going"].delete()
    ours = page(member.get(URL, {"rows": str(pk)}, headers=POLL)).one("tbody", id=f"snapshot-{pk}")
    assert ours["hx-swap-oob"] == "delete"


class TestSpace:
    """How full a thick snapshot is, and what that means."""

    def row(self, client: Client, snapshot: Snapshot) -> Element:
        return page(client.get(URL)).one("tbody", data_row=str(snapshot.pk))

    @pytest.mark.parametrize(("percent", "state"), [(79.0, ""), (80.0, "warn"), (96.0, "bad")])
    def test_turns_amber_and_red(self, member: Client, volume: Volume, percent: float, state: str) -> None:
        row = self.row(member, SnapshotFactory(volume=volume, snap_percent=percent))
        space = row.one("span", class_="h-space")
        assert space.one("svg").classes - {"h-use"} == {state} - {""}
        assert space.one("b").text == f"{percent:.0f} %"
        assert space.one("svg")["aria-label"] == f"{percent:.0f} % of 1 GiB copy-on-write space used"
        assert ("the snapshot is lost" in row.text) == bool(state)

    def test_that_cannot_overflow_warns_of_nothing(self, member: Client, volume: Volume) -> None:
        row = self.row(member, SnapshotFactory(volume=volume, snap_percent=97.0, cow_bytes=GIB + GIB // 256))
        assert row.one("span", class_="h-space").one("svg").classes == {"h-use"}
        assert "lost" not in row.text
        assert found(member, group="bad") == []

    def test_of_a_thin_one_is_shared(self, member: Client, some: dict[str, Snapshot]) -> None:
        assert "shares blocks" in self.row(member, some["release"]).text

    def test_of_a_lost_one_is_full_and_says_so(self, member: Client, some: dict[str, Snapshot]) -> None:
        row = self.row(member, some["lost"])
        assert "100 %" in row.text
        assert "It overflowed." in row.one("tr", class_="note").text
        assert not row.has("a", hx_get=True, class_="btn btn-sm"), "trying again does not bring it back"


class TestVerbs:
    def items(self, client: Client, snapshot: Snapshot) -> list[Element]:
        row = page(client.get(URL)).one("tbody", data_row=str(snapshot.pk))
        return [item for item in row.all(class_="dropdown-item") if "…" in item.text]

    def test_are_all_there_in_one_order_delete_last(self, member: Client, some: dict[str, Snapshot]) -> None:
        for snapshot in some.values():
            assert [item.text.split("…")[0] for item in self.items(member, snapshot)] == VERBS

    def test_lead_to_their_pages(self, member: Client, some: dict[str, Snapshot]) -> None:
        assert [item.tag for item in self.items(member, some["db-monday"])[1:3]] == ["a", "a"]
        Snapshot.objects.filter(pk=some["going"].pk).delete()
        edit, copy, revert, delete = self.items(member, some["release"])
        back = reverse("volume-revert", args=[some["release"].volume_id])
        assert revert["href"] == f"{back}?snapshot={some['release'].pk}"
        assert edit["href"] == reverse("snapshot-edit", args=[some["release"].pk])
        assert copy["href"] == f"{reverse('volume-create')}?source=snapshot:{some['release'].pk}"
        assert delete["hx-get"] == reverse("snapshot-delete", args=[some["release"].pk])

    def test_that_are_off_say_why(self, member: Client, some: dict[str, Snapshot]) -> None:
        _edit, copy, revert, delete = self.items(member, some["lost"])
        assert copy.one("small").text == "Its content is lost: the copy-on-write space overflowed."
        assert revert["aria-disabled"] == "true"
        assert delete.tag == "a"
        assert self.items(member, some["going"])[-1].one("small").text == "It is being deleted already."

    def test_of_a_reader_are_off(self, reader: Client, some: dict[str, Snapshot]) -> None:
        for item in self.items(reader, some["release"]):
            assert item.one("small").text == "You may look at this project, but not change it."


class TestCsv:
    def test_has_the_columns_that_programs_rely_on(self, member: Client, some: dict[str, Snapshot]) -> None:
        rows = {row["Name"]: row for row in read(member, "snapshots")}
        assert set(rows) == set(some)
        lost = rows["lost"]
        assert (lost["ID"], lost["Status"], lost["Status reason"]) == (
            str(some["lost"].pk),
            "invalid",
            "It overflowed.",
        )
        assert (lost["Size"], lost["Volume"], lost["Project"]) == ("10", "db", "alpha")
        assert lost["Created"].startswith(f"{Snapshot.objects.get(name='lost').created_at:%Y-%m-%d}")

    def test_holds_the_filtered_set(self, member: Client, some: dict[str, Snapshot]) -> None:
        assert [row["Name"] for row in read(member, "snapshots", group="moving")] == ["going"]
        assert [row["Name"] for row in read(member, "snapshots", volume="web", status="available")] == ["release"]

    def test_runs_no_name(self, member: Client, volume: Volume) -> None:
        volume.set(name="=1+1")
        SnapshotFactory(volume=volume, name='=cmd|"/c calc"!A1', status_reason="@SUM(A1)")
        (row,) = read(member, "snapshots")
        assert not [cell for cell in row.values() if cell.startswith(("=", "@"))]


class TestDeletingSeveral:
    def ids(self, *snapshots: Snapshot) -> dict[str, list[str]]:
        return {"ids": [str(snapshot.pk) for snapshot in snapshots]}

    def test_asks_first(self, member: Client, some: dict[str, Snapshot]) -> None:
        tree = page(member.post(DELETE, self.ids(some["lost"], some["release"], some["going"])))
        assert tree.one("h1").text == "Delete 2 snapshots?"
        assert "12 GiB on node" in tree.one(id="dlg-d").text
        assert "Their volumes stay as they are." in tree.text
        assert "going It is being deleted already." in tree.one("section", aria_labelledby="dlg-b").text
        assert not Operation.objects.exists()

    def test_does_it(self, member: Client, some: dict[str, Snapshot]) -> None:
        tree = page(member.post(DELETE, {**self.ids(some["lost"], some["release"]), "do": "1"}, follow=True))
        assert tree.one("ul", role="status").text == "Deleting 2 snapshots."
        assert set(Operation.objects.values_list("target_id", flat=True)) == {some["lost"].pk, some["release"].pk}

    def test_says_what_became_of_each(self, member: Client, some: dict[str, Snapshot]) -> None:
        sent = {**self.ids(some["release"], some["going"]), "do": "1"}
        answer = member.post(DELETE, sent, headers=DIALOG)
        lines = {line.one("b").text: line for line in page(answer).one("dialog").all("li")}
        assert lines["going"].one("small").text == "It is being deleted already."
        assert lines["release"].has("a", href=reverse("operation", args=[Operation.objects.get().pk]))
        assert str(some["release"].pk) in answer["HX-Trigger"]
        assert str(some["going"].pk) not in answer["HX-Trigger"]

    def test_leaves_those_of_another_project_alone(
        self, stranger: Client, reader: Client, some: dict[str, Snapshot]
    ) -> None:
        sent = {**self.ids(some["release"]), "do": "1"}
        stranger.post(DELETE, sent)
        page(reader.post(DELETE, sent), 403)
        assert not Operation.objects.exists()
