"""Changing LVM. Every command can run unattended: none of them ever asks a question.

Sizes are bytes and must be multiples of the group's extent size; LVM rounds up otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence

from .report import TAG


def own_tags(ident: str) -> list[str]:
    """The two tags that make an LV ours."""
    return [TAG, f"{TAG}.id={ident}"]


def create_thick(vg: str, name: str, size_bytes: int, *, tags: Sequence[str]) -> list[str]:
    """Allocate a linear LV. Its first 4 KiB and old signatures are cleared; the rest is what was there before."""
    return [
        "lvcreate", "--yes", "--type", "linear", "--wipesignatures", "y", "--zero", "y",
        "--name", name, "--size", f"{size_bytes}b", *_add_tags(tags), vg,
    ]  # fmt: skip


def create_thin(vg: str, pool: str, name: str, size_bytes: int, *, tags: Sequence[str]) -> list[str]:
    """Promise `size_bytes` from a thin pool. Unwritten blocks read as zeroes, so there is nothing to clear."""
    return [
        "lvcreate", "--yes", "--type", "thin", "--thinpool", pool,
        "--name", name, "--virtualsize", f"{size_bytes}b", *_add_tags(tags), vg,
    ]  # fmt: skip


def take_all(vg: str, name: str, *, tags: Sequence[str]) -> list[str]:
    """Put every free extent of the group into one LV, in as many pieces as it takes. Fails when none is free."""
    return [
        "lvcreate", "--yes", "--type", "linear", "--wipesignatures", "y", "--zero", "y", "--alloc", "normal",
        "--name", name, "--extents", "100%FREE", *_add_tags(tags), vg,
    ]  # fmt: skip


def create_thin_pool(vg: str, name: str, size_bytes: int, *, tags: Sequence[str]) -> list[str]:
    """A thin pool that zeroes every block before it hands it out. LVM chooses chunk size and metadata, which come on top."""
    return [
        "lvcreate", "--yes", "--type", "thin-pool", "--zero", "y",
        "--name", name, "--size", f"{size_bytes}b", *_add_tags(tags), vg,
    ]  # fmt: skip


def remove_thin_pool(vg: str, name: str, *, ident: str) -> list[str]:
    """As `remove`, and only while no volume is in it: LVM would remove them with it."""
    return ["lvremove", "--yes", "--select", f"{_ours(ident)} && thin_count=0", f"{vg}/{name}"]


def extend_metadata(vg: str, thin_pool: str, size_bytes: int) -> list[str]:
    """Grow a thin pool's metadata to `size_bytes`, and its spare with it where there is room."""
    return ["lvextend", "--yes", "--poolmetadatasize", f"{size_bytes}b", f"{vg}/{thin_pool}"]


def rename(vg: str, name: str, to: str) -> list[str]:
    """Give an LV another name, in use or not. Fails when that one is taken."""
    return ["lvrename", "--yes", vg, name, to]


def snapshot_thick(vg: str, origin: str, name: str, cow_bytes: int, *, tags: Sequence[str]) -> list[str]:
    """Freeze an LV's content of this moment. What is overwritten later goes to `cow_bytes` of space of its own.

    LVM cuts `cow_bytes` down to what the origin could ever fill. When that space is full the snapshot is lost.
    """
    return [
        "lvcreate", "--yes", "--snapshot", "--permission", "r", "--name", name, "--size", f"{cow_bytes}b",
        *_add_tags(tags), f"{vg}/{origin}",
    ]  # fmt: skip


def snapshot_thin(vg: str, origin: str, name: str, *, tags: Sequence[str], writable: bool = False) -> list[str]:
    """Share a thin LV's blocks under another name. LVM would leave it inactive and skip it when activating: not here."""
    return [
        "lvcreate", "--yes", "--snapshot", "--setactivationskip", "n", *([] if writable else ["--permission", "r"]),
        "--name", name, *_add_tags(tags), f"{vg}/{origin}",
    ]  # fmt: skip


def extend(vg: str, name: str, size_bytes: int, extents: Sequence[str] = ()) -> list[str]:
    """Grow an LV to `size_bytes`, on these `extents` where some are named. The new part is not cleared.

    Fails, changing nothing, when it has that size already, or the extents do not suffice.
    """
    return ["lvextend", "--yes", "--size", f"{size_bytes}b", f"{vg}/{name}", *extents]


def split_snapshot(vg: str, name: str) -> list[str]:
    """Part a thick snapshot from its origin: what is left is a plain LV with the copy-on-write space, to be wiped.

    It is as writable as the snapshot was: see `writable`.
    """
    return ["lvconvert", "--yes", "--splitsnapshot", f"{vg}/{name}"]


def writable(vg: str, name: str) -> list[str]:
    """Let an LV be written that was made read-only."""
    return ["lvchange", "--yes", "--permission", "rw", f"{vg}/{name}"]


def merge_snapshot(vg: str, name: str) -> list[str]:
    """Give the origin the snapshot's content back, and the snapshot up.

    Thin: at once. Thick: it begins when the origin is next activated (so keep that inactive until now: LVM does not refuse an
    open one, it puts the merge off), goes on in the background, and again after a power loss.
    """
    return ["lvconvert", "--yes", "--merge", "--background", f"{vg}/{name}"]


def remove(vg: str, name: str, *, ident: str) -> list[str]:
    """Remove the LV if it is ours and has no thick snapshots, which LVM would silently remove with it.

    LVM checks that itself under its lock. What does not match is left alone without a word and with exit code 0, so
    read back afterwards.
    """
    return ["lvremove", "--yes", "--select", f"{_ours(ident)} && lv_role!={{thickorigin}}", f"{vg}/{name}"]


def activate(vg: str, name: str) -> list[str]:
    return ["lvchange", "--yes", "--activate", "y", f"{vg}/{name}"]


def deactivate(vg: str, name: str, *, ident: str = "", tag: str = "") -> list[str]:
    """Fails while anything has it open: LVM's own proof that nothing uses it.

    With `ident` it does nothing to an LV that is not ours. `tag` is added by the same command, in half the time of two;
    LVM adds it first, so a busy LV has it afterwards, and warns on stderr that it does not advise this.
    """
    guard = ["--select", _ours(ident)] if ident else []
    return ["lvchange", "--yes", "--activate", "n", *_add_tags([tag] if tag else []), *guard, f"{vg}/{name}"]


def add_tag(vg: str, name: str, *tags: str) -> list[str]:
    return ["lvchange", "--yes", *_add_tags(tags), f"{vg}/{name}"]


def remove_tag(vg: str, name: str, *tags: str) -> list[str]:
    words = [word for tag in tags for word in ("--deltag", tag)]
    return ["lvchange", "--yes", *words, f"{vg}/{name}"]


def _add_tags(tags: Sequence[str]) -> list[str]:
    return [word for tag in tags for word in ("--addtag", tag)]


def _ours(ident: str) -> str:
    return f'tags={{"{TAG}" && "{TAG}.id={ident}"}}'
