"""Search finds what one may see, and nothing else."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import MembershipFactory, OperationFactory, VolumeFactory
from tests.views.html import Element, page
from volumes.models import Node, Pool, Project, User, Volume


@pytest.fixture
def ours(alpha: Project, thick: Pool) -> Volume:
    volume = VolumeFactory(project=alpha, pool=thick, name="ledger of alpha")
    OperationFactory(volume=volume, title="Create volume ledger of alpha")
    return volume


@pytest.fixture
def theirs(beta: Project, thick: Pool) -> Volume:
    volume = VolumeFactory(project=beta, pool=thick, name="ledger of beta")
    OperationFactory(volume=volume, title="Create volume ledger of beta")
    return volume


def search(client: Client, text: str) -> Element:
    return page(client.get(reverse("search"), {"q": text})).one("main")


def test_each_finds_their_own(member: Client, stranger: Client, reader: Client, ours: Volume, theirs: Volume) -> None:
    for client, sees, misses in ((member, "alpha", "beta"), (reader, "alpha", "beta"), (stranger, "beta", "alpha")):
        text = search(client, "ledger").text
        assert f"Create volume ledger of {sees}" in text
        assert f"ledger of {misses}" not in text


def test_all_projects_of_a_person_are_searched(
    member: Client, alice: User, beta: Project, ours: Volume, theirs: Volume
) -> None:
    MembershipFactory(user=alice, project=beta)
    text = search(member, "ledger").text
    assert "ledger of alpha" in text
    assert "ledger of beta" in text


def test_the_administrator_finds_everything(administrator: Client, ours: Volume, theirs: Volume) -> None:
    text = search(administrator, "ledger").text
    assert "ledger of alpha" in text
    assert "ledger of beta" in text


@pytest.mark.parametrize("asked", ["node", "slow", "127.0.0", "rack"])
def test_only_administrators_find_nodes_and_pools(
    member: Client, administrator: Client, ours: Volume, node: Node, asked: str
) -> None:
    node.set(zone="rack 7")
    assert search(administrator, asked).has("h2", id="sn-t")
    assert not search(member, asked).has("h2", id="sn-t")


def test_a_whole_id_opens_its_page(member: Client, ours: Volume) -> None:
    for text in (str(ours.pk), str(ours.pk).upper(), ours.pk.hex, f" {ours.pk} "):
        answer = member.get(reverse("search"), {"q": text})
        assert answer["Location"] == reverse("volume", args=[ours.pk])


def test_the_whole_id_of_what_is_not_ones_own_opens_nothing(stranger: Client, ours: Volume) -> None:
    assert "Nothing found" in search(stranger, str(ours.pk)).text


def test_a_part_of_an_id_will_do(member: Client, ours: Volume) -> None:
    assert search(member, str(ours.pk)[:8]).has("a", href=reverse("volume", args=[ours.pk]))


def test_it_asks_what_to_look_for_and_says_when_there_is_nothing(member: Client, ours: Volume) -> None:
    assert "What are you looking for?" in search(member, "").text
    assert "Nothing found" in search(member, "no such thing").text


def test_what_was_asked_stays_in_the_box(member: Client, ours: Volume) -> None:
    for box in search(member, "ledger").all("input", name="q"):
        assert box["value"] == "ledger"
