"""Delete Volume on real nodes: zeroed, verified, gone; and everything that must stop it."""

from __future__ import annotations

import pytest

from tests.processes import until
from tests.stack import Stack
from volumes.engine import control
from volumes.models import GIB, Operation, Pool, Status, StatusChange, Volume

KEY = "stack-volumes"


def made_by_hand(stack: Stack, extents: str) -> str:
    """An LV on exactly these extents, with nothing cleared: what the next owner of the extents would see."""
    size = sum(int(b) - int(a) + 1 for a, b in (part.split(":")[1].split("-") for part in extents.split()))
    stack.node1.sh(f"lvcreate --yes -qq -Zn -Wn -n byhand -l {size} {KEY} {extents}")
    return f"{KEY}/byhand"


def steps(operation: Operation) -> dict[str, str]:
    return dict(operation.steps.values_list("key", "status"))


class TestThick:
    def test_every_byte_is_zero_before_anybody_else_can_have_it(self, stack: Stack) -> None:
        volume = stack.create(size_gib=1, pool=stack.thick)
        extents = stack.node1.extents(volume)
        stack.node1.fill(f"{KEY}/{volume.lv_name}")
        assert not stack.node1.is_zero(f"{KEY}/{volume.lv_name}")

        operation = stack.delete(volume)

        assert stack.node1.lvs() == {}
        assert not Volume.objects.exists()
        assert stack.project.used() == (0, 0)
        assert StatusChange.objects.filter(object_id=volume.pk, to_status="deleted").exists()
        self.the_operation_keeps_method_bytes_time_and_verdict(stack, operation)
        assert stack.node1.is_zero(made_by_hand(stack, extents))

    def the_operation_keeps_method_bytes_time_and_verdict(self, stack: Stack, operation: Operation) -> None:
        assert set(steps(operation).values()) == {"done"}
        wipe, verify = operation.steps.get(key="wipe"), operation.steps.get(key="verify")
        assert wipe.note.startswith(f"{GIB} bytes zeroed by blkdiscard in ")
        assert verify.note.startswith(f"{GIB} bytes in ")
        assert verify.note.endswith(": all of them zero")
        assert (wipe.bytes_done, verify.bytes_done) == (GIB, GIB)
        stack.thick.node.refresh_from_db()
        assert stack.thick.node.wipe_rate_mib_s > 0

    def test_the_free_space_stays_clean_and_the_room_comes_back(self, stack: Stack) -> None:
        volume = stack.create(size_gib=6, pool=stack.thick)
        stack.delete(volume)
        stack.create(size_gib=6, pool=stack.thick)
        stack.thick.refresh_from_db()
        assert stack.thick.free_space_is_clean
        stack.assert_at_rest()

    def test_several_at_once_all_go(self, stack: Stack) -> None:
        operations = stack.ask_create(size_gib=1, count=4, pool=stack.thick)
        stack.wait_for_all(operations)
        stack.wait_for_all([stack.ask_delete(volume) for volume in Volume.objects.all()])
        assert stack.node1.lvs() == {}
        assert stack.project.used() == (0, 0)
        stack.assert_at_rest()


class TestThin:
    def test_the_bytes_cannot_be_read_through_a_new_volume(self, stack: Stack) -> None:
        old = stack.create(size_gib=2, pool=stack.thin)
        stack.node2.fill(f"fast/{old.lv_name}", mib=64)
        operation = stack.delete(old)
        assert steps(operation)["discard"] == "done"
        assert "wipe" not in steps(operation)
        assert float(stack.node2.sh("lvs --noheadings -o data_percent fast/thin")) == 0.0

        # Activated anew, the pool hands out its blocks from the first one on: those that the old volume had.
        stack.node2.sh("vgchange --activate n fast && vgchange --activate y fast")
        new = stack.create(size_gib=2, pool=stack.thin)
        device = f"/dev/fast/{new.lv_name}"
        write = '[os.pwrite(d, b"x", n << 16) for n in range(1024)]'
        stack.node2.sh(f"python3 -c 'import os; d = os.open(\"{device}\", os.O_WRONLY); {write}; os.fsync(d)'")
        assert float(stack.node2.sh("lvs --noheadings -o data_percent fast/thin")) > 0.8
        assert stack.node2.sh(f"head -c 64M {device} | tr -d '\\0x' | head -c 100") == ""
        stack.assert_at_rest()


