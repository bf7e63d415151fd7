"""A machine that shows another host key than the pinned one: ask for its key, compare, and pin that one instead."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from volumes.errors import Refused
from volumes.forms.setup import ConfirmForm
from volumes.models import Node
from volumes.operations import scan_node
from volumes.views import access, setup

if TYPE_CHECKING:
    from volumes.views.access import Request


@require_http_methods(["GET", "HEAD", "POST"])
@access.administrators_only
def node_host_key(request: Request, node_id: UUID) -> HttpResponse:
    """The key pinned and the key offered, side by side. The pinned one holds until a person confirms the other."""
    node = get_object_or_404(Node, pk=node_id)
    if not node.host_key:
        return redirect("node-setup", node.pk)
    if request.method == "POST" and "again" in request.POST:
        return ask(request, node)
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and setup.pin(request, node, form):
        messages.success(request, _("Another host key of %(node)s is pinned. Testing the connection.") % {"node": node})
        return redirect("node", node.pk)
    return show(request, node, form)


def ask(request: Request, node: Node) -> HttpResponse:
    """Ask the machine for the key it has now."""
    try:
        scan_node.request(node, actor=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("node", node.pk)
    return redirect("node-host-key", node.pk)


def show(request: Request, node: Node, form: ConfirmForm) -> HttpResponse:
    """What is pinned, what is offered, and what follows from it."""
    operation = setup.latest(node, "scan_node")
    asking = operation is not None and not operation.is_finished
    live = setup.await_answer(request, asking)
    pinned, key = scan_node.pinned(node), scan_node.offered(node)
    context = {
        "live": live,
        "node": node,
        "form": form,
        "operation": operation,
        "asking": asking,
        "key": key,
        "chunks": setup.chunks(key),
        "pinned": pinned,
        "pinned_chunks": setup.chunks(pinned),
    }
    return render(request, "nodes/host_key.html", context)
