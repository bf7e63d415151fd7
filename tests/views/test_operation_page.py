"""The glass box: every step with its exact commands, who asked, what can be done about it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import OperationFactory, StepFactory
from tests.views.conftest import failed_operation
from tests.views.html import Element, page
from volumes.models import Operation, Status, Volume

COMMAND = {
    "argv": ["lvs", "-o", "name with blanks", "$(reboot)"],
    "exit_code": 5,
    "output": "first line\n  second line\n",
    "seconds": 0.25,
    "node": "node",
}
DIALOG = {"hx-request": "true", "hx-target": "dialog"}


@pytest.fixture
def failed(volume: Volume) -> Operation:
    """A delete that broke in its second step."""
    volume.set(status=Status.ERROR_DELETING, status_reason="The disk said no.")
    operation = failed_operation(volume, remedy="Replace the disk.", traceback="Traceback: inside")
    done = {"operation": operation, "started_at": timezone.now(), "finished_at": timezone.now(), "node_name": "node"}
    StepFactory(
        **done, number=1, title="Look", status="done", note="it is ours", commands=[{**COMMAND, "exit_code": 0}]
    )
    StepFactory(**done, number=2, title="Wipe", status="failed", commands=[COMMAND])
    StepFactory(operation=operation, number=3, title="Remove", status="skipped", planned=[["lvremove", "x"]])
    return operation


def shown(client: Client, operation: Operation) -> Element:
    return page(client.get(reverse("operation", args=[operation.pk])))


def test_every_step_has_its_place_its_status_and_its_commands(reader: Client, failed: Operation) -> None:
    steps = shown(reader, failed).one("ol", class_="h-tl").all("li")
    assert ["Look" in steps[0].text, "Done" in steps[0].text, "it is ours" in steps[0].text] == [True] * 3
    assert "failed" in steps[1].classes
    terminal = steps[1].one("figure", class_="h-term")
    assert "lvs -o 'name with blanks' '$(reboot)'" in terminal.text
    for word in ("first line", "second line", "exit 5", "0.25 s", "node"):
        assert word in terminal.text
    assert "Did not run" in steps[2].text
    assert "lvremove x" in steps[2].text


def test_the_step_that_failed_is_open_and_the_others_are_not(reader: Client, failed: Operation) -> None:
    folds = shown(reader, failed).one("ol", class_="h-tl").all("details")
    assert ["open" in fold.attrs for fold in folds] == [False, True, False]


def test_it_says_who_asked_what_went_wrong_and_what_to_do(reader: Client, failed: Operation) -> None:
    tree = shown(reader, failed)
    for word in ("Asked for by alice", "The disk said no.", "Replace the disk.", str(failed.pk), "data"):
        assert word in tree.one("main").text
    assert "data" in tree.one("title").text


def test_only_administrators_see_a_traceback(member: Client, administrator: Client, failed: Operation) -> None:
    assert "Traceback: inside" not in shown(member, failed).text
    assert "Traceback: inside" in shown(administrator, failed).text


def test_long_output_is_cut_at_its_beginning(member: Client, failed: Operation) -> None:
    step = failed.steps.get(number=2)
    step.commands = [{**COMMAND, "output": "\n".join(f"line {n}." for n in range(1000))}]
    step.save()
    terminal = shown(member, failed).one("ol", class_="h-tl").all("li")[1].one("pre")
    assert "line 999." in terminal.text
    assert "line 0." not in terminal.text
    assert "lines before this" in terminal.text


class TestActions:
    """Retry and Cancel: on, or off with an excuse."""

    def excuse(self, tree: Element, word: str) -> str:
        off = [each for each in tree.one("main").all(aria_disabled="true") if each.text.startswith(word)]
        return tree.one(id=off[0]["aria-describedby"]).text if off else ""

    def test_of_a_failed_one(self, member: Client, failed: Operation) -> None:
        tree = shown(member, failed)
        assert self.excuse(tree, "Cancel") == "Off: It is over."
        assert self.excuse(tree, "Retry") == ""
        assert tree.has("a", href=reverse("operation-retry", args=[failed.pk]))

    def test_of_a_running_one(self, member: Client, world: Any) -> None:
        tree = shown(member, world.running)
        assert self.excuse(tree, "Cancel") == ""
        assert self.excuse(tree, "Retry") == "Off: It is still under way."

    def test_of_one_that_is_being_cancelled(self, member: Client, world: Any) -> None:
        world.running.set(cancel_asked_at=timezone.now(), cancel_asked_by="bob")
        tree = shown(member, world.running)
        assert self.excuse(tree, "Cancel") == "Off: It is being cancelled."
        assert "Being cancelled for bob" in tree.text

    def test_of_one_that_is_not_the_last_word(self, member: Client, failed: Operation, volume: Volume) -> None:
        failed_operation(volume)
        assert "Something else has been done" in self.excuse(shown(member, failed), "Retry")

    def test_for_a_reader(self, reader: Client, failed: Operation) -> None:
        tree = shown(reader, failed)
        for word in ("Cancel", "Retry"):
            assert self.excuse(tree, word) == "Off: You may look at this project, but not change it."
        assert not tree.has("a", href=reverse("operation-retry", args=[failed.pk]))


class TestRetry:
    def test_the_dialog_says_what_will_happen(self, member: Client, failed: Operation) -> None:
        dialog = page(member.get(reverse("operation-retry", args=[failed.pk]), headers=DIALOG)).one("dialog")
        assert "Hearth reads the node first." in dialog.text
        assert "cannot be brought back" in dialog.text
        assert dialog.one("button", class_="btn btn-danger").text == "Retry the delete"
        assert "autofocus" in dialog.one("button", data_close=True).attrs

    def test_it_goes_on(self, member: Client, failed: Operation, volume: Volume) -> None:
        url = reverse("operation", args=[failed.pk])
        assert member.post(reverse("operation-retry", args=[failed.pk]))["Location"] == url
        failed.refresh_from_db()
        volume.refresh_from_db()
        assert (failed.round, failed.status, volume.status) == (2, "queued", "deleting")

    def test_twice_is_once(self, member: Client, failed: Operation) -> None:
        url = reverse("operation-retry", args=[failed.pk])
        member.post(url)
        tree = page(member.post(url, headers=DIALOG))
        assert tree.one(id="why-not").text == "It is still under way."
        failed.refresh_from_db()
        assert failed.round == 2

    def test_rounds_are_told_apart(self, member: Client, failed: Operation) -> None:
        failed.set(round=2)
        StepFactory(operation=failed, round=2, number=4, title="Look", status="done")
        assert "Tried again: round 2" in shown(member, failed).text


class TestCancel:
    def test_the_dialog_says_what_that_leaves_behind(self, member: Client, world: Any) -> None:
        text = page(member.get(reverse("operation-cancel", args=[world.running.pk]), headers=DIALOG)).text
        assert "0.5 of 1 GiB are overwritten already. What is zeroed stays zeroed." in text
        assert "partly erased" in text

    def test_it_is_asked_for(self, member: Client, world: Any) -> None:
        member.post(reverse("operation-cancel", args=[world.running.pk]))
        world.running.refresh_from_db()
        assert world.running.cancel_asked_by == "alice"

    def test_one_that_is_over_says_so(self, member: Client, failed: Operation) -> None:
        tree = page(member.post(reverse("operation-cancel", args=[failed.pk]), headers=DIALOG))
        assert tree.one(id="why-not").text == "It is over."


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Waits for a worker"),
        (
            {"status": "waiting", "waits_for": "place", "waits_text": "2 of 2 places are taken."},
            "2 of 2 places are taken.",
        ),
        ({"status": "waiting", "waits_for": "node", "waits_text": "node does not answer."}, "node does not answer."),
        (
            {"status": "cancelled", "reason": "The wipe stopped at 43 %.", "finished_at": timezone.now()},
            "The wipe stopped at 43 %.",
        ),
        ({"status": "succeeded", "started_at": timezone.now(), "finished_at": timezone.now()}, "Done in"),
    ],
)
def test_whatever_its_status_it_says_what_it_waits_for_or_how_it_ended(
    reader: Client, volume: Volume, fields: dict[str, Any], said: str
) -> None:
    operation = OperationFactory(volume=volume, **fields)
    StepFactory(operation=operation) if fields else None
    for url in (reverse("operation", args=[operation.pk]), reverse("operations")):
        assert said in page(reader.get(url)).one("main").text
