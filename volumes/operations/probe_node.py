"""Test Connection: log in, see whether the machine has all that Hearth needs, and read what pools it could offer."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext, gettext_noop

from volumes.engine import facts
from volumes.engine.link import session
from volumes.engine.protocol import Next, Step, register
from volumes.errors import NotAllowed, Refused
from volumes.models import Node, Operation, Pool, User
from volumes.nodes import facts as node_facts
from volumes.nodes.errors import HostKeyUnknown, NodeError
from volumes.nodes.lvm.report import Report
from volumes.operations import node_verb

TITLE = gettext_noop("Test the connection to %(name)s")


def request(node: Node, *, actor: User) -> Operation:
    """Ask for it."""
    return node_verb.request("probe_node", gettext(TITLE), node, actor)


def add_pools(node: Node, *, actor: User, lvm_names: list[str], clean: list[str] | None = None) -> list[Pool]:
    """Register pools among those found; `lvm_names` are `vg` or `vg/thinpool`.

    `clean` names those whose every free byte is known to be zero (new disks): the person vouches for it.
    """
    if not actor.is_administrator:
        raise NotAllowed(gettext("Only administrators set up nodes."))
    found = {entry["lvm_name"]: entry for entry in node.facts.get("found_pools", [])}
    pools = []
    with transaction.atomic():
        for lvm_name in lvm_names:
            if lvm_name not in found:
                raise Refused(
                    gettext("%(pool)s was not found on the node.") % {"pool": lvm_name},
                    field="pools",
                )
            vg_name, _, thin = lvm_name.partition("/")
            pool, _created = Pool.objects.get_or_create(
                node=node,
                vg_name=vg_name,
                thin_pool_name=thin,
                defaults={
                    "free_space_is_clean": lvm_name in (clean or []),
                    "vg_uuid": found[lvm_name]["vg_uuid"],
                },
            )
            pools.append(pool)
    return pools


def found_pools(report: Report) -> list[dict[str, object]]:
    """Every volume group, and every thin pool in one, as the wizard lists them."""
    entries: list[dict[str, object]] = []
    for vg in report.vgs:
        lvs = [lv for lv in report.lvs if lv.vg == vg.name]
        entries.append(_entry(vg.name, "thick", vg.uuid, vg.size_bytes, vg.free_bytes, len(lvs)))
        for thin in (lv for lv in lvs if lv.is_thin_pool):
            free = int(thin.size_bytes * (100 - (thin.data_percent or 0)) / 100)
            inside = sum(lv.pool == thin.name for lv in lvs)
            entries.append(
                _entry(
                    f"{vg.name}/{thin.name}",
                    "thin",
                    vg.uuid,
                    thin.size_bytes,
                    free,
                    inside,
                )
            )
    return entries


def _entry(lvm_name: str, kind: str, vg_uuid: str, size: int, free: int, lvs: int) -> dict[str, object]:
    return {
        "lvm_name": lvm_name,
        "kind": kind,
        "vg_uuid": vg_uuid,
        "size_bytes": size,
        "free_bytes": free,
        "lvs": lvs,
    }


class ProbeNode(node_verb.NodeVerb):
    """The verb."""

    name = "probe_node"

    def steps(self, operation: Operation) -> list[Step]:
        """Log in, then read."""
        return [
            Step(
                key="probe",
                title=gettext("Log in and look for what Hearth needs"),
                local=lambda: self._probe(operation),
            ),
            Step(
                key="pools",
                title=gettext("Read its volume groups"),
                local=lambda: self._read(operation),
            ),
        ]

    def _probe(self, operation: Operation) -> str:
        node = self.target(operation)
        if not node.host_key:
            raise HostKeyUnknown(node=node.name)
        probe = node_facts.probe(session(node))
        if probe.problems:
            raise probe.problems[0]
        node.heard()
        return gettext("LVM %(version)s, everything is there") % {"version": probe.lvm_version}

    def _read(self, operation: Operation) -> str:
        node = self.target(operation)
        found = facts.refresh(node)
        pools = found_pools(found.lvm)
        node.set(facts={**node.facts, "found_pools": pools})
        missing = [pool for pool in node.pools.all() if not pool.present]
        if missing:
            operation.state["answers"] = True
            raise PoolsMissing(node=node.name, what=" ".join(pool.missing_reason for pool in missing))
        return gettext("%(count)d found") % {"count": len(pools)}

    def fail(self, operation: Operation, reason: str) -> Next:
        """The node's row says it too, unless it can be used and only some pool of it is missing."""
        if not operation.state.get("answers"):
            self.target(operation).lost(reason, broken=True)
        return Next.FAIL


class PoolsMissing(NodeError):
    """It can be logged in to, and a pool that was registered is not there."""

    sentence = gettext_noop("%(node)s answers, but not with all of its pools. %(what)s")
    way_out = gettext_noop("Check with `vgs` and `pvs` on the node whether its disks are present.")


register(ProbeNode())
