"""Who sits where in a volume group: what LVM says of its disks, in few pieces."""

from __future__ import annotations

import json

import pytest

from tests.nodes_unit.test_lvm_report import PV_ROW, VG_ROW
from volumes.nodes.lvm import change, report
from volumes.nodes.lvm.extents import MANY, Drawn, coarser, disks, owner


def row(start: int, length: int, lv: str = "", pv: str = "/dev/vdb") -> dict[str, str]:
    segtype = "linear" if lv else "free"
    return {"pv_name": pv, "pvseg_start": str(start), "pvseg_size": str(length), "lv_name": lv, "segtype": segtype}


def of(*pieces: dict[str, str], pvs: tuple[str, ...] = ("/dev/vdb",)) -> report.Report:
    part = {"vg": [VG_ROW], "pv": [PV_ROW | {"pv_name": name} for name in pvs], "pvseg": list(pieces)}
    return report.parse_report(json.dumps({"report": [part]}))


def test_free_extents_and_hidden_lvs_are_pieces_like_any_other() -> None:
    (disk,) = disks(of(row(16, 1792, "[thin_tdata]"), row(0, 16, "[lvol0_pmspare]"), row(1808, 240)), "fast")
    assert (disk.pv, disk.missing, disk.free) == ("/dev/vdb", False, 240)
    assert disk.pieces == (Drawn(0, 16, "lvol0_pmspare"), Drawn(16, 1792, "thin_tdata"), Drawn(1808, 240, ""))


def test_segments_of_one_lv_that_follow_each_other_are_one_piece() -> None:
    (disk,) = disks(of(row(0, 5, "a"), row(5, 5, "a"), row(10, 5, "b"), row(15, 5, "a")), "fast")
    assert disk.pieces == (Drawn(0, 10, "a"), Drawn(10, 5, "b"), Drawn(15, 5, "a"))


def test_each_disk_has_its_own() -> None:
    found = disks(of(row(0, 5, "a"), row(0, 7, "a", "/dev/vdc"), pvs=("/dev/vdb", "/dev/vdc")), "fast")
    assert [(disk.pv, disk.pieces) for disk in found] == [
        ("/dev/vdb", (Drawn(0, 5, "a"),)),
        ("/dev/vdc", (Drawn(0, 7, "a"),)),
    ]


def test_thousands_of_segments_become_a_few_hundred_pieces_and_no_extent_is_lost() -> None:
    rows, start = [], 0
    for number in range(6000):
        length = 1 + number % 7 if number % 50 else 500
        rows.append(row(start, length, f"lv{number % 900}" if number % 3 else ""))
        start += length
    (disk,) = disks(of(*rows), "fast")
    assert 100 < len(disk.pieces) <= 401
    assert sum(piece.length for piece in disk.pieces) == start
    assert sum(piece.count for piece in disk.pieces) <= 6000
    ends = [piece.start + piece.length for piece in disk.pieces]
    assert [piece.start for piece in disk.pieces] == [0, *ends[:-1]]
    assert disk.free == sum(int(each["pvseg_size"]) for each in rows if not each["lv_name"])


def test_small_neighbours_are_put_together_and_large_ones_stay_by_themselves() -> None:
    pieces = [Drawn(0, 100, "a"), Drawn(100, 1, "b"), Drawn(101, 1, ""), Drawn(102, 1, "c"), Drawn(103, 100, "d")]
    assert coarser(pieces, 5) == [Drawn(0, 100, "a"), Drawn(100, 3, MANY, 3), Drawn(103, 100, "d")]


@pytest.mark.parametrize(
    ("lv", "found"),
    [
        ("thin0_tdata", ("thin0", "data")),
        ("thin0_tmeta", ("thin0", "metadata")),
        ("lvol0_pmspare", ("lvol0", "spare")),
        ("root_rimage_1", ("root", "rimage_1")),
        ("volume-1", ("volume-1", "")),
        ("my_data", ("my_data", "")),
    ],
)
def test_parts_name_the_lv_they_belong_to(lv: str, found: tuple[str, str]) -> None:
    assert owner(lv) == found


def test_one_group_can_be_asked_for_alone() -> None:
    assert report.full_report("vg")[-1] == "vg"
    assert report.full_report("vg")[:-1] == report.full_report()


def test_an_lv_is_found_whatever_it_is_called_by_now() -> None:
    from tests.nodes_unit.test_lvm_report import LV_ROW, full

    lv = full().by_uuid(LV_ROW["lv_uuid"])
    assert lv is not None
    assert lv.name == "t1"
    assert full().by_uuid("nobody") is None


class TestCommands:
    def test_taking_all_that_is_free(self) -> None:
        words = change.take_all("vg", "scrub-1", tags=["hearth"])
        assert " ".join(words) == (
            "lvcreate --yes --type linear --wipesignatures y --zero y --alloc normal --name scrub-1 "
            "--extents 100%FREE --addtag hearth vg"
        )

    def test_a_thin_pool_zeroes_what_it_hands_out(self) -> None:
        words = change.create_thin_pool("vg", "thin", 2**30, tags=["hearth"])
        assert " ".join(words) == (
            "lvcreate --yes --type thin-pool --zero y --name thin --size 1073741824b --addtag hearth vg"
        )

    def test_a_thin_pool_is_removed_only_while_nothing_is_in_it(self) -> None:
        words = change.remove_thin_pool("vg", "thin", ident="x")
        assert words[2:] == ["--select", 'tags={"hearth" && "hearth.id=x"} && thin_count=0', "vg/thin"]

    def test_metadata_grows_to_a_size_and_not_by_one(self) -> None:
        assert change.extend_metadata("vg", "thin", 2**23)[2:] == ["--poolmetadatasize", "8388608b", "vg/thin"]

    def test_a_new_name(self) -> None:
        assert change.rename("vg", "a", "b") == ["lvrename", "--yes", "vg", "a", "b"]
