"""kill -9 of the worker before, while and after a node does each step of create and delete: all of it ends as if nothing had been."""

from __future__ import annotations

import pytest

from tests.faults import SOON_S, starts, supervised
from tests.stack import Stack
from volumes.models import GIB, Status

WHEN = ["before", "during", "after"]
DELETE_STEPS = {"look": "lvs*--select", "mark, prove and wipe": "systemd-run", "remove": "lvremove"}


@pytest.mark.parametrize("when", WHEN)
def test_create_goes_on_and_makes_one_lv(stack: Stack, when: str) -> None:
    stack.deaths.order(when, "lvcreate")
    with supervised(stack):
        (operation,) = stack.ask_create(name="data", size_gib=1, pool=stack.thick)
        stack.deaths.wait()
        stack.wait_for(operation, timeout_s=SOON_S)

    volume = stack.volume(operation)
    assert volume.status == Status.AVAILABLE
    lv = stack.node1.lv(volume)
    assert lv is not None
    assert lv.size_bytes == GIB
    assert len(stack.node1.lvs()) == 1
    stack.assert_at_rest()


@pytest.mark.parametrize("when", WHEN)
def test_create_on_space_that_is_not_clean_goes_on_and_zeroes_once(stack: Stack, when: str) -> None:
    stack.thick.set(free_space_is_clean=False)
    stack.deaths.order(when, "systemd-run")
    with supervised(stack):
        (operation,) = stack.ask_create(name="data", size_gib=1, pool=stack.thick)
        stack.deaths.wait()
        stack.wait_for(operation, timeout_s=SOON_S)

    assert starts(stack.node1, operation) == 1
    assert stack.node1.is_zero(f"stack-volumes/{stack.volume(operation).lv_name}")
    stack.assert_at_rest()


@pytest.mark.parametrize("when", WHEN)
def test_delete_goes_on_after_a_death_in_each_of_its_steps_and_wipes_once(stack: Stack, when: str) -> None:
    volume = stack.create(name="data", size_gib=1, pool=stack.thick)
    extents = stack.node1.extents(volume)
    stack.node1.fill(f"stack-volumes/{volume.lv_name}", mib=64, offset_mib=512)
    for pattern in DELETE_STEPS.values():
        stack.deaths.order(when, pattern)

    with supervised(stack):
        operation = stack.ask_delete(volume)
        stack.deaths.wait(SOON_S * len(DELETE_STEPS))
        stack.wait_for(operation, timeout_s=SOON_S)

    assert starts(stack.node1, operation) == 1
    assert stack.node1.lvs() == {}
    stack.node1.sh(f"lvcreate --yes -qq -Zn -Wn -n byhand -l 256 stack-volumes {extents}")
    assert stack.node1.is_zero("stack-volumes/byhand")
    stack.node1.sh("lvremove --yes -qq stack-volumes/byhand")
    stack.assert_at_rest()


@pytest.mark.parametrize("when", WHEN)
def test_a_thin_volume_is_discarded_and_removed_all_the_same(stack: Stack, when: str) -> None:
    volume = stack.create(name="data", size_gib=1, pool=stack.thin)
    stack.node2.fill(f"fast/{volume.lv_name}", mib=32)
    stack.deaths.order(when, "systemd-run")
    stack.deaths.order(when, "lvremove")

    with supervised(stack):
        operation = stack.ask_delete(volume)
        stack.deaths.wait(2 * SOON_S)
        stack.wait_for(operation, timeout_s=SOON_S)

    assert stack.node2.lvs() == {}
    assert float(stack.node2.sh("lvs --noheadings -o data_percent fast/thin")) == 0.0
    stack.assert_at_rest()
