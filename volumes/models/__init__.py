"""The rows. One file a noun."""

from volumes.models.drift import Drift
from volumes.models.history import StatusChange
from volumes.models.node import Node
from volumes.models.operation import Operation
from volumes.models.pool import GIB, Pool
from volumes.models.project import UNLIMITED, Membership, Project
from volumes.models.snapshot import (
    NEARLY_FULL_PERCENT,
    SNAPSHOT_BAD,
    SNAPSHOT_DELETABLE,
    SNAPSHOT_MOVING,
    Snapshot,
    SnapshotStatus,
)
from volumes.models.step import Step
from volumes.models.user import User
from volumes.models.volume import BAD, DELETABLE, GOOD, MOVING, RESTING, Status, Volume

OWNED: dict[str, type[Volume] | type[Snapshot]] = {model.kind: model for model in (Volume, Snapshot)}
"""What operations can be about, besides nodes and pools, by its kind."""

__all__ = [
    "BAD",
    "DELETABLE",
    "GIB",
    "GOOD",
    "MOVING",
    "NEARLY_FULL_PERCENT",
    "OWNED",
    "RESTING",
    "SNAPSHOT_BAD",
    "SNAPSHOT_DELETABLE",
    "SNAPSHOT_MOVING",
    "UNLIMITED",
    "Drift",
    "Membership",
    "Node",
    "Operation",
    "Pool",
    "Project",
    "Snapshot",
    "SnapshotStatus",
    "Status",
    "StatusChange",
    "Step",
    "User",
    "Volume",
]
