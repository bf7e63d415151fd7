"""What the watch learns by itself: silence, return, strangers, lost LVs, full pools."""

from __future__ import annotations

from tests.processes import until
from tests.stack import Stack
from volumes import placement
from volumes.engine import facts
from volumes.models import GIB, Drift, Node, Pool, Status

Kind = Drift.Kind


def look(pool: Pool) -> list[tuple[str, str]]:
    """Read the node now, and say what differs."""
    facts.refresh(pool.node)
    pool.refresh_from_db()
    return list(pool.node.drifts.exclude(kind=Kind.CLOCK_SKEW).values_list("kind", "subject"))


def fresh(pool: Pool) -> Node:
    pool.node.refresh_from_db()
    return pool.node


def test_a_node_that_hangs_is_known_within_a_minute_passed_over_and_back_when_it_answers(stack: Stack) -> None:
    until("node-1 is up", lambda: fresh(stack.thick).is_up)
    stack.node1.guest.pause()
    until("node-1 counts as silent", lambda: not fresh(stack.thick).is_up, timeout_s=60)

    choice = placement.choose(GIB)
    assert choice.pool == stack.thin
    assert "Not node-1 / stack-volumes: the node does not answer." in choice.sentence()

    stack.node1.guest.cont()
    until("node-1 is back", lambda: fresh(stack.thick).is_up, timeout_s=60)
    assert fresh(stack.thick).state_reason == ""


def test_facts_of_a_node_are_read_in_one_go(stack: Stack) -> None:
    facts.refresh(stack.thin.node)
    node, pool = fresh(stack.thin), Pool.objects.get(pk=stack.thin.pk)
    assert node.facts["lvm_version"].startswith("2.03")
    assert abs(node.facts["clock_skew_s"]) < 5
    assert pool.size_bytes == 7 * GIB
    assert pool.data_percent == 0.0
    assert pool.metadata_percent is not None
    assert pool.vg_uuid


def test_an_lv_of_others_is_shown_and_the_free_space_is_not_clean_from_then_on(stack: Stack) -> None:
    stack.watch.kill()
    stack.node1.sh("lvcreate --yes -qq -n root -L 64m stack-volumes")
    assert look(stack.thick) == [(Kind.FOREIGN_LV, "stack-volumes/root")]
    assert not stack.thick.free_space_is_clean

    stack.thick.set(free_space_is_clean=True)  # an administrator says so
    assert look(stack.thick) == [(Kind.FOREIGN_LV, "stack-volumes/root")]
    assert stack.thick.free_space_is_clean
    stack.node1.sh("lvremove --yes -qq stack-volumes/root")
    assert look(stack.thick) == []
    assert not stack.thick.free_space_is_clean


def test_an_lv_with_our_tag_and_no_row_is_shown_and_left_alone(stack: Stack) -> None:
    stack.watch.kill()
    ident = "00000000-0000-4000-8000-000000000000"
    tags = f"--addtag hearth --addtag hearth.id={ident}"
    stack.node2.sh(f"lvcreate --yes -qq -V 64m --thinpool thin -n volume-{ident} {tags} fast")
    assert look(stack.thin) == [(Kind.LV_WITHOUT_ROW, f"fast/volume-{ident}")]
    assert f"volume-{ident}" in stack.node2.lvs()


def test_an_lv_that_was_removed_by_hand_is_noticed_and_its_volume_says_so(stack: Stack) -> None:
    volume = stack.create(name="data", size_gib=1, pool=stack.thick)
    stack.node1.sh(f"lvremove --yes -qq stack-volumes/{volume.lv_name}")

    def in_error() -> bool:
        volume.refresh_from_db()
        return volume.status == Status.ERROR

    until("the volume is in error", in_error, timeout_s=75)
    assert volume.status_reason == "Volume data of project alpha has no LV in node-1 / stack-volumes."
    stack.thick.refresh_from_db()
    assert not stack.thick.free_space_is_clean


def test_an_lv_that_was_resized_by_hand_is_shown(stack: Stack) -> None:
    volume = stack.create(name="data", size_gib=1, pool=stack.thin)
    stack.node2.sh(f"lvextend -qq -L 2g fast/{volume.lv_name}")
    drifts = stack.thin.node.drifts
    until("the drift is shown", lambda: drifts.filter(kind=Kind.SIZE_DIFFERS).exists(), timeout_s=75)


def test_a_thin_pool_that_does_not_zero_is_shown_and_takes_nothing(stack: Stack) -> None:
    stack.watch.kill()
    stack.node2.sh("lvchange --zero n fast/thin")
    try:
        assert look(stack.thin) == [(Kind.NOT_ZEROING, "fast/thin")]
        assert placement.choose(GIB, among=[stack.thin.pk]).pool is None
    finally:
        stack.node2.sh("lvchange --zero y fast/thin")
    assert look(stack.thin) == []


def test_a_volume_group_of_another_identity_is_not_the_registered_pool(stack: Stack) -> None:
    stack.watch.kill()
    stack.node1.sh("vgchange --activate n stack-volumes && vgchange --uuid stack-volumes")
    try:
        assert look(stack.thick) == [(Kind.POOL_MISSING, "stack-volumes")]
        assert "is not the one that was registered" in stack.thick.missing_reason
        assert placement.choose(GIB, among=[stack.thick.pk]).pool is None
    finally:
        stack.node1.is_suspect = True
