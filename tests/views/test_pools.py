"""Pages of pools: used and promised, every LV, and what an administrator sets there."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import VolumeFactory
from tests.views.html import page
from volumes.models import GIB, Node, Pool, Project, Volume


def lv(name: str, **fields: object) -> dict[str, object]:
    return {"name": name, "size_bytes": GIB, "segtype": "linear", "hearth_id": "", "open": False, **fields}


def test_a_thick_pool_shows_extents_bytes_and_who_sits_where(
    administrator: Client, thick: Pool, volume: Volume
) -> None:
    lost = "11111111-1111-4111-8111-111111111111"
    thick.set(
        facts={
            "lvs": [
                lv(volume.lv_name, hearth_id=str(volume.pk)),
                lv("swap", open=True),
                lv(f"volume-{lost}", hearth_id=lost),
            ]
        },
        free_bytes=60 * GIB,
    )
    tree = page(administrator.get(reverse("pool", args=[thick.pk])))
    for word in (
        "60 GiB free",
        "of 100 GiB",
        "25,600 of 4 MiB",
        "clean: all of it reads as zero",
        "zeroed, then read back",
        "1 is not Hearth's",
    ):
        assert word in tree.one("main").text, word
    rows = [line.text for line in tree.one("section", aria_labelledby="l-t").one("tbody").all("tr")]
    assert rows[0].startswith("swap not Hearth's, open 1 GiB")
    assert "Never changed by Hearth" in rows[0]
    assert "Has no row here" in rows[1]
    assert rows[2].startswith("data volume 1 GiB")


def test_a_volume_that_is_not_made_yet_is_listed_too(administrator: Client, thick: Pool, alpha: Project) -> None:
    VolumeFactory(project=alpha, pool=thick, name="coming", status="creating", allocated_at=None)
    text = page(administrator.get(reverse("pool", args=[thick.pk]))).one("section", aria_labelledby="l-t").text
    assert "coming volume, not made yet" in text


def test_a_thin_pool_shows_data_metadata_and_where_promises_stop(
    administrator: Client, thin: Pool, alpha: Project
) -> None:
    thin.set(data_percent=40.0, metadata_percent=10.0)
    VolumeFactory.create_batch(12, project=alpha, pool=thin, size_gib=10)
    tree = page(administrator.get(reverse("pool", args=[thin.pk])))
    text = tree.one("main").text
    for word in (
        "thin pool in fast",
        "Data 40 %",
        "Metadata 10 %",
        "120 GiB promised, 120 %.",
        "New promises stop at 150 %.",
        "30 GiB for a new volume",
    ):
        assert word in text, word
    labels = [picture["aria-label"] for picture in tree.one("main").all("svg", role="img")]
    assert "40 % used, 120 % promised" in labels


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, "Fine"),
        ({"free_bytes": 19 * GIB}, "81 % used"),
        ({"free_bytes": 4 * GIB}, "96 % used"),
        ({"present": False, "missing_reason": "No such volume group."}, "Not found"),
        ({"enabled": False, "disabled_reason": "being emptied"}, "Takes nothing new"),
    ],
)
def test_the_list_says_how_each_is(administrator: Client, thick: Pool, fields: dict[str, object], state: str) -> None:
    thick.set(**fields)
    row = page(administrator.get(reverse("pools"))).one("tbody").one("tr")
    assert row.all("td")[-1].text == state
    assert ("Takes no new volumes" in page(administrator.get(reverse("pool", args=[thick.pk]))).text) == (
        fields.keys() & {"present", "enabled"} != set()
    )


def test_a_pool_on_a_silent_node(administrator: Client, thick: Pool, node: Node) -> None:
    node.lost("Connection timed out.")
    assert page(administrator.get(reverse("pools"))).one("tbody").one("tr").all("td")[-1].text == "Node is silent"


def test_the_fullest_comes_first(administrator: Client, thick: Pool, thin: Pool) -> None:
    thin.set(data_percent=50.0)
    names = [row.one("th").text for row in page(administrator.get(reverse("pools"))).one("tbody").all("tr")]
    assert names == ["node / fast / thin", "node / slow"]


class TestSettings:
    def test_of_a_thick_pool(self, administrator: Client, thick: Pool) -> None:
        url = reverse("pool-edit", args=[thick.pk])
        tree = page(administrator.get(url))
        assert "“none” means that a deleted volume's bytes stay on the disk" in tree.text
        form = tree.one("form", action=url).values()
        del form["enabled"]
        administrator.post(url, {**form, "wipe_method": "none", "disabled_reason": "being emptied"})
        thick.refresh_from_db()
        assert (thick.wipe_method, thick.enabled, thick.disabled_reason) == ("none", False, "being emptied")
        assert (thick.free_space_is_clean, thick.over_subscription) == (True, 1.5)

    def test_of_a_thin_pool(self, administrator: Client, thin: Pool) -> None:
        url = reverse("pool-edit", args=[thin.pk])
        form = page(administrator.get(url)).one("form", action=url).values()
        administrator.post(url, {**form, "over_subscription": "2.5"})
        thin.refresh_from_db()
        assert (thin.over_subscription, thin.wipe_method, thin.enabled) == (2.5, "zero", True)

    @pytest.mark.parametrize(
        ("field", "value"), [("over_subscription", "0.5"), ("over_subscription", "x"), ("wipe_method", "shred")]
    )
    def test_that_make_no_sense_are_refused(self, administrator: Client, thin: Pool, field: str, value: str) -> None:
        url = reverse("pool-edit", args=[thin.pk])
        form = page(administrator.get(url)).one("form", action=url).values()
        assert administrator.post(url, {**form, field: value}).status_code == 200
        thin.refresh_from_db()
        assert (thin.over_subscription, thin.wipe_method) == (1.5, "zero")

    def test_saving_without_a_change_changes_nothing(self, administrator: Client, thick: Pool, thin: Pool) -> None:
        for pool in (thick, thin):
            url = reverse("pool-edit", args=[pool.pk])
            before = Pool.objects.filter(pk=pool.pk).values().get()
            administrator.post(url, page(administrator.get(url)).one("form", action=url).values())
            after = Pool.objects.filter(pk=pool.pk).values().get()
            assert {**before, "updated_at": None} == {**after, "updated_at": None}


def test_reading_now_asks_its_node(administrator: Client, thick: Pool) -> None:
    thick.set(facts_at=timezone.now())
    url = reverse("pool", args=[thick.pk])
    form = page(administrator.get(url)).one("form", action=reverse("node-test", args=[thick.node.pk]))
    assert administrator.post(form["action"], form.values())["Location"] == url
