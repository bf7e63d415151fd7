"""Pools on real nodes: scrubbed, adopted into, released from, made and extended."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults import SOON_S, slow, starts, supervised
from tests.stack import Stack
from volumes.engine import control
from volumes.errors import Refused
from volumes.models import GIB, Operation, Pool, Status, User, Volume
from volumes.operations import scrub_pool

VG = "stack-volumes"


def steps(operation: Operation) -> dict[str, str]:
    return dict(operation.steps.filter(round=operation.round).values_list("key", "status"))


def note(operation: Operation, key: str) -> str:
    return operation.steps.get(key=key, round=operation.round).note


@pytest.fixture
def dirty(stack: Stack) -> Iterator[Stack]:
    """Foreign bytes lie in the free space of node-1, at the start and behind an LV of others; the pool says so."""
    node = stack.node1
    node.sh(f"lvcreate --yes -qq -Zn -Wn -n gone1 -L 512m {VG}; lvcreate --yes -qq -Zn -Wn -n theirs -L 64m {VG}")
    node.sh(f"lvcreate --yes -qq -Zn -Wn -n gone2 -L 1g {VG}")
    node.fill(f"{VG}/gone1", mib=64)
    node.fill(f"{VG}/gone2", mib=64)
    node.fill(f"{VG}/theirs", mib=16)
    node.sh(f"lvremove --yes -qq {VG}/gone1 {VG}/gone2")
    stack.thick.set(free_space_is_clean=False)
    yield stack
    node.guest.set_disk_speed(0)
    node.sh(f"lvchange -an {VG}/{stack.thick.scrub_lv_name} && lvremove --yes -qq {VG}/{stack.thick.scrub_lv_name}; true")
    node.scrub()


def is_clean(stack: Stack) -> bool:
    stack.thick.refresh_from_db()
    return stack.thick.free_space_is_clean


class TestScrub:
    def test_free_space_reads_as_zeroes_and_new_volumes_need_no_zeroing(self, dirty: Stack, admin: User) -> None:
        before = dirty.node1.sh(f"sha256sum </dev/{VG}/theirs")
        operation = dirty.wait_for(scrub_pool.request(dirty.thick, actor=admin), timeout_s=120)

        assert steps(operation) == dict.fromkeys(("look", "take", "wipe", "verify", "remove"), "done")
        assert "in 2 pieces" in note(operation, "take")
        assert is_clean(dirty)
        assert dirty.node1.sh(f"sha256sum </dev/{VG}/theirs") == before
        (create,) = dirty.ask_create(size_gib=1, pool=dirty.thick)
        dirty.wait_for(create)
        assert set(steps(create)) == {"choose", "make"}
        assert dirty.node1.is_zero(f"{VG}/{dirty.volume(create).lv_name}")
        dirty.node1.sh(f"lvcreate --yes -qq -Zn -Wn -n rest -l 100%FREE {VG}")
        assert dirty.node1.is_zero(f"{VG}/rest")
        dirty.assert_at_rest()
