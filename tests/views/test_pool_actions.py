"""What an administrator does to pools, on the pages: the picture of the extents, and the dialogs that change something."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import OperationFactory, PoolFactory, SnapshotFactory, StepFactory, VolumeFactory
from tests.nodes_unit.test_lvm_extents import of, row
from tests.views.conftest import foreign_lv
from tests.views.html import Element, page
from volumes.engine import facts
from volumes.models import GIB, Operation, Pool, Project, Status, User, Volume


def ours(row: Any, **fields: object) -> dict[str, object]:
    return foreign_lv(row.lv_name, hearth_id=str(row.pk), tags=["hearth", f"hearth.id={row.pk}"], **fields)


def disk(*pieces: tuple[str, int], pv: str = "/dev/sdb") -> dict[str, object]:
    """A disk of the map: LVs and how many extents each has."""
    drawn, start = [], 0
    for lv, length in pieces:
        drawn.append([start, length, lv, 1])
        start += length
    free = sum(length for lv, length in pieces if not lv)
    return {"pv": pv, "missing": False, "free": free, "pieces": drawn}


def at(pool: Pool) -> str:
    return reverse("pool", args=[pool.pk])


class TestPicture:
    @pytest.fixture
    def tree(self, administrator: Client, thick: Pool, volume: Volume) -> Element:
        snapshot = SnapshotFactory(volume=volume, name="nightly")
        other = VolumeFactory(project=volume.project, pool=thick, name="other")
        PoolFactory(node=thick.node, vg_name=thick.vg_name, thin_pool_name="swift")
        first = disk(
            (volume.lv_name, 256), (snapshot.lv_name, 64), ("swift_tdata", 2000), ("swift_tmeta", 100), ("", 500)
        )
        second = disk(("theirs", 512), (volume.lv_name, 256), ("", 2152), pv="/dev/sdc")
        lvs = [
            ours(volume),
            ours(snapshot),
            ours(other),
            foreign_lv("theirs"),
            foreign_lv("swift", segtype="thin-pool"),
        ]
        thick.set(facts={"lvs": lvs, "map": [first, second]})
        return page(administrator.get(at(thick))).one("section", aria_labelledby="m-t")

    def test_each_disk_says_its_numbers(self, tree: Element) -> None:
        assert [group["aria-label"] for group in tree.all("svg", role="group")] == [
            "Extents of /dev/sdb: 11.4 GiB, 2 free, in 5 pieces",
            "Extents of /dev/sdc: 11.4 GiB, 8.4 free, in 3 pieces",
        ]

    def test_each_piece_says_who_has_which_extents_and_leads_to_its_row(self, tree: Element) -> None:
        links = {link["aria-label"]: link["href"] for link in tree.all("a")}
        volume = Volume.objects.get(name="data")
        assert links["data: volume, 1 GiB; extents 0 to 255 of /dev/sdb"] == f"#lv-{volume.lv_name}"
        assert links["data: volume, 1 GiB; extents 512 to 767 of /dev/sdc"] == f"#lv-{volume.lv_name}"
        assert links["theirs: not Hearth's, 2 GiB; extents 0 to 511 of /dev/sdc"] == "#lv-theirs"
        assert "swift data: thin pool, 7.8 GiB; extents 320 to 2,319 of /dev/sdb" in links
        assert any(said.startswith("swift metadata: thin pool") for said in links)

    def test_colour_is_never_the_only_mark(self, tree: Element) -> None:
        boxes = {box.one("title").text.split(":")[0]: box for box in tree.all("svg", y=True)}
        assert boxes["nightly"].has("rect", class_="hatched")
        assert boxes["swift metadata"].has("rect", class_="dotted")
        assert "foreign" in boxes["theirs"].classes
        assert "free" in boxes["free"].classes
        hue = boxes["data"].classes - {"h-lv"}
        assert hue == boxes["nightly"].classes - {"h-lv"}, "a snapshot has its volume's hue"
        said = tree.one("ul", aria_label="Legend").text
        for word in (
            "volume, one hue each",
            "snapshot, in its volume's hue",
            "thin pool: metadata",
            "never changed",
            "free",
        ):
            assert word in said

    def test_the_widths_of_a_row_add_up(self, tree: Element) -> None:
        for group in tree.all("svg", role="group"):
            rows: dict[str, float] = {}
            for box in group.all("svg"):
                rows[box["y"]] = rows.get(box["y"], 0.0) + float(box["width"].rstrip("%"))
            full = [share for y, share in rows.items() if int(y) < max(map(int, rows))]
            assert all(abs(share - 100) < 0.1 for share in full)

    def test_the_same_stands_in_a_table_behind_it(self, tree: Element) -> None:
        lines = [line.text for line in tree.one("details").one("tbody").all("tr")]
        assert lines[0] == "data volume /dev/sdb 0–255 1 GiB"
        assert lines[1] == "nightly snapshot of data /dev/sdb 256–319 0.2 GiB"
        assert len(lines) == 8

    def test_a_group_of_thousands_of_pieces_stays_a_page(self, administrator: Client, thick: Pool) -> None:
        rows, start = [], 0
        for number in range(4000):
            rows.append(row(start, 1 + number % 3, f"lv{number}" if number % 2 else ""))
            start += 1 + number % 3
        Pool.objects.filter(pk=thick.pk).update(vg_name="fast")
        thick.refresh_from_db()
        facts.store_report(thick, of(*rows), timezone.now())
        tree = page(administrator.get(at(thick))).one("section", aria_labelledby="m-t")
        assert len(tree.all("svg", y=True)) < 700

    def test_there_is_none_before_the_node_was_read(self, administrator: Client, thick: Pool) -> None:
        assert not page(administrator.get(at(thick))).has("section", aria_labelledby="m-t")

    def test_space_that_is_scrubbed_is_not_taken_for_somebodys(self, administrator: Client, thick: Pool) -> None:
        scrub = foreign_lv(thick.scrub_lv_name, hearth_id=str(thick.pk))
        thick.set(facts={"lvs": [scrub], "map": [disk((thick.scrub_lv_name, 900))]})
        operation = OperationFactory(
            verb="scrub_pool", title="Scrub it", target_kind="pool", target_id=thick.pk, project=None
        )
        StepFactory(operation=operation, key="wipe", status="running", bytes_done=GIB, bytes_total=2 * GIB)
        tree = page(administrator.get(at(thick)))
        assert "free space being scrubbed: held by an operation" in tree.one("svg", y=True).text + str(
            [link["aria-label"] for link in tree.one("section", aria_labelledby="m-t").all("a")]
        )
        text = tree.one("main").text
        for word in ("Scrub it", "50 %", "Takes no new volumes: its free space is being scrubbed", "being scrubbed"):
            assert word in text, word


class TestTable:
    def test_foreign_ones_may_be_adopted_or_say_why_not(self, administrator: Client, thick: Pool) -> None:
        thick.set(facts={"lvs": [foreign_lv("good"), foreign_lv("bad", open=True)]})
        section = page(administrator.get(at(thick))).one("section", aria_labelledby="l-t")
        assert "2 are not Hearth's, 1 may be adopted" in section.text
        assert section.one("a", href=f"{reverse('pool-adopt', args=[thick.pk])}?lv=good").text == "Adopt…"
        bad = section.one("tr", id="lv-bad")
        assert bad.one("span", role="link")["aria-describedby"] == "why-bad"
        assert (
            bad.one("small", id="why-bad").text == "It is in use on the node. Unmount it, or stop what uses it, first."
        )

    def test_volumes_are_released_from_their_menu_or_say_why_not(
        self, administrator: Client, thick: Pool, volume: Volume
    ) -> None:
        thick.set(facts={"lvs": [ours(volume)]})
        menu = page(administrator.get(at(thick))).one("tr", id=f"lv-{volume.lv_name}").one("ul")
        assert menu.has("a", href=f"{reverse('volume-release', args=[volume.pk])}?next={at(thick)}")
        SnapshotFactory(volume=volume)
        menu = page(administrator.get(at(thick))).one("tr", id=f"lv-{volume.lv_name}").one("ul")
        assert "It has snapshots. Delete them first" in menu.one("span", role="link").text

    def test_snapshots_and_thin_pools_are_called_what_they_are(
        self, administrator: Client, thick: Pool, volume: Volume
    ) -> None:
        snapshot = SnapshotFactory(volume=volume, name="nightly", snap_percent=91.0)
        pools = [foreign_lv(name, segtype="thin-pool", attr="twi-aotz--") for name in ("swift", "unknown")]
        known = PoolFactory(node=thick.node, vg_name=thick.vg_name, thin_pool_name="swift")
        thick.set(facts={"lvs": [ours(volume), ours(snapshot, snap_percent=91.0), *pools]})
        section = page(administrator.get(at(thick))).one("section", aria_labelledby="l-t")
        assert "nightly snapshot of data 1 GiB 91 % Available" in section.text
        assert section.one("tr", id="lv-swift").has("a", href=at(known))
        assert "Not registered as a pool" in section.one("tr", id="lv-unknown").text
        assert "Hearth's" not in section.one("header").text


class TestRisk:
    @pytest.mark.parametrize(
        ("fields", "why"),
        [
            ({"data_percent": 81.0}, "its data is 81 % full"),
            ({"metadata_percent": 90.0}, "its metadata is 90 % full"),
            ({"size_bytes": GIB // 2}, "200 % of its size is promised"),
        ],
    )
    def test_the_volumes_that_would_stop_taking_writes_are_named(
        self, administrator: Client, thin: Pool, alpha: Project, fields: dict[str, object], why: str
    ) -> None:
        volume = VolumeFactory(project=alpha, pool=thin, name="shop")
        thin.set(facts={"lvs": [ours(volume, segtype="thin", data_percent=40.0)]}, **fields)
        text = page(administrator.get(at(thin))).one("main").text
        assert f"This thin pool may run out: {why}. When it does, this volume takes no more writes" in text
        assert "shop alpha, 1 GiB, 40 % written" in text

    def test_nothing_is_said_where_all_is_well(self, administrator: Client, thin: Pool) -> None:
        assert "may run out" not in page(administrator.get(at(thin))).text

    def test_a_volume_group_shows_how_its_thin_pool_fares(self, administrator: Client, thick: Pool) -> None:
        thin = PoolFactory(node=thick.node, vg_name=thick.vg_name, thin_pool_name="swift", data_percent=71.0)
        card = page(administrator.get(at(thick))).one("section", aria_labelledby="i-t")
        assert "Thin pool swift" in card.text
        assert "Data 71 % of 100 GiB" in card.text
        assert card.has("a", href=at(thin))


def send(client: Client, url: str, **given: object) -> Any:
    form = page(client.get(url)).one("form", action=url).values()
    return client.post(url, {**form, **given})


class TestScrub:
    def test_the_dialog_says_what_happens_and_shows_the_commands(self, administrator: Client, thick: Pool) -> None:
        thick.node.set(wipe_rate_mib_s=100.0)
        thick.set(free_space_is_clean=False)
        text = page(administrator.get(reverse("pool-scrub", args=[thick.pk]))).text
        for word in (
            "100 GiB are free, and not known to be clean.",
            "new volumes go elsewhere",
            "Overwrite them with zeroes about 17 min 05 s",
            f"--name scrub-{thick.pk} --extents 100%FREE",
            "It carries on by itself if this page is closed",
        ):
            assert word in text, word

    def test_it_is_asked_for_once(self, administrator: Client, thick: Pool) -> None:
        url = reverse("pool-scrub", args=[thick.pk])
        assert send(administrator, url)["Location"] == at(thick)
        operation = Operation.objects.get()
        assert (operation.verb, operation.target_kind, operation.target_id) == ("scrub_pool", "pool", thick.pk)
        assert (operation.project, operation.node, operation.actor_name) == (None, thick.node, "admin")
        tree = page(administrator.post(url))
        assert (
            "Something else is being done to this pool: Scrub the free space of node / slow."
            in tree.one("span", id="why-not").text
        )
        assert Operation.objects.count() == 1

    def test_where_it_cannot_be_the_button_is_off_and_says_why(self, administrator: Client, thin: Pool) -> None:
        button = page(administrator.get(reverse("pool-scrub", args=[thin.pk]))).one("button", class_="btn btn-primary")
        assert button["aria-disabled"] == "true"


class TestAdopt:
    @pytest.fixture
    def url(self, thick: Pool) -> str:
        thick.set(facts={"lvs": [foreign_lv("theirs", size_bytes=3 * GIB), foreign_lv("busy", open=True)]})
        return reverse("pool-adopt", args=[thick.pk])

    def test_lists_what_may_be_adopted_and_the_reason_for_the_rest(self, administrator: Client, url: str) -> None:
        tree = page(administrator.get(f"{url}?lv=theirs"))
        lines = tree.one("fieldset").all("li")
        assert [line.text for line in lines] == [
            "theirs 3 GiB",
            "busy It is in use on the node. Unmount it, or stop what uses it, first. GiB".replace(" GiB", " 1 GiB"),
        ]
        assert "checked" in lines[0].one("input").attrs
        assert "disabled" in lines[1].one("input").attrs
        assert tree.one("input", name="name")["value"] == "theirs"
        assert "lvrename --yes slow theirs" in tree.text

    def test_makes_the_row_and_takes_the_quota(
        self, administrator: Client, url: str, thick: Pool, alpha: Project, admin: User
    ) -> None:
        answer = administrator.post(url, {"lv": "theirs", "project": alpha.pk, "name": "shop"})
        assert answer["Location"] == at(thick)
        volume, operation = Volume.objects.get(), Operation.objects.get()
        assert (volume.name, volume.size_gib, volume.status, volume.pool) == ("shop", 3, Status.CREATING, thick)
        assert (volume.last_operation, volume.created_by) == (operation, admin)
        assert operation.title == "Adopt node / slow: theirs as a volume of alpha"
        assert alpha.used() == (1, 3)

    def test_a_quota_that_is_used_up_is_said_beside_the_project(
        self, administrator: Client, url: str, alpha: Project
    ) -> None:
        alpha.set(quota_gib=2)
        tree = page(administrator.post(url, {"lv": "theirs", "project": alpha.pk, "name": "shop"}))
        assert "The quota has 2 GiB left" in tree.one("div", id="id_project-err").text
        assert not Operation.objects.exists()
        assert not Volume.objects.exists()

    @pytest.mark.parametrize(
        ("lv", "said"),
        [("busy", "It is in use on the node"), ("nobody", "nobody is not in node / slow"), ("", "Choose one")],
    )
    def test_what_may_not_be_adopted_is_refused(
        self, administrator: Client, url: str, alpha: Project, lv: str, said: str
    ) -> None:
        tree = page(administrator.post(url, {"lv": lv, "project": alpha.pk}))
        assert said in tree.one("fieldset").one("p", role="alert").text
        assert not Volume.objects.exists()


class TestRelease:
    def test_says_what_stays_and_what_goes(self, administrator: Client, volume: Volume) -> None:
        text = page(administrator.get(reverse("volume-release", args=[volume.pk]))).text
        for word in (
            "gets its quota back",
            "nothing is wiped, now or later",
            "is no longer taken for clean",
            "--deltag hearth",
        ):
            assert word in text, word

    def test_is_asked_for(self, administrator: Client, volume: Volume) -> None:
        url = reverse("volume-release", args=[volume.pk])
        assert send(administrator, url, lv_name="shop")["Location"] == at(volume.pool)  # type: ignore[arg-type]
        operation = Operation.objects.get()
        assert (operation.verb, operation.args, operation.target_id) == (
            "release_volume",
            {"lv_name": "shop"},
            volume.pk,
        )
        volume.refresh_from_db()
        assert volume.status == Status.DELETING

    def test_a_name_that_lvm_keeps_is_refused(self, administrator: Client, volume: Volume) -> None:
        tree = page(send(administrator, reverse("volume-release", args=[volume.pk]), lv_name="snapshot1"))
        assert "keeps names like this for itself" in tree.one("div", id="id_lv_name-err").text

    def test_a_released_volume_says_so_where_it_was(self, administrator: Client, volume: Volume) -> None:
        over = {"status": "succeeded", "finished_at": volume.created_at, "actor_name": "admin"}
        operation = OperationFactory(volume=volume, verb="release_volume", **over)
        volume.remember("available", "released", why="Nothing was wiped.", operation=operation)
        url = reverse("volume", args=[volume.pk])
        volume.delete()
        text = page(administrator.get(url), 404).one("main").text
        assert "Released by admin" in text
        assert "Nothing was wiped." in text


class TestThinPools:
    def test_one_is_made_in_a_volume_group(self, administrator: Client, thick: Pool) -> None:
        url = reverse("pool-thin", args=[thick.pk])
        tree = page(administrator.get(url))
        assert "At most 99 GiB fit beside its metadata." in tree.text
        assert "lvcreate --yes --type thin-pool --zero y" in tree.text
        send(administrator, url, name="swift", size=20)
        operation = Operation.objects.get()
        assert (operation.verb, operation.args) == ("create_thin_pool", {"name": "swift", "size_gib": 20})

    @pytest.mark.parametrize(
        ("field", "given", "said"),
        [
            ("size", {"size": 100}, "Between 1 and 99 GiB fit; metadata comes on top."),
            ("name", {"name": "theirs"}, "slow has an LV of that name already."),
            ("name", {"name": "a b"}, "made of letters, digits"),
        ],
    )
    def test_what_does_not_fit_is_said_beside_its_field(
        self, administrator: Client, thick: Pool, field: str, given: dict[str, object], said: str
    ) -> None:
        thick.set(facts={"lvs": [foreign_lv("theirs")]})
        tree = page(send(administrator, reverse("pool-thin", args=[thick.pk]), **{"name": "swift", "size": 5, **given}))
        assert said in tree.one("div", id=f"id_{field}-err").text
        assert not Operation.objects.exists()

    def test_one_is_extended(self, administrator: Client, thin: Pool) -> None:
        thin.set(facts={"vg_free_bytes": 10 * GIB, "metadata_bytes": 2**26})
        url = reverse("pool-extend", args=[thin.pk])
        tree = page(administrator.get(url))
        assert "fast has 10 GiB free" in tree.text
        assert "There is no way back" in tree.text
        send(administrator, url, data_gib=2, metadata_mib="")
        assert Operation.objects.get().args == {"data_gib": 2, "metadata_mib": 0}

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"data_gib": 0, "metadata_mib": 0}, "Say by how much: a thin pool only grows."),
            ({"data_gib": 11, "metadata_mib": 0}, "fast has 10.00 GiB free for data and metadata together."),
        ],
    )
    def test_it_is_not_extended_by_nothing_nor_by_more_than_there_is(
        self, administrator: Client, thin: Pool, given: dict[str, int], said: str
    ) -> None:
        thin.set(facts={"vg_free_bytes": 10 * GIB, "metadata_bytes": 2**26})
        tree = page(send(administrator, reverse("pool-extend", args=[thin.pk]), **given))
        assert said in tree.one("div", id="id_data_gib-err").text


def test_the_operation_names_its_pool_and_what_cancelling_leaves(administrator: Client, thick: Pool) -> None:
    operation = OperationFactory(
        verb="scrub_pool", target_kind="pool", target_id=thick.pk, project=None, status="running"
    )
    step = StepFactory(operation=operation, key="wipe", status="running", unit="u", bytes_done=0, bytes_total=GIB)
    tree = page(administrator.get(reverse("operation", args=[operation.pk])))
    assert tree.one("aside").one("a", href=at(thick)).text == "node / slow"
    assert "Stops the work on the node and gives the space back. No LV is touched." in tree.text
    assert (
        "All of the space is given back."
        in page(administrator.get(reverse("operation-cancel", args=[operation.pk]))).text
    )
    step.delete()