class TestBusy:
    @pytest.mark.parametrize(
        ("hold", "words"),
        [
            ("mke2fs -q -F -N 64 {0}; mkdir -p /mnt/shop; mount -o ro {0} /mnt/shop", "mounted on /mnt/shop"),
            ("dmsetup create held-shop --table '0 2048 linear {0} 0'", "used by the device"),
            (
                "systemd-run -q --unit=holder bash -c 'exec 9<{0}; sleep 600'; sleep 1",
                "opened by",
            ),
        ],
        ids=["mounted", "under another device", "open in a process"],
    )
    def test_a_device_in_use_is_not_wiped_and_the_person_reads_what_holds_it(
        self, stack: Stack, hold: str, words: str
    ) -> None:
        volume = stack.create(name="data", size_gib=1, pool=stack.thick)
        device = f"/dev/{KEY}/{volume.lv_name}"
        stack.node1.fill(f"{KEY}/{volume.lv_name}", mib=8, offset_mib=512)
        stack.node1.sh(hold.format(device))
        before = stack.node1.sh(f"dd if={device} bs=1M skip=512 count=8 status=none | sha256sum")
        try:
            operation = stack.delete(volume, status="failed")
        finally:
            stack.node1.sh("umount /mnt/shop; dmsetup remove held-shop; systemctl stop holder; true")

        assert words in operation.reason
        volume.refresh_from_db()
        assert volume.status == Status.AVAILABLE
        assert volume.status_reason == operation.reason
        assert stack.node1.sh(f"dd if={device} bs=1M skip=512 count=8 status=none | sha256sum") == before
        lv = stack.node1.lv(volume)
        assert lv is not None
        assert lv.tags == {"hearth", f"hearth.id={volume.pk}"}
        assert lv.active
        stack.assert_at_rest()

        control.retry(operation, actor=stack.actor)
        stack.wait_for(operation)
        assert stack.node1.lvs() == {}


class TestOurs:
    def test_an_lv_without_our_tag_is_left_alone(self, stack: Stack) -> None:
        volume = stack.create(size_gib=1, pool=stack.thick)
        stack.node1.fill(f"{KEY}/{volume.lv_name}", mib=8)
        stack.node1.sh(f"lvchange --deltag hearth.id={volume.pk} {KEY}/{volume.lv_name}")

        operation = stack.delete(volume, status="failed")

        assert operation.reason.endswith("so it is left alone.")
        volume.refresh_from_db()
        assert volume.status == Status.AVAILABLE
        assert volume.lv_name in stack.node1.lvs()
        assert not stack.node1.is_zero(f"{KEY}/{volume.lv_name}")

    def test_an_lv_with_the_tag_of_another_volume_is_left_alone(self, stack: Stack) -> None:
        volume = stack.create(size_gib=1, pool=stack.thick)
        other = "00000000-0000-4000-8000-000000000000"
        stack.node1.sh(f"lvchange --deltag hearth.id={volume.pk} --addtag hearth.id={other} {KEY}/{volume.lv_name}")
        stack.delete(volume, status="failed")
        assert volume.lv_name in stack.node1.lvs()

    def test_an_lv_that_somebody_removed_is_gone_and_the_free_space_is_no_longer_clean(self, stack: Stack) -> None:
        volume = stack.create(size_gib=1, pool=stack.thick)
        stack.node1.sh(f"lvremove --yes -qq {KEY}/{volume.lv_name}")

        operation = stack.delete(volume)

        look = operation.steps.get(key="look")
        assert "somebody removed it outside Hearth" in look.note
        assert {key for key, status in steps(operation).items() if status == "skipped"} >= {"idle", "wipe", "remove"}
        stack.thick.refresh_from_db()
        assert not stack.thick.free_space_is_clean
        assert not Volume.objects.exists()

    def test_a_missing_lv_is_no_success_where_the_volume_group_is_another_one(self, stack: Stack) -> None:
        volume = stack.create(size_gib=1, pool=stack.thick)
        stack.node1.sh(f"lvremove --yes -qq {KEY}/{volume.lv_name}")
        stack.node1.sh(f"vgchange --uuid {KEY}")
        try:
            operation = stack.delete(volume, status="failed")
        finally:
            stack.node1.is_suspect = True
        assert "is not the one that was registered" in operation.reason
        assert Volume.objects.filter(pk=volume.pk).exists()

    def test_a_volume_that_was_never_made_just_goes(self, stack: Stack) -> None:
        for worker in stack.workers:
            worker.kill()
        (operation,) = stack.ask_create(size_gib=1)
        control.cancel(operation, actor=stack.actor)
        stack.revive()
        stack.wait_for(operation, status="cancelled")
        volume = stack.volume(operation)
        assert (volume.status, volume.status_reason) == (Status.ERROR, "Cancelled by alice.")

        stack.delete(volume)
        assert not Volume.objects.exists()
        stack.assert_at_rest()


def test_what_somebody_added_to_an_lv_by_hand_is_wiped_with_it(stack: Stack) -> None:
    volume = stack.create(size_gib=1, pool=stack.thick)
    name = f"{KEY}/{volume.lv_name}"
    stack.node1.sh(f"lvextend -qq -L +64m {name}")
    extents = stack.node1.extents(volume)
    stack.node1.fill(name, mib=64, offset_mib=1024)

    operation = stack.delete(volume)

    assert operation.steps.get(key="wipe").note.startswith(f"{GIB + 64 * 1024**2} bytes zeroed")
    assert stack.node1.is_zero(made_by_hand(stack, extents))


