"""The commands that change LVM, word for word."""

from __future__ import annotations

import shlex

from volumes.nodes.lvm import change

IDENT = "6f1f4f0e-2d4c-4b58-9f5e-0a7a3d1f0c11"
NAME = f"volume-{IDENT}"
TAGS = change.own_tags(IDENT)


def test_create_thick() -> None:
    assert shlex.join(change.create_thick("stack-volumes", NAME, 1024**3, tags=TAGS)) == (
        "lvcreate --yes --type linear --wipesignatures y --zero y "
        f"--name {NAME} --size 1073741824b --addtag hearth --addtag hearth.id={IDENT} stack-volumes"
    )


def test_create_thin() -> None:
    assert shlex.join(change.create_thin("fast", "thin", NAME, 1024**3, tags=TAGS)) == (
        "lvcreate --yes --type thin --thinpool thin "
        f"--name {NAME} --virtualsize 1073741824b --addtag hearth --addtag hearth.id={IDENT} fast"
    )


def test_remove_is_guarded_by_the_tags_and_spares_origins() -> None:
    assert change.remove("vg", NAME, ident=IDENT) == [
        "lvremove",
        "--yes",
        "--select",
        f'tags={{"hearth" && "hearth.id={IDENT}"}} && lv_role!={{thickorigin}}',
        f"vg/{NAME}",
    ]


def test_activate_and_deactivate() -> None:
    assert shlex.join(change.activate("vg", NAME)) == f"lvchange --yes --activate y vg/{NAME}"
    assert shlex.join(change.deactivate("vg", NAME)) == f"lvchange --yes --activate n vg/{NAME}"


def test_deactivate_guarded_and_marking_at_once() -> None:
    assert change.deactivate("vg", NAME, ident=IDENT, tag="hearth.deleting") == [
        *("lvchange", "--yes", "--activate", "n", "--addtag", "hearth.deleting"),
        *("--select", f'tags={{"hearth" && "hearth.id={IDENT}"}}', f"vg/{NAME}"),
    ]


def test_tags() -> None:
    assert shlex.join(change.add_tag("vg", NAME, "a", "b")) == f"lvchange --yes --addtag a --addtag b vg/{NAME}"
    assert shlex.join(change.remove_tag("vg", NAME, "a")) == f"lvchange --yes --deltag a vg/{NAME}"


def test_a_thick_snapshot_is_read_only_and_has_its_own_space() -> None:
    assert " ".join(change.snapshot_thick("vg", "volume-1", "snap-2", 1024, tags=["hearth", "hearth.id=2"])) == (
        "lvcreate --yes --snapshot --permission r --name snap-2 --size 1024b --addtag hearth --addtag hearth.id=2 vg/volume-1"
    )


def test_a_thin_snapshot_is_active_like_any_other_volume() -> None:
    assert " ".join(change.snapshot_thin("vg", "volume-1", "snap-2", tags=[])) == (
        "lvcreate --yes --snapshot --setactivationskip n --permission r --name snap-2 vg/volume-1"
    )
    assert "--permission" not in change.snapshot_thin("vg", "volume-1", "volume-2", tags=[], writable=True)


def test_growing_can_name_the_extents() -> None:
    assert change.extend("vg", "lv", 2048, ["/dev/vdb:0-9"])[-2:] == ["vg/lv", "/dev/vdb:0-9"]
