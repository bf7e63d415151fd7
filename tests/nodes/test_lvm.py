"""LVM on a real node: what the builders do, what the parsers read, what the errors say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.machines import Machine
from tests.nodes.bench import GIB, IDENT, MIB, Bench
from volumes.nodes import facts
from volumes.nodes.commands import change, read
from volumes.nodes.errors import (
    AlreadyExists,
    DeviceBusy,
    NoSpace,
    NoSuchLogicalVolume,
    NoSuchThinPool,
    NoSuchVolumeGroup,
    ThinPoolFull,
)
from volumes.nodes.holders import explain_busy
from volumes.nodes.lvm.change import (
    activate,
    add_tag,
    create_thick,
    create_thin,
    deactivate,
    own_tags,
    remove,
    remove_tag,
)
from volumes.nodes.lvm.report import LogicalVolume, find_lv, one_lv, parse_lv
from volumes.nodes.session import Session

TAGS = own_tags(IDENT)
HELD = (
    ("mkfs.ext4 -qF {0}; mkdir -p '/mnt/a b'; mount {0} '/mnt/a b'", "umount '/mnt/a b'", "mounted on /mnt/a b"),
    ("dmsetup create held-x --table '0 8 linear {0} 0'", "dmsetup remove held-x", "used by the device held-x"),
    ("mkswap -q {0}; swapon {0}", "swapoff -a", "used as swap space"),
    ("losetup -f {0}", "losetup -D", "used by the device loop0"),
    (
        "targetcli /backstores/block create lio-x {0} >/dev/null",
        "targetcli /backstores/block delete lio-x >/dev/null",
        "exported as lio-x",
    ),
    ("systemd-run -q --unit=holder bash -c 'exec 3<{0}; sleep 300'; sleep 0.5", "systemctl stop holder", "opened by "),
)


def lv(bench: Bench) -> LogicalVolume | None:
    return parse_lv(bench.run(read(find_lv(bench.vg, bench.lv)))[0].stdout)


class TestLife:
    def test_a_thick_volume_from_creation_to_removal(self, bench: Bench) -> None:
        bench.run(change(create_thick(bench.vg, bench.lv, GIB, tags=TAGS)))
        found = lv(bench)
        assert found is not None
        assert (found.size_bytes, found.hearth_id, found.segtype) == (GIB, IDENT, "linear")
        assert (found.active, found.open, found.path) == (True, False, bench.device)

        bench.run(change(deactivate(bench.vg, bench.lv, ident=IDENT, tag="hearth.deleting")))
        found = lv(bench)
        assert found is not None
        assert (found.active, "hearth.deleting" in found.tags, found.hearth_id) == (False, True, IDENT)

        bench.run(change(activate(bench.vg, bench.lv)), change(remove_tag(bench.vg, bench.lv, "hearth.deleting")))
        found = lv(bench)
        assert found is not None
        assert (found.active, found.tags) == (True, frozenset(TAGS))

        bench.run(change(remove(bench.vg, bench.lv, ident=IDENT)))
        assert lv(bench) is None

    def test_a_thin_volume(self, machines: dict[str, Machine], bench: Bench) -> None:
        machines["node-2"].tidy()
        session = Session(Bench(machines["node-2"]).target())
        session.run(change(create_thin("fast", "thin", bench.lv, 5 * GIB, tags=TAGS)))
        found = parse_lv(session.run(read(one_lv("fast", bench.lv)))[0].stdout)
        assert found is not None
        assert (found.size_bytes, found.pool, found.is_thin, found.hearth_id) == (5 * GIB, "thin", True, IDENT)
        assert found.data_percent == 0.0

        (pool,) = facts.parse(session.run(*facts.gather())).lvm.thin_pools
        assert (pool.vg, pool.name, pool.zero, pool.size_bytes) == ("fast", "thin", True, 7 * GIB)
        assert pool.metadata_percent is not None

        with pytest.raises(NoSuchThinPool):
            session.run(change(create_thin("fast", "nope", "x", GIB, tags=TAGS)))
        session.run(change(remove("fast", bench.lv, ident=IDENT)))

    def test_old_signatures_never_stop_a_creation(self, bench: Bench) -> None:
        bench.fresh()
        bench.machine.sh(f"mkfs.ext4 -qF {bench.device}; lvremove --yes -qq {bench.name}")

        bench.run(change(create_thick(bench.vg, bench.lv, GIB, tags=TAGS)))
        assert bench.machine.sh(f"wipefs {bench.device}") == ""

    def test_a_full_thin_pool_takes_no_more(self, machines: dict[str, Machine]) -> None:
        machine = machines["node-2"]
        machine.tidy()
        session = Session(Bench(machine).target())
        machine.sh("lvcreate -qq --yes --type thin-pool -L 64m --poolmetadatasize 4m -n small fast 2>/dev/null")
        try:
            machine.sh("lvcreate -qq --yes -T fast/small -V 128m -n filler; lvchange --errorwhenfull y fast/small")
            machine.sh(
                "dd if=/dev/zero of=/dev/fast/filler bs=4M oflag=direct conv=nocreat status=none 2>/dev/null || true"
            )
            with pytest.raises(ThinPoolFull, match="free space in thin pool fast/small reached threshold"):
                session.run(change(create_thin("fast", "small", "x", GIB, tags=TAGS)))
        finally:
            machine.sh("lvremove --yes -qq fast/filler fast/small")


class TestGuards:
    def test_what_is_not_ours_is_left_alone(self, bench: Bench) -> None:
        bench.fresh()
        other = "00000000-0000-0000-0000-000000000000"
        bench.run(change(remove(bench.vg, bench.lv, ident=other)), change(deactivate(bench.vg, bench.lv, ident=other)))

        found = lv(bench)
        assert found is not None
        assert found.active

    def test_other_tags_do_not_hinder(self, bench: Bench) -> None:
        bench.fresh()
        bench.run(change(add_tag(bench.vg, bench.lv, "backup.daily")), change(remove(bench.vg, bench.lv, ident=IDENT)))

        assert lv(bench) is None

    def test_an_origin_is_spared_with_its_snapshots(self, bench: Bench) -> None:
        bench.fresh()
        bench.machine.sh(f"lvcreate -qq --yes -s -L 64m -n snap {bench.name}")
        bench.run(change(remove(bench.vg, bench.lv, ident=IDENT)))

        found = lv(bench)
        assert found is not None
        assert found.is_origin
        assert parse_lv(bench.run(read(one_lv(bench.vg, "snap")))[0].stdout) is not None
        bench.machine.sh(f"lvremove -qq --yes {bench.vg}/snap")


class TestSentences:
    def test_missing_and_present(self, bench: Bench) -> None:
        bench.fresh(64 * MIB)
        with pytest.raises(
            AlreadyExists, match=f"Logical volume {bench.lv} already exists in volume group stack-volumes"
        ):
            bench.run(change(create_thick(bench.vg, bench.lv, GIB, tags=TAGS)))
        with pytest.raises(NoSpace, match="262144 extents are needed, 2032 are free"):
            bench.run(change(create_thick(bench.vg, "x", 1024 * GIB, tags=TAGS)))
        with pytest.raises(NoSuchLogicalVolume, match="Logical volume zz does not exist in volume group stack-volumes"):
            bench.run(change(deactivate(bench.vg, "zz")))
        with pytest.raises(NoSuchVolumeGroup, match="Volume group nope does not exist on node-1"):
            bench.run(change(deactivate("nope", "zz")))
        with pytest.raises(NoSuchVolumeGroup):
            bench.run(read(find_lv("nope", "zz")))

    def test_busy_and_by_what(self, bench: Bench) -> None:
        bench.fresh(64 * MIB)
        for hold, free, sentence in HELD:
            with self.held(bench, hold.format(bench.device), free):
                with pytest.raises(DeviceBusy) as caught:
                    bench.run(change(deactivate(bench.vg, bench.lv)))
                told = explain_busy(bench.session, bench.vg, bench.lv, caught.value)
                assert str(told).startswith(f"{bench.name} is in use: {sentence}")
        bench.run(change(deactivate(bench.vg, bench.lv)))

    def test_what_is_open_is_not_removed(self, bench: Bench) -> None:
        bench.fresh(64 * MIB)
        with self.held(bench, *(word.format(bench.device) for word in HELD[-1][:2])), pytest.raises(DeviceBusy):
            bench.run(change(remove(bench.vg, bench.lv, ident=IDENT)))

    @contextmanager
    def held(self, bench: Bench, hold: str, free: str) -> Iterator[None]:
        bench.machine.sh(hold)
        try:
            yield
        finally:
            bench.machine.sh(free)


class TestFacts:
    def test_everything_at_once(self, bench: Bench) -> None:
        bench.fresh()
        bench.machine.sh(f"dmsetup create held-x --table '0 8 linear {bench.device} 0'")
        found = facts.parse(bench.run(*facts.gather()))
        bench.machine.sh("dmsetup remove held-x")

        vg = found.lvm.vg(bench.vg)
        assert vg is not None
        assert (vg.size_bytes, vg.free_bytes, vg.extent_size_bytes) == (8 * GIB, 7 * GIB, 4 * MIB)
        assert [pv.vg for pv in found.lvm.pvs] == [bench.vg]
        assert found.holders == {bench.name: ("held-x",)}
        assert found.kernel == bench.machine.sh("uname -r")
        assert found.os.startswith("Debian GNU/Linux 12")
        assert found.boot_id == bench.machine.sh("cat /proc/sys/kernel/random/boot_id")
        assert abs(found.epoch_s - float(bench.machine.sh("date +%s.%N"))) < 30
        assert found.uptime_s > 0
