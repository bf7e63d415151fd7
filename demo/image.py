"""The disk image every guest starts from: Debian with LVM, LIO and sshd, and no key in it."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from demo.shell import DemoError, as_root, run, stage

SUITE = "bookworm"
PACKAGES = [
    *("systemd-sysv", "udev", "dbus", "kmod", "procps", "util-linux", "bash", "e2fsprogs", "linux-image-cloud-amd64"),
    *("openssh-server", "iproute2", "ifupdown", "python3-minimal", "zstd"),
    *("lvm2", "thin-provisioning-tools", "targetcli-fb", "open-iscsi", "multipath-tools", "restic"),
]
LEFT_OUT = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*")
MKFS = ["mkfs.ext4", "-q", "-F", "-L", "node", "-N", "131072", "-J", "size=32", "-E", "lazy_itable_init=0"]
SIZE = "4G"
HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Image:
    """A root disk (raw, never written to) with the kernel and initrd that boot it."""

    folder: Path

    @property
    def root(self) -> Path:
        return self.folder / "root.img"

    @property
    def kernel(self) -> Path:
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        return self.folder / "initrd.img"


def recipe_hash() -> str:
    """Changes whenever something that goes into the image changes."""
    digest = hashlib.sha256(repr((SUITE, PACKAGES, LEFT_OUT, MKFS, SIZE)).encode())
    files = [HERE / "customize.sh", *sorted(path for path in (HERE / "rootfs").rglob("*") if path.is_file())]
    for path in files:
        digest.update(f"{path.relative_to(HERE)}:{path.stat().st_mode & 0o111}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def ensure_image(state: Path) -> Image:
    """The image for the current recipe, built when it is not there. Of two that want it at once, one builds."""
    folder = state / f"image-{recipe_hash()}"
    with (state / "image.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _build(folder)
            _forget_unused(state, folder)
    return Image(folder)


def _forget_unused(state: Path, newest: Path) -> None:
    """Remove images of older recipes, unless a lab's disks stand on them."""
    used = {json.loads(note.read_text())["image"] for note in state.glob("*/lab.json")}
    for folder in state.glob("image-????????????"):
        if folder != newest and folder.name not in used:
            shutil.rmtree(folder, ignore_errors=True)


def _build(folder: Path) -> None:
    """Build next to the final place and rename: an interrupted build leaves no half image behind."""
    work = folder.with_name(folder.name + ".part")
    sudo = as_root()
    run([*sudo, "rm", "-rf", "--one-file-system", work])
    work.mkdir(parents=True)
    with stage("Node image: install Debian and LVM (about a minute, once)"):
        _bootstrap(work / "root", work / "mmdebstrap.log", sudo)
    with stage("Node image: make the disk"):
        run([*sudo, *MKFS, "-d", work / "root", work / "root.img", SIZE])
        run([*sudo, "rm", "-rf", "--one-file-system", work / "root"])
        run([*sudo, "chown", f"{os.getuid()}:{os.getgid()}", *work.glob("*.img"), work / "vmlinuz"])
    work.rename(folder)


def _bootstrap(root: Path, log: Path, sudo: list[str]) -> None:
    script = HERE / "customize.sh"
    options = [f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT]
    options += [f'--essential-hook="{script}" early "$1"', f'--customize-hook="{script}" late "$1"']
    try:
        run(
            # No mirror is named: the machine's own package sources are used.
            [*sudo, "mmdebstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", *options, SUITE, root],
            log=log,
        )
    except DemoError as error:
        raise DemoError(
            f"The node image could not be built. {error}",
            f"Check the package sources (apt-get update) and free disk space. The whole log: {log}",
        ) from error
