"""Copying, digesting and merging as steps: what makes sure that bytes arrived."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext

from volumes.engine.protocol import Step, Unit
from volumes.models import Operation, Pool
from volumes.nodes import copy
from volumes.nodes.unit_state import UnitState
from volumes.operations import wiping


def copy_steps(pool: Pool, source: str, target: str, size_bytes: int, *, sparse: bool) -> list[Step]:
    """Copy every byte from one LV to another of the same node (`vg/lv` each), and compare digests of both."""

    def report(state: UnitState) -> dict[str, str]:
        digest = copy.copied(state)
        return {
            "copy": gettext("%(bytes)d bytes copied") % {"bytes": size_bytes},
            "verify": gettext("read back: MD5 %(digest)s, the same as the source's") % {"digest": digest},
        }

    unit = Unit(
        key="copy",
        start=lambda name, _offset: copy.copy(
            name, f"/dev/{source}", f"/dev/{target}", size_bytes, sparse=sparse, cap_bytes_s=wiping.cap(pool.node)
        ),
        report=report,
        bytes_total={"copy": size_bytes, "verify": size_bytes},
    )
    return [
        Step(key="copy", title=gettext("Copy every byte"), unit=unit, phase="copy"),
        Step(key="compare", title=gettext("Read the copy back and compare digests"), unit=unit, phase="verify"),
    ]


def digest_step(
    pool: Pool,
    lv: str,
    size_bytes: int,
    *,
    key: str,
    title: str,
    wanted: str = "",
    keep: Callable[[str], None] | None = None,
    skip: str = "",
) -> Step:
    """Digest an LV (`vg/lv`); `keep` gets the digest, `wanted` is what it has to be."""

    def report(state: UnitState) -> dict[str, str]:
        found = copy.digested(state, wanted=wanted)
        if keep is not None:
            keep(found)
        same = gettext("MD5 %(digest)s, as it should be") if wanted else gettext("MD5 %(digest)s")
        return {"digest": same % {"digest": found}}

    unit = Unit(
        key=key,
        start=lambda name, _offset: copy.digest(
            name, f"/dev/{lv}", size_bytes, wanted=wanted, cap_bytes_s=wiping.cap(pool.node)
        ),
        report=report,
        bytes_total={"digest": size_bytes},
    )
    return Step(key=key, title=title, unit=unit, phase="digest", skip=skip)


def merge_step(origin: str, bytes_total: int) -> Step:
    """Wait until LVM has merged a snapshot into its origin (`vg/lv`)."""

    def report(state: UnitState) -> dict[str, str]:
        copy.merged(state)
        return {"merge": gettext("LVM has merged it")}

    unit = Unit(
        key="merge",
        start=lambda name, _offset: copy.await_merge(name, origin, bytes_total),
        report=report,
        bytes_total={"merge": bytes_total},
    )
    return Step(key="merge", title=gettext("Give back what was overwritten since"), unit=unit, phase="merge")


def remember(operation: Operation, key: str) -> Callable[[str], None]:
    """Keeps a digest in the operation's memory."""

    def keep(value: str) -> None:
        operation.state[key] = value
        operation.save(update_fields=["state", "updated_at"])

    return keep
