"""The verbs, one file each. Importing this package makes every one of them known to the engine."""

from volumes.operations import (
    clone_volume,
    create_snapshot,
    create_volume,
    delete_snapshot,
    delete_volume,
    edit,
    extend_snapshot,
    extend_volume,
    probe_node,
    revert_volume,
    scan_node,
)

__all__ = [
    "clone_volume",
    "create_snapshot",
    "create_volume",
    "delete_snapshot",
    "delete_volume",
    "edit",
    "extend_snapshot",
    "extend_volume",
    "probe_node",
    "revert_volume",
    "scan_node",
]
