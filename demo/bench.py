"""`make bench`: what Hearth costs over the bare commands, in one run, as ratios.

Bare means: the same commands, typed over the same warm ssh connection. Hearth means: from the click (the POST of the form)
to the row's final status. Both sides do the same work, read-back included, and take turns, so that a busy machine slows
both. Medians of the runs; absolute times mean nothing elsewhere, the ratios are the point.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from demo import at_rest, console_client

console_client.use_demo_settings()

from demo.bench_family import Family  # noqa: E402 - Django first
from volumes.engine import facts  # noqa: E402 - Django first
from volumes.engine.link import session  # noqa: E402 - Django first
from volumes.models import GIB, Operation, Pool, Volume  # noqa: E402
from volumes.nodes.commands import Command, change, read  # noqa: E402
from volumes.nodes.lvm.change import create_thick  # noqa: E402

if TYPE_CHECKING:
    from django.db.models import QuerySet

NAME = "bench"


@dataclass
class Line:
    """One row of the table: medians in seconds, and the goal as a function of the bare time."""

    what: str
    bare_s: float
    hearth_s: float
    goal_s: float
    note: str = ""

    @property
    def text(self) -> str:
        verdict = "ok" if self.hearth_s <= self.goal_s else "MISSED"
        ratio = self.hearth_s / self.bare_s
        return f"{self.what:<46} {self.bare_s:8.2f} {self.hearth_s:8.2f} {ratio:7.2f} {self.goal_s:8.2f}  {verdict} {self.note}"


def timed(work: Callable[[], object]) -> float:
    """Seconds it took."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


