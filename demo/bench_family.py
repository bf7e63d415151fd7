"""The second half of the bench: extend, snapshots, clones, each beside the bare commands that do the same."""

from __future__ import annotations

import statistics
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from volumes.models import Snapshot, Volume
from volumes.nodes.commands import Command, change, read

if TYPE_CHECKING:
    from demo.bench import Bench, Line

FULL_COW = "1g"


class Family:
    """Measures against one pool of the running demo, by a bench of that pool."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.vg, self.thin = bench, bench.vg, bench.pool.thin_pool_name

    def lines(self) -> list[Line]:
        """Every line that this kind of pool has."""
        line = self.bench.line
        kind = "thin" if self.thin else "thick"
        rows = [
            line(f"(f) extend {kind} 1 to 2 GiB", *self._both(self._bare_extend, self._extend), 0),
            line(f"(g) {kind} snapshot of 1 GiB", *self._both(self._bare_snapshot, self._snapshot), 0),
            line(f"(h) clone {kind} 1 GiB", *self._both(self._bare_clone, self._clone), 0),
        ]
        factors = [1.5, 1.5, 1.5 if self.thin else 1.1]
        for row, factor in zip(rows, factors, strict=True):
            row.goal_s = row.bare_s * factor + (0 if row.what.startswith("(h) clone thick") else 1)
        return rows

    def _both(self, bare: Callable[[str], float], ours: Callable[[Volume], float]) -> tuple[float, float]:
        """Medians of both sides, which take turns."""
        seconds: tuple[list[float], list[float]] = ([], [])
        for _ in range(self.bench.runs):
            name = f"bare-{uuid.uuid4().hex[:8]}"
            self._make(name)
            seconds[0].append(bare(name))
            self.bench.settle()
            self.bench.click_create()
            seconds[1].append(ours(Volume.objects.get(name="bench")))
            self._clean_up()
        return statistics.median(seconds[0]), statistics.median(seconds[1])

    def _run(self, *commands: Command) -> float:
        start = time.perf_counter()
        self.bench.session.run(*commands, timeout_s=600)
        return time.perf_counter() - start

    def _make(self, name: str) -> None:
        size = ["--type", "thin", "--thinpool", self.thin, "--virtualsize", "1g"] if self.thin else ["--size", "1g"]
        self._run(change(["lvcreate", "--yes", *size, "--name", name, self.vg]))

    def _clean_up(self) -> None:
        """Everything the bare side made goes; the console deletes what it made."""
        names = self.bench.session.run(read(["lvs", "--noheadings", "-o", "lv_name", self.vg]))[0].stdout.split()
        for name in sorted(n for n in names if n.startswith("bare-")):
            self._run(change(["lvremove", "--yes", f"{self.vg}/{name}"], allow_failure=True))
        for volume in Volume.objects.filter(name__startswith="bench"):
            ticked = [str(pk) for pk in volume.snapshots.values_list("pk", flat=True)]
            data: dict[str, object] = {"snapshots": ticked, "confirm": str(volume)}
            self.bench.browser.post(f"/project/volumes/{volume.pk}/delete/", data)
        self.bench.until(lambda: not Volume.objects.filter(name__startswith="bench").exists())

    def _bare_extend(self, name: str) -> float:
        return self._run(change(["lvextend", "--size", "2g", f"{self.vg}/{name}"]))

    def _extend(self, volume: Volume) -> float:
        return self.bench.clicked(
            f"/project/volumes/{volume.pk}/extend/",
            {"new_size": 2},
            lambda: Volume.objects.filter(pk=volume.pk, size_gib=2, status="available").exists(),
        )

    def _bare_snapshot(self, name: str) -> float:
        cow = [] if self.thin else ["--size", FULL_COW]
        return self._run(change(["lvcreate", "--yes", "--snapshot", *cow, "--name", f"{name}-s", f"{self.vg}/{name}"]))

    def _snapshot(self, volume: Volume) -> float:
        return self.bench.clicked(
            f"/project/volumes/{volume.pk}/snapshot/",
            {"name": "bench"},
            lambda: Snapshot.objects.filter(volume=volume, status="available").exists(),
        )

    def _bare_clone(self, name: str) -> float:
        if self.thin:
            make = ["lvcreate", "--yes", "--snapshot", "-kn", "--name", f"{name}-c", f"{self.vg}/{name}"]
            return self._run(change(make))
        device = f"/dev/{self.vg}/{name}"
        return self._run(
            change(["lvcreate", "--yes", "--snapshot", "--size", "256m", "--name", f"{name}-s", f"{self.vg}/{name}"]),
            change(["lvcreate", "--yes", "--size", "1g", "--name", f"{name}-c", self.vg]),
            change(["dd", f"if={device}-s", f"of={device}-c", "bs=4M", "iflag=direct", "oflag=direct"]),
            change(["lvremove", "--yes", f"{self.vg}/{name}-s"]),
        )

    def _clone(self, volume: Volume) -> float:
        data = {"name": "bench-copy", "size": volume.size_gib, "count": 1, "source": f"volume:{volume.pk}", "pool": ""}
        return self.bench.clicked(
            "/project/volumes/create/",
            data,
            lambda: Volume.objects.filter(name="bench-copy", status="available").exists(),
        )
