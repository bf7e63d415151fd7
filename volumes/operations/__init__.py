"""The verbs, one file each. Importing this package makes every one of them known to the engine."""

from volumes.operations import (
    create_snapshot,
    create_volume,
    delete_snapshot,
    delete_volume,
    edit,
    extend_volume,
    probe_node,
    scan_node,
    scrub_pool,
)

__all__ = [
    "create_snapshot",
    "create_volume",
    "delete_snapshot",
    "delete_volume",
    "edit",
    "extend_volume",
    "probe_node",
    "scan_node",
    "scrub_pool",
]
