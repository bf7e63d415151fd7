"""Who sits where in a volume group: the physical extents of its disks as a short list, however many segments there are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from .report import Piece, Report

MANY = "*"
"""Stands for the name of the LV where a piece is several small ones; no LV can be called so."""
_PARTS = {
    "tdata": "data",
    "tmeta": "metadata",
    "pmspare": "spare",
    "cdata": "cache",
    "cmeta": "cache metadata",
    "corig": "origin",
    "vdata": "data",
}
_HIDDEN = re.compile(r"(?P<lv>.+)_(?P<part>tdata|tmeta|pmspare|cdata|cmeta|corig|vdata|[rm]image_\d+|rmeta_\d+|mlog)")


@dataclass(frozen=True)
class Drawn:
    """Extents that follow each other and have the same owner: an LV, nobody (""), or `count` different ones (MANY)."""

    start: int
    length: int
    lv: str
    count: int = 1


@dataclass(frozen=True)
class Disk:
    """One physical volume, from its first extent to its last."""

    pv: str
    missing: bool
    free: int
    pieces: tuple[Drawn, ...]


def owner(lv: str) -> tuple[str, str]:
    """The LV a hidden one is a part of, and which part; the LV itself and "" where it is a whole one."""
    found = _HIDDEN.fullmatch(lv)
    return (found["lv"], _PARTS.get(found["part"], found["part"])) if found else (lv, "")


def disks(report: Report, vg: str, *, most: int = 400) -> tuple[Disk, ...]:
    """The group's disks in at most about `most` pieces: neighbours of one LV are one, and small ones are put together."""
    pvs = [pv for pv in report.pvs if pv.vg == vg]
    drawn = {pv.name: _joined(piece for piece in report.pieces if (piece.vg, piece.pv) == (vg, pv.name)) for pv in pvs}
    free = {name: sum(piece.length for piece in pieces if not piece.lv) for name, pieces in drawn.items()}
    least = 2
    while sum(map(len, drawn.values())) > most + len(drawn):
        drawn = {name: coarser(pieces, least) for name, pieces in drawn.items()}
        least *= 2
    return tuple(Disk(pv.name, pv.missing, free[pv.name], tuple(drawn[pv.name])) for pv in pvs)


def _joined(pieces: Iterable[Piece]) -> list[Drawn]:
    found: list[Drawn] = []
    for piece in sorted(pieces, key=lambda piece: piece.start):
        if found and found[-1].lv == piece.lv:
            found[-1] = replace(found[-1], length=found[-1].length + piece.length)
        else:
            found.append(Drawn(piece.start, piece.length, piece.lv))
    return found


def coarser(pieces: Iterable[Drawn], least: int) -> list[Drawn]:
    """Put together what is shorter than `least` extents and lies side by side."""
    found: list[Drawn] = []
    for piece in pieces:
        small = piece.length < least or piece.lv == MANY
        if found and small and (found[-1].length < least or found[-1].lv == MANY):
            last = found[-1]
            found[-1] = Drawn(last.start, last.length + piece.length, MANY, last.count + piece.count)
        else:
            found.append(piece)
    return found
