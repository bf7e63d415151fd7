"""The verbs, one file each. Importing this package makes every one of them known to the engine."""

from volumes.operations import (
    adopt_lv,
    clone_volume,
    create_snapshot,
    create_thin_pool,
    create_volume,
    delete_snapshot,
    delete_volume,
    edit,
    extend_snapshot,
    extend_thin_pool,
    extend_volume,
    probe_node,
    release_volume,
    revert_volume,
    scan_node,
    scrub_pool,
)

__all__ = [
    "adopt_lv",
    "clone_volume",
    "create_snapshot",
    "create_thin_pool",
    "create_volume",
    "delete_snapshot",
    "delete_volume",
    "edit",
    "extend_snapshot",
    "extend_thin_pool",
    "extend_volume",
    "probe_node",
    "release_volume",
    "revert_volume",
    "scan_node",
    "scrub_pool",
]
