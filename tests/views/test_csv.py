"""CSV of the filtered set, for spreadsheets and programs."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import VolumeFactory
from tests.views.html import page, text
from volumes.models import Pool, Project, Status, User, Volume


def read(client: Client, name: str, /, **query: Any) -> list[dict[str, str]]:
    response = client.get(reverse(name), {**query, "_export": "csv"})
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="hearth-')
    return list(csv.DictReader(io.StringIO(text(response), newline="")))


@pytest.fixture
def three(alpha: Project, thick: Pool) -> None:
    VolumeFactory(project=alpha, pool=thick, name="a", size_gib=1200, metadata={"k": "v"}, description="first, of all")
    VolumeFactory(project=alpha, pool=thick, name="b", status=Status.ERROR, status_reason="The disk\nsaid no.")
    VolumeFactory(name="of another project")


def test_it_has_the_columns_that_programs_rely_on(member: Client, three: None) -> None:
    rows = {row["Name"]: row for row in read(member, "volumes")}
    assert set(rows) == {"a", "b"}
    assert set(rows["a"]) >= {
        "ID",
        "Name",
        "Status",
        "Status reason",
        "Size",
        "Description",
        "Pool",
        "Project",
        "Created",
    }
    volume = Volume.objects.get(name="a")
    assert (rows["a"]["ID"], rows["a"]["Size"]) == (str(volume.pk), "1200")
    assert (rows["a"]["Pool"], rows["a"]["Metadata"], rows["a"]["Description"]) == (
        "node / slow",
        "k=v",
        "first, of all",
    )
    assert rows["b"]["Status"] == "error"


def test_it_holds_the_filtered_set_and_all_its_pages(
    member: Client, three: None, alice: User, alpha: Project, thick: Pool
) -> None:
    alice.page_size = 1
    alice.save()
    assert len(read(member, "volumes")) == 2
    assert [row["Name"] for row in read(member, "volumes", group="bad")] == ["b"]
    assert [row["Name"] for row in read(member, "volumes", name="a", page=7)] == ["a"]
    assert read(member, "volumes", name="nothing") == []


@pytest.mark.parametrize("name", ["=1+1", '=cmd|"/c calc"!A1', "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_spreadsheet_runs_a_name(member: Client, alpha: Project, thick: Pool, name: str) -> None:
    VolumeFactory(project=alpha, pool=thick, name=name, description=name, status_reason=name, metadata={"a": "b"})
    (row,) = read(member, "volumes")
    for cell in row.values():
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")), cell
    assert row["Name"] == row["Description"] == row["Status reason"] == f"'{name}"


@pytest.mark.parametrize("name", ["nodes", "pools", "operations", "all-operations"])
def test_every_list_has_one(administrator: Client, world: Any, name: str) -> None:
    rows = read(administrator, name)
    assert rows
    assert set(rows[0]) >= {"ID", "Name", "Status", "Status reason", "Size"}


def test_metadata_that_looks_like_a_formula_is_data_too(member: Client, alpha: Project, thick: Pool) -> None:
    VolumeFactory(project=alpha, pool=thick, metadata={"-x": "1"})
    assert read(member, "volumes")[0]["Metadata"] == "'-x=1"


def test_the_link_on_the_page_carries_the_filters(member: Client, three: None) -> None:
    link = page(member.get(reverse("volumes"), {"name": "a", "page": 1})).one("a", download=True)
    assert link["href"] == "?name=a&_export=csv"