def test_what_somebody_cut_off_an_lv_by_hand_leaves_the_pool_unclean_and_it_can_be_deleted(stack: Stack) -> None:
    volume = stack.create(size_gib=1, pool=stack.thick)
    stack.node1.sh(f"lvreduce --yes -qq --force -L 512m {KEY}/{volume.lv_name}")

    def is_unclean() -> bool:
        stack.thick.refresh_from_db()
        return not stack.thick.free_space_is_clean

    until("the watch has seen it", is_unclean, timeout_s=75)
    stack.delete(volume)
    assert stack.node1.lvs() == {}


def test_wipe_method_none_keeps_the_bytes_says_so_and_the_next_volume_is_zeroed(stack: Stack) -> None:
    stack.thick.set(wipe_method=Pool.WipeMethod.NONE)
    volume = stack.create(size_gib=1, pool=stack.thick)
    extents = stack.node1.extents(volume)
    stack.node1.fill(f"{KEY}/{volume.lv_name}")

    operation = stack.delete(volume)

    wipe = operation.steps.get(key="wipe")
    assert wipe.status == "skipped"
    assert wipe.note.startswith("The pool's wipe method is none: the bytes stay on the disk")
    assert not stack.node1.is_zero(made_by_hand(stack, extents))
    stack.node1.sh(f"lvremove --yes -qq {KEY}/byhand")
    stack.thick.refresh_from_db()
    assert not stack.thick.free_space_is_clean

    new = stack.create(size_gib=1, pool=stack.thick)
    assert stack.node1.extents(new) == extents
    assert stack.node1.is_zero(f"{KEY}/{new.lv_name}")
    stack.assert_at_rest()


class TestLongWipes:
    def slow(self, stack: Stack, mib_s: int = 100) -> None:
        stack.node1.guest.set_disk_speed(mib_s * 1024**2)

    def test_cancel_stops_the_wipe_says_how_far_it_came_and_retry_finishes_it(self, stack: Stack) -> None:
        volume = stack.create(size_gib=1, pool=stack.thick)
        extents = stack.node1.extents(volume)
        stack.node1.fill(f"{KEY}/{volume.lv_name}", mib=64, offset_mib=900)
        self.slow(stack)
        operation = stack.ask_delete(volume)
        stack.wait_for_step(operation, "wipe", "bytes")

        control.cancel(operation, actor=stack.actor)
        stack.wait_for(operation, status="cancelled", timeout_s=20)

        volume.refresh_from_db()
        assert volume.status == Status.ERROR_DELETING
        assert "Cancelled by alice." in volume.status_reason
        assert "% : the content is partly erased" in volume.status_reason.replace(" %:", "% :")
        until("the unit is gone", lambda: stack.node1.units() == [])
        assert stack.node1.lv(volume) is not None

        stack.node1.guest.set_disk_speed(0)
        control.retry(operation, actor=stack.actor)
        stack.wait_for(operation)
        assert stack.node1.is_zero(made_by_hand(stack, extents))

    def test_no_more_units_run_at_once_than_the_node_has_places_and_all_get_their_turn(self, stack: Stack) -> None:
        stack.thick.node.set(bulk_limit=1)
        stack.wait_for_all(stack.ask_create(size_gib=1, count=3, pool=stack.thick))
        self.slow(stack, 400)
        operations = [stack.ask_delete(volume) for volume in Volume.objects.all()]
        most = 0
        texts = set()

        def all_over() -> bool:
            nonlocal most
            most = max(most, len(stack.node1.units()))
            texts.update(Operation.objects.filter(waits_for="place").values_list("waits_text", flat=True))
            return not Operation.objects.unfinished().exists()

        until("all are deleted", all_over, timeout_s=180)
        stack.wait_for_all(operations)
        assert most == 1
        assert texts == {"Waits for one of 1 places on node-1."}
        stack.assert_at_rest()

    def test_no_worker_waits_for_a_wipe(self, stack: Stack) -> None:
        """More wipes than workers are under way, and a new request is served at once."""
        stack.thick.node.set(bulk_limit=4)
        stack.wait_for_all(stack.ask_create(size_gib=1, count=3, pool=stack.thick))
        self.slow(stack, 60)
        wipes = [stack.ask_delete(volume) for volume in Volume.objects.all()]
        for operation in wipes:
            stack.wait_until_waiting(operation, "unit")

        stack.create(size_gib=1, pool=stack.thin)

        assert Operation.objects.unfinished().count() == 3
        stack.node1.guest.set_disk_speed(0)
        stack.wait_for_all(wipes)

    def test_progress_rate_and_time_left_are_told_while_it_runs(self, stack: Stack) -> None:
        volume = stack.create(size_gib=1, pool=stack.thick)
        self.slow(stack)
        operation = stack.ask_delete(volume)
        wipe = operation.steps.filter(key="wipe")

        def seen() -> bool:
            row = wipe.first()
            return bool(row and row.bytes_done and row.rate and row.eta_s and 0 < (row.percent or 0) < 100)

        until("progress, rate and time left", seen, timeout_s=30)
        stack.node1.guest.set_disk_speed(0)
        stack.wait_for(operation)
