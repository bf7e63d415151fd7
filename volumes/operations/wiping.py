"""Wiping as steps: zero and read back (thick), discard (thin), or nothing and say so (method none)."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from django.utils.translation import gettext, gettext_noop

from volumes.engine.protocol import Step, Unit
from volumes.models import Node, Pool
from volumes.nodes import wipe
from volumes.nodes.errors import NodeError
from volumes.nodes.samples import plan_samples
from volumes.nodes.unit_state import UnitState
from volumes.nodes.wipe_report import report

MIB = 1024**2


class Block(Protocol):
    """What has bytes to wipe."""

    @property
    def pk(self) -> UUID: ...
    @property
    def lv_name(self) -> str: ...
    @property
    def size_bytes(self) -> int: ...


@dataclass(frozen=True)
class Lv:
    """An LV that is not what a row says it is: a snapshot's copy-on-write space, room that is made ready."""

    pk: UUID
    lv_name: str
    size_bytes: int


def steps(
    block: Block,
    pool: Pool,
    *,
    title: str,
    skip: str = "",
    mark: str = "",
) -> list[Step]:
    """Zero an LV and read it back, as two phases of one unit on the node. `mark` tells several of one operation apart."""
    size, device = block.size_bytes, f"/dev/{pool.vg_name}/{block.lv_name}"
    samples = plan_samples(size, random.Random(block.pk.int))  # noqa: S311 - which places is no secret
    read_bytes = sum(sample.length for sample in samples)
    unit = Unit(
        key=f"wipe{mark}",
        start=lambda name, offset: wipe.wipe(
            name, device, size, offset=offset, samples=samples, cap_bytes_s=cap(pool.node)
        ),
        report=lambda state: _report(pool.node, state),
        bytes_total={"zero": size, "verify": read_bytes},
    )
    verify_title = _verify_title(whole=read_bytes >= size)
    return [
        Step(key=f"wipe{mark}", title=title, unit=unit, phase="zero", skip=skip, destroys=True),
        Step(key=f"verify{mark}", title=verify_title, unit=unit, phase="verify", skip=skip),
    ]


def cap(node: Node) -> int | None:
    """How many bytes a second one bulk job may read, and write: its share of the node's cap. None without a cap."""
    return max(1, node.bandwidth_mib_s * MIB // node.bulk_limit) if node.bandwidth_mib_s else None


def _verify_title(*, whole: bool) -> str:
    if whole:
        return gettext("Verify that all of it reads back as zeroes")
    return gettext("Verify: read back the first and last 64 MiB and a random sample")


def delete_steps(block: Block, pool: Pool, *, skip: str = "") -> list[Step]:
    """What makes the bytes of a deleted volume unreadable, by the kind of its pool and the pool's wipe method."""
    if pool.is_thin:
        title = gettext("Discard %(size)s GiB: the thin pool hands out zeroed blocks only") % {"size": _gib(block)}
        unit = _discard(block, pool)
        if pool.facts.get("discards") == "ignore":
            skip = skip or gettext("The thin pool ignores discards: removing the volume gives its blocks back.")
        return [Step(key="discard", title=title, unit=unit, phase="discard", skip=skip, destroys=True)]
    return thick_steps(block, pool, skip=skip)


def _gib(block: Block) -> str:
    """Without decimals where there are none."""
    return f"{block.size_bytes / 1024**3:.2f}".rstrip("0").rstrip(".")


def thick_steps(block: Block, pool: Pool, *, skip: str = "", mark: str = "") -> list[Step]:
    """Zero and read back, or leave the bytes and say so. `mark` tells several of one operation apart."""
    title = gettext("Wipe %(size)s GiB with zeroes") % {"size": _gib(block)}
    if pool.wipe_method == Pool.WipeMethod.NONE:
        skip = skip or gettext(
            "The pool's wipe method is none: the bytes stay on the disk, and whoever gets these extents is protected "
            "only by the zeroing of new volumes."
        )
        book = Step(
            key=f"unclean{mark}",
            title=gettext("Note that the pool's free space will not be clean"),
            local=lambda: _book_unclean(pool),
        )
        return [*steps(block, pool, title=title, skip=skip, mark=mark), book]
    return steps(block, pool, title=title, skip=skip, mark=mark)


def _book_unclean(pool: Pool) -> str:
    """Before the bytes are free, so that nobody gets them unzeroed."""
    Pool.objects.filter(pk=pool.pk).update(free_space_is_clean=False)
    return gettext("new volumes in %(pool)s are zeroed from now on") % {"pool": pool}


def _discard(block: Block, pool: Pool) -> Unit:
    device = f"/dev/{pool.vg_name}/{block.lv_name}"
    return Unit(
        key="discard",
        start=lambda name, offset: wipe.discard(name, device, block.size_bytes, cap_bytes_s=cap(pool.node)),
        report=_discarded,
        bytes_total={"discard": block.size_bytes},
    )


def _report(node: Node, state: UnitState) -> dict[str, str]:
    """The verdict, kept with the operation. The node's own rate is what the next dialog estimates with."""
    found = report(state)
    if found.zero_seconds > 0 and found.bytes:
        Node.objects.filter(pk=node.pk).update(wipe_rate_mib_s=found.bytes / MIB / found.zero_seconds)
    return {
        "zero": gettext("%(bytes)d bytes zeroed by %(method)s in %(seconds).1f s")
        % {"bytes": found.bytes, "method": found.method, "seconds": found.zero_seconds},
        "verify": gettext("%(bytes)d bytes in %(count)d places read back in %(seconds).1f s: all of them zero")
        % {"bytes": found.verified_bytes, "count": len(found.samples), "seconds": found.verify_seconds},
    }


def _discarded(state: UnitState) -> dict[str, str]:
    if state.state != "succeeded":
        raise DiscardFailed(detail=_last_words(state))
    return {"discard": gettext("its blocks went back to the thin pool")}


def _last_words(state: UnitState) -> str:
    lines = [line for line in state.output_tail.splitlines() if line.strip() and not line.startswith(("@", "+"))]
    return lines[-1].strip().rstrip(".") if lines else state.reason or state.state


class DiscardFailed(NodeError):
    """The thin LV's blocks could not be given back."""

    sentence = gettext_noop("The blocks could not be discarded: %(detail)s.")


def estimate_s(pool: Pool | None, step: Step) -> float | None:
    """Seconds a step will take, from this node's own measured rate; None where nothing was measured yet."""
    if step.skip or pool is None:
        return None
    if step.phase in ("zero", "verify") and step.unit is not None:
        rate = pool.node.wipe_rate_mib_s
        total = step.unit.bytes_total[step.phase]
        return total / MIB / rate if rate else None
    return 1.0
