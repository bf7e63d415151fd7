"""The verbs, one file each. Importing this package makes every one of them known to the engine."""

from volumes.operations import (
    create_volume,
    delete_volume,
    edit,
    probe_node,
    scan_node,
)

__all__ = ["create_volume", "delete_volume", "edit", "probe_node", "scan_node"]
