"""The picture of a volume group: who sits where on its disks, in bands, with every piece in a table behind it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from volumes.models import Pool, Snapshot, Volume
from volumes.nodes.lvm.extents import MANY, Drawn, coarser, owner
from volumes.templatetags.amounts import gib_number, number

ROW_PX = 25
MOST_ROWS = 5
LEAST_SHARE = 0.002
"""Of a row: what is narrower is drawn together with its neighbours."""
LETTER_SHARE, MARGIN_SHARE = 0.0062, 0.016
HUES = 8


@dataclass(frozen=True)
class Owner:
    """Who has a piece: its name, what it is, its colour, and where more is told of it."""

    name: str
    what: str
    css: str
    pattern: str = ""
    href: str = ""


@dataclass(frozen=True)
class Box:
    """A piece, or the part of it that lies in one row. Widths are percentages of the row."""

    x: str
    y: int
    width: str
    owner: Owner
    said: str
    label: str
    first: bool


@dataclass(frozen=True)
class Line:
    """A piece in the table behind the picture."""

    pv: str
    first: int
    last: int
    size_bytes: int
    owner: Owner


@dataclass(frozen=True)
class Band:
    """One disk."""

    pv: str
    missing: bool
    size_bytes: int
    free_bytes: int
    pieces: int
    height: int
    boxes: list[Box] = field(default_factory=list)

    @property
    def said(self) -> str:
        """Its numbers, for whoever does not see the picture."""
        words = {
            "pv": self.pv,
            "size": gib_number(self.size_bytes),
            "free": gib_number(self.free_bytes),
            "n": self.pieces,
        }
        return _("Extents of %(pv)s: %(size)s GiB, %(free)s free, in %(n)d pieces") % words


@dataclass(frozen=True)
class Picture:
    """All disks of the group, and what the legend explains."""

    bands: list[Band]
    lines: list[Line]
    owners: dict[str, Owner]

    @property
    def legend(self) -> list[tuple[str, str, str]]:
        """Colour, pattern and words of each kind that occurs."""
        words = {
            "volume": _("volume, one hue each"),
            "snapshot": _("snapshot, in its volume's hue"),
            "data": _("thin pool: data"),
            "metadata": _("thin pool: metadata"),
            "work": _("held by an operation under way"),
            "foreign": _("not Hearth's, never changed"),
            "many": _("several small pieces"),
            "free": _("free"),
        }
        found: dict[str, Owner] = {}
        for line in self.lines:
            found.setdefault(_kind(line.owner), line.owner)
        return [(found[kind].css, found[kind].pattern, said) for kind, said in words.items() if kind in found]


def _kind(owner: Owner) -> str:
    if owner.css in {"free", "foreign", "many", "work"}:
        return owner.css
    return {"hatched": "snapshot", "dotted": "metadata", "": "volume", "plain": "data"}[owner.pattern]


def picture(pool: Pool, listed: Collection[str]) -> Picture | None:
    """From the pool's facts; None before they were read. `listed` are the LVs that have a row on this page."""
    disks: list[dict[str, Any]] = pool.facts.get("map") or []
    if not disks:
        return None
    extent, longest = pool.extent_size_bytes, max(_length(disk) for disk in disks)
    per_row = -(-longest // _rows(disks)) or 1
    who = _Owners(pool, listed)
    bands, lines = [], []
    for disk in disks:
        pieces = coarser((Drawn(*piece) for piece in disk["pieces"]), max(1, int(per_row * LEAST_SHARE)))
        rows = -(-_length(disk) // per_row)
        size, free = _length(disk) * extent, disk["free"] * extent
        band = Band(disk["pv"], disk["missing"], size, free, len(pieces), rows * ROW_PX)
        for piece in pieces:
            line = Line(band.pv, piece.start, piece.start + piece.length - 1, piece.length * extent, who.of(piece))
            lines.append(line)
            band.boxes.extend(_boxes(line, piece, per_row))
        bands.append(band)
    return Picture(bands, lines, who.found)


def _length(disk: dict[str, Any]) -> int:
    return sum(piece[1] for piece in disk["pieces"])


def _rows(disks: list[dict[str, Any]]) -> int:
    """How many rows the longest disk gets: more for more pieces, fewer for more disks."""
    most = max(1, MOST_ROWS - (len(disks) - 1) // 2)
    return min(most, 1 + max(len(disk["pieces"]) for disk in disks) // 3)


def _boxes(line: Line, piece: Drawn, per_row: int) -> Iterator[Box]:
    start, left, first = piece.start, piece.length, True
    said = _("%(name)s: %(what)s, %(size)s GiB; extents %(first)s to %(last)s of %(pv)s") % {
        "name": line.owner.name,
        "what": line.owner.what,
        "size": gib_number(line.size_bytes),
        "first": number(line.first),
        "last": number(line.last),
        "pv": line.pv,
    }
    name = line.owner.name if line.owner.css != "free" else f"{line.owner.name}, {gib_number(line.size_bytes)} GiB"
    while left > 0:
        row, at = divmod(start, per_row)
        part = min(left, per_row - at)
        share = part / per_row
        label = next((text for text in (name, line.owner.name) if len(text) * LETTER_SHARE + MARGIN_SHARE < share), "")
        yield Box(_percent(at / per_row), row * ROW_PX, _percent(share), line.owner, said, label, first)
        start, left, first = start + part, left - part, False


def _percent(share: float) -> str:
    return f"{100 * share:.3f}%"


class _Owners:
    """Names and colours: a volume's snapshots have its hue, a thin pool's parts have one."""

    def __init__(self, pool: Pool, listed: Collection[str]) -> None:
        self.listed = listed
        group = {"pool__node": pool.node_id, "pool__vg_name": pool.vg_name}
        self.volumes = {volume.lv_name: volume for volume in Volume.objects.filter(**group, pool__thin_pool_name="")}
        snapshots = Snapshot.objects.filter(volume__in=self.volumes.values()).select_related("volume")
        self.snapshots = {snapshot.lv_name: snapshot for snapshot in snapshots}
        thin = Pool.objects.filter(node=pool.node_id, vg_name=pool.vg_name).exclude(thin_pool_name="")
        self.pools = dict(thin.values_list("thin_pool_name", "pk"))
        self.hues: dict[str, str] = {}
        self.found: dict[str, Owner] = {}

    def of(self, piece: Drawn) -> Owner:
        """Who has this piece."""
        if not piece.lv:
            return Owner(_("free"), _("free"), "free")
        if piece.lv == MANY:
            words = ngettext("%(n)d small piece", "%(n)d small pieces", piece.count) % {"n": piece.count}
            return Owner(words, _("of several LVs, free ones among them perhaps"), "many")
        found = self._of_lv(piece.lv)
        if not found.href and piece.lv in self.listed:
            found = replace(found, href=f"#lv-{piece.lv}")
        whole, part = owner(piece.lv)
        if part in {"", "data"}:
            self.found[whole] = found
        return found

    def _of_lv(self, lv: str) -> Owner:
        if lv in self.volumes:
            return Owner(str(self.volumes[lv]), _("volume"), self._hue(lv))
        if lv in self.snapshots:
            snapshot = self.snapshots[lv]
            what = _("snapshot of %(volume)s") % {"volume": snapshot.volume}
            return Owner(str(snapshot), what, self._hue(snapshot.volume.lv_name), "hatched")
        whole, part = owner(lv)
        if part == "spare":
            return Owner(_("spare"), _("kept by LVM for the repair of thin metadata"), "c1", "dotted")
        if part:
            return self._part(whole, part)
        if lv.startswith(("scrub-", "grow-", "clone-")):
            word = _("free space being scrubbed") if lv.startswith("scrub-") else _("room made ready")
            return Owner(word, _("held by an operation"), "work")
        return Owner(lv, _("not Hearth's"), "foreign")

    def _part(self, whole: str, part: str) -> Owner:
        """A thin pool's data or metadata, or a piece of an LV that LVM puts together from several."""
        if part not in {"data", "metadata"}:
            return Owner(f"{whole} {part}", _("part of %(lv)s, not Hearth's") % {"lv": whole}, "foreign")
        words = {"data": _("%(lv)s data"), "metadata": _("%(lv)s metadata")}
        pk = self.pools.get(whole)
        href = f"#lv-{whole}" if whole in self.listed else reverse("pool", args=[pk]) if pk else ""
        pattern = "dotted" if part == "metadata" else "plain"
        return Owner(words[part] % {"lv": whole}, _("thin pool"), self._hue(whole), pattern, href)

    def _hue(self, lv: str) -> str:
        return self.hues.setdefault(lv, f"c{len(self.hues) % HUES + 1}")
