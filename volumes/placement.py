"""Placement: which pool takes a new volume, and the reason for every pool it passed over.

Filters say why a pool cannot take it; of those that can, the one with the most room left wins (ties: by name).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext

from volumes.models import GIB, Node, Operation, Pool

FULL_PERCENT = 95.0
"""A thin pool whose data or metadata is fuller than this takes nothing new, whatever has been promised."""


@dataclass(frozen=True)
class Verdict:
    """What placement thinks of one pool. `room_bytes` is what a new volume could have; `why_not` is a sentence."""

    pool: Pool
    room_bytes: int
    why_not: str | None


@dataclass(frozen=True)
class Choice:
    """The pool chosen, if any, and the verdict on every pool, in order of preference. `zone` is the one asked for, or ""."""

    pool: Pool | None
    verdicts: tuple[Verdict, ...]
    zone: str = ""

    @property
    def largest_gib(self) -> int:
        """The largest size that would have fitted a usable pool, in GiB."""
        usable = [verdict.room_bytes for verdict in self.verdicts if why_unusable(verdict.pool, self.zone) is None]
        return max(usable, default=0) // GIB

    def sentence(self) -> str:
        """Why this pool, and why not each other."""
        lines: list[str] = []
        for verdict in self.verdicts:
            room = gettext("%(room)d GiB of room") % {"room": verdict.room_bytes // GIB}
            if verdict.pool == self.pool:
                lines.insert(
                    0, gettext("Chose %(pool)s: the most room, %(room)s.") % {"pool": verdict.pool, "room": room}
                )
            elif verdict.why_not is None:
                lines.append(gettext("Not %(pool)s: less room, %(room)s.") % {"pool": verdict.pool, "room": room})
            else:
                lines.append(gettext("Not %(pool)s: %(why)s") % {"pool": verdict.pool, "why": verdict.why_not})
        return "\n".join(lines)


def room_bytes(pool: Pool) -> int:
    """How large a volume could still be promised here. Thin pools promise `over_subscription` times their size.

    `pool` must come from `Pool.objects.with_promises()`: what its last facts cannot show yet is taken off.
    """
    promised, pending = int(vars(pool)["promised_gib"]), int(vars(pool)["pending_bytes"])
    if pool.is_thin:
        return max(0, int(pool.size_bytes * pool.over_subscription) - promised * GIB)
    return max(0, pool.free_bytes - pending)


def why_not(pool: Pool, size_bytes: int, room: int, zone: str = "") -> str | None:
    """The reason this pool cannot take a volume of that size in that zone."""
    if reason := why_unusable(pool, zone):
        return reason
    if size_bytes > room:
        if pool.is_thin:
            return gettext("at most %(room)d GiB more can be promised at %(ratio).1f times its size.") % {
                "room": room // GIB,
                "ratio": pool.over_subscription,
            }
        return gettext("only %(room)d GiB of room.") % {"room": room // GIB}
    return None


def why_unusable(pool: Pool, zone: str = "", *, growing: bool = False) -> str | None:
    """The reason this pool takes no new volume of any size in that zone.

    What is in it already may be `growing` though it is disabled.
    """
    node = pool.node
    if reason := _why_elsewhere(node, zone):
        return reason
    if not node.enabled and not growing:
        return gettext("the node is disabled for new volumes (%(why)s).") % {"why": node.disabled_reason or "-"}
    if not pool.enabled and not growing:
        return gettext("the pool is disabled for new volumes (%(why)s).") % {"why": pool.disabled_reason or "-"}
    if not node.is_up:
        return gettext("the node does not answer.")
    if not pool.present or pool.facts_at is None:
        return pool.missing_reason or gettext("it was not found on the node.")
    if pool.is_thin:
        return _why_thin_unusable(pool)
    if _is_scrubbed(pool):
        return gettext("its free space is being scrubbed; until that is done there is no room.")
    return None


def _why_elsewhere(node: Node, zone: str) -> str | None:
    if not zone or node.zone == zone:
        return None
    if not node.zone:
        return gettext("its node is in no zone, not in %(asked)s.") % {"asked": zone}
    return gettext("its node is in zone %(its)s, not %(asked)s.") % {"its": node.zone, "asked": zone}


def _is_scrubbed(pool: Pool) -> bool:
    """From `Pool.objects.with_promises()` where a list has asked for all rows at once, else asked here."""
    if "is_scrubbed" in vars(pool):
        return bool(vars(pool)["is_scrubbed"])
    return Operation.objects.unfinished().filter(target_kind="pool", target_id=pool.pk, verb="scrub_pool").exists()


def _why_thin_unusable(pool: Pool) -> str | None:
    if not pool.facts.get("zeroes_new_blocks", True):
        return gettext("it does not zero new blocks, so a volume could show somebody else's data.")
    for what, percent in ((gettext("data"), pool.data_percent), (gettext("metadata"), pool.metadata_percent)):
        if percent is not None and percent >= FULL_PERCENT:
            return gettext("its %(what)s is %(percent).0f %% full.") % {"what": what, "percent": percent}
    return None


def choose(
    size_bytes: int, *, among: Collection[UUID] | None = None, without: Collection[UUID] = (), zone: str = ""
) -> Choice:
    """The best pool for a volume of that size, in that zone unless it is "".

    `among` narrows it to named pools, `without` leaves out those tried.
    """
    pools = Pool.objects.with_promises()
    if among is not None:
        pools = pools.filter(pk__in=among)
    verdicts = []
    for pool in pools:
        room = room_bytes(pool)
        tried = gettext("it was tried and failed.") if pool.pk in without else None
        verdicts.append(Verdict(pool, room, tried or why_not(pool, size_bytes, room, zone)))
    verdicts.sort(key=lambda v: (v.why_not is not None, -v.room_bytes, v.pool.label))
    best = next((v.pool for v in verdicts if v.why_not is None), None)
    return Choice(best, tuple(verdicts), zone)
