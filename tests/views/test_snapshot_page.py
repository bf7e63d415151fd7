"""The page of a snapshot, alive and gone; its edit and its delete; what other pages say of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import OperationFactory, SnapshotFactory, StepFactory, VolumeFactory
from tests.views.html import Element, page
from volumes.models import GIB, Operation, Pool, Project, Snapshot, SnapshotStatus, Status, StatusChange, User, Volume
from volumes.operations import delete_snapshot
from volumes.operations.delete_snapshot import DeleteSnapshot

DIALOG = {"hx-request": "true", "hx-target": "dialog"}
POLL = {"hx-request": "true", "hx-trigger": "poll"}


@pytest.fixture
def snapshot(volume: Volume, alice: User) -> Snapshot:
    fields = {"description": "the move", "metadata": {"tier": "gold"}, "created_by": alice, "snap_percent": 31.0}
    return SnapshotFactory(volume=volume, name="before", **fields)


@pytest.fixture
def url(snapshot: Snapshot) -> str:
    return reverse("snapshot", args=[snapshot.pk])


def operation_on(snapshot: Snapshot, verb: str = "delete_snapshot", **fields: object) -> Operation:
    operation = OperationFactory(
        volume=snapshot.volume,
        verb=verb,
        title=f"{verb} {snapshot}",
        target_kind="snapshot",
        target_id=snapshot.pk,
        target_name=str(snapshot),
        actor_name="alice",
        started_at=timezone.now(),
        **fields,
    )
    Snapshot.objects.filter(pk=snapshot.pk).update(last_operation=operation)
    return operation


def test_the_overview_holds_all_there_is_to_know(member: Client, url: str, snapshot: Snapshot, volume: Volume) -> None:
    main = page(member.get(url)).one("main")
    for word in (
        "before",
        str(snapshot.pk),
        "the move",
        "tier=gold",
        "by alice",
        "node / slow",
        f"slow/{snapshot.lv_name}",
        "31 %",
        "thick",
        "space zeroed, then read back",
    ):
        assert word in main.text, word
    assert main.has("a", href=reverse("volume", args=[volume.pk]))


def test_its_tabs_are_addresses(member: Client, url: str) -> None:
    for tab, query in (("Overview", ""), ("Operations 0", "?tab=operations"), ("History", "?tab=history")):
        assert page(member.get(url + query)).one("main").one("a", aria_current="page").text == tab


def test_it_says_that_the_volume_has_grown_since_and_what_was_made_from_it(
    member: Client, url: str, snapshot: Snapshot, volume: Volume, thick: Pool
) -> None:
    volume.set(size_gib=3)
    copy = VolumeFactory(project=volume.project, pool=thick, name="copy", source_snapshot=snapshot)
    main = page(member.get(url)).one("main")
    assert "the volume's size at that moment" in main.text
    assert main.has("a", href=reverse("volume", args=[copy.pk]))


def test_one_that_will_soon_be_lost_says_so(member: Client, url: str, snapshot: Snapshot) -> None:
    snapshot.set(snap_percent=84.0)
    assert "the snapshot is lost, the volume is not" in page(member.get(url)).one("div", class_="h-callout warn").text


def test_a_failure_stands_on_the_page_with_its_remedy(member: Client, url: str, snapshot: Snapshot) -> None:
    operation = operation_on(snapshot, status="failed", finished_at=timezone.now())
    snapshot.set(status=SnapshotStatus.ERROR_DELETING, status_reason="The wipe stopped at 43 %.")
    callout = page(member.get(url)).one("div", class_="h-callout bad")
    assert "The wipe stopped at 43 %." in callout.text
    assert callout.has("a", href=reverse("operation", args=[operation.pk]))
    assert callout.has("a", hx_get=reverse("operation-retry", args=[operation.pk]))


def test_edit_changes_what_was_typed(member: Client, url: str, snapshot: Snapshot) -> None:
    edit = reverse("snapshot-edit", args=[snapshot.pk])
    form = page(member.get(edit)).one("form", action=edit).values()
    assert (form["name"], form["metadata"]) == (["before"], ["tier=gold"])
    tree = page(member.post(edit, {"name": "then", "description": "", "metadata": "a=b"}, follow=True))
    snapshot.refresh_from_db()
    assert (snapshot.name, snapshot.description, snapshot.metadata) == ("then", "", {"a": "b"})
    assert tree.one("ul", role="status").text == "Changed then."
    assert "name: 'before' > 'then'" in page(member.get(url, {"tab": "history"})).text
    bad = page(member.post(edit, {"name": "x" * 256}, headers=DIALOG)).one("dialog")
    assert bad.one("input", name="name")["value"] == "x" * 256


class TestDelete:
    @pytest.fixture
    def asks(self, snapshot: Snapshot) -> str:
        return reverse("snapshot-delete", args=[snapshot.pk])

    def buttons(self, tree: Element) -> list[Element]:
        return [each for each in tree.one("dialog").one("footer") if each.tag in {"button", "a"}]

    def test_names_what_it_is_and_what_will_happen(self, member: Client, asks: str, snapshot: Snapshot) -> None:
        tree = page(member.get(asks))
        assert tree.one(id="dlg-t").text == "Delete snapshot before?"
        assert "Of volume data · 1 GiB on node / slow" in tree.one(id="dlg-d").text
        assert "cannot be brought back" in tree.text
        plan = tree.one("ol", class_="h-plan").text
        for word in ("Part it from its volume", "Wipe 1 GiB with zeroes", "Verify", "Remove snapshot before"):
            assert word in plan
        terminal = tree.one("figure", class_="h-term")
        assert "lvconvert --yes --splitsnapshot" in terminal.text
        assert "open" not in terminal.up("details").attrs

    def test_has_nothing_ticked_and_the_focus_on_cancel(self, member: Client, asks: str) -> None:
        tree = page(member.get(asks, headers=DIALOG))
        red, cancel = self.buttons(tree)
        assert ("btn-danger" in red.classes, "autofocus" in red.attrs) == (True, False)
        assert ("push" in cancel.classes, "autofocus" in cancel.attrs) == (True, True)
        assert not any("checked" in field.attrs for field in tree.all("input"))

    def test_of_a_thin_one_wipes_nothing(self, member: Client, alpha: Project, thin: Pool) -> None:
        snapshot = SnapshotFactory(volume=VolumeFactory(project=alpha, pool=thin))
        text = page(member.get(reverse("snapshot-delete", args=[snapshot.pk]))).one("ol", class_="h-plan").text
        assert "Wipe" not in text
        assert "Remove snapshot" in text

    def test_is_asked_for(self, member: Client, asks: str, snapshot: Snapshot, alice: User) -> None:
        tree = page(member.post(asks, follow=True))
        operation = Operation.objects.get()
        assert (operation.verb, operation.target_id, operation.actor) == ("delete_snapshot", snapshot.pk, alice)
        assert tree.one("ul", role="status").text == "Deleting before."
        again = page(member.post(asks, headers=DIALOG))
        assert again.one(id="why-not").text == "It is being deleted already."
        assert Operation.objects.count() == 1

    def test_from_a_dialog_refreshes_the_row(self, member: Client, asks: str, snapshot: Snapshot) -> None:
        answer = member.post(asks, headers=DIALOG)
        assert (answer.status_code, f'"rows": ["{snapshot.pk}"]' in answer["HX-Trigger"]) == (204, True)

    def test_is_off_while_it_is_copied(self, member: Client, asks: str, snapshot: Snapshot, thick: Pool) -> None:
        VolumeFactory(
            project=snapshot.project, pool=thick, name="copy", status=Status.CREATING, source_snapshot=snapshot
        )
        for tree in (page(member.get(asks, headers=DIALOG)), page(member.post(asks, headers=DIALOG))):
            assert self.buttons(tree)[0]["aria-disabled"] == "true"
            assert tree.one(id="why-not").text == "It is being copied to copy."
        assert not Operation.objects.exists()


class TestGone:
    @pytest.fixture
    def operation(self, snapshot: Snapshot, alice: User) -> Operation:
        """It was deleted, as the engine does it."""
        operation = delete_snapshot.request(snapshot, actor=alice)
        now = timezone.now()
        operation.set(status="succeeded", started_at=now, finished_at=now)
        DeleteSnapshot().succeed(operation)
        return operation

    def test_says_so_and_leads_to_what_was_done(self, member: Client, url: str, operation: Operation) -> None:
        tree = page(member.get(url), 404)
        assert tree.one("h1").text == "before"
        assert "Deleted for alice" in tree.text
        assert "deleting → to deleted" in tree.one("table").text
        assert tree.one("main").has("a", href=reverse("operation", args=[operation.pk]))
        assert member.get(url, headers=POLL).status_code == 200

    def test_a_stranger_learns_nothing(self, stranger: Client, url: str, operation: Operation) -> None:
        assert "before" not in page(stranger.get(url), 404).one("main").text

    def test_along_with_its_volume(self, member: Client, url: str, snapshot: Snapshot, volume: Volume) -> None:
        now = timezone.now()
        operation = OperationFactory(volume=volume, status="succeeded", started_at=now, finished_at=now)
        snapshot.remember("deleting", "deleted", operation=operation)
        short = snapshot.short_id
        snapshot.delete()
        tree = page(member.get(url), 404)
        assert "along with its volume data" in tree.text
        assert short in tree.one("h1").text


class TestOperations:
    """The glass box of an operation on a snapshot."""

    def test_the_facts_lead_to_the_snapshot_and_to_its_volume(self, member: Client, snapshot: Snapshot) -> None:
        operation = operation_on(snapshot, status="running", target_size_gib=1)
        facts = page(member.get(reverse("operation", args=[operation.pk]))).one("section", aria_labelledby="facts-t")
        assert facts.has("a", href=reverse("snapshot", args=[snapshot.pk]))
        assert facts.has("a", href=reverse("volume", args=[snapshot.volume_id]))
        assert "node / slow" in facts.text

    def test_the_facts_of_one_that_is_gone(self, member: Client, snapshot: Snapshot) -> None:
        operation = operation_on(snapshot, status="succeeded", finished_at=timezone.now())
        Snapshot.objects.all().delete()
        assert "before (gone)" in page(member.get(reverse("operation", args=[operation.pk]))).text

    @pytest.mark.parametrize(
        ("verb", "stop", "again"),
        [
            ("create_snapshot", "the volume is not touched", "as it is at this moment"),
            ("delete_snapshot", "not yet parted", "cannot be brought back; its volume stays"),
        ],
    )
    def test_cancel_and_retry_say_what_that_means(
        self, member: Client, snapshot: Snapshot, verb: str, stop: str, again: str
    ) -> None:
        operation = operation_on(snapshot, verb)
        assert stop in page(member.get(reverse("operation-cancel", args=[operation.pk]))).text
        operation.set(status="failed", finished_at=timezone.now())
        tree = page(member.get(reverse("operation-retry", args=[operation.pk])))
        assert again in tree.text
        assert tree.has("button", class_="btn btn-danger") == (verb == "delete_snapshot")

    def test_a_wipe_under_way_says_how_far_it_came(self, member: Client, snapshot: Snapshot) -> None:
        operation = operation_on(snapshot, status="running")
        StepFactory(operation=operation, key="wipe", status="running", bytes_done=GIB // 2, bytes_total=GIB)
        text = page(member.get(reverse("operation-cancel", args=[operation.pk]))).text
        assert "0.5 of 1 GiB are overwritten already." in text
        assert "its volume is not touched" in text


class TestElsewhere:
    def test_the_volume_lists_them(self, member: Client, snapshot: Snapshot, volume: Volume) -> None:
        tree = page(member.get(reverse("volume", args=[volume.pk]), {"tab": "snapshots"})).one("main")
        assert tree.one("a", aria_current="page").text == "Snapshots 1"
        row = tree.one("tbody", data_row=str(snapshot.pk))
        assert row.has("a", href=reverse("snapshot", args=[snapshot.pk]))
        assert not row.has("input")

    def test_its_own_button_leads_back_to_that_list(self, member: Client, volume: Volume) -> None:
        button = next(
            link
            for link in page(member.get(reverse("volume", args=[volume.pk]))).one("div", class_="h-acts").all("a")
            if "Create snapshot" in link.text
        )
        back = member.post(button["href"], {"name": "now"})["Location"]
        assert back == f"{reverse('volume', args=[volume.pk])}?tab=snapshots"

    def test_a_volume_with_snapshots_names_them_and_stays(
        self, member: Client, snapshot: Snapshot, volume: Volume
    ) -> None:
        tree = page(member.get(reverse("volume-delete", args=[volume.pk])))
        assert "1 snapshot depends on it" in tree.one("section", aria_labelledby="dlg-s").text
        member.post(reverse("volume-delete", args=[volume.pk]))
        assert not Operation.objects.exists()

    def test_the_navigation_counts_them_and_search_finds_them(
        self, member: Client, stranger: Client, snapshot: Snapshot
    ) -> None:
        entry = page(member.get(reverse("overview"))).one(id="side").one("a", href=reverse("snapshots"))
        assert entry.text == "Snapshots 1"
        assert page(member.get(reverse("search"), {"q": "befo"})).has("a", href=reverse("snapshot", args=[snapshot.pk]))
        assert member.get(reverse("search"), {"q": str(snapshot.pk)})["Location"] == reverse(
            "snapshot", args=[snapshot.pk]
        )
        assert "Nothing found" in page(stranger.get(reverse("search"), {"q": "befo"})).text

    def test_the_overview_tells_what_is_lost_and_what_soon_will_be(
        self, member: Client, reader: Client, snapshot: Snapshot, volume: Volume
    ) -> None:
        snapshot.set(snap_percent=84.0)
        lost = SnapshotFactory(
            volume=volume, name="lost", status=SnapshotStatus.INVALID, status_reason="It overflowed."
        )
        bad, warn = page(member.get(reverse("overview"))).one("section", aria_labelledby="needs-t").all("li")
        assert "Snapshot lost of data: invalid It overflowed." in bad.text
        assert "Snapshot before of data is 84 % full" in warn.text
        for line, which in ((bad, lost), (warn, snapshot)):
            assert line.has("a", hx_get=reverse("snapshot-delete", args=[which.pk]))
        seen = page(reader.get(reverse("overview"))).one("section", aria_labelledby="needs-t")
        assert not seen.has("a", hx_get=True)

    def test_the_overview_has_a_bar_for_their_quota(self, member: Client, alpha: Project, snapshot: Snapshot) -> None:
        alpha.set(quota_snapshots=1)
        tree = page(member.get(reverse("overview")))
        bar = tree.one("section", aria_labelledby="q-t").one("svg", aria_label="Snapshots: 1 of 1 ")
        assert "bad" in bar.classes
        assert "Snapshots" in tree.one("section", aria_labelledby="needs-t").text

    def test_a_failure_on_one_counts_until_it_is_mended(self, member: Client, snapshot: Snapshot) -> None:
        long_ago = timezone.now() - timedelta(days=9)
        operation_on(snapshot, status="failed", finished_at=long_ago)
        snapshot.set(status=SnapshotStatus.ERROR_DELETING)
        assert page(member.get(reverse("snapshots"))).one("title").text.startswith("1 needs you")
        snapshot.set(status=SnapshotStatus.AVAILABLE)
        assert page(member.get(reverse("snapshots"))).one("title").text.startswith("Snapshots")


def test_history_is_its_own(member: Client, url: str, snapshot: Snapshot, volume: Volume, alice: User) -> None:
    StatusChange.objects.create(kind="snapshot", object_id=snapshot.pk, to_status="creating", actor=alice)
    StatusChange.objects.create(kind="volume", object_id=volume.pk, to_status="available", actor=alice)
    rows = page(member.get(url, {"tab": "history"})).one("tbody").all("tr")
    assert [row.one("th").text for row in rows] == ["creating"]
