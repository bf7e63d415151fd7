"""What is read back of a wiped device, and the errors of a wipe that did not end well."""

from __future__ import annotations

import random

import pytest

from volumes.nodes import wipe
from volumes.nodes.errors import DeviceBusy, NodeError, NotZero, Unreadable, WipeFailed
from volumes.nodes.samples import GIB, MIB, Sample, plan_samples
from volumes.nodes.unit_state import UnitState
from volumes.nodes.wipe_report import report

LOG = """\
@begin 403 1000.0
@wipe 1073741824 0 /dev/vg/lv
@zero 0 1073741824 1 blkdiscard @1000.1
+ stdbuf -oL blkdiscard --zeroout --verbose --step 67108864 --offset 0 /dev/vg/lv
/dev/vg/lv: Zero-filled 1073741824 bytes from the offset 0
+ sync /dev/vg/lv
@verify 0 1073741824 2 1073741824 0:536870912 536870912:536870912 @1000.5
+ dd if=/dev/vg/lv of=/dev/full ... status=progress
{one}128+0 records in
128+0 records out
536870912 bytes (537 MB, 512 MiB) copied, 0.4 s, 1.3 GB/s
@second
+ dd if=/dev/vg/lv of=/dev/full ...
{two}128+0 records in
128+0 records out
536870912 bytes (537 MB, 512 MiB) copied, 0.4 s, 1.3 GB/s
@verify 1073741824 0 1 1073741824 @1001.5
@verdict zero

@exit 0 1001.5
"""
GOOD = LOG.format(one="", two="")


def ended(log: str, *, state: str = "succeeded", code: int | None = 0, reason: str = "") -> UnitState:
    return UnitState("hearth-x", state, code, log, reason=reason)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [4 * MIB, 100 * MIB, GIB])
def test_up_to_1_gib_all_of_it_in_two_halves(size: int) -> None:
    pieces = plan_samples(size)

    assert len(pieces) <= 2
    assert covers(pieces, size)


def test_beyond_both_ends_and_a_sample() -> None:
    first, last, *middle = plan_samples(10 * GIB, random.Random(1))

    assert (first, last) == (Sample(0, 64 * MIB), Sample(10 * GIB - 64 * MIB, 64 * MIB))
    assert 1 <= len(middle) <= 8
    assert all(s.offset >= 64 * MIB and s.offset + s.length <= 10 * GIB - 64 * MIB for s in middle)
    assert all(s.offset % (4 * MIB) == 0 for s in middle)
    assert plan_samples(10 * GIB, random.Random(1)) == plan_samples(10 * GIB, random.Random(1))
    assert plan_samples(10 * GIB) != plan_samples(10 * GIB)


@pytest.mark.parametrize("size", [GIB + 4 * MIB, 10 * GIB, 17 * 1024 * GIB + 12 * MIB])
def test_all_of_it_on_request_in_a_bounded_number_of_pieces(size: int) -> None:
    pieces = plan_samples(size, full=True)

    assert covers(pieces, size)
    assert len(pieces) <= 129


def covers(pieces: list[Sample], size: int) -> bool:
    at = 0
    for piece in pieces:
        if piece.offset != at or piece.length <= 0:
            return False
        at += piece.length
    return at == size


def test_the_arguments_of_a_wipe() -> None:
    argv = wipe.wipe("hearth-x", "/dev/vg/lv", GIB, samples=[Sample(0, 5), Sample(7, 9)], offset=64 * MIB, method="dd")[
        1
    ].argv

    assert argv[-9:] == (
        *("/run/hearth/hearth-x.sh", "/dev/vg/lv", "1073741824", "67108864", "67108864", str(16 * GIB), "dd"),
        *("0:5", "7:9"),
    )


def test_a_huge_device_is_flushed_a_bounded_number_of_times() -> None:
    stretch = int(wipe.wipe("hearth-x", "/dev/vg/lv", 100 * 1024 * GIB, samples=[])[1].argv[-2])

    assert 100 * 1024 * GIB / stretch <= 65
    assert stretch % wipe.STEP_BYTES == 0


def test_a_good_log() -> None:
    found = report(ended(GOOD))

    assert (found.verdict, found.method, found.device, found.bytes) == ("zero", "blkdiscard", "/dev/vg/lv", GIB)
    assert (found.seconds, found.zero_seconds, found.verify_seconds) == (1.5, 0.5, 1.0)
    assert (found.verified_bytes, found.samples) == (GIB, (Sample(0, GIB // 2), Sample(GIB // 2, GIB // 2)))
    assert len(found.commands) == 4


@pytest.mark.parametrize(
    ("log", "kind", "sentence"),
    [
        (
            LOG.format(one="", two="dd: error writing '/dev/full': No space left on device\n"),
            NotZero,
            "at byte 1073741824",
        ),
        (
            LOG.format(one="dd: error reading '/dev/vg/lv': Input/output error\n", two=""),
            Unreadable,
            "cannot be read back: dd: error reading '/dev/vg/lv': Input/output error",
        ),
        (GOOD.replace("@verdict zero\n", ""), WipeFailed, "ended as succeeded"),
        (GOOD.replace("Zero-filled 1073741824", "Zero-filled 1006632960"), WipeFailed, "could not be wiped"),
        (GOOD.replace("@wipe 1073741824", "@wipe 2147483648"), WipeFailed, "could not be wiped"),
        (GOOD.replace("536870912 bytes", "536870911 bytes", 1), WipeFailed, "could not be wiped"),
        (GOOD.replace("2 1073741824 0:", "2 1073741828 0:"), WipeFailed, "could not be wiped"),
        (
            "@begin 1 1.0\n@wipe 9 0 /dev/vg/lv\n@zero 0 9 1 blkdiscard @1.0\n+ blkdiscard\n"
            "blkdiscard: cannot open /dev/vg/lv: Device or resource busy\n@failed blkdiscard --zeroout did not work\n\n@exit 3 2.0\n",
            DeviceBusy,
            "/dev/vg/lv is in use: blkdiscard: cannot open /dev/vg/lv: Device or resource busy",
        ),
        ("", WipeFailed, "could not be wiped"),
    ],
)
def test_nothing_but_a_whole_good_log_passes(log: str, kind: type[NodeError], sentence: str) -> None:
    with pytest.raises(kind, match=r".+") as caught:
        report(ended(log))

    assert type(caught.value) is kind
    assert sentence in str(caught.value)


def test_a_good_log_of_a_unit_that_failed_does_not_pass() -> None:
    with pytest.raises(WipeFailed, match="ended as failed"):
        report(ended(GOOD, state="failed", code=1))


def test_a_killed_unit_says_what_killed_it() -> None:
    with pytest.raises(WipeFailed, match="oom-kill"):
        report(ended("@begin 1 1.0\n", state="failed", code=None, reason="oom-kill"))
