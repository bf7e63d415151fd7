"""Everything the console wants to know of a node, in one round trip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from . import units
from .commands import Command, Result, read
from .errors import NodeError
from .lvm.report import LogicalVolume, Report, full_report, parse_report, parse_version
from .probe import Probe, judge, look_at_machine, probe
from .units import UnitState


@dataclass(frozen=True)
class NodeFacts:
    """A node at one moment. `holders` names, by `vg/lv`, the devices built on an LV; `epoch_s` is the node's clock."""

    lvm_version: str
    kernel: str
    os: str
    boot_id: str
    uptime_s: float
    epoch_s: float
    lvm: Report
    units: tuple[UnitState, ...]
    holders: Mapping[str, tuple[str, ...]]


def gather() -> list[Command]:
    """The commands, the clock about in the middle. Hand the results to `parse`."""
    return [
        read(full_report()),
        read(["bash", "-c", units.script("facts"), "hearth-facts"]),
        read(["lvm", "version"]),
        units.watch(wait_s=0),
        look_at_machine(),
    ]


def parse(results: Sequence[Result]) -> NodeFacts:
    """The answers to `gather`, in its order."""
    report, machine, version, watched, _ = (result.stdout for result in results)
    lvm = parse_report(report)
    rows = [line.partition(" ") for line in machine.splitlines()]
    about = {key: value for key, _, value in rows if key != "holder"}
    return NodeFacts(
        lvm_version=parse_version(version),
        kernel=about.get("kernel", ""),
        os=about.get("os", ""),
        boot_id=about.get("boot", ""),
        uptime_s=float(about.get("uptime") or 0),
        epoch_s=float(about.get("epoch") or 0),
        lvm=lvm,
        units=units.parse_watch(watched).units,
        holders=_holders(lvm.lvs, [value for key, _, value in rows if key == "holder"]),
    )


def problems(results: Sequence[Result], *, node: str, user: str) -> tuple[NodeError, ...]:
    """What keeps the node from being used, from the answers to `gather`: something was uninstalled, or downgraded."""
    report, _, version, _, machine = results
    return judge([machine, version, report], node=node, user=user).problems


def _holders(lvs: Sequence[LogicalVolume], lines: Sequence[str]) -> dict[str, tuple[str, ...]]:
    names = {f"{lv.major}:{lv.minor}": f"{lv.vg}/{lv.name}" for lv in lvs if lv.minor is not None}
    found: dict[str, tuple[str, ...]] = {}
    for line in lines:
        number, _, holder = line.partition(" ")
        if lv := names.get(number):
            found[lv] = (*found.get(lv, ()), holder)
    return found


__all__ = ["NodeFacts", "Probe", "gather", "parse", "probe", "problems"]
