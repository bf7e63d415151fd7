"""The units' shell scripts on files of this machine: what needs no block device can be tried anywhere."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from volumes.nodes.unit_state import UnitState
from volumes.nodes.units import script
from volumes.nodes.wipe import Sample, plan_samples
from volumes.nodes.wipe_report import WipeReport, parse_report, report

MIB = 1024**2
SIZE = 24 * MIB
BLKDISCARD = """\
#!/bin/bash
while [ $# -gt 1 ]; do case $1 in --offset) at=$2; shift ;; --length) n=$2; shift ;; esac; shift; done
[ -e {folder}/refuse ] && {{ echo "blkdiscard: $1: BLKZEROOUT ioctl failed: $(cat {folder}/refuse)" >&2; exit 1; }}
n=${{n:-$(($(stat -c %s "$1") - at))}}
dd if=/dev/zero of="$1" bs=1M seek=$at count=$n iflag=count_bytes oflag=seek_bytes conv=notrunc status=none
[ -e {folder}/poke ] && printf x | dd of="$1" bs=1 seek="$(cat {folder}/poke)" conv=notrunc status=none
echo "$1: Zero-filled $n bytes from the offset $at"
"""


class Bench:
    """The wipe script with a file for a device and a blkdiscard for files."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.device = folder, folder / "device"
        self.device.write_bytes(os.urandom(MIB) * (SIZE // MIB))
        (folder / "bin").mkdir()
        (folder / "bin" / "blkdiscard").write_text(BLKDISCARD.format(folder=folder))
        (folder / "bin" / "blkdiscard").chmod(0o755)

    def wipe(
        self, *, offset: int = 0, stretch: int = SIZE, method: str = "auto", samples: list[Sample] | None = None
    ) -> UnitState:
        text = (script("unit") + script("wipe")).replace("/run/hearth", str(self.folder))
        for block_device, file in (
            ('[ -b "$device" ]', '[ -f "$device" ]'),
            ("direct,", ""),
            ("  refuse_if_held\n", ""),
        ):
            assert block_device in text
            text = text.replace(block_device, file)
        path = self.folder / "hearth-t.sh"
        path.write_text(text)
        pieces = plan_samples(SIZE) if samples is None else samples
        numbers = [str(number) for number in (SIZE, offset, MIB, stretch)]
        argv = ["bash", str(path), str(self.device), *numbers, method, *map(str, pieces)]
        env = {**os.environ, "LC_ALL": "C", "PATH": f"{self.folder}/bin:{os.environ['PATH']}"}
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        return UnitState("hearth-t", "succeeded" if done.returncode == 0 else "failed", done.returncode, done.stdout)

    def judged(self, **how: object) -> WipeReport:
        return parse_report(self.wipe(**how).output_tail)  # type: ignore[arg-type]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_everything_is_zeroed_and_read_back(bench: Bench) -> None:
    found = report(bench.wipe())

    assert (found.verdict, found.method, found.bytes, found.verified_bytes) == ("zero", "blkdiscard", SIZE, SIZE)
    assert found.samples == (Sample(0, SIZE // 2), Sample(SIZE // 2, SIZE // 2))
    assert bench.device.read_bytes() == bytes(SIZE)
    assert [command.split()[0] for command in found.commands] == ["stdbuf", "sync", "dd", "dd"]


@pytest.mark.parametrize("poke", [0, 5 * MIB + 1, SIZE // 2 - 1, SIZE // 2, SIZE - 1])
def test_a_single_byte_that_differs_is_found(bench: Bench, poke: int) -> None:
    (bench.folder / "poke").write_text(str(poke))
    found = bench.judged()

    assert found.verdict == "different"
    assert found.first_difference == poke // (4 * MIB) * (4 * MIB)


def test_in_stretches_each_of_them_flushed(bench: Bench) -> None:
    found = bench.judged(stretch=8 * MIB)

    assert (found.verdict, found.bytes) == ("zero", SIZE)
    assert [command.split()[0] for command in found.commands] == ["stdbuf", "sync"] * 3 + ["dd", "dd"]


def test_dd_steps_in_where_the_kernel_refuses(bench: Bench) -> None:
    (bench.folder / "refuse").write_text("Operation not supported")
    found = bench.judged(stretch=8 * MIB)

    assert (found.verdict, found.method, found.bytes) == ("zero", "dd", SIZE)
    assert [command.split()[0] for command in found.commands] == [
        *("stdbuf", "dd", "sync", "dd", "sync", "dd"),
        *("sync", "dd", "dd"),
    ]
    assert bench.device.read_bytes() == bytes(SIZE)


def test_another_error_is_a_failure_and_not_a_reason_for_dd(bench: Bench) -> None:
    (bench.folder / "refuse").write_text("Input/output error")
    state = bench.wipe()

    assert state.exit_code == 3
    assert parse_report(state.output_tail).verdict == "unproven"
    assert parse_report(state.output_tail).reason.endswith("BLKZEROOUT ioctl failed: Input/output error")
    assert bench.device.read_bytes() != bytes(SIZE)


def test_from_an_offset_only_the_rest_is_zeroed_and_all_is_read(bench: Bench) -> None:
    before = bench.device.read_bytes()
    found = bench.judged(offset=16 * MIB)

    assert found.verdict == "different", "what lies before the offset was never zeroed"
    assert (found.offset, found.bytes) == (16 * MIB, 8 * MIB)
    assert bench.device.read_bytes() == before[: 16 * MIB] + bytes(8 * MIB)


def test_samples_alone_are_read_where_they_are_asked_for(bench: Bench) -> None:
    samples = [Sample(0, 4 * MIB), Sample(20 * MIB, 4 * MIB), Sample(8 * MIB, 4 * MIB)]
    found = bench.judged(samples=samples)

    assert (found.verdict, found.samples, found.verified_bytes) == ("zero", tuple(samples), 12 * MIB)


def test_a_wipe_that_nobody_reads_back_proves_nothing(bench: Bench) -> None:
    assert bench.judged(samples=[]).verdict == "unproven"


def test_a_log_that_ends_early_proves_nothing(bench: Bench) -> None:
    log = bench.wipe().output_tail
    for line in ("@verdict zero", "@second", "records out"):
        assert parse_report(log[: log.rindex(line)]).verdict != "zero", line


def test_no_device_is_a_failure_that_says_so(bench: Bench) -> None:
    bench.device.unlink()

    assert "is not a block device" in bench.judged().reason
