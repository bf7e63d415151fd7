"""Units and wipes on a real node: adopted, stopped, killed, capped, resumed, and never fooled."""

from __future__ import annotations

import time

import pytest

from tests.nodes.bench import GIB, MIB, UNIT, Bench, wait_until
from volumes.nodes import units, wipe
from volumes.nodes.commands import change
from volumes.nodes.errors import ConnectionRefused, DeviceBusy, NotZero, WipeFailed
from volumes.nodes.samples import Sample, plan_samples
from volumes.nodes.unit_state import UnitState, parse_watch
from volumes.nodes.wipe_report import report

SLOW = 100 * MIB


def begin(bench: Bench, size: int = GIB, **how: object) -> bool:
    samples = how.pop("samples", None) or plan_samples(size)
    return bench.start(wipe.wipe(UNIT, bench.device, size, samples=samples, **how))  # type: ignore[arg-type]


class TestWipe:
    def test_everything_reads_as_zeroes_afterwards(self, bench: Bench) -> None:
        bench.fresh(256 * MIB)
        for method, used in (("auto", "blkdiscard"), ("dd", "dd")):
            bench.machine.fill(bench.name, mib=64, offset_mib=100)
            begin(bench, 256 * MIB, method=method)
            found = report(bench.follow())

            assert (found.method, found.bytes, found.verified_bytes) == (used, 256 * MIB, 256 * MIB)
            assert bench.machine.is_zero(bench.name)
            bench.run(*units.clean(UNIT))

    def test_progress_is_seen_about_every_second(self, bench: Bench) -> None:
        bench.fresh(512 * MIB)
        bench.machine.guest.set_disk_speed(SLOW // 2)
        begin(bench, 512 * MIB)
        seen: list[UnitState] = []
        wait_until(lambda: True if self.watched(bench, seen).ended else None, 90)

        counts = [state.bytes_done for state in seen if state.phase == "zero"]
        assert counts == sorted(counts, key=lambda count: count or 0)
        assert len(set(counts)) >= 5
        assert len({state.bytes_done for state in seen if state.phase == "verify"}) >= 3
        assert report(seen[-1]).verdict == "zero"

    def watched(self, bench: Bench, seen: list[UnitState]) -> UnitState:
        seen.append(bench.look(1.0))
        return seen[-1]

    def test_one_byte_written_between_zeroing_and_reading_is_found(self, bench: Bench) -> None:
        size = 256 * MIB
        bench.fresh(size)
        bench.run(change(["blkdiscard", "--zeroout", bench.device]))
        for poke in (0, 200 * MIB + 12345, size - 1):
            target = f"of={bench.device} bs=1 seek={poke} conv=nocreat,notrunc,fsync status=none"
            bench.machine.sh(f"printf x | dd {target}")
            begin(bench, size, offset=size)
            state = bench.follow()

            with pytest.raises(NotZero, match=f"does not read as zeroes at byte {poke // (4 * MIB) * (4 * MIB)}"):
                report(state)
            assert state.exit_code == 4
            bench.run(*units.clean(UNIT))
            bench.machine.sh(f"head -c1 /dev/zero | dd {target}")

    def test_what_is_mounted_is_never_written_to(self, bench: Bench) -> None:
        bench.fresh(256 * MIB)
        bench.machine.sh(f"mkfs.ext4 -qF {bench.device}; mount {bench.device} /mnt; echo mine > /mnt/file; sync")
        for method in ("auto", "dd"):
            begin(bench, 256 * MIB, method=method)
            with pytest.raises(DeviceBusy, match="Device or resource busy"):
                report(bench.follow())
            bench.run(*units.clean(UNIT))

        bench.machine.sh(f"umount /mnt; fsck.ext4 -fn {bench.device} >/dev/null 2>&1; mount {bench.device} /mnt")
        assert bench.machine.sh("cat /mnt/file; umount /mnt") == "mine"

    def test_an_lv_that_is_not_active_is_a_failure_and_no_file(self, bench: Bench) -> None:
        bench.fresh(256 * MIB)
        bench.machine.sh(f"lvchange --activate n {bench.name}")
        begin(bench, 256 * MIB)
        with pytest.raises(WipeFailed, match="is not a block device"):
            report(bench.follow())

        assert bench.machine.sh(f"ls {bench.device} 2>/dev/null || echo none") == "none"

    def test_the_cap_is_kept(self, bench: Bench) -> None:
        bench.fresh(512 * MIB)
        begin(bench, 512 * MIB, cap_bytes_s=SLOW)
        found = report(bench.follow())

        assert found.zero_seconds > 4.5
        assert found.verify_seconds > 4.5

    def test_beyond_1_gib_a_sample_is_read(self, bench: Bench) -> None:
        bench.fresh(3 * GIB)
        begin(bench, 3 * GIB)
        found = report(bench.follow())

        assert found.samples[:2] == (Sample(0, 64 * MIB), Sample(3 * GIB - 64 * MIB, 64 * MIB))
        assert found.verified_bytes == sum(sample.length for sample in found.samples) < 512 * MIB

    def test_thin_blocks_go_back_to_the_pool(self, bench: Bench, machines: dict[str, object]) -> None:
        other = Bench(machines["node-2"])  # type: ignore[arg-type]
        other.machine.tidy()
        other.machine.sh("lvcreate -qq --yes -T fast/thin -V 1g -n t1")
        other.machine.fill("fast/t1", mib=32)
        other.start(wipe.discard(UNIT, "/dev/fast/t1", GIB))
        state = other.follow()

        assert (state.state, state.phase, state.bytes_done) == ("succeeded", "discard", GIB)
        assert other.machine.sh("lvs --noheadings -o data_percent fast/thin").strip() == "0.00"
        other.run(*units.clean(UNIT))


class TestUnits:
    def test_starting_twice_is_starting_once(self, bench: Bench) -> None:
        bench.fresh(256 * MIB)
        first, running = begin(bench, 256 * MIB), begin(bench, 256 * MIB)
        state = bench.follow()
        ended = begin(bench, 256 * MIB)

        assert (first, running, ended) == (True, False, False)
        assert bench.look() == state
        bench.run(*units.clean(UNIT))
        assert bench.look().state == "missing"
        assert begin(bench, 256 * MIB)

    def test_the_watch_wakes_when_a_unit_ends(self, bench: Bench) -> None:
        bench.fresh(256 * MIB)
        bench.start(units.start(UNIT, "sleep 3\n", []))
        began = time.monotonic()
        state = bench.look(30.0)

        assert state.state == "succeeded"
        assert 1 < time.monotonic() - began < 12

    def test_the_watch_does_not_wait_for_what_has_ended(self, bench: Bench) -> None:
        bench.fresh(256 * MIB)
        bench.start(units.start(UNIT, "exit 7\n", []))
        wait_until(lambda: True if bench.look().ended else None)
        began = time.monotonic()
        state = bench.look(30.0)

        assert (state.state, state.exit_code) == ("failed", 7)
        assert time.monotonic() - began < 10

    def test_stopped_in_the_middle_it_says_how_far_it_came_and_goes_on_from_there(self, bench: Bench) -> None:
        bench.fresh()
        bench.machine.guest.set_disk_speed(SLOW)
        begin(bench)
        wait_until(lambda: True if (bench.look(1.0).bytes_done or 0) > 128 * MIB else None)
        bench.run(*units.stop(UNIT))
        state = bench.look()
        bench.machine.guest.set_disk_speed(0)

        assert (state.state, state.exit_code, state.phase) == ("stopped", 143, "zero")
        assert 128 * MIB < (state.bytes_done or 0) < GIB
        bench.run(*units.clean(UNIT))
        begin(bench, offset=state.bytes_done or 0)
        assert report(bench.follow()).offset == state.bytes_done

    def test_killed_from_outside_it_has_failed(self, bench: Bench) -> None:
        bench.fresh(256 * MIB)
        bench.start(units.start(UNIT, "sleep 300\n", []))
        wait_until(lambda: True if bench.look().state == "running" else None)
        bench.machine.sh(f"systemctl kill --kill-whom=all --signal=KILL {UNIT}")
        state = wait_until(lambda: found if (found := bench.look()).ended else None)

        assert (state.state, state.exit_code, state.reason) == ("failed", None, "signal")

    def test_power_loss_takes_the_units_and_the_boot_id_tells(self, bench: Bench) -> None:
        bench.fresh()
        bench.machine.guest.set_disk_speed(SLOW)
        begin(bench)
        before = parse_watch(bench.run(units.watch([UNIT], 1.0))[0].stdout)
        assert before.unit(UNIT).state == "running"
        bench.machine.guest.set_disk_speed(0)
        bench.machine.guest.power_off()
        with pytest.raises(ConnectionRefused):
            bench.run(["true"])
        bench.machine.guest.power_on()
        after = parse_watch(bench.run(units.watch([UNIT], 1.0))[0].stdout)

        assert after.unit(UNIT).state == "missing"
        assert after.boot_id != before.boot_id
        assert begin(bench)
        assert report(bench.follow()).verdict == "zero"
