"""The rows. One file a noun."""

from volumes.models.drift import Drift
from volumes.models.history import StatusChange
from volumes.models.node import Node
from volumes.models.operation import Operation
from volumes.models.pool import GIB, Pool
from volumes.models.project import UNLIMITED, Membership, Project
from volumes.models.step import Step
from volumes.models.user import User
from volumes.models.volume import BAD, DELETABLE, GOOD, MOVING, RESTING, Status, Volume

__all__ = [
    "BAD",
    "DELETABLE",
    "GIB",
    "GOOD",
    "MOVING",
    "RESTING",
    "UNLIMITED",
    "Drift",
    "Membership",
    "Node",
    "Operation",
    "Pool",
    "Project",
    "Status",
    "StatusChange",
    "Step",
    "User",
    "Volume",
]
