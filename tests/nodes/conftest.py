"""Fixtures of the tests of the node layer alone; those of the whole console are in tests/stack.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.machines import Machine
from tests.nodes.bench import Bench
from volumes.nodes import control


@pytest.fixture
def bench(machines: dict[str, Machine]) -> Iterator[Bench]:
    """node-1, tidy, and put right afterwards."""
    machines["node-1"].tidy()
    bench = Bench(machines["node-1"])
    yield bench
    machines["node-1"].mend()
    control.close(bench.target())
