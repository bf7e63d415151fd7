"""Add a node, in three steps: paste the console's key, confirm the machine's fingerprint, choose from the pools found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from volumes.errors import Refused
from volumes.forms.setup import AddressForm, ConfirmForm, PoolsForm
from volumes.models import Node, Operation
from volumes.nodes import keys
from volumes.operations import probe_node, scan_node
from volumes.views import access, acting

if TYPE_CHECKING:
    from volumes.views.access import Request


@require_http_methods(["GET", "HEAD", "POST"])
@access.administrators_only
def node_add(request: Request) -> HttpResponse:
    """Step 1: the key to paste, and where the machine is."""
    form = AddressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        node = form.save()
        scan_node.request(node, actor=request.user)
        return redirect("node-setup", node.pk)
    return render(request, "nodes/setup.html", {"step": 1, "form": form, **common()})


def common() -> dict[str, Any]:
    """What all steps show."""
    return {"first": not Node.objects.exclude(host_key="").exists(), "setup_script": setup_script()}


def setup_script() -> str:
    """What lets this console log in, to be pasted on the machine."""
    return keys.setup_block(keys.ensure_key(settings.STATE))


@require_http_methods(["GET", "HEAD", "POST"])
@access.administrators_only
def node_setup(request: Request, node_id: UUID) -> HttpResponse:
    """Whichever step this node is at; it can be left and taken up again."""
    node = get_object_or_404(Node, pk=node_id)
    if "change" in request.GET and not node.host_key:
        return change_address(request, node)
    if request.method == "POST" and "again" in request.POST:
        return ask_again(request, node)
    step = confirm_step if not node.host_key else pools_step
    return step(request, node)


def change_address(request: Request, node: Node) -> HttpResponse:
    """Back to step 1: the address was wrong, or the key was not in place."""
    form = AddressForm(request.POST or None, instance=node)
    if request.method == "POST" and form.is_valid():
        node = form.save(commit=False)
        node.facts = {}
        node.save()
        return ask_again(request, node)
    return render(request, "nodes/setup.html", {"step": 1, "form": form, "node": node, **common()})


def ask_again(request: Request, node: Node) -> HttpResponse:
    """Ask the machine once more: for its key, or what it has."""
    verb = probe_node if node.host_key else scan_node
    try:
        verb.request(node, actor=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("node-setup", node.pk)


def latest(node: Node, verb: str) -> Operation | None:
    """The last time the machine was asked."""
    return Operation.objects.filter(target_kind="node", target_id=node.pk, verb=verb).first()


def confirm_step(request: Request, node: Node) -> HttpResponse:
    """Step 2: the fingerprint of the key that answered."""
    operation = latest(node, "scan_node")
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and pin(request, node, form):
        return redirect("node-setup", node.pk)
    key = scan_node.offered(node)
    asking = operation is not None and not operation.is_finished
    live = await_answer(request, asking)
    context = {
        "step": 2,
        "node": node,
        "form": form,
        "key": key,
        "chunks": chunks(key),
        "operation": operation,
        "asking": asking,
    }
    return render(request, "nodes/setup.html", {**context, "live": live, **common()})


def pin(request: Request, node: Node, form: ConfirmForm) -> bool:
    """Pin the key that the person confirmed, and log in. Otherwise nothing changes, and the form says why."""
    try:
        with transaction.atomic():
            scan_node.confirm(node, actor=request.user, **form.cleaned_data)
            probe_node.request(node, actor=request.user)
    except Refused as refusal:
        node.refresh_from_db()
        acting.refuse(form, refusal)
        return False
    return True


def await_answer(request: Request, asking: bool) -> bool:
    """Whether a poll swaps the page: while the machine is being asked, and once more when the answer is there.

    A form that somebody may be filling in is left alone.
    """
    request.moving = int(asking)  # type: ignore[attr-defined]
    request.waiting = asking  # type: ignore[attr-defined]
    return asking or "waiting" in request.GET


def chunks(key: keys.HostKey | None) -> list[tuple[str, bool]]:
    """The fingerprint in fours, every other one strong, so that eyes do not lose their place."""
    text = key.fingerprint.removeprefix("SHA256:") if key else ""
    return [(text[at : at + 4], at % 8 == 0) for at in range(0, len(text), 4)]


def pools_step(request: Request, node: Node) -> HttpResponse:
    """Step 3: what volume groups and thin pools there are."""
    operation = latest(node, "probe_node")
    found: list[dict[str, Any]] = node.facts.get("found_pools", [])
    have = {pool.lvm_name for pool in node.pools.all()}
    form = PoolsForm(
        request.POST if request.method == "POST" else None,
        found=[e["lvm_name"] for e in found if e["lvm_name"] not in have],
    )
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        try:
            pools = probe_node.add_pools(
                node, actor=request.user, lvm_names=chosen["pools"], clean=chosen["clean_space"]
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            probe_node.request(node, actor=request.user)
            said = ngettext("%(node)s has %(n)d pool now.", "%(node)s has %(n)d pools now.", len(pools))
            messages.success(request, said % {"node": node, "n": len(pools)})
            return redirect(reverse("node", args=[node.pk]))
    asking = operation is not None and not operation.is_finished
    live = await_answer(request, asking)
    context = {
        "step": 3,
        "node": node,
        "form": form,
        "found": found,
        "have": have,
        "operation": operation,
        "asking": asking,
    }
    return render(request, "nodes/setup.html", {**context, "live": live, **common()})
