"""What keeps a volume open, in words."""

from __future__ import annotations

from volumes.nodes.holders import parse_holders, who_holds


def test_everything_that_was_found_is_named() -> None:
    found = parse_holders(
        "mount /srv\nmount /srv\nmount /mnt/a\\040b\nholder fast-cache\nexport lio-x\nswap\nprocess 812 qemu-system-x86\n"
    )

    assert found.mounts == ("/srv", "/mnt/a b")
    assert found.sentence == (
        "mounted on /srv, /mnt/a b; used by the device fast-cache; exported as lio-x; used as swap space; "
        "opened by qemu-system-x86 (812)"
    )


def test_a_crowd_is_counted() -> None:
    text = "".join(f"process {pid} dd\n" for pid in range(1, 7))

    assert parse_holders(text).sentence == "opened by dd (1), dd (2), dd (3) and 3 more"


def test_nothing_found_says_nothing() -> None:
    assert parse_holders("").sentence == ""


def test_looking_changes_nothing() -> None:
    command = who_holds("vg", "lv")

    assert command.read_only
    assert command.argv[-1] == "/dev/vg/lv"
