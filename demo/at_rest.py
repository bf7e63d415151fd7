"""What the console takes while nobody uses it: proportional memory of all its processes, and time from start to ready."""

from __future__ import annotations

import time
from pathlib import Path

from demo.site import demo_site
from demo.supervise import Supervisor

GOAL_MIB = 200
GOAL_READY_S = 5


def lines() -> list[str]:
    """(e) of the bench."""
    shares = {name: _pss_mib(pid) for name, pid in _pids().items()}
    total = sum(shares.values())
    seconds = _restart_seconds()
    return [
        "(e) memory at rest, proportional, MiB: " + ", ".join(f"{name} {mib:.0f}" for name, mib in shares.items()),
        f"(e) memory at rest, all processes {'':<12} {total:8.0f} MiB, goal {GOAL_MIB}  {_verdict(total <= GOAL_MIB)}",
        f"(e) from start to ready {'':<22} {seconds:8.1f} s, goal {GOAL_READY_S}  {_verdict(seconds <= GOAL_READY_S)}",
    ]


def _verdict(good: bool) -> str:
    return "ok" if good else "MISSED"


def _pids() -> dict[str, int]:
    """Every process of the console by name: the supervisor, what it keeps, and their children."""
    supervisor = Supervisor(demo_site())
    found = {"supervisor": supervisor.pid or 0}
    found |= {str(one["name"]): int(one["pid"]) for one in supervisor.running() if one["pid"]}
    for name, pid in list(found.items()):
        if name == "supervisor":
            continue
        for number, child in enumerate(_children(pid), 1):
            found[f"{name}.{number}"] = child
    return {name: pid for name, pid in found.items() if pid}


def _children(pid: int) -> list[int]:
    own = [
        int(word) for task in Path(f"/proc/{pid}/task").iterdir() for word in (task / "children").read_text().split()
    ]
    return [*own, *(grandchild for child in own for grandchild in _children(child))]


def _pss_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _restart_seconds() -> float:
    """Stop all processes, start them again, wait until the console says it is ready."""
    from demo.console import wait_ready

    site = demo_site()
    Supervisor(site).stop()
    start = time.monotonic()
    Supervisor(site).start()
    wait_ready(site)
    return time.monotonic() - start
