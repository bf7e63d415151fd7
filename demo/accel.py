"""Which accelerator QEMU can use here: KVM when it really runs a kernel, otherwise TCG (emulation).

`/dev/kvm` may exist and open and still hang or abort a guest at its first instruction (nested machines). So a kernel
without a disk is started: it has to print its first line, and to get as far as missing its root disk.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import select
import shutil
import subprocess
import time
from pathlib import Path

from demo.shell import DemoError, stage

QEMU = "qemu-system-x86_64"
NOTE = "accelerator.json"
ARGUMENTS = {
    "kvm": ["-accel", "kvm", "-cpu", "host"],
    "tcg": ["-accel", "tcg,thread=multi", "-cpu", "max"],
}
FIRST_LINE = (b"Linux version", 8.0)
LAST_LINE = (b"Kernel panic", 20.0)


def accelerator(state: Path, kernel: Path) -> str:
    """ "kvm" or "tcg". Probed once per machine; DEMO_ACCEL decides it by hand."""
    chosen = os.environ.get("DEMO_ACCEL")
    if chosen:
        if chosen not in ARGUMENTS:
            raise DemoError(f"DEMO_ACCEL={chosen} is unknown.", "Use kvm or tcg.")
        return chosen
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    note = state / NOTE
    here = machine()
    known = json.loads(note.read_text()) if note.exists() else {}
    if known.get("machine") != here:
        with stage("Try hardware virtualisation"):
            known = {"machine": here, "accelerator": "kvm" if _kvm_runs(kernel) else "tcg"}
        note.write_text(json.dumps(known))
    return str(known["accelerator"])


def distrust(state: Path, chosen: str) -> bool:
    """After a guest failed: whether there is another accelerator to try. KVM is not chosen again on this machine."""
    if chosen != "kvm" or os.environ.get("DEMO_ACCEL"):
        return False
    (state / NOTE).write_text(json.dumps({"machine": machine(), "accelerator": "tcg"}))
    return True


def qemu_version() -> str:
    """What changes when another QEMU is installed; cheaper than asking it."""
    binary = shutil.which(QEMU)
    if not binary:
        raise DemoError("QEMU is not installed.", "Run: demo/packages.sh demo")
    found = Path(binary).resolve().stat()
    return f"{found.st_size}-{int(found.st_mtime)}"


def machine() -> str:
    cpu = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith(("model", "flags"))]
    parts = [*sorted(set(cpu)), platform.release(), platform.version(), qemu_version()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _kvm_runs(kernel: Path) -> bool:
    argv = [QEMU, "-nodefaults", "-display", "none", "-M", "q35", *ARGUMENTS["kvm"], "-smp", "2", "-m", "256"]
    argv += ["-kernel", str(kernel), "-append", "console=ttyS0 panic=-1", "-no-reboot", "-serial", "stdio"]
    probe = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        return all(_prints(probe, text, limit_s) for text, limit_s in (FIRST_LINE, LAST_LINE))
    finally:
        probe.kill()
        probe.wait()


def _prints(probe: subprocess.Popen[bytes], text: bytes, limit_s: float) -> bool:
    assert probe.stdout
    seen = b""
    end = time.monotonic() + limit_s
    while (left := end - time.monotonic()) > 0:
        if not select.select([probe.stdout], [], [], left)[0]:
            break
        part = os.read(probe.stdout.fileno(), 65536)
        if not part:
            break
        seen += part
        if text in seen:
            return True
    return False
