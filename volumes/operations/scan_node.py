"""Ask a machine for its host key, to show it to a person. The key is not trusted before the person has confirmed it.

A key that is pinned already stays in force meanwhile, and for ever if nobody confirms the other one.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext, gettext_noop

from volumes.engine.protocol import Step, register
from volumes.errors import NotAllowed, Refused
from volumes.models import Node, Operation, User
from volumes.nodes import keys
from volumes.operations import node_verb

TITLE = gettext_noop("Ask %(name)s for its host key")


def request(node: Node, *, actor: User) -> Operation:
    """Ask for it."""
    return node_verb.request("scan_node", gettext(TITLE), node, actor)


def confirm(node: Node, *, actor: User, pasted: str = "", compared: bool = False, shown: str = "") -> None:
    """Pin the key that was offered, if it is still the one whose fingerprint was `shown`. One pinned before is replaced.

    `pasted` is what `ssh-keygen -lf` printed on the machine's own console. Raises Refused when it does not contain the
    offered fingerprint, or nothing was compared.
    """
    if not actor.is_administrator:
        raise NotAllowed(gettext("Only administrators set up nodes."))
    key = offered(node)
    if key is None:
        raise Refused(gettext("The machine has not been asked for its key yet."))
    if key == pinned(node):
        raise Refused(gettext("The machine offers the key that is pinned already, so there is nothing to confirm."))
    if shown and shown != key.fingerprint:
        raise Refused(
            gettext("The machine has been asked again meanwhile, and answered with another key. Compare anew.")
        )
    if pasted.strip():
        if not keys.matches(key, keys.parse_fingerprint_output(pasted)):
            raise Refused(
                gettext("They differ. The machine that answered is not the one you copied this from. Do not go on."),
                field="pasted",
            )
    elif not compared:
        raise Refused(
            gettext("Paste what the machine printed, or compare it by eye and tick the box."),
            field="pasted",
        )
    node.set(host_key=str(key), facts=_without_offer(node), state=Node.State.UNKNOWN, state_reason="")


def offered(node: Node) -> keys.HostKey | None:
    """The key that the machine answered with when it was last asked, until it is confirmed."""
    text = node.facts.get("offered_key", "")
    return keys.parse_host_key(text) if text else None


def pinned(node: Node) -> keys.HostKey | None:
    """The key that is in force; None where there is none, or none that can be read."""
    try:
        return keys.parse_host_key(node.host_key)
    except ValueError:
        return None


def _without_offer(node: Node) -> dict[str, Any]:
    return {name: value for name, value in node.facts.items() if name not in {"offered_key", "offered_fingerprint"}}


class ScanNode(node_verb.NodeVerb):
    """The verb."""

    name = "scan_node"

    def steps(self, operation: Operation) -> list[Step]:
        """One look."""
        return [
            Step(
                key="scan",
                title=gettext("Read the key it offers"),
                local=lambda: self._scan(operation),
            )
        ]

    def _scan(self, operation: Operation) -> str:
        node = self.target(operation)
        node.set(facts=_without_offer(node))  # an old answer must not pass for the answer to this question
        key = keys.scan_host_key(node.address, node.ssh_port, timeout_s=8)
        node.refresh_from_db()  # its facts may have been read meanwhile
        node.set(
            facts={
                **node.facts,
                "offered_key": str(key),
                "offered_fingerprint": key.fingerprint,
            }
        )
        return gettext("offered: %(fingerprint)s") % {"fingerprint": key.fingerprint}


register(ScanNode())
