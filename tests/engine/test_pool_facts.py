"""From what a node says of a volume group to the figures and the map of its pools."""

from __future__ import annotations

import pytest
from django.utils import timezone

from tests.factories import OperationFactory
from tests.nodes_unit.test_lvm_extents import of, row
from tests.nodes_unit.test_lvm_report import LV_ROW, full
from volumes.engine import facts
from volumes.models import Pool

pytestmark = pytest.mark.django_db
FREE = 939524096


@pytest.fixture
def group(thick: Pool) -> Pool:
    thick.set(vg_name="fast")
    return thick


def test_the_map_is_short_and_the_same_for_the_group_and_its_thin_pool(group: Pool, thin: Pool) -> None:
    report = of(row(0, 16, "[lvol0_pmspare]"), row(16, 1792, "[thin_tdata]"), row(1808, 240))
    facts.store_report(group, report, timezone.now())
    assert group.facts["map"] == [
        {
            "pv": "/dev/vdb",
            "missing": False,
            "free": 240,
            "pieces": [[0, 16, "lvol0_pmspare", 1], [16, 1792, "thin_tdata", 1], [1808, 240, "", 1]],
        }
    ]
    facts.store_report(thin, full(), timezone.now())
    assert thin.facts["map"][0]["pv"] == "/dev/vdb"
    assert (thin.facts["vg_free_bytes"], thin.facts["metadata_bytes"]) == (FREE, 67108864)


def test_space_that_a_scrub_holds_is_free_space_while_it_is_under_way(group: Pool) -> None:
    tags = f"hearth,hearth.id={group.pk}"
    scrub = {**LV_ROW, "lv_name": group.scrub_lv_name, "lv_tags": tags, "lv_size": str(2**30), "pool_lv": ""}
    report = full(lv=[scrub])
    facts.store_report(group, report, timezone.now())
    assert group.free_bytes == FREE, "one that was left behind holds it still"
    OperationFactory(verb="scrub_pool", target_kind="pool", target_id=group.pk, project=None)
    facts.store_report(group, report, timezone.now())
    assert group.free_bytes == FREE + 2**30
    assert group.facts["vg_free_bytes"] == FREE


def test_what_decides_whether_an_lv_may_be_adopted_is_kept(group: Pool) -> None:
    facts.store_report(group, full(lv=[{**LV_ROW, "pool_lv": "", "lv_tags": ""}]), timezone.now())
    (entry,) = group.facts["lvs"]
    assert {key: entry[key] for key in ("attr", "open", "active", "origin", "hearth_id", "uuid")} == {
        "attr": "Vwi-a-tz--",
        "open": False,
        "active": True,
        "origin": "",
        "hearth_id": None,
        "uuid": LV_ROW["lv_uuid"],
    }
