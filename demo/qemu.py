"""The QEMU process of one guest: its command line, its start and its end."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from demo import accel
from demo.image import Image
from demo.ports import LOOPBACK
from demo.qmp import Monitor, MonitorError
from demo.shell import DemoError, has_ended, spawn

KERNEL_LINE = "root=/dev/vda rw quiet console=ttyS0 net.ifnames=0 mitigations=off"


@dataclass
class Qemu:
    """What runs in `folder`: the disks root.qcow2 and data.qcow2, the monitor qmp.sock, console.log, qemu.log, pid."""

    name: str
    folder: Path
    image: Image
    admin_key: Path
    port: int
    accelerator: str
    memory_mib: int = 768
    cpus: int = 2
    extra: list[str] = field(default_factory=list)

    def arguments(self, port: int | None = None) -> list[str]:
        """QEMU's command line; run in `folder`. Both disks are qcow2 because saving a state needs that.

        The host's page cache is the disks' write cache: what was flushed survives a power loss, the rest need not.
        Discards free space, and zeroes are written by the disk itself, as an SSD does it; they read back as zeroes.
        """
        disk = "if=none,format=qcow2,cache=writeback,discard=unmap,detect-zeroes=off"
        return [
            *(accel.QEMU, "-name", self.name, "-nodefaults", "-no-user-config", "-display", "none", "-M", "q35"),
            *accel.ARGUMENTS[self.accelerator],
            *("-smp", str(self.cpus), "-m", str(self.memory_mib)),
            *("-kernel", str(self.image.kernel), "-initrd", str(self.image.initrd), "-append", KERNEL_LINE),
            *("-drive", f"file=root.qcow2,id=root,{disk}", "-device", "virtio-blk-pci,drive=root"),
            *("-drive", f"file=data.qcow2,id=data,{disk}", "-device", "virtio-blk-pci,drive=data,serial=data"),
            *("-netdev", f"user,id=n0,restrict=on,hostfwd=tcp:{LOOPBACK}:{port or self.port}-:22"),
            *("-device", "virtio-net-pci,netdev=n0,romfile="),
            *("-serial", "file:console.log", "-qmp", "unix:qmp.sock,server=on,wait=off", "-pidfile", "pid"),
            *("-fw_cfg", f"name=opt/hearth/name,string={self.name}"),
            *("-fw_cfg", f"name=opt/hearth/admin_key,file={self.admin_key}.pub"),
            *self.extra,
        ]

    @property
    def pid(self) -> int | None:
        """The running process, made sure by command and folder: the number may belong to something else by now."""
        try:
            pid = int((self.folder / "pid").read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
            mine = Path(f"/proc/{pid}/cwd").resolve() == self.folder.resolve()
        except (OSError, ValueError):
            return None
        return pid if mine and command.endswith(accel.QEMU.encode()) else None

    def monitor(self, timeout_s: float = 60) -> Monitor:
        return Monitor(self.folder / "qmp.sock", timeout_s)

    def launch(self, *more: str) -> None:
        """Start in a session of its own (Ctrl-C is not meant for it) and wait until the monitor answers."""
        for name in ("pid", "qmp.sock", "console.log"):
            (self.folder / name).unlink(missing_ok=True)
        log = self.folder / "qemu.log"
        pid = spawn([*self.arguments(), *more], folder=self.folder, log=log)
        end = time.monotonic() + 60
        while not (ended := has_ended(pid)) and time.monotonic() < end:
            try:
                with self.monitor(timeout_s=30):
                    return
            except MonitorError:
                time.sleep(0.05)
        if not ended:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        raise DemoError(f"QEMU of {self.name} did not start: {log.read_text().strip() or 'no answer within 60 s'}")

    def quit(self) -> None:
        """Ask it to end; kill it when it does not."""
        try:
            with self.monitor(timeout_s=10) as monitor:
                monitor.ask("quit")
            self._wait_gone(15)
        except MonitorError:
            self.kill()

    def kill(self) -> None:
        pid = self.pid
        if pid:
            os.kill(pid, signal.SIGKILL)
            self._wait_gone(30)

    def _wait_gone(self, timeout_s: float) -> None:
        end = time.monotonic() + timeout_s
        while (pid := self.pid) is not None:
            if time.monotonic() > end:
                raise MonitorError(f"QEMU of {self.name} (process {pid}) does not end.")
            time.sleep(0.05)
        with contextlib.suppress(OSError, ValueError):
            has_ended(int((self.folder / "pid").read_text()))
