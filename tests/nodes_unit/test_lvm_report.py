"""What LVM reports, to dataclasses. The text is a real node's."""

from __future__ import annotations

import json
import shlex

from volumes.nodes.lvm import report

LV_ROW = {
    "vg_name": "fast",
    "lv_name": "t1",
    "lv_uuid": "nSFoPi-1jv7-ujck-RVcJ-G4yw-Anv3-UZh7nc",
    "lv_path": "/dev/fast/t1",
    "lv_size": "1073741824",
    "lv_tags": "hearth,hearth.id=x",
    "lv_attr": "Vwi-a-tz--",
    "lv_active": "active",
    "lv_device_open": "",
    "lv_kernel_major": "253",
    "lv_kernel_minor": "4",
    "origin": "",
    "pool_lv": "thin",
    "data_percent": "29.30",
    "metadata_percent": "",
    "snap_percent": "0.00",
    "lv_snapshot_invalid": "unknown",
    "lv_health_status": "",
    "lv_metadata_size": "",
}
LV_SEGMENT = {
    "lv_uuid": LV_ROW["lv_uuid"],
    "segtype": "thin",
    "chunk_size": "0",
    "zero": "zero",
    "discards": "passdown",
}
POOL_ROW = LV_ROW | {
    "lv_name": "thin",
    "lv_uuid": "0AucGc-L50i-ZThW-NqCl-mU8T-nL3t-D7fWxH",
    "lv_path": "",
    "lv_size": "7516192768",
    "lv_tags": "",
    "lv_attr": "twi-aotz--",
    "lv_device_open": "open",
    "lv_kernel_minor": "2",
    "pool_lv": "",
    "data_percent": "4.19",
    "metadata_percent": "10.23",
    "lv_metadata_size": "67108864",
}
POOL_SEGMENT = {
    "lv_uuid": POOL_ROW["lv_uuid"],
    "segtype": "thin-pool",
    "chunk_size": "65536",
    "zero": "zero",
    "discards": "passdown",
}
VG_ROW = {
    "vg_name": "fast",
    "vg_uuid": "csgC5O-Kqd1-y3QA-PepS-rYc4-gcRO-c6n6IC",
    "vg_size": "8589934592",
    "vg_free": "939524096",
    "vg_extent_size": "4194304",
    "vg_missing_pv_count": "0",
    "vg_attr": "wz--n-",
    "vg_tags": "",
}
PV_ROW = {
    "pv_name": "/dev/vdb",
    "pv_uuid": "l9luTR-XxNB-Wrnn-DYB1-eZ2p-VREc-1q5VHp",
    "pv_size": "8589934592",
    "pv_free": "939524096",
    "pv_missing": "",
    "pv_allocatable": "allocatable",
}


def full(**change: list[dict[str, str]]) -> report.Report:
    part = {"vg": [VG_ROW], "pv": [PV_ROW], "lv": [LV_ROW, POOL_ROW], "pvseg": [], "seg": [LV_SEGMENT, POOL_SEGMENT]}
    return report.parse_report(json.dumps({"report": [part | change]}))


def test_the_full_report_asks_for_everything_at_once() -> None:
    words = report.full_report()

    assert shlex.join(words[:7]) == "lvm fullreport --reportformat json --units b --nosuffix"
    assert [words[i + 1] for i, word in enumerate(words) if word == "--configreport"] == [
        "vg",
        "pv",
        "lv",
        "pvseg",
        "seg",
    ]


def test_one_lv() -> None:
    words = report.one_lv("vg", "lv")

    assert words[:6] == ["lvs", "--reportformat", "json", "--units", "b", "--nosuffix"]
    assert words[-1] == "vg/lv"


def test_finding_an_lv_is_a_selection() -> None:
    assert report.find_lv("vg", "volume-1")[-3:] == ["--select", 'lv_name="volume-1"', "vg"]


def test_a_node_in_full() -> None:
    found = full()

    vg = found.vg("fast")
    assert vg is not None
    assert (vg.size_bytes, vg.free_bytes, vg.extent_size_bytes, vg.missing_pvs) == (8 * 1024**3, 939524096, 4194304, 0)
    (pv,) = found.pvs
    assert (pv.name, pv.vg, pv.missing, pv.allocatable) == ("/dev/vdb", "fast", False, True)
    (pool,) = found.thin_pools
    assert (pool.name, pool.data_percent, pool.metadata_percent, pool.zero) == ("thin", 4.19, 10.23, True)
    assert (pool.chunk_size_bytes, pool.metadata_size_bytes) == (65536, 67108864)


def test_a_thin_volume() -> None:
    lv = full().lv("fast", "t1")

    assert lv is not None
    assert lv.hearth_id == "x"
    assert lv.is_thin
    assert not lv.is_thin_pool
    assert (lv.pool, lv.data_percent, lv.metadata_percent) == ("thin", 29.3, None)
    assert (lv.active, lv.open, lv.major, lv.minor) == (True, False, 253, 4)


def test_an_inactive_lv_has_no_device() -> None:
    lv = full(lv=[LV_ROW | {"lv_active": "", "lv_kernel_major": "-1", "lv_kernel_minor": "-1"}]).lv("fast", "t1")

    assert lv is not None
    assert (lv.active, lv.major, lv.minor) == (False, None, None)


def test_what_lacks_a_tag_is_not_ours() -> None:
    for tags in ("", "hearth", "hearth.id=x", "hearth,hearth.id=x,hearth.id=y"):
        lv = full(lv=[LV_ROW | {"lv_tags": tags}]).lv("fast", "t1")
        assert lv is not None
        assert lv.hearth_id is None


def test_an_lv_of_several_segments_is_one_lv() -> None:
    again = LV_SEGMENT | {"segtype": "striped"}
    found = full(lv=[LV_ROW], seg=[LV_SEGMENT, again])

    assert [lv.segtype for lv in found.lvs] == ["thin"]
    text = json.dumps({"report": [{"lv": [LV_ROW | LV_SEGMENT, LV_ROW | again]}]})
    assert [lv.segtype for lv in report.parse_report(text).lvs] == ["thin"]


def test_origins_and_snapshots_are_told_by_their_attributes() -> None:
    origin = full(lv=[LV_ROW | {"lv_attr": "owi-a-s---"}]).lvs[0]
    snapshot = full(
        lv=[LV_ROW | {"lv_attr": "swi-I-s---", "lv_snapshot_invalid": "snapshot invalid", "origin": "m1"}]
    ).lvs[0]

    assert origin.is_origin
    assert snapshot.is_thick_snapshot
    assert snapshot.snapshot_invalid
    assert not origin.snapshot_invalid


def test_nothing_there_is_an_answer() -> None:
    assert report.parse_lv('{"report": [{"lv": []}]}') is None
    assert report.parse_report('{"report": []}') == report.Report((), (), ())


def test_the_version() -> None:
    text = "  LVM version:     2.03.16(2) (2022-05-18)\n  Library version: 1.02.185 (2022-05-18)\n"

    assert report.parse_version(text) == "2.03.16"
    assert report.parse_version("") == ""
