"""Nodes: list, page, settings, test of the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from volumes import tables
from volumes.engine import places
from volumes.errors import Refused
from volumes.forms import DisableForm, NodeForm
from volumes.models import Drift, Node, Operation, Pool, Volume
from volumes.operations import probe_node
from volumes.views import access, acting, attention, listing, setup
from volumes.views.operations import with_progress

if TYPE_CHECKING:
    from volumes.views.access import Request

ROWS = 10


def with_sums() -> QuerySet[Node]:
    """Nodes with the number of volumes on them."""
    return Node.objects.annotate(volume_count=Count("pools__volumes", distinct=True)).order_by("name")


@require_safe
@access.administrators_only
def node_list(request: Request) -> HttpResponseBase:
    """All nodes with their state and facts; the pools come along in one query."""
    request.slow_poll = True  # type: ignore[attr-defined]
    nodes = list(with_sums().prefetch_related("pools"))
    for node in nodes:
        measure(node)
    if listing.wants_csv(request):
        return listing.as_csv("nodes", tables.NODE_CSV, nodes)
    return render(request, "nodes/list.html", {"live": True, "nodes": nodes})


def measure(node: Node) -> None:
    """Size and free space of a node: a thin pool lies inside its volume group, so it counts only where that is no pool."""
    groups = {pool.vg_name for pool in node.pools.all() if not pool.is_thin}
    outer = [pool for pool in node.pools.all() if not pool.is_thin or pool.vg_name not in groups]
    node.size_bytes = sum(pool.size_bytes for pool in outer)  # type: ignore[attr-defined]
    node.free_bytes = sum(pool.size_bytes - pool.used_bytes for pool in outer)  # type: ignore[attr-defined]


@require_safe
@access.administrators_only
def node_page(request: Request, node_id: UUID) -> HttpResponse:
    """Facts, pools, what runs there, what differs."""
    request.slow_poll = True  # type: ignore[attr-defined]
    node = get_object_or_404(with_sums(), pk=node_id)
    pools = list(Pool.objects.with_promises().filter(node=node).defer("facts", "node__facts"))
    recent = Operation.objects.filter(node=node) | Operation.objects.filter(target_kind="node", target_id=node.pk)
    operations = with_progress(recent.select_related("project", "node").order_by("-created_at")[:ROWS])
    request.moving = sum(1 for operation, _progress in operations if not operation.is_finished)  # type: ignore[attr-defined]
    context = {
        "live": True,
        "node": node,
        "pools": [(pool, *attention.shares(pool), attention.of_pool(pool)) for pool in pools],
        "concerns": attention.of_node(node, Volume.objects.filter(pool__node=node).count()),
        "operations": operations,
        "drifts": Drift.objects.filter(node=node).select_related("pool"),
        "taken": places.taken(node),
        "setup_script": setup.setup_script(),
        "testing": Operation.objects.unfinished().filter(target_kind="node", target_id=node.pk).first(),
    }
    return render(request, "nodes/detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@access.administrators_only
def node_edit(request: Request, node_id: UUID) -> HttpResponse:
    """Zone, tags, places, bandwidth."""
    node = get_object_or_404(Node, pk=node_id)
    form = NodeForm(request.POST or None, instance=node)
    back = acting.safe_next(request, reverse("node", args=[node.pk]))
    if request.method == "POST" and form.is_valid():
        node.set(**form.cleaned_data)
        return acting.done(request, _("Changed %(name)s.") % {"name": node}, back, [node.pk])
    return render(request, "nodes/edit.html", {"node": node, "form": form, "back": back})


@require_http_methods(["GET", "HEAD", "POST"])
@access.administrators_only
def node_enable(request: Request, node_id: UUID) -> HttpResponse:
    """Take new volumes again, or no more and say why. What is there stays."""
    node = get_object_or_404(with_sums(), pk=node_id)
    form = DisableForm(request.POST or None)
    back = acting.safe_next(request, reverse("node", args=[node.pk]))
    if request.method == "POST" and not node.enabled:
        node.set(enabled=True, disabled_reason="")
        return acting.done(request, _("%(name)s takes new volumes again.") % {"name": node}, back, [node.pk])
    if request.method == "POST" and form.is_valid():
        node.set(enabled=False, disabled_reason=form.cleaned_data["disabled_reason"])
        return acting.done(request, _("%(name)s takes no new volumes.") % {"name": node}, back, [node.pk])
    return render(request, "nodes/enable.html", {"node": node, "form": form, "back": back})


@require_POST
@access.administrators_only
def node_test(request: Request, node_id: UUID) -> HttpResponse:
    """Log in and look. An operation does it, for pages never wait for a node."""
    node = get_object_or_404(Node, pk=node_id)
    back = acting.safe_next(request, reverse("node", args=[node.pk]))
    try:
        operation = probe_node.request(node, actor=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return acting.go(request, back)
    return acting.done(
        request, _("Testing the connection to %(name)s.") % {"name": node}, back, [operation.pk, node.pk]
    )
