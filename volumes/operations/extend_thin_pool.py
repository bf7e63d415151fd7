"""Extend Thin Pool: more data, more metadata, or both, from the free extents of its volume group. There is no way back.

Who: administrators. What it grows to is fixed at the first look, in whole extents, so that a try after a crash does not add
again. Its size is read back from the node, whatever happens.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext, gettext_noop

from volumes import rules
from volumes.engine.protocol import Next, Step, register
from volumes.errors import NoRoom, Refused
from volumes.models import GIB, Operation, Pool, User
from volumes.nodes.commands import Command, Result, change
from volumes.nodes.errors import NodeError, NoSuchThinPool
from volumes.nodes.lvm import change as lvm
from volumes.nodes.lvm.report import LogicalVolume, Report
from volumes.operations import pool_verb

MIB = 1024**2
METADATA_MOST = 4064 * 4 * MIB
"""LVM's limit, 15.8 GiB."""


def request(pool: Pool, *, data_gib: int = 0, metadata_mib: int = 0, actor: User) -> Operation:
    """Ask for so much more. Raises Refused with the obstacle, or with what fits."""

    def prepare(pool: Pool) -> Operation:
        if reason := rules.why_not_extend_thin_pool(pool):
            raise Refused(reason)
        _refuse(pool, data_gib, metadata_mib)
        title = gettext("Extend thin pool %(name)s") % {"name": pool}
        operation = pool_verb.new_operation("extend_thin_pool", title, pool, actor)
        operation.args = {"data_gib": data_gib, "metadata_mib": metadata_mib}
        return operation

    return pool_verb.request(pool, actor, prepare)


def plan(pool: Pool, data_gib: int, metadata_mib: int) -> list[pool_verb.Planned]:
    """What it would do now."""
    have = int(pool.facts.get("metadata_bytes") or 0)
    state = {"data_to": pool.size_bytes + data_gib * GIB, "meta_to": have + metadata_mib * MIB}
    args = {"data_gib": data_gib, "metadata_mib": metadata_mib}
    operation = Operation(verb="extend_thin_pool", target_id=pool.pk, args=args, state=state)
    return pool_verb.planned(ExtendThinPool().steps(operation), pool)


def _refuse(pool: Pool, data_gib: int, metadata_mib: int) -> None:
    if data_gib < 0 or metadata_mib < 0 or not (data_gib or metadata_mib):
        raise Refused(gettext("Say by how much: a thin pool only grows."), field="data_gib")
    free = int(pool.facts.get("vg_free_bytes", 0))
    if data_gib * GIB + metadata_mib * MIB > free:
        said = gettext("%(vg)s has %(free)s GiB free for data and metadata together.")
        field = "data_gib" if data_gib else "metadata_mib"
        raise NoRoom(said % {"vg": pool.vg_name, "free": f"{free / GIB:.2f}"}, field=field)
    have = int(pool.facts.get("metadata_bytes") or 0)
    if have + metadata_mib * MIB > METADATA_MOST:
        most = max(0, METADATA_MOST - have) // MIB
        raise NoRoom(gettext("Metadata grows by at most %(most)d MiB.") % {"most": most}, field="metadata_mib")


class ExtendThinPool(pool_verb.PoolVerb):
    """The verb; `state` remembers what it grows to."""

    name = "extend_thin_pool"

    def steps(self, operation: Operation) -> list[Step]:
        """Look; grow metadata first, for it keeps count of the data; grow data."""
        pool = self.pool(operation)
        vg, thin = pool.vg_name, pool.thin_pool_name
        look = Step(
            key="look",
            title=gettext("See that it is there, and how large it is"),
            commands=[pool_verb.ask(pool)],
            check=lambda results: _look(operation, pool, results),
        )
        if "data_to" not in operation.state:
            return [look]
        steps, data_to, meta_to = [look], int(operation.state["data_to"]), int(operation.state["meta_to"])
        if operation.args["metadata_mib"]:
            grow = change(lvm.extend_metadata(vg, thin, meta_to))
            title = gettext("Grow its metadata to %(size)d MiB") % {"size": meta_to // MIB}
            steps.append(self._grow("metadata", title, operation, pool, grow, (0, meta_to)))
        if operation.args["data_gib"]:
            grow = change(lvm.extend(vg, thin, data_to))
            title = gettext("Grow its data to %(size)s GiB") % {"size": f"{data_to / GIB:.2f}".rstrip("0").rstrip(".")}
            steps.append(self._grow("data", title, operation, pool, grow, (data_to, 0)))
        return steps

    def _grow(
        self, key: str, title: str, operation: Operation, pool: Pool, grow: Command, least: tuple[int, int]
    ) -> Step:
        def enough(report: Report) -> str:
            found = _thin(pool, report)
            if found.size_bytes < least[0] or (found.metadata_size_bytes or 0) < least[1]:
                return ""
            return _note(pool, report)

        def check(results: Sequence[Result]) -> str:
            report, vg = pool_verb.group_of(pool, results)
            pool_verb.refresh(pool, vg)
            _note(pool, report)
            if not (said := enough(report)):
                raise NotGrown(lv=pool.lvm_name)
            return said

        return Step(key=key, title=title, commands=[grow, pool_verb.ask(pool)], check=check, done=enough)

    def fail(self, operation: Operation, reason: str) -> Next:
        """It stays as large as it has become; the next look says how large that is."""
        return Next.FAIL

    def why_not(self, pool: Pool, operation: Operation) -> str | None:
        """As a new one."""
        if reason := rules.why_not_extend_thin_pool(pool, retried=operation):
            return reason
        _refuse(pool, int(operation.args["data_gib"]), int(operation.args["metadata_mib"]))
        return None


def _thin(pool: Pool, report: Report) -> LogicalVolume:
    found = report.lv(pool.vg_name, pool.thin_pool_name)
    if found is None or not found.is_thin_pool:
        raise NoSuchThinPool(pool=pool.thin_pool_name, vg=pool.vg_name, node=pool.node.name)
    return found


def _look(operation: Operation, pool: Pool, results: Sequence[Result]) -> str:
    report, vg = pool_verb.group_of(pool, results)
    found, extent = _thin(pool, report), vg.extent_size_bytes
    asked = int(operation.args["data_gib"]) * GIB, int(operation.args["metadata_mib"]) * MIB
    have = found.size_bytes, found.metadata_size_bytes or 0
    to = [-(-(size + more) // extent) * extent for size, more in zip(have, asked, strict=True)]
    operation.state.setdefault("data_to", to[0])
    operation.state.setdefault("meta_to", to[1])
    operation.save(update_fields=["state", "updated_at"])
    return gettext("%(data)d bytes of data, %(meta)d of metadata") % {"data": have[0], "meta": have[1]}


def _note(pool: Pool, report: Report) -> str:
    """What it is now, into its row."""
    found = _thin(pool, report)
    percent = {"data_percent": found.data_percent, "metadata_percent": found.metadata_percent}
    Pool.objects.filter(pk=pool.pk).update(size_bytes=found.size_bytes, **percent)
    return gettext("read back: %(data)d bytes of data, %(meta)d of metadata") % {
        "data": found.size_bytes,
        "meta": found.metadata_size_bytes or 0,
    }


class NotGrown(NodeError):
    """lvextend said yes, and it is no larger."""

    sentence = gettext_noop("%(lv)s was to grow, and has not grown as asked.")


register(ExtendThinPool())