class Bench:
    """Measures against one pool of the running demo."""

    line = Line

    def __init__(self, browser: console_client.Client, pool: Pool, runs: int) -> None:
        self.browser, self.pool, self.runs = browser, pool, runs
        self.session = session(pool.node)
        self.vg = pool.vg_name

    def bare_create(self, name: str) -> None:
        """lvcreate, as a person would type it."""
        self.session.run(change(create_thick(self.vg, name, GIB, tags=[])), timeout_s=300)

    def bare_wipe(self, name: str, *, by_cmp: bool) -> list[Command]:
        """Zero with the kernel's write-zeroes path, read all of it back (with cmp, or as Hearth does), remove."""
        device = f"/dev/{self.vg}/{name}"
        cmp = read(["cmp", f"--bytes={GIB}", device, "/dev/zero"])
        ours = read(["dd", f"if={device}", "of=/dev/full", "bs=4M", "iflag=direct", "conv=sparse", "status=none"])
        return [
            change(["blkdiscard", "--zeroout", device]),
            cmp if by_cmp else ours,
            change(["lvremove", "--yes", f"{self.vg}/{name}"]),
        ]

    def click_create(self, count: int = 1) -> None:
        """POST the form and wait until every volume is available."""
        self.browser.post(
            "/project/volumes/create/",
            {"name": NAME, "description": "", "size": 1, "count": count, "source": "", "pool": str(self.pool.pk)},
        )
        self.until(lambda: self._mine().filter(status="available").count() == count)

    def click_delete(self) -> None:
        """Delete what is there, one by one as from the row, and wait until the rows are gone."""
        for pk in self._mine().values_list("pk", flat=True):
            self.browser.post(f"/project/volumes/{pk}/delete/", {"confirm": ""})
        self.until(lambda: not self._mine().exists())

    def _mine(self) -> QuerySet[Volume]:
        return Volume.objects.filter(name__startswith=NAME)

    def until(self, done: Callable[[], bool], limit_s: float = 600) -> None:
        deadline = time.monotonic() + limit_s
        while not done():
            bad = self._mine().filter(status__startswith="error").first()
            if bad is not None:
                sys.exit(f"{bad}: {bad.status}: {bad.status_reason}")
            if time.monotonic() > deadline:
                sys.exit("It did not come to an end.")
            time.sleep(0.01)

    def create_and_delete(self) -> list[Line]:
        """(a) and (b), and what Cinder does instead of (b)."""
        bare, ours, by_cmp, ours_gone, as_ours, dd = ([] for _ in range(6))
        for _ in range(self.runs):
            name = f"bare-{uuid.uuid4().hex[:8]}"
            bare.append(timed(partial(self.bare_create, name)))
            by_cmp.append(self._timed_run(self.bare_wipe(name, by_cmp=True)))
            ours.append(self._timed_click(1))
            ours_gone.append(timed(self.click_delete))
            self.bare_create(name)
            as_ours.append(self._timed_run(self.bare_wipe(name, by_cmp=False)))
            self.bare_create(name)
            dd.append(self._timed_run(self._as_cinder(name)))
        create, cmp, same, cinder, made, gone = map(statistics.median, (bare, by_cmp, as_ours, dd, ours, ours_gone))
        return [
            Line("(a) create 1 GiB: click to available", create, made, create * 1.5 + 1),
            Line("(b) delete 1 GiB; bare reads back with cmp", cmp, gone, cmp * 1.25),
            Line("(b) delete 1 GiB; bare reads back as Hearth", same, gone, same * 1.25),
            Line("(b) delete 1 GiB; bare is dd, no read-back", cinder, gone, cinder),
        ]

    def settle(self) -> None:
        """The console has seen what the bare commands left: nothing, and zeroes, which it cannot know of others' LVs."""
        facts.refresh(self.pool.node)
        Pool.objects.filter(pk=self.pool.pk).update(free_space_is_clean=True)

    def _timed_click(self, count: int) -> float:
        self.settle()
        return timed(lambda: self.click_create(count))

    def clicked(self, path: str, data: dict[str, object], done: Callable[[], bool]) -> float:
        """Seconds from the POST of a form until `done`."""

        def click() -> None:
            self.browser.post(path, data)
            self.until(done)

        return timed(click)

    def _timed_run(self, commands: Sequence[Command]) -> float:
        return timed(lambda: self.session.run(*commands, timeout_s=300))

    def _as_cinder(self, name: str) -> list[Command]:
        device = f"of=/dev/{self.vg}/{name}"
        return [
            change(["dd", "if=/dev/zero", device, "bs=1M", "count=1024", "oflag=direct"]),
            change(["lvremove", "--yes", f"{self.vg}/{name}"]),
        ]

    def burst(self, count: int) -> list[Line]:
        """(c): many at once, against the same commands in a parallel loop; in waves of as many as the pool has room for."""
        room = max(1, self.pool.free_bytes // GIB - 1)
        waves = [min(room, count - start) for start in range(0, count, room)]
        totals = [0.0] * 4
        for wave in waves:
            names = [f"bare-{n}-{uuid.uuid4().hex[:6]}" for n in range(wave)]
            spent = [
                timed(partial(self._parallel, self.bare_create, names)),
                timed(partial(self._parallel, self._bare_delete, names)),
                self._timed_click(wave),
                timed(self.click_delete),
            ]
            totals = [total + one for total, one in zip(totals, spent, strict=True)]
        note = f"in waves of {room}" if len(waves) > 1 else ""
        return [
            Line(f"(c) {count} creates at once", totals[0], totals[2], totals[0] * 1.5, note),
            Line(f"(c) {count} deletes at once", totals[1], totals[3], totals[1] * 1.5, note),
        ]

    def _bare_delete(self, name: str) -> None:
        self._timed_run(self.bare_wipe(name, by_cmp=False))

    def _parallel(self, work: Callable[[str], object], names: Sequence[str]) -> None:
        with ThreadPoolExecutor(len(names)) as threads:
            list(threads.map(work, names))


def round_trips() -> list[str]:
    """(d): how often a worker talked to the node for the last operation of each verb (the watch's looks not counted)."""
    lines = []
    for verb in ("create_volume", "delete_volume", "extend_volume", "create_snapshot", "clone_volume"):
        last = Operation.objects.filter(verb=verb, status="succeeded").order_by("-finished_at").first()
        if last is not None:
            lines.append(f"(d) ssh round trips, {verb:<24} {last.state.get('round_trips', 0):8d}")
    return lines


def main() -> int:
    """Run it against the demo, which must be up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--burst", type=int, default=20)
    given = parser.parse_args()
    client = console_client.Client("admin", "admin", project="alpha")
    pool = Pool.objects.select_related("node").get(node__name="node-1", vg_name="stack-volumes")
    print(f"{'':<46} {'bare s':>8} {'hearth s':>8} {'ratio':>7} {'goal s':>8}")
    for line in Bench(client, pool, given.runs).create_and_delete():
        print(line.text, flush=True)
    for line in Bench(client, pool, given.runs).burst(given.burst):
        print(line.text, flush=True)
    thin = Pool.objects.select_related("node").get(node__name="node-2", thin_pool_name="thin")
    for each in (pool, thin):
        for line in Family(Bench(client, each, given.runs)).lines():
            print(line.text, flush=True)
    for text in [*round_trips(), *at_rest.lines()]:
        print(text, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
