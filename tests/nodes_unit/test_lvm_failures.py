"""What LVM 2.03.16 said on the test guests, to named errors."""

from __future__ import annotations

import pytest

from volumes.nodes.commands import Result
from volumes.nodes.errors import (
    AlreadyExists,
    CommandFailed,
    DeviceBusy,
    LvmMissing,
    NodeError,
    NoPrivilege,
    NoSpace,
    NoSuchLogicalVolume,
    NoSuchThinPool,
    NoSuchVolumeGroup,
    ProgramMissing,
    ThinPoolFull,
    VolumeGroupIncomplete,
)
from volumes.nodes.explain import explain

REAL = [
    (
        '  Logical Volume "m1" already exists in volume group "vg"',
        AlreadyExists,
        "Logical volume m1 already exists in volume group vg.",
    ),
    (
        '  Volume group "nope" not found\n  Cannot process volume group nope',
        NoSuchVolumeGroup,
        "Volume group nope does not exist on node-1.",
    ),
    (
        '  Failed to find logical volume "vg/zz"',
        NoSuchLogicalVolume,
        "Logical volume zz does not exist in volume group vg.",
    ),
    (
        "  Pool nope not found in Volume group vg.",
        NoSuchThinPool,
        "Thin pool nope does not exist in volume group vg on node-1.",
    ),
    (
        '  Volume group "vg" has insufficient free space (1792 extents): 25600 required.',
        NoSpace,
        "Volume group vg has not enough free space: 25600 extents are needed, 1792 are free.",
    ),
    (
        "  Insufficient free space: 25344 extents needed, but only 1792 available",
        NoSpace,
        "Volume group vg has not enough free space: 25344 extents are needed, 1792 are free.",
    ),
    (
        "  WARNING: Thin pool vg/p is out of data space.\n"
        "  Cannot create new thin volume, free space in thin pool vg/p reached threshold.",
        ThinPoolFull,
        "Thin pool p in volume group vg takes no new volumes: free space in thin pool vg/p reached threshold.",
    ),
    ("  Logical volume vg/m1 in use.", DeviceBusy, "vg/m1 is in use: something has it open."),
    (
        "  Logical volume vg/m1 contains a filesystem in use.",
        DeviceBusy,
        "vg/m1 is in use: contains a filesystem in use.",
    ),
    ("  Logical volume vg/m1 is used by another device.", DeviceBusy, "vg/m1 is in use: used by another device."),
    (
        "  device-mapper: remove ioctl on vg-m1 (253:0) failed: Device or resource busy\n  Unable to deactivate vg-m1 (253:0).",
        DeviceBusy,
        "vg/m1 is in use: Device or resource busy.",
    ),
    (
        "  WARNING: Couldn't find device with uuid X.\n  Cannot change VG vg while PVs are missing.",
        VolumeGroupIncomplete,
        "Volume group vg on node-1 has lost a disk: Cannot change VG vg while PVs are missing.",
    ),
    (
        "  WARNING: Running as a non-root user. Functionality may be unavailable.\n"
        "  /run/lock/lvm/P_global:aux: open failed: Permission denied",
        NoPrivilege,
        "User hearth may not manage LVM on node-1.",
    ),
]


def failed(stderr: str, *, argv: tuple[str, ...] = ("lvchange", "vg/m1"), code: int = 5) -> NodeError:
    return explain(Result(argv, code, "", stderr, 0.1), node="node-1", user="hearth")


@pytest.mark.parametrize(("stderr", "kind", "sentence"), REAL)
def test_lvm_is_understood(stderr: str, kind: type[NodeError], sentence: str) -> None:
    error = failed(stderr)

    assert type(error) is kind
    assert str(error) == sentence
    assert error.result is not None


def test_an_unknown_failure_keeps_lvms_own_reason() -> None:
    error = failed("  WARNING: something odd.\n  Cannot do this today.")

    assert type(error) is CommandFailed
    assert str(error) == "lvchange failed with exit code 5: Cannot do this today."
    assert (error.argv, error.exit_code) == (("lvchange", "vg/m1"), 5)


@pytest.mark.parametrize(
    ("stderr", "argv", "code", "kind"),
    [
        ("bash: line 9: lvs: command not found", ("lvs",), 127, LvmMissing),
        ("sudo: lvs: command not found", ("sudo", "-n", "--", "lvs"), 1, LvmMissing),
        ("bash: line 9: systemd-run: command not found", ("systemd-run",), 127, ProgramMissing),
        ("sudo: a password is required", ("sudo", "-n", "--", "lvs"), 1, NoPrivilege),
        ("bash: line 9: sudo: command not found", ("sudo", "-n", "--", "lvs"), 127, NoPrivilege),
        (
            "Sorry, user hearth is not allowed to execute '/usr/sbin/lvs' as root on node-1.",
            ("sudo", "-n", "--", "lvs"),
            1,
            NoPrivilege,
        ),
        ("blkdiscard: cannot open /dev/vg/m1: Device or resource busy", ("blkdiscard", "/dev/vg/m1"), 1, DeviceBusy),
    ],
)
def test_other_programs_and_sudo(stderr: str, argv: tuple[str, ...], code: int, kind: type[NodeError]) -> None:
    assert type(failed(stderr, argv=argv, code=code)) is kind
