"""Places: how many bulk jobs a node does at once."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext

from volumes.models import Node, Step


def taken(node: Node) -> int:
    """Units of this node that are running, or about to be started."""
    running = Step.objects.filter(node=node, status=Step.Status.RUNNING, operation__finished_at=None).exclude(unit="")
    return running.values("unit").distinct().count()


def take(node: Node, rows: list[Step], unit: str) -> bool:
    """Take a place for these steps by writing the unit's name on them; False when all places are taken.

    The node's row is locked meanwhile, so of two operations that want the last place one gets it.
    """
    with transaction.atomic():
        locked = Node.objects.select_for_update().get(pk=node.pk)
        if all(row.unit for row in rows):
            return True
        if taken(locked) >= locked.bulk_limit:
            return False
        for number, row in enumerate(rows):
            row.unit, row.node, row.node_name = unit, node, node.name
            if number == 0:
                row.status = Step.Status.RUNNING
            row.save(update_fields=["unit", "node", "node_name", "status"])
        return True


def waits_text(node: Node) -> str:
    """What an operation that found none free says."""
    return gettext("Waits for one of %(limit)d places on %(node)s.") % {
        "limit": node.bulk_limit,
        "node": node,
    }
