"""What needs somebody: failed volumes and snapshots, silent nodes, full pools, drift, quotas near their end. Worst first."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from volumes.filters import NEARLY_FULL
from volumes.models import BAD, GIB, SNAPSHOT_BAD, UNLIMITED, Drift, Node, Pool, Project, Snapshot, Volume
from volumes.templatetags.marks import PROMISED_WARN, QUOTA_BAD, QUOTA_WARN, USED_BAD, USED_WARN
from volumes.templatetags.spaces import overflow_sentence
from volumes.views.rows import is_retriable

if TYPE_CHECKING:
    from volumes.views.access import Request

ORDER = ("bad", "warn", "rest")


@dataclass(frozen=True)
class Action:
    """A button that stands where the problem is told."""

    url: str
    label: str
    icon: str = ""
    dialog: bool = False


@dataclass(frozen=True)
class Concern:
    """One thing that needs somebody. `kind` is `bad`, `warn` or `rest` (a note)."""

    kind: str
    title: str
    detail: str = ""
    since: datetime | None = None
    actions: list[Action] = field(default_factory=list)
    word: str = ""


def infrastructure() -> tuple[list[Node], list[Pool]]:
    """All nodes and pools; the pools know what is promised in them."""
    return list(Node.objects.all()), list(
        Pool.objects.with_promises().defer("facts", "node__facts").order_by("node__name", "vg_name", "thin_pool_name")
    )


def is_down(node: Node) -> bool:
    """Whether a node that was in use cannot be reached or used."""
    return bool(node.host_key) and node.state != Node.State.UNKNOWN and not node.is_up


def shares(pool: Pool) -> tuple[float, float]:
    """How much of a pool is used and promised, in percent of its size. A promise is never less than what is taken."""
    if not pool.size_bytes:
        return 0.0, 0.0
    used = 100.0 * pool.used_bytes / pool.size_bytes
    promised_bytes = getattr(pool, "promised_gib", 0) * GIB if pool.is_thin else getattr(pool, "pending_bytes", 0)
    promised = 100.0 * promised_bytes / pool.size_bytes
    return used, promised if pool.is_thin else min(100.0, used + promised)


def of_pool(pool: Pool) -> list[Concern]:
    """What is wrong with one pool."""
    see = [Action(reverse("pool", args=[pool.pk]), _("See pool"))]
    if not pool.present:
        return [
            Concern("bad", _("Pool %(pool)s was not found") % {"pool": pool}, pool.missing_reason, pool.facts_at, see)
        ]
    used, promised = shares(pool)
    name = {"pool": pool, "used": used, "promised": promised, "meta": pool.metadata_percent or 0}
    found = []
    if used >= USED_WARN:
        kind = "bad" if used >= USED_BAD else "warn"
        detail = (
            _("Once it is full, its volumes stop taking writes.") if pool.is_thin else _("New volumes go elsewhere.")
        )
        found.append(
            Concern(kind, _("%(pool)s is %(used).0f %% full") % name, detail, None, see, _("%(used).0f %% used") % name)
        )
    elif not pool.is_thin and promised >= PROMISED_WARN:
        title = _("%(pool)s is %(promised).0f %% promised") % name
        found.append(Concern("warn", title, "", None, see, _("%(promised).0f %% promised") % name))
    if (pool.metadata_percent or 0) >= USED_WARN:
        kind = "bad" if (pool.metadata_percent or 0) >= USED_BAD else "warn"
        detail = _("A thin pool whose metadata is full stops, and needs repair.")
        title = _("Metadata of %(pool)s is %(meta).0f %% full") % name
        found.append(Concern(kind, title, detail, None, see, _("metadata %(meta).0f %%") % name))
    return found


def of_node(node: Node, volumes: int | None = None) -> list[Concern]:
    """What is wrong with one node."""
    see = [Action(reverse("node", args=[node.pk]), _("See node"))]
    if not node.host_key:
        title = _("Host key of %(node)s is not confirmed") % {"node": node}
        go_on = [Action(reverse("node-setup", args=[node.pk]), _("Go on"))]
        return [Concern("warn", title, _("Hearth does not connect before."), node.created_at, go_on)]
    if not is_down(node):
        return []
    detail = node.state_reason
    if volumes:
        there = ngettext("%(n)d volume is on it.", "%(n)d volumes are on it.", volumes) % {"n": volumes}
        detail = f"{detail} {there}".strip()
    title = _("Node %(node)s cannot be used") if node.state == Node.State.BROKEN else _("Node %(node)s does not answer")
    return [Concern("bad", title % {"node": node}, detail, node.last_seen_at, see)]


def of_drift() -> list[Concern]:
    """Where rows and nodes differ. Foreign LVs are a note, everything else a warning."""
    found = []
    for drift in Drift.objects.select_related("node", "pool")[:20]:
        url = reverse("pool", args=[drift.pool_id]) if drift.pool_id else reverse("node", args=[drift.node_id])
        label = _("See pool") if drift.pool_id else _("See node")
        foreign = drift.kind == Drift.Kind.FOREIGN_LV
        title = (
            _("%(lv)s on %(node)s belongs to nobody here") % {"lv": drift.subject, "node": drift.node}
            if foreign
            else f"{drift.get_kind_display().capitalize()}: {drift.subject}"
        )
        found.append(
            Concern("rest" if foreign else "warn", title, drift.detail, drift.first_seen_at, [Action(url, label)])
        )
    return found


def of_volume(volume: Volume, *, may_act: bool) -> Concern:
    """A volume in a bad status."""
    words = {"volume": volume, "status": volume.get_status_display().lower()}
    return _of_bad(volume, _("Volume %(volume)s: %(status)s") % words, may_act=may_act)


def of_snapshot(snapshot: Snapshot, *, may_act: bool) -> Concern:
    """A snapshot in a bad status, or one that will soon be lost."""
    words = {
        "snapshot": snapshot,
        "volume": snapshot.volume,
        "status": snapshot.get_status_display().lower(),
        "used": snapshot.snap_percent or 0,
    }
    wrong = _("Snapshot %(snapshot)s of %(volume)s: %(status)s") % words
    if snapshot.is_bad and is_retriable(snapshot.last_operation):
        return _of_bad(snapshot, wrong, may_act=may_act)
    actions = [Action(reverse("snapshot", args=[snapshot.pk]), _("See snapshot"))]
    if may_act:
        actions.append(Action(reverse("snapshot-delete", args=[snapshot.pk]), _("Delete…"), "trash", dialog=True))
    if snapshot.is_bad:
        return Concern("bad", wrong, snapshot.status_reason, snapshot.updated_at, actions)
    title = _("Snapshot %(snapshot)s of %(volume)s is %(used).0f %% full") % words
    return Concern("warn", title, overflow_sentence(snapshot), None, actions)


def _of_bad(owned: Volume | Snapshot, title: str, *, may_act: bool) -> Concern:
    operation = owned.last_operation
    actions = []
    if operation is not None:
        actions.append(Action(reverse("operation", args=[operation.pk]), _("Open operation")))
        if may_act and is_retriable(operation):
            actions.append(Action(reverse("operation-retry", args=[operation.pk]), _("Retry"), "refresh", dialog=True))
    since = operation.finished_at if operation else owned.updated_at
    return Concern("bad", title, owned.status_reason, since, actions)


def of_quota(project: Project, used: tuple[int, int, int]) -> list[Concern]:
    """Quotas near their end."""
    found = []
    count, gib, snapshots = used
    pairs = (
        (_("Volumes"), count, project.quota_volumes, ""),
        (_("Volume space"), gib, project.quota_gib, " GiB"),
        (_("Snapshots"), snapshots, project.quota_snapshots, ""),
    )
    for what, have, limit, unit in pairs:
        share = 100.0 if limit == 0 else 100.0 * have / limit
        if limit == UNLIMITED or share < QUOTA_WARN:
            continue
        words = {"what": what, "used": have, "limit": limit, "unit": unit, "project": project}
        full = share >= QUOTA_BAD
        title = (
            _("Quota of %(project)s is used up: %(what)s")
            if full
            else _("Quota of %(project)s is nearly used up: %(what)s")
        )
        found.append(Concern("warn", title % words, _("%(used)s of %(limit)s%(unit)s.") % words))
    return found


def everything(request: Request, project: Project, used: tuple[int, int, int], *, may_act: bool) -> list[Concern]:
    """All there is to say on the overview. Members hear of nodes only where their own volumes are."""
    bad = Volume.objects.filter(project=project, status__in=BAD).select_related("last_operation")
    found = [of_volume(volume, may_act=may_act) for volume in bad[:50]]
    lost = Snapshot.objects.filter(Q(status__in=SNAPSHOT_BAD) | NEARLY_FULL, project=project)
    lost = lost.select_related("volume", "last_operation").order_by("-snap_percent", "-created_at")
    found += [of_snapshot(snapshot, may_act=may_act) for snapshot in lost[:50]]
    if request.user.is_administrator:
        nodes, pools = infrastructure()
        found += [concern for node in nodes for concern in of_node(node)]
        found += [concern for pool in pools for concern in of_pool(pool)]
        found += of_drift()
    else:
        found += _nodes_of(project)
    found += of_quota(project, used)
    return sorted(found, key=lambda concern: ORDER.index(concern.kind))


def _nodes_of(project: Project) -> list[Concern]:
    """Silent nodes that hold volumes of this project: what it means for them, without the machine room's details."""
    found = []
    ours = Q(pools__volumes__project=project)
    nodes = Node.objects.filter(ours).annotate(count=Count("pools__volumes", filter=ours)).order_by("name")
    for node in nodes:
        if is_down(node):
            there = ngettext("%(n)d volume of yours is on it.", "%(n)d volumes of yours are on it.", node.count) % {
                "n": node.count
            }
            detail = _("Nothing can be done to them before it answers; their data stays.")
            found.append(
                Concern(
                    "bad", _("Node %(node)s does not answer") % {"node": node}, f"{there} {detail}", node.last_seen_at
                )
            )
    return found
