"""Verbs on pools: who may, one at a time, what is taken with the request and given back, and what a pool says of its free space."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.factories import PoolFactory, SnapshotFactory
from tests.nodes_unit.test_lvm_report import LV_ROW, LV_SEGMENT, POOL_ROW, POOL_SEGMENT, PV_ROW, VG_ROW
from tests.views.conftest import foreign_lv
from volumes.engine.protocol import Next
from volumes.errors import Conflict, NotAllowed, QuotaExceeded, Refused
from volumes.models import GIB, Operation, Pool, Project, Status, StatusChange, User, Volume
from volumes.nodes.commands import Result
from volumes.nodes.errors import NoSuchLogicalVolume, VolumeGroupIncomplete
from volumes.operations import (
    adopt_lv,
    create_thin_pool,
    extend_thin_pool,
    pool_verb,
    release_volume,
    scrub_pool,
)

pytestmark = pytest.mark.django_db
UUID = LV_ROW["lv_uuid"]


def said(*lvs: dict[str, str], vg: dict[str, str] | None = None, pv: dict[str, str] | None = None) -> list[Result]:
    """What the node says of the group "slow" when it is asked."""
    rows = [{**row, "vg_name": "slow"} for row in lvs]
    segments = [
        {**(POOL_SEGMENT if row["lv_attr"].startswith("t") else LV_SEGMENT), "lv_uuid": row["lv_uuid"]} for row in rows
    ]
    segments = [
        {**each, "segtype": "linear"} if row["lv_attr"][0] in "-o" else each
        for each, row in zip(segments, rows, strict=True)
    ]
    part = {
        "vg": [{**VG_ROW, "vg_name": "slow", **(vg or {})}],
        "pv": [{**PV_ROW, **(pv or {})}],
        "lv": rows,
        "seg": segments,
    }
    return [Result(("lvm", "fullreport", "slow"), 0, json.dumps({"report": [part]}), "", 0.1)]


def plain(name: str = "theirs", **fields: str) -> dict[str, str]:
    row = {**LV_ROW, "lv_name": name, "lv_attr": "-wi-a-----", "lv_tags": "", "pool_lv": "", "lv_size": str(GIB)}
    return {**row, **fields}


def run_check(verb: Any, operation: Operation, key: str, results: list[Result]) -> str:
    step = next(step for step in verb.steps(operation) if step.key == key)
    return str(step.check(results))


def ask_everything(thick: Pool, thin: Pool, volume: Volume, actor: User) -> list[Any]:
    return [
        lambda: scrub_pool.request(thick, actor=actor),
        lambda: adopt_lv.request(thick, lv="theirs", project=volume.project, actor=actor),
        lambda: release_volume.request(volume, actor=actor),
        lambda: create_thin_pool.request(thick, name="swift", size_gib=1, actor=actor),
        lambda: extend_thin_pool.request(thin, data_gib=1, actor=actor),
    ]


class TestRequest:
    def test_all_of_it_is_the_administrators(self, thick: Pool, thin: Pool, volume: Volume, alice: User) -> None:
        thick.set(facts={"lvs": [foreign_lv("theirs")]})
        for ask in ask_everything(thick, thin, volume, alice):
            with pytest.raises(NotAllowed):
                ask()
        assert not Operation.objects.exists()

    def test_one_thing_at_a_time_is_done_to_a_pool(self, thick: Pool, alpha: Project, admin: User) -> None:
        thick.set(facts={"lvs": [foreign_lv("theirs")]})
        scrub_pool.request(thick, actor=admin)
        for ask in (
            lambda: scrub_pool.request(thick, actor=admin),
            lambda: adopt_lv.request(thick, lv="theirs", project=alpha, actor=admin),
            lambda: create_thin_pool.request(thick, name="swift", size_gib=1, actor=admin),
        ):
            with pytest.raises(
                Conflict, match="Something else is being done to this pool: Scrub the free space of node / slow"
            ):
                ask()
        assert not Volume.objects.exists()

    def test_a_pool_that_is_gone_is_no_pool(self, thick: Pool, admin: User) -> None:
        Pool.objects.all().delete()
        with pytest.raises(Conflict, match="no longer exists"):
            scrub_pool.request(thick, actor=admin)


class TestGroup:
    def test_has_to_be_the_one_that_was_registered(self, thick: Pool) -> None:
        thick.set(vg_uuid="another")
        with pytest.raises(pool_verb.OtherVolumeGroup, match="is not the one that was registered"):
            pool_verb.group_of(thick, said())

    def test_has_to_have_all_its_disks(self, thick: Pool) -> None:
        with pytest.raises(VolumeGroupIncomplete):
            pool_verb.group_of(thick, said(vg={"vg_missing_pv_count": "1"}))


class TestScrub:
    """What the pool says of its free space, at every turn."""

    @pytest.fixture
    def verb(self) -> scrub_pool.ScrubPool:
        return scrub_pool.ScrubPool()

    @pytest.fixture
    def scrub(self, thick: Pool, admin: User) -> Operation:
        thick.set(free_space_is_clean=False)
        return scrub_pool.request(thick, actor=admin)

    def mine(self, pool: Pool) -> dict[str, str]:
        return plain(pool.scrub_lv_name, lv_tags=f"hearth,hearth.id={pool.pk}", lv_uuid="mine", lv_size=str(5 * GIB))

    def is_clean(self, pool: Pool) -> bool:
        return Pool.objects.get(pk=pool.pk).free_space_is_clean

    def test_from_taking_the_space_on_only_what_is_freed_since_decides(
        self, verb: scrub_pool.ScrubPool, scrub: Operation, thick: Pool
    ) -> None:
        run_check(verb, scrub, "look", said(plain()))
        assert scrub.state["clean_before"] is False
        run_check(verb, scrub, "take", said(plain(), self.mine(thick)))
        assert scrub.state["bytes"] == 5 * GIB
        assert [step.key for step in verb.steps(scrub)] == ["look", "take", "wipe", "verify", "remove"]
        note = run_check(verb, scrub, "remove", said(plain()))
        verb.succeed(scrub)
        assert note == "all free space of node / slow reads as zero"
        assert self.is_clean(thick)

    def test_whoever_freed_bytes_unwiped_meanwhile_has_the_last_word(
        self, verb: scrub_pool.ScrubPool, scrub: Operation, thick: Pool
    ) -> None:
        run_check(verb, scrub, "look", said(plain()))
        run_check(verb, scrub, "take", said(plain(), self.mine(thick)))
        Pool.objects.filter(pk=thick.pk).update(free_space_is_clean=False)
        assert run_check(verb, scrub, "remove", said(plain())).startswith("Bytes were freed unwiped meanwhile")
        verb.succeed(scrub)
        assert not self.is_clean(thick)

    @pytest.mark.parametrize("after", [[], [plain(lv_size=str(GIB // 2))], [plain(lv_uuid="made-anew")]])
    def test_an_lv_of_others_that_is_not_what_it_was_leaves_it_unclean(
        self, verb: scrub_pool.ScrubPool, scrub: Operation, thick: Pool, after: list[dict[str, str]]
    ) -> None:
        run_check(verb, scrub, "look", said(plain()))
        run_check(verb, scrub, "take", said(plain(), self.mine(thick)))
        assert "theirs vanished or shrank meanwhile" in run_check(verb, scrub, "remove", said(*after))
        verb.succeed(scrub)
        assert not self.is_clean(thick)

    @pytest.mark.parametrize("before", [True, False])
    def test_given_up_it_says_what_it_said_before_and_that_before_the_space_is_free(
        self, verb: scrub_pool.ScrubPool, scrub: Operation, thick: Pool, before: bool
    ) -> None:
        thick.set(free_space_is_clean=before)
        run_check(verb, scrub, "look", said())
        run_check(verb, scrub, "take", said(self.mine(thick)))
        assert self.is_clean(thick)
        (command,) = verb.undo(scrub, pool_verb.group_of(thick, said(self.mine(thick)))[0])
        assert self.is_clean(thick) is before
        assert command.argv[:2] == ("lvremove", "--yes")
        assert verb.fail(scrub, "cancelled") is Next.FAIL
        assert self.is_clean(thick) is before

    def test_what_an_earlier_one_left_behind_is_used_again_and_is_not_clean(
        self, verb: scrub_pool.ScrubPool, scrub: Operation, thick: Pool
    ) -> None:
        thick.set(free_space_is_clean=True)
        run_check(verb, scrub, "look", said(self.mine(thick), vg={"vg_free": "0"}))
        assert scrub.state["clean_before"] is False
        step = next(step for step in verb.steps(scrub) if step.key == "take")
        assert step.done is not None
        assert step.done(pool_verb.group_of(thick, said(self.mine(thick)))[0])

    def test_the_lvs_of_others_that_are_there_count_as_known_from_then_on(
        self, verb: scrub_pool.ScrubPool, scrub: Operation, thick: Pool
    ) -> None:
        run_check(verb, scrub, "look", said(plain()))
        thick.refresh_from_db()
        assert thick.facts["strangers_before"] == {"theirs": [UUID, GIB]}

    def test_nothing_free_and_extents_that_cannot_be_taken_end_it(
        self, verb: scrub_pool.ScrubPool, scrub: Operation
    ) -> None:
        with pytest.raises(scrub_pool.NothingFree):
            run_check(verb, scrub, "look", said(vg={"vg_free": "0"}))
        with pytest.raises(scrub_pool.NotAllocatable, match="/dev/vdb"):
            run_check(verb, scrub, "look", said(pv={"pv_allocatable": ""}))

    def test_retry_begins_anew(self, verb: scrub_pool.ScrubPool, scrub: Operation, thick: Pool, admin: User) -> None:
        scrub.state = {"bytes": 1, "clean_before": True}
        verb.reopen(scrub, admin)
        assert scrub.state == {}
        thick.set(free_bytes=0)
        with pytest.raises(Refused, match="no free extent"):
            verb.reopen(scrub, admin)


class TestAdopt:
    @pytest.fixture
    def verb(self) -> adopt_lv.AdoptLv:
        return adopt_lv.AdoptLv()

    @pytest.fixture
    def adopted(self, thick: Pool, alpha: Project, admin: User) -> Operation:
        thick.set(facts={"lvs": [foreign_lv("theirs", uuid=UUID)]})
        return adopt_lv.request(thick, lv="theirs", project=alpha, actor=admin)

    def test_the_row_and_its_quota_come_with_the_request(self, adopted: Operation, alpha: Project) -> None:
        volume = Volume.objects.get()
        assert (volume.name, volume.status, volume.last_operation) == ("theirs", Status.CREATING, adopted)
        assert alpha.used() == (1, 1)

    def test_a_quota_that_is_used_up_says_so_and_leaves_nothing(self, thick: Pool, alpha: Project, admin: User) -> None:
        alpha.set(quota_volumes=0)
        thick.set(facts={"lvs": [foreign_lv("theirs")]})
        with pytest.raises(QuotaExceeded, match="used up"):
            adopt_lv.request(thick, lv="theirs", project=alpha, actor=admin)
        assert not Operation.objects.exists()

    def test_the_node_has_the_last_word(self, verb: adopt_lv.AdoptLv, adopted: Operation) -> None:
        assert run_check(verb, adopted, "look", said(plain())) == f"It has {GIB} bytes."
        assert adopted.state["was_active"] is True
        for changed, why in (
            (plain(lv_device_open="open"), "It is in use on the node"),
            (plain(lv_tags="hearth"), "carries a tag of Hearth"),
            (plain("other"), "no longer what it was"),
            (plain(lv_size=str(2 * GIB)), "Its size has changed"),
        ):
            with pytest.raises(adopt_lv.NotAdoptable, match=why):
                run_check(verb, adopted, "look", said(changed))
        with pytest.raises(NoSuchLogicalVolume):
            run_check(verb, adopted, "look", said())

    def test_taking_back_undoes_what_the_facts_show_and_no_more(
        self, verb: adopt_lv.AdoptLv, adopted: Operation, thick: Pool
    ) -> None:
        adopted.state = {"was_active": True}
        ident = adopted.args["volume"]
        ours = {"lv_tags": f"hearth,hearth.id={ident}", "lv_active": ""}

        def undone(*lvs: dict[str, str]) -> list[str]:
            return [str(command) for command in verb.undo(adopted, pool_verb.group_of(thick, said(*lvs))[0])]

        untag = f"lvchange --yes --deltag hearth --deltag hearth.id={ident} slow/theirs"
        on = "lvchange --yes --activate y slow/theirs"
        assert undone(plain()) == []
        assert undone(plain(lv_active="")) == [on]
        assert undone(plain(**ours)) == [untag, on]
        assert undone(plain(f"volume-{ident}", **ours)) == [f"lvrename --yes slow volume-{ident} theirs", untag, on]
        assert undone() == []

    def test_after_a_failure_the_row_is_gone_and_retry_makes_it_anew(
        self, verb: adopt_lv.AdoptLv, adopted: Operation, alpha: Project, admin: User
    ) -> None:
        adopted.state["taken_back"] = adopted.round
        verb.fail(adopted, "It is in use.")
        assert alpha.used() == (0, 0)
        assert StatusChange.objects.filter(to_status="deleted", why="It is in use.").exists()
        verb.reopen(adopted, admin)
        assert str(Volume.objects.get().pk) == adopted.args["volume"]

    def test_what_could_not_be_taken_back_keeps_its_row(self, verb: adopt_lv.AdoptLv, adopted: Operation) -> None:
        verb.fail(adopted, "The node is on fire.")
        volume = Volume.objects.get()
        assert (volume.status, volume.status_reason) == (Status.ERROR, "The node is on fire.")

    def test_retry_is_the_administrators_too(self, verb: adopt_lv.AdoptLv, adopted: Operation, alice: User) -> None:
        with pytest.raises(NotAllowed):
            verb.reopen(adopted, alice)

    def test_it_says_what_it_was(self, verb: adopt_lv.AdoptLv, adopted: Operation) -> None:
        verb.succeed(adopted)
        volume = Volume.objects.get()
        assert (volume.status, volume.status_reason) == (Status.AVAILABLE, "")
        assert volume.allocated_at is not None
        assert StatusChange.objects.filter(to_status="available", why="Adopted: it was the LV theirs.").exists()


class TestRelease:
    @pytest.fixture
    def verb(self) -> release_volume.ReleaseVolume:
        return release_volume.ReleaseVolume()

    def test_the_row_goes_and_a_thick_pool_is_not_taken_for_clean(
        self, verb: release_volume.ReleaseVolume, volume: Volume, thick: Pool, admin: User
    ) -> None:
        operation = release_volume.request(volume, actor=admin, lv_name="shop")
        verb.succeed(operation)
        assert not Volume.objects.exists()
        assert not Pool.objects.get(pk=thick.pk).free_space_is_clean
        change = StatusChange.objects.get(to_status="released")
        assert change.why == "Released: its LV stays on the node as slow/shop. Nothing was wiped."

    def test_a_failure_leaves_it_what_it_was(
        self, verb: release_volume.ReleaseVolume, volume: Volume, admin: User
    ) -> None:
        verb.cancel(release_volume.request(volume, actor=admin), "Cancelled.")
        volume.refresh_from_db()
        assert volume.status == Status.AVAILABLE

    def test_with_snapshots_it_is_refused(self, volume: Volume, admin: User) -> None:
        SnapshotFactory(volume=volume)
        with pytest.raises(Refused, match="It has snapshots"):
            release_volume.request(volume, actor=admin)

    def test_retry_is_the_administrators_too(
        self, verb: release_volume.ReleaseVolume, volume: Volume, admin: User, alice: User
    ) -> None:
        operation = release_volume.request(volume, actor=admin)
        verb.fail(operation, "no")
        with pytest.raises(NotAllowed):
            verb.reopen(operation, alice)


class TestThinPools:
    def test_one_that_is_not_ours_is_never_taken_back(self, thick: Pool, admin: User) -> None:
        operation = create_thin_pool.request(thick, name="thin", size_gib=1, actor=admin)
        verb = create_thin_pool.CreateThinPool()
        theirs = pool_verb.group_of(thick, said(POOL_ROW))[0]
        ours = pool_verb.group_of(thick, said({**POOL_ROW, "lv_tags": f"hearth,hearth.id={operation.pk}"}))[0]
        assert list(verb.undo(operation, theirs)) == []
        (command,) = verb.undo(operation, ours)
        assert "thin_count=0" in str(command)

    def test_a_name_that_is_a_pool_already_is_taken(self, thick: Pool, admin: User) -> None:
        PoolFactory(node=thick.node, vg_name=thick.vg_name, thin_pool_name="swift")
        with pytest.raises(Refused, match="has an LV of that name already"):
            create_thin_pool.request(thick, name="swift", size_gib=1, actor=admin)

    def test_what_it_grows_to_is_fixed_at_the_first_look(self, thick: Pool, admin: User) -> None:
        thin = PoolFactory(node=thick.node, vg_name="slow", thin_pool_name="thin", facts={"vg_free_bytes": 9 * GIB})
        operation = extend_thin_pool.request(thin, data_gib=1, metadata_mib=5, actor=admin)
        verb = extend_thin_pool.ExtendThinPool()
        run_check(verb, operation, "look", said(POOL_ROW))
        data, meta = int(POOL_ROW["lv_size"]), int(POOL_ROW["lv_metadata_size"])
        assert operation.state == {"data_to": data + GIB, "meta_to": meta + 8 * 2**20}
        grown = {**POOL_ROW, "lv_size": str(data + GIB), "lv_metadata_size": str(meta + 8 * 2**20)}
        run_check(verb, operation, "look", said(grown))
        assert operation.state["data_to"] == data + GIB, "a second look does not add again"
        assert [str(step.commands[0]) for step in verb.steps(operation)[1:]] == [
            f"lvextend --yes --poolmetadatasize {meta + 8 * 2**20}b slow/thin",
            f"lvextend --yes --size {data + GIB}b slow/thin",
        ]
        run_check(verb, operation, "data", said(grown))
        thin.refresh_from_db()
        assert thin.size_bytes == data + GIB
        with pytest.raises(extend_thin_pool.NotGrown):
            run_check(verb, operation, "data", said(POOL_ROW))
