"""What LVM says, to named errors. It exits with 5 for nearly everything, so the text is all there is."""

from __future__ import annotations

import re

from volumes.nodes.commands import Result
from volumes.nodes.errors import (
    AlreadyExists,
    DeviceBusy,
    NodeError,
    NoPrivilege,
    NoSpace,
    NoSuchLogicalVolume,
    NoSuchThinPool,
    NoSuchVolumeGroup,
    ThinPoolFull,
    VolumeGroupIncomplete,
)

PROGRAMS = frozenset(
    {"lvm", "lvs", "vgs", "pvs", "lvcreate", "lvremove", "lvchange", "lvextend", "lvrename", "lvconvert", "lvdisplay"}
)
_NAME = r"[A-Za-z0-9+_.-]+"

# LVM 2.03.11 to 2.03.3x; quotes and capitals differ between the versions. First match wins.
_LV = rf"(?P<lv>{_NAME}/{_NAME})"
_TABLE: tuple[tuple[re.Pattern[str], type[NodeError]], ...] = tuple(
    (re.compile(pattern, re.MULTILINE), error)
    for pattern, error in (
        (rf"Logical [Vv]olume \"(?P<lv>{_NAME})\" already exists in volume group \"(?P<vg>{_NAME})\"", AlreadyExists),
        (rf"Volume group \"(?P<vg>{_NAME})\" not found", NoSuchVolumeGroup),
        (rf"Failed to find logical volume \"(?P<vg>{_NAME})/(?P<lv>{_NAME})\"", NoSuchLogicalVolume),
        (rf"Pool (?P<pool>{_NAME}) not found in Volume group (?P<vg>{_NAME}?)\.?$", NoSuchThinPool),
        (r"(?P<detail>Cannot .* while PVs are missing)", VolumeGroupIncomplete),
        (
            rf"Volume group \"(?P<vg>{_NAME})\" has insufficient free space \((?P<free>\d+) extents\): (?P<needed>\d+) required",
            NoSpace,
        ),
        (r"Insufficient free space: (?P<needed>\d+) extents needed, but only (?P<free>\d+) available", NoSpace),
        (rf"(?P<detail>free space in thin pool (?P<vg>{_NAME})/(?P<pool>{_NAME}) reached threshold)", ThinPoolFull),
        (rf"Thin pool (?P<vg>{_NAME})/(?P<pool>{_NAME}) is (?P<detail>out of (?:meta)?data space)", ThinPoolFull),
        (rf"Logical volume {_LV} (?P<detail>contains a filesystem in use)", DeviceBusy),
        (rf"Logical volume {_LV} is (?P<detail>used by another device)", DeviceBusy),
        (rf"Logical volume {_LV} in use", DeviceBusy),
        (r"Unable to deactivate (?P<lv>\S+)|(?P<detail>Device or resource busy)", DeviceBusy),
        (r"^\s*WARNING: Running as a non-root user|Permission denied", NoPrivilege),
    )
)


def explain(result: Result, *, node: str, user: str) -> NodeError | None:
    """The named error, or None when LVM said nothing that is known."""
    for pattern, error in _TABLE:
        if match := pattern.search(result.stderr):
            known = {key: value for key, value in match.groupdict().items() if value is not None}
            return error({**_defaults(error, known), **_target(result), **known}, result=result, node=node, user=user)
    return None


def _defaults(error: type[NodeError], known: dict[str, str]) -> dict[str, str]:
    """Details that LVM leaves out or words badly."""
    if error is NoSpace:
        return {"detail": f"{known['needed']} extents are needed, {known['free']} are free"}
    return {"detail": "something has it open"}


def _target(result: Result) -> dict[str, str]:
    """What the command was about: its last argument is `vg` or `vg/lv` in every builder of ours."""
    vg, _, lv = result.argv[-1].partition("/")
    return {"vg": vg, "lv": f"{vg}/{lv}"} if lv else {"vg": vg}
