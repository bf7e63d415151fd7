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
