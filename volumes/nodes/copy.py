"""Copying and digesting logical volumes: every byte, as units, with digests that have to agree.

The digest is MD5: it finds every accident at three times the speed of SHA-256 where processors have no help for that, and it
guards against nobody who could forge it, for both sides are computed by the node itself.
"""

from __future__ import annotations

import re

from . import units
from .commands import Command
from .errors import NodeError, gettext_noop
from .unit_state import UnitState
from .units import Limits

BLOCK_BYTES = 4 * 1024**2
_DIGEST = re.compile(r"^@(read|written|digest) ([0-9a-f]{32})$", re.MULTILINE)
_SAME = re.compile(r"^@verdict same$", re.MULTILINE)
_DIFFERENT = re.compile(r"^@verdict different$", re.MULTILINE)
_FAILED = re.compile(r"^@failed (.*)", re.MULTILINE)


def copy(
    unit: str, source: str, target: str, size_bytes: int, *, sparse: bool = False, cap_bytes_s: int | None = None
) -> list[Command]:
    """Copy `size_bytes` from the start of `source` to the start of `target`, as a unit with phases `copy` and `verify`.

    Nothing is skipped, so it is safe onto a device that holds something; with `sparse` runs of zeroes are, which is for
    fresh thin volumes alone. The source must not change meanwhile: give it a snapshot.
    """
    args = [source, target, str(size_bytes), str(BLOCK_BYTES), "sparse," if sparse else ""]
    return units.start(unit, units.script("copy"), args, Limits(target, cap_bytes_s))


def digest(
    unit: str, device: str, size_bytes: int, *, wanted: str = "", cap_bytes_s: int | None = None
) -> list[Command]:
    """Digest a device, as a unit with the phase `digest`; with `wanted`, it has to be that."""
    return units.start(unit, units.script("digest"), [device, str(size_bytes), wanted], Limits(device, cap_bytes_s))


def await_merge(unit: str, origin: str, bytes_total: int) -> list[Command]:
    """Wait, as a unit with the phase `merge`, until LVM has merged a snapshot into `origin` (`vg/lv`)."""
    return units.start(unit, units.script("merge"), [origin, str(bytes_total)])


def copied(state: UnitState) -> str:
    """The digest of a copy that ended well, read back and found the same. Raises CopyDiffers or CopyFailed."""
    found: dict[str, str] = dict(_DIGEST.findall(state.output_tail))
    proven = bool(_SAME.search(state.output_tail)) and found.get("read") == found.get("written") and "read" in found
    if _DIFFERENT.search(state.output_tail):
        raise CopyDiffers(wanted=found.get("read"), found=found.get("written"))
    if state.state != "succeeded" or not proven:
        raise CopyFailed(detail=_reason(state))
    return found["read"]


def digested(state: UnitState, *, wanted: str = "") -> str:
    """The digest of a device. Raises CopyDiffers where it is not the one `wanted`, CopyFailed where it could not be read."""
    digests: dict[str, str] = dict(_DIGEST.findall(state.output_tail))
    found = digests.get("digest", "")
    if found and wanted and found != wanted:
        raise CopyDiffers(wanted=wanted, found=found)
    if state.state != "succeeded" or not found:
        raise CopyFailed(detail=_reason(state))
    return found


def merged(state: UnitState) -> None:
    """Raises CopyFailed where the merge could not be followed to its end."""
    if state.state != "succeeded":
        raise CopyFailed(detail=_reason(state))


def _reason(state: UnitState) -> str:
    said = [line.strip() for line in state.output_tail.splitlines() if line.startswith(("dd: ", "tee: "))]
    if said:
        return said[-1].rstrip(".")
    failed = _FAILED.search(state.output_tail)
    return failed[1].rstrip(".") if failed else state.reason or f"its unit ended as {state.state}"


class CopyFailed(NodeError):
    """It broke off."""

    sentence = gettext_noop("The bytes could not be copied or read: %(detail)s.")
    way_out = gettext_noop("The source is as it was. Look at the log of the step and at the disks, then try again.")


class CopyDiffers(NodeError):
    """What was written reads back as something else: the disk does not keep what it is told, or somebody wrote."""

    sentence = gettext_noop("The digests differ: %(wanted)s was wanted, %(found)s was found.")
    way_out = gettext_noop("Do not use the result. Check the disk below it, and whether something else wrote to it.")
