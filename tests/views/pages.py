"""Every address, and what each kind of person gets there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse

from volumes.models import Node, Operation, Pool, Project, Snapshot, Volume

PEOPLE = ("anonymous", "stranger", "reader", "member", "administrator")
LOGIN, NOWHERE = "login", "-"
"""Sent to the login page; a method that does not exist there."""


@dataclass
class World:
    """The rows the addresses are about."""

    volume: Volume
    failed: Operation
    running: Operation
    node: Node
    pool: Pool
    thin: Pool
    alpha: Project
    snapshot: Snapshot

    @property
    def origin(self) -> Volume:
        """What the snapshot is of."""
        return self.snapshot.volume


@dataclass(frozen=True)
class Page:
    """`get` and `post` are the answers to PEOPLE, in their order. `of` names the row, `sends` makes what is posted."""

    name: str
    get: str
    post: str = ""
    of: str = ""
    query: str = ""
    sends: Callable[[World], dict[str, Any]] = field(default=lambda _world: {})
    changes: bool = True

    @property
    def id(self) -> str:
        return self.name + self.query.partition("{")[0].replace("?", "-")

    def url(self, world: World) -> str:
        args = [getattr(world, self.of).pk] if self.of else ["volumes"] if self.name == "columns" else []
        return reverse(self.name, args=args) + self.query.format(volume=world.volume.pk, snapshot=world.snapshot.pk)

    def expected(self, method: str, person: str) -> str:
        """A status, `login`, or `-` where there is no such method."""
        return (self.get if method == "get" else self.post).split()[PEOPLE.index(person)]


def _edited(_: World) -> dict[str, Any]:
    return {"name": "renamed", "description": "", "metadata": ""}


ALL = "login 200 200 200 200"
ADMINISTRATORS = "login 403 403 403 200"
THEIRS = "login 404 200 200 200"
ACT = "login 404 403 200 200"
ACTED = "login 404 403 302 302"
MANAGED = "login 403 403 403 302"
ONLY_POST = "login - - - -"

PAGES = [
    Page("home", "login 302 302 302 302"),
    Page("healthz", "200 200 200 200 200"),
    Page("readyz", "200 200 200 200 200"),
    Page("overview", ALL),
    Page("project-switch", ONLY_POST, "login 404 302 302 302", sends=lambda w: {"project": w.alpha.pk}, changes=False),
    Page("volumes", ALL),
    Page("volume-create", "login 200 403 200 200", "login 302 403 302 302", sends=lambda w: {"size": 1}),
    Page("volumes-delete", "login 302 403 200 200", query="?ids={volume}"),
    Page(
        "volumes-delete",
        "login 302 302 302 302",
        "login 302 403 302 302",
        sends=lambda w: {"ids": w.volume.pk, "do": "1"},
    ),
    Page("volume", THEIRS, of="volume"),
    Page("volume", THEIRS, of="volume", query="?tab=operations"),
    Page("volume-edit", ACT, ACTED, of="volume", sends=_edited),
    Page("volume-delete", ACT, ACTED, of="volume"),
    Page("volume", THEIRS, of="volume", query="?tab=snapshots"),
    Page("volume-extend", ACT, ACTED, of="volume", sends=lambda w: {"new_size": 2}),
    Page("volume-snapshot", ACT, ACTED, of="volume", sends=lambda w: {"name": "now"}),
    Page("volume-revert", ACT, ACTED, of="origin", sends=lambda w: {"snapshot": w.snapshot.pk, "confirm": "other"}),
    Page("snapshots", ALL),
    Page("snapshots-delete", "login 302 403 200 200", query="?ids={snapshot}"),
    Page(
        "snapshots-delete",
        "login 302 302 302 302",
        "login 302 403 302 302",
        sends=lambda w: {"ids": w.snapshot.pk, "do": "1"},
    ),
    Page("snapshot", THEIRS, of="snapshot"),
    Page("snapshot", THEIRS, of="snapshot", query="?tab=history"),
    Page("snapshot-edit", ACT, ACTED, of="snapshot", sends=_edited),
    Page("snapshot-delete", ACT, ACTED, of="snapshot"),
    Page("operations", ALL),
    Page("operation", THEIRS, of="failed"),
    Page("operation-retry", ACT, ACTED, of="failed"),
    Page("operation-cancel", ACT, ACTED, of="running"),
    Page("nodes", ADMINISTRATORS),
    Page(
        "node-add",
        ADMINISTRATORS,
        MANAGED,
        sends=lambda w: {"name": "n", "address": "n", "ssh_port": 22, "ssh_user": "root"},
    ),
    Page("node", ADMINISTRATORS, of="node"),
    Page("node-setup", ADMINISTRATORS, MANAGED, of="node", sends=lambda w: {"again": "1"}),
    Page("node-host-key", ADMINISTRATORS, MANAGED, of="node", sends=lambda w: {"again": "1"}),
    Page("node-edit", ADMINISTRATORS, MANAGED, of="node", sends=lambda w: {"bulk_limit": 3}),
    Page("node-enable", ADMINISTRATORS, MANAGED, of="node", sends=lambda w: {"disabled_reason": "moving"}),
    Page("node-test", ONLY_POST, MANAGED, of="node"),
    Page("pools", ADMINISTRATORS),
    Page("pool", ADMINISTRATORS, of="pool"),
    Page(
        "pool-edit", ADMINISTRATORS, MANAGED, of="pool", sends=lambda w: {"wipe_method": "none", "over_subscription": 2}
    ),
    Page("pool-scrub", ADMINISTRATORS, MANAGED, of="pool"),
    Page("pool-adopt", ADMINISTRATORS, MANAGED, of="pool", sends=lambda w: {"lv": "theirs", "project": w.alpha.pk}),
    Page("pool-thin", ADMINISTRATORS, MANAGED, of="pool", sends=lambda w: {"name": "swift", "size": 2}),
    Page("pool-extend", ADMINISTRATORS, MANAGED, of="thin", sends=lambda w: {"data_gib": 1}),
    Page("volume-release", ADMINISTRATORS, MANAGED, of="volume"),
    Page("all-operations", ADMINISTRATORS),
    Page("search", ALL, query="?q=data"),
    Page("activity", "login 302 302 302 302"),
    Page(
        "preferences", ALL, "login 302 302 302 302", sends=lambda w: {"page_size": 50, "theme": "dark"}, changes=False
    ),
    Page("theme", "- - - - -", "302 302 302 302 302", sends=lambda w: {"theme": "dark"}, changes=False),
    Page("columns", ONLY_POST, "login 302 302 302 302", sends=lambda w: {"rows": 50}, changes=False),
    Page("login", "200 302 302 302 302"),
    Page("logout", ONLY_POST, "login 302 302 302 302", changes=False),
    Page("password_change", ALL),
    Page("password_change_done", ALL),
]
