"""A storage node as a test sees it: a guest with real LVM, looked at over the lab's own key and never through Hearth."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.guest import Guest
from demo.lab import Lab
from demo.paths import state_dir
from demo.shell import DemoError, say
from volumes.models import Volume

MIB = 1024**2
FIELDS = "vg_name,lv_name,lv_size,lv_tags,segtype,lv_active,lv_device_open,pool_lv"

# Everything a test may have left: units, mounts, holders, LVs. What an LV held is zeroed first, so that free space stays clean.
TIDY = r"""
for unit in $(systemctl list-units --all --plain --no-legend 'hearth-*' | cut -d' ' -f1); do
  systemctl kill --signal=KILL "$unit"; systemctl stop "$unit"; systemctl reset-failed "$unit"; done 2>/dev/null
rm -rf /run/hearth
umount -l /mnt/* 2>/dev/null
for name in $(dmsetup ls --target crypt 2>/dev/null | grep held- | cut -f1); do dmsetup remove "$name"; done
for name in $(dmsetup ls 2>/dev/null | grep ^held- | cut -f1); do dmsetup remove --force "$name"; done
lvs --noheadings -o vg_name,lv_name,origin -S 'lv_role=thicksnapshot' | while read -r vg lv _; do
  lvconvert --yes --splitsnapshot "$vg/$lv"; lvchange --yes --permission rw "$vg/$lv"; done >/dev/null 2>&1
lvs --noheadings -o vg_name,lv_name,segtype | while read -r vg lv kind; do
  [ "$kind" = thin-pool ] && continue
  lvchange --yes --permission rw "$vg/$lv"
  lvchange --yes --activate y "$vg/$lv"; blkdiscard --force --zeroout "/dev/$vg/$lv"; lvremove --yes "$vg/$lv"
done >/dev/null 2>&1
lvs --noheadings -o vg_name,lv_name,segtype | while read -r vg lv kind; do
  [ "$kind" = thin-pool ] || echo "$vg/$lv is still there"; done
"""


@dataclass(frozen=True)
class Lv:
    """A logical volume, read without Hearth's own reader."""

    vg: str
    name: str
    size_bytes: int
    tags: frozenset[str]
    segtype: str
    active: bool
    open: bool
    pool: str

    @property
    def is_ours(self) -> bool:
        return "hearth" in self.tags


FILL = """
[ -e /run/pattern ] || yes 'bytes of another project' | head -c 16M | tr '\\n' '.' >/run/pattern
mib={mib}; [ $mib -gt 0 ] || mib=$(( $(blockdev --getsize64 {device}) / 1048576 - {offset} ))
for at in $(seq {offset} 16 $(( {offset} + mib - 1 ))); do
  dd if=/run/pattern of={device} bs=1M seek=$at count=$(( {offset} + mib - at )) oflag=direct conv=notrunc status=none || exit 1
done
"""


class Machine:
    """One guest. `sh` runs a shell line as root and returns what it printed; a line that fails raises."""

    def __init__(self, guest: Guest) -> None:
        self.guest = guest
        self.name = guest.name
        self.key_line = ""
        self.is_suspect = False

    def sh(self, line: str, *, timeout_s: float = 120) -> str:
        return self.guest.check(line, timeout_s=timeout_s).strip()

    def lvs(self) -> dict[str, Lv]:
        """All LVs but thin pools, by name."""
        printed = self.sh(f"lvs --reportformat json --units b --nosuffix -o {FIELDS}")
        rows = json.loads(printed)["report"][0]["lv"]
        return {row["lv_name"]: _lv(row) for row in rows if row["segtype"] != "thin-pool"}

    def lv(self, volume: Volume) -> Lv | None:
        return self.lvs().get(volume.lv_name)

    def units(self) -> list[str]:
        """Hearth's units that run right now."""
        return self.sh("systemctl list-units --state=running --plain --no-legend 'hearth-*' | cut -d' ' -f1").split()

    def fill(self, lv: str, *, mib: int = 0, offset_mib: int = 0) -> None:
        """Write bytes that are not zero over an LV (`vg/name`), all of it or `mib`, past every cache."""
        self.sh(FILL.format(device=f"/dev/{lv}", mib=mib, offset=offset_mib))

    def digest(self, lv: str, *, mib: int = 128) -> str:
        """A digest of the first `mib` of an LV (0: of all of it), past every cache. Past Hearth, whose own proof it checks."""
        count = f"count={mib}" if mib else ""
        return self.sh(f"dd if=/dev/{lv} bs=1M {count} iflag=direct status=none | md5sum", timeout_s=300).split()[0]

    def is_zero(self, lv: str) -> bool:
        """Whether every byte of an LV reads as zero."""
        return self.sh(f"cmp -n $(blockdev --getsize64 /dev/{lv}) /dev/{lv} /dev/zero && echo zero || true") == "zero"

    def extents(self, volume: Volume) -> str:
        """Where a thick volume lies: `/dev/vdb:0-255`, as `lvcreate` takes it."""
        name = f"{self.vg(volume)}/{volume.lv_name}"
        return self.sh(f"lvs --noheadings -o seg_pe_ranges {name}")

    def vg(self, volume: Volume) -> str:
        assert volume.pool is not None
        return volume.pool.vg_name

    # Keeping it usable for the next test

    def mend(self) -> None:
        """End every fault: power, cable, pause, slow disk."""
        if not self.guest.is_running:
            self.guest.power_on(wait=False)
            self.is_suspect = True
        self.guest.set_link(True)
        self.guest.cont()
        self.guest.set_disk_speed(0)

    def tidy(self) -> None:
        """Nothing of an earlier test is left; a machine that cannot be tidied goes back to how it was made."""
        if not self.is_suspect:
            try:
                left = self.guest.ssh(TIDY, timeout_s=60)
                if left.returncode == 0 and not left.stdout.strip():
                    return
                say(f"  {self.name}: {left.stdout}{left.stderr}")
            except (DemoError, TimeoutError, OSError) as error:
                say(f"  {self.name}: {error}")
        self.revert()

    def revert(self) -> None:
        """Back to right after it was made: memory, disks, keys."""
        self.guest.wait_ssh(60) if not self.guest.is_running else None
        self.guest.revert("fresh")
        self.guest.allow(self.key_line)
        self.is_suspect = False

    def scrub(self) -> None:
        """Zero the free space of its volume group, for tests that leave bytes there on purpose."""
        vg = self.sh("vgs --noheadings -o vg_name").split()[0]
        self.sh(f"lvcreate --yes -qq -Wn -Zn -n scrub -l 100%FREE {vg}; blkdiscard -z /dev/{vg}/scrub")
        self.sh(f"lvremove --yes -qq {vg}/scrub")


def _lv(row: dict[str, str]) -> Lv:
    return Lv(
        vg=row["vg_name"],
        name=row["lv_name"],
        size_bytes=int(row["lv_size"]),
        tags=frozenset(filter(None, row["lv_tags"].split(","))),
        segtype=row["segtype"],
        active=row["lv_active"] == "active",
        open=row["lv_device_open"] == "open",
        pool=row["pool_lv"],
    )


@contextmanager
def lab(key_line: str) -> Iterator[dict[str, Machine]]:
    """The tests' guests, as they were made, for one run at a time. HEARTH_TEST_LAB names another lab than `test`."""
    name = os.environ.get("HEARTH_TEST_LAB", "test")
    with _alone(state_dir() / f"{name}.lock", name):
        guests = Lab(state_dir(), name, disposable=True)
        try:
            guests.up(snapshot="fresh", authorized_key=key_line)
            yield {each.name: _machine(each, key_line) for each in guests.guests.values()}
        finally:
            guests.kill()


def _machine(guest: Guest, key_line: str) -> Machine:
    machine = Machine(guest)
    machine.key_line = key_line
    return machine


@contextmanager
def _alone(path: Path, name: str) -> Iterator[None]:
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"  Another run uses the lab {name}: waiting for it. HEARTH_TEST_LAB=another makes a lab of its own.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def each(machines: dict[str, Machine], work: str) -> None:
    """The same on all machines at once."""
    with ThreadPoolExecutor(max_workers=len(machines)) as pool:
        list(pool.map(lambda machine: getattr(machine, work)(), machines.values()))
