"""One guest: a real kernel with a real disk, that can be parked, cut off, slowed down and robbed of its power."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shlex
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from demo import accel
from demo.ports import LOOPBACK
from demo.qemu import Qemu
from demo.qmp import MonitorError
from demo.shell import DemoError, run, say

HOST_KEY = re.compile(r"hearth-host-key: (ssh-ed25519 \S+)")
PARKED = "parked"
FRESH = "fresh"
TELL_S = 30


class Guest:
    """A guest and its folder. Nothing runs until `start`; `wait_ssh` afterwards makes it usable."""

    def __init__(self, qemu: Qemu) -> None:
        self.qemu = qemu
        self.name = qemu.name
        self.folder = qemu.folder
        self.given_up = threading.Event()

    @property
    def port(self) -> int:
        return self.qemu.port

    @property
    def is_running(self) -> bool:
        return self.qemu.pid is not None

    def create(self, data_bytes: int) -> bool:
        """Make the disks unless they are there. True when they are new."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if (self.folder / "data.qcow2").exists():
            return False
        base = os.path.relpath(self.qemu.image.root, self.folder)
        run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", base, "root.qcow2"], cwd=self.folder)
        run(["qemu-img", "create", "-q", "-f", "qcow2", "data.qcow2", str(data_bytes)], cwd=self.folder)
        return True

    def start(self, *, snapshot: str = PARKED) -> bool:
        """Resume from a saved state when there is a usable one, otherwise boot. True when it was resumed.

        The parked state is good for one start: from then on the disk is ahead of it. A fresh one can be used again.
        """
        if self.is_running:
            return True
        usable = self.has(snapshot)
        self._mark(PARKED).unlink(missing_ok=True)
        self._forget_ssh()
        if usable:
            try:
                self.qemu.launch("-loadvm", snapshot)
            except DemoError:
                if snapshot != PARKED:
                    raise
            else:
                return True
        self.qemu.launch()
        return False

    def wait_ssh(self, timeout_s: float = 600) -> None:
        """Wait until commands run, and set the clock, which stood still while the guest did not run."""
        start = time.monotonic()
        told = start
        while time.monotonic() < start + timeout_s:
            if not self.is_running:
                raise DemoError(f"QEMU of {self.name} ended.", f"Look at {self.folder / 'qemu.log'}")
            if self.given_up.is_set():
                raise DemoError(f"Nobody waits for {self.name} any longer.")
            if self._learn_host_key() and self.answers():
                return
            if time.monotonic() > told + TELL_S:
                told = time.monotonic()
                say(f"  {self.name} is still starting ({told - start:.0f} s)")
            time.sleep(0.1)
        raise DemoError(
            f"{self.name} did not answer over ssh within {timeout_s:.0f} s (accelerator: {self.qemu.accelerator}).",
            f"Look at {self.folder / 'console.log'}. DEMO_ACCEL=tcg does without hardware virtualisation.",
        )

    # Commands

    def ssh(
        self, command: Sequence[str] | str, *, stdin: str = "", timeout_s: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as root, by the key that only the demo and the tests hold. A string goes through the shell."""
        words = command if isinstance(command, str) else shlex.join(command)
        return subprocess.run(
            [*self.ssh_argv(), words],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            cwd=self.folder,
            check=False,
        )

    def check(self, command: Sequence[str] | str, *, stdin: str = "", timeout_s: float = 120) -> str:
        """The output of a command that has to succeed."""
        done = self.ssh(command, stdin=stdin, timeout_s=timeout_s)
        if done.returncode:
            raise DemoError(f"{self.name}: {command} ended with exit code {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def answers(self) -> bool:
        """Does a command run? The command sets the clock: the time is sent when the other side is there to read it."""
        argv = [*self.ssh_argv(), "echo there && read -r now && date -u -s @$now"]
        with subprocess.Popen(
            argv, cwd=self.folder, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as command:
            killer = threading.Timer(20, command.kill)
            killer.start()
            try:
                if not command.stdout or command.stdout.readline().strip() != "there":
                    return False
                command.communicate(f"{time.time():.3f}\n")
                return command.returncode == 0
            finally:
                killer.cancel()

    def allow(self, line: str) -> None:
        """Let one more key log in as root: `line` is a line of authorized_keys."""
        known = "/root/.ssh/authorized_keys"
        quoted = shlex.quote(line.strip())
        self.check(f"grep -qxF {quoted} {known} || echo {quoted} >> {known}")

    def ssh_argv(self) -> list[str]:
        """The ssh command line up to the remote command; run in `folder`, where its key file and socket are."""
        options = ["BatchMode=yes", "IdentitiesOnly=yes", f"IdentityFile={self.qemu.admin_key}", "ConnectTimeout=5"]
        options += ["UserKnownHostsFile=known_hosts", "StrictHostKeyChecking=yes", "LogLevel=ERROR"]
        options += ["ControlMaster=auto", "ControlPath=ssh.sock", "ControlPersist=120", "ServerAliveInterval=5"]
        flags = [word for option in options for word in ("-o", option)]
        return ["ssh", "-F", "none", *flags, "-p", str(self.port), f"root@{LOOPBACK}", "--"]

    @property
    def host_key(self) -> str:
        """The public host key as the guest said it over its serial port: "ssh-ed25519 AAAA..."."""
        return (self.folder / "host_key").read_text().strip()

    # Saved states

    def has(self, snapshot: str) -> bool:
        """Is there a state of that name that this QEMU on this machine can resume?"""
        mark = self._mark(snapshot)
        return mark.exists() and mark.read_text() == self._fingerprint()

    def save(self, snapshot: str) -> None:
        """Keep memory and disks as they are now. The guest goes on running."""
        with self.qemu.monitor() as monitor:
            monitor.human(f"savevm {snapshot}")
        self._mark(snapshot).write_text(self._fingerprint())

    def revert(self, snapshot: str = FRESH) -> None:
        """Bring a running guest back to a saved state, disks included: quicker than a start."""
        with self.qemu.monitor() as monitor:
            monitor.ask("stop")
            monitor.human(f"loadvm {snapshot}")
            monitor.ask("cont")
        self._forget_ssh()
        self.wait_ssh(60)

    def stop(self) -> None:
        """Park: keep memory and disks, then end. The next start resumes here within seconds."""
        if not self.is_running:
            return
        self._learn_host_key()
        self._forget_ssh()
        try:
            with self.qemu.monitor() as monitor:
                monitor.ask("stop")
                monitor.human(f"savevm {PARKED}")
        except MonitorError:
            self.shut_down()
            return
        self.qemu.quit()
        self._mark(PARKED).write_text(self._fingerprint())

    def shut_down(self) -> None:
        """End without a saved state, and without losing what was written."""
        self._mark(PARKED).unlink(missing_ok=True)
        with contextlib.suppress(MonitorError, subprocess.TimeoutExpired):
            self.cont()
            self.ssh("sync", timeout_s=30)
        self.qemu.quit()

    # Faults to order

    def pause(self) -> None:
        """The node hangs: connections stay open, nothing answers."""
        with self.qemu.monitor() as monitor:
            monitor.ask("stop")

    def cont(self) -> None:
        with self.qemu.monitor() as monitor:
            monitor.ask("cont")

    def set_link(self, up: bool) -> None:
        """Plug the network cable in, or pull it."""
        with self.qemu.monitor() as monitor:
            monitor.ask("set_link", name="n0", up=up)

    def set_disk_speed(self, bytes_s: int) -> None:
        """Limit reading and writing of the data disk, zeroes written by it included. 0 takes the limit away."""
        rest = dict.fromkeys(("bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr"), 0)
        with self.qemu.monitor() as monitor:
            monitor.ask("block_set_io_throttle", device="data", bps=bytes_s, **rest)

    def power_off(self) -> None:
        """Power loss: what the guest has not flushed is gone. A parked state is worth nothing afterwards."""
        self._mark(PARKED).unlink(missing_ok=True)
        self.qemu.kill()
        self._forget_ssh()

    def power_on(self, *, wait: bool = True) -> None:
        """Boot from the disks as they are."""
        self.start(snapshot="")
        if wait:
            self.wait_ssh()

    # Details

    def _mark(self, snapshot: str) -> Path:
        return self.folder / f"{snapshot or 'none'}.state"

    def _fingerprint(self) -> str:
        """A saved state fits the same machine description under the same QEMU; ports may differ."""
        parts = [*self.qemu.arguments(port=1), accel.qemu_version()]
        if self.qemu.accelerator == "kvm":
            parts.append(accel.machine())
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def _learn_host_key(self) -> bool:
        """Pin the key from the serial console. A resumed guest says nothing there: it is known by now."""
        console = self.folder / "console.log"
        said = HOST_KEY.search(console.read_text(errors="replace")) if console.exists() else None
        if said:
            (self.folder / "host_key").write_text(said[1] + "\n")
        if not (self.folder / "host_key").exists():
            return False
        (self.folder / "known_hosts").write_text(f"[{LOOPBACK}]:{self.port} {self.host_key}\n")
        return True

    def _forget_ssh(self) -> None:
        """End the shared connection: it does not survive a jump of the guest."""
        if not (self.folder / "ssh.sock").exists():
            return
        argv = self.ssh_argv()[:-2]
        subprocess.run([*argv, "-O", "exit", LOOPBACK], cwd=self.folder, capture_output=True, check=False, timeout=10)
        (self.folder / "ssh.sock").unlink(missing_ok=True)
