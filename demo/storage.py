"""What stands on the data disks of the demo's nodes: one plain volume group, and one with a thin pool in it."""

from __future__ import annotations

from dataclasses import dataclass

from demo.guest import Guest

GIB = 2**30
MIB = 2**20
DISK = "/dev/disk/by-id/virtio-data"
# Room beside 8 GiB for LVM's label and metadata: the volume group then offers 2048 extents of 4 MiB.
DISK_BYTES = 8 * GIB + 4 * MIB


@dataclass(frozen=True)
class NodeSpec:
    """A node of the demo and the pool on it; `thin_pool` is empty for a plain volume group."""

    name: str
    vg_name: str
    thin_pool: str = ""


NODES = (NodeSpec("node-1", "stack-volumes"), NodeSpec("node-2", "fast", "thin"))


def make_pool(guest: Guest, spec: NodeSpec) -> None:
    """Make the volume group, and the thin pool, where they are missing. Nothing there is ever made anew."""
    if guest.ssh(["vgs", spec.vg_name]).returncode:
        guest.check(["vgcreate", "--yes", spec.vg_name, DISK])
    if spec.thin_pool and guest.ssh(["lvs", f"{spec.vg_name}/{spec.thin_pool}"]).returncode:
        # 7 of 8 GiB: the rest is room for the pool's own metadata, its spare copy, and for growing it.
        make = ["lvcreate", "--yes", "--type", "thin-pool", "--size", "7g", "--poolmetadatasize", "64m", "--zero", "y"]
        guest.check([*make, "--name", spec.thin_pool, spec.vg_name])
