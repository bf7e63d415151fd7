"""The form of a new volume: what it asks, previews and refuses, and what it keeps of what was typed."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import PoolFactory, ProjectFactory, VolumeFactory
from tests.views.html import Element, page
from volumes.models import GIB, Node, Operation, Pool, Project, User, Volume

URL = "/project/volumes/create/"
TYPED = {"name": "shop", "description": "of the shop", "size": "3", "count": "2", "metadata": "tier=gold"}
DIALOG = {"hx-request": "true", "hx-target": "dialog"}

pytestmark = pytest.mark.usefixtures("thick")


def errors(tree: Element) -> dict[str, str]:
    """What stands at each field; "" is the form itself."""
    found = {}
    for alert in tree.all(role="alert"):
        field = alert.attrs.get("id", "").removeprefix("id_").removesuffix("-err")
        found[field] = alert.text
        if field:
            bad = tree.one(name=field)
            assert bad["aria-invalid"] == "true"
            assert alert["id"] in bad["aria-describedby"].split()
    return found


def refused(client: Client, **changed: Any) -> dict[str, str]:
    """Post the form; it comes back with the input and says why."""
    sent = {**TYPED, **changed}
    before = Volume.objects.count()
    tree = page(client.post(URL, sent))
    assert Volume.objects.count() == before
    assert Operation.objects.count() == 0
    form = tree.one("form", action=URL).values()
    for name, value in sent.items():
        if name != "pool":
            assert form[name] == [value], name
    return errors(tree)


def test_it_is_a_page_of_its_own(member: Client) -> None:
    tree = page(member.get(URL))
    assert tree.one("h1").text == "Create volume"
    form = tree.one("form", action=URL)
    assert form["method"] == "post"
    assert {"name", "description", "size", "count", "pool", "zone", "metadata"} <= set(form.values())
    assert form.values()["size"] == ["1"]
    assert tree.one("a", href=reverse("volumes"), class_="btn").text == "Cancel"


def test_asked_for_as_a_dialog_it_is_only_that(member: Client) -> None:
    tree = page(member.get(URL, headers=DIALOG))
    assert not tree.has("html")
    dialog = tree.one("dialog")
    assert dialog.one(id=dialog["aria-labelledby"]).text == "Create volume"
    assert dialog.one("form")["hx-post"] == URL
    assert dialog.one("button", data_close=True)["type"] == "button"


def test_it_asks_for_what_was_typed(member: Client, alice: User, alpha: Project, thick: Pool) -> None:
    answer = member.post(URL, {**TYPED, "count": "1", "pool": thick.pk}, follow=True)
    volume = Volume.objects.get()
    assert (volume.name, volume.description, volume.size_gib) == ("shop", "of the shop", 3)
    assert (volume.metadata, volume.project, volume.created_by) == ({"tier": "gold"}, alpha, alice)
    assert Operation.objects.get().args["pool"] == str(thick.pk)
    tree = page(answer)
    assert tree.one("ul", role="status").text == "Creating shop."
    assert "Creating" in tree.one("tbody", data_row=str(volume.pk)).text


def test_from_a_dialog_it_leads_to_the_list(member: Client) -> None:
    answer = member.post(URL, {"size": 1}, headers=DIALOG)
    assert (answer.status_code, answer["HX-Redirect"]) == (204, reverse("volumes"))


def test_several_are_asked_for_at_once(member: Client) -> None:
    tree = page(member.post(URL, {**TYPED, "count": "3"}, follow=True))
    assert sorted(Volume.objects.values_list("name", flat=True)) == ["shop-1", "shop-2", "shop-3"]
    assert "3 volumes" in tree.one("ul", role="status").text


def test_nothing_but_a_size_is_needed(member: Client) -> None:
    assert member.post(URL, {"size": "1"}).status_code == 302
    volume = Volume.objects.get()
    assert (volume.name, volume.metadata) == ("", {})


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("size", "", "required"),
        ("size", "0", "greater than or equal to 1"),
        ("size", "-5", "greater than or equal to 1"),
        ("size", "1.5", "whole number"),
        ("size", "ten", "whole number"),
        ("size", "9" * 30, "less than or equal to"),
        ("count", "0", "greater than or equal to 1"),
        ("count", "101", "less than or equal to 100"),
        ("name", "x" * 256, "at most 255 characters"),
        ("name", "x" * 254, "at most 253 characters"),
        ("description", "x" * 256, "at most 255 characters"),
        ("metadata", "tier", "Line 1 has no “=”"),
        ("metadata", "a=1\nwhat ever=2", "Line 2: a key is made of"),
        ("metadata", "a=1\na=2", "Line 2: the key a is there twice"),
        ("metadata", "a=" + "x" * 256, "at most 255 characters"),
        ("metadata", "\n".join(f"k{n}=1" for n in range(65)), "At most 64 pairs"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_the_input_stays(
    member: Client, field: str, value: str, said: str
) -> None:
    found = refused(member, **{field: value})
    assert set(found) == {field}
    assert said in found[field]


def test_an_error_in_the_folded_part_unfolds_it(member: Client) -> None:
    tree = page(member.post(URL, {**TYPED, "metadata": "tier"}))
    assert "open" in tree.one("textarea", name="metadata").up("details").attrs


def test_a_pool_that_is_not_there_is_no_choice(member: Client) -> None:
    assert set(refused(member, pool="00000000-0000-4000-8000-000000000000")) == {"pool"}


class TestZone:
    @pytest.fixture(autouse=True)
    def _two_zones(self, node: Node) -> None:
        node.set(zone="east")
        PoolFactory(node__name="far", node__zone="west", vg_name="vg")
        PoolFactory(node__name="away", node__zone="west", vg_name="vg")

    def test_is_any_or_one_of_those_nodes_are_in(self, member: Client) -> None:
        options = page(member.get(URL)).one("select", name="zone").all("option")
        assert [(option["value"], option.text) for option in options] == [
            ("", "Any"),
            ("east", "east"),
            ("west", "west"),
        ]

    def test_is_remembered(self, member: Client) -> None:
        assert member.post(URL, {"size": "1", "zone": "west"}).status_code == 302
        assert Operation.objects.get().args["zone"] == "west"

    def test_that_no_node_is_in_is_no_choice(self, member: Client) -> None:
        assert set(errors(page(member.post(URL, {**TYPED, "zone": "moon"})))) == {"zone"}
        assert not Volume.objects.exists()

    def test_that_contradicts_the_pool_says_so_at_its_field(self, member: Client, thick: Pool) -> None:
        found = refused(member, pool=thick.pk, zone="west")
        assert found == {"zone": "node / slow is not in zone west. Leave out one of the two."}


class TestQuota:
    def test_beyond_it_the_largest_size_is_named(self, member: Client, alpha: Project, volume: Volume) -> None:
        alpha.set(quota_gib=5)
        assert refused(member, size="5", count="1") == {"size": "The quota has 4 GiB left, so at most 4 GiB."}
        assert refused(member, size="3", count="2") == {
            "size": "The quota has 4 GiB left: at most 2 GiB for each of 2 volumes."
        }

    def test_beyond_the_number_of_volumes_it_says_how_many_are_left(self, member: Client, alpha: Project) -> None:
        alpha.set(quota_volumes=1)
        assert "room for 1 more volume, not 2" in refused(member)["size"]

    def test_used_up_it_is_said_before_anything_is_typed(self, member: Client, alpha: Project, volume: Volume) -> None:
        alpha.set(quota_volumes=1)
        tree = page(member.get(URL))
        button = tree.one("form", action=URL).one("button", type="submit")
        assert button["aria-disabled"] == "true"
        assert tree.one(id=button["aria-describedby"]).text == "The quota of 1 volume is used up."
        assert "used up" in page(member.post(URL, {"size": 1})).text
        assert Volume.objects.count() == 1

    def test_used_up_the_list_says_so_where_its_button_was(
        self, member: Client, alpha: Project, volume: Volume
    ) -> None:
        alpha.set(quota_gib=1)
        tree = page(member.get(reverse("volumes")))
        off = tree.one("span", role="link", aria_disabled="true", class_="btn")
        assert off["tabindex"] == "0"
        assert tree.one(id=off["aria-describedby"]).text == "The quota of 1 GiB is used up."
        assert not tree.has("a", href=URL)

    def test_without_a_limit_there_is_no_bar(self, member: Client, alpha: Project) -> None:
        alpha.set(quota_gib=-1, quota_volumes=-1)
        preview = page(member.get(URL)).one("section", class_="h-preview")
        assert "no limit" in preview.text
        assert not preview.has("svg", role="img")


class TestRoom:
    """The preview: what is used, what fits."""

    def test_the_bars_carry_what_a_script_needs(self, member: Client, alpha: Project, volume: Volume) -> None:
        tree = page(member.get(URL))
        gib, count = tree.one(data_bar="gib"), tree.one(data_bar="count")
        assert (gib["data-used"], gib["data-limit"]) == ("1", "1000")
        assert (count["data-used"], count["data-limit"]) == ("1", "10")
        assert tree.one(data_largest=True)["data-largest"] == "100"

    def test_pools_that_set_the_limit_are_named_as_such(self, member: Client) -> None:
        assert "The pools set that limit" in page(member.get(URL)).text
        assert "at most 100 GiB" in refused(member, size="101")["size"]

    def test_a_named_pool_without_room_says_so_at_its_field(self, member: Client) -> None:
        small = PoolFactory(node__name="n", vg_name="small", size_bytes=2 * GIB)
        assert refused(member, pool=small.pk)["pool"] == "n / small: only 2 GiB of room."

    def test_where_no_pool_takes_anything_every_reason_is_given(self, member: Client, thick: Pool, node: Node) -> None:
        node.set(enabled=False, disabled_reason="moving house")
        tree = page(member.get(URL))
        assert "No pool takes new volumes now." in tree.text
        assert "moving house" in tree.text
        assert "moving house" in refused(member)["size"]


def test_it_goes_into_the_project_one_is_in(administrator: Client, admin: User, alpha: Project) -> None:
    beta = ProjectFactory(name="beta")
    VolumeFactory(project=alpha)
    administrator.post(reverse("project-switch"), {"project": beta.pk})
    assert "In project beta" in page(administrator.get(URL)).text
    administrator.post(URL, {"name": "ours", "size": 1})
    assert Volume.objects.get(name="ours").project == beta
