"""Names are data: whatever people type is shown as they typed it, on every page, and does nothing."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import OperationFactory, SnapshotFactory, StepFactory, VolumeFactory
from tests.views.conftest import failed_operation
from tests.views.html import Element, page
from volumes.models import Drift, Node, Operation, Pool, Project, Snapshot, SnapshotStatus, Status, StatusChange, Volume

NAMES = {
    "script": "<script>alert(1)</script>",
    "attribute": "\"><img src=x onerror=alert(1)>'",
    "shell": "$(reboot); --force `id` | tee /etc/passwd & 'x'",
    "sql": "'; DROP TABLE volumes_volume; --",
    "template": "{{ user.password }}{% debug %}{# x #}",
    "format": "%(name)s %s %d {0} {name} 100 %",
    "entity": "&lt;b&gt; &amp; &#39;",
    "path": "../../etc/passwd",
    "formula": '=cmd|"/c calc"!A1',
    "unicode": "Bücher 数据 данные 🔥 ‮abc",
    "header": "a\r\nSet-Cookie: session=stolen",
    "long": "W" * 255,
}
each_name = pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())


def innocent(tree: Element) -> str:
    """What the page says, once it is sure that nothing of it acts."""
    for element in tree:
        assert element.tag != "script" or element.attrs["src"].startswith("/static/")
        assert not (element.tag == "img" and element.attrs.get("src") == "x")
        assert not any(attribute.startswith("on") for attribute in element.attrs)
    return tree.text


def folded(name: str) -> str:
    return " ".join(name.split())


@pytest.fixture
def hostile(alpha: Project, thick: Pool) -> Any:
    """Makes a volume, its operation, step and history out of one string."""

    def make(name: str) -> tuple[Volume, Operation]:
        volume = VolumeFactory(
            project=alpha,
            pool=thick,
            name=name,
            description=name,
            metadata={"key": name},
            status=Status.ERROR_DELETING,
            status_reason=name,
        )
        operation = failed_operation(volume, target_name=name, title=f"Delete volume {name}", reason=name, remedy=name)
        command = {"argv": ["lvs", name], "exit_code": 5, "output": name, "seconds": 0.1, "node": name[:60]}
        StepFactory(operation=operation, number=1, title=name[:200], note=name, commands=[command], status="failed")
        StatusChange.objects.create(
            kind="volume", object_id=volume.pk, project=alpha, to_status="error", why=name, operation=operation
        )
        return volume, operation

    return make


def test_the_lists_show_all_of_them(member: Client, hostile: Any) -> None:
    for name in NAMES.values():
        hostile(name)
    for where in ("volumes", "operations", "overview"):
        said = innocent(page(member.get(reverse(where))))
        assert [name for name in NAMES.values() if folded(name) not in said] == [], where


@each_name
def test_a_volume_and_what_was_done_to_it(member: Client, hostile: Any, name: str) -> None:
    volume, operation = hostile(name)
    page_of = reverse("volume", args=[volume.pk])
    pages = {
        "page": page_of,
        "operations of it": f"{page_of}?tab=operations",
        "history": f"{page_of}?tab=history",
        "edit": reverse("volume-edit", args=[volume.pk]),
        "delete": reverse("volume-delete", args=[volume.pk]),
        "delete several": f"{reverse('volumes-delete')}?ids={volume.pk}",
        "operation": reverse("operation", args=[operation.pk]),
        "retry": reverse("operation-retry", args=[operation.pk]),
    }
    for where, url in pages.items():
        assert folded(name) in innocent(page(member.get(url))), where


@each_name
def test_a_snapshot_and_what_was_done_to_it(member: Client, hostile: Any, name: str) -> None:
    volume, _ = hostile(name)
    volume.set(status=Status.AVAILABLE)
    words = {"name": name, "description": name, "metadata": {"key": name}}
    snapshot = SnapshotFactory(volume=volume, status=SnapshotStatus.ERROR, status_reason=name, **words)
    about = {"target_kind": "snapshot", "target_id": snapshot.pk, "target_name": name}
    over = {"status": "failed", "reason": name, "finished_at": timezone.now()}
    operation = OperationFactory(volume=volume, verb="delete_snapshot", title=f"Delete {name}"[:300], **about, **over)
    snapshot.set(last_operation=operation)
    StatusChange.objects.create(kind="snapshot", object_id=snapshot.pk, to_status="error", why=name)
    page_of = reverse("snapshot", args=[snapshot.pk])
    pages = {
        "list": reverse("snapshots"),
        "list by volume": f"{reverse('snapshots')}?{urlencode({'volume': name, 'name': name})}",
        "page": page_of,
        "history": f"{page_of}?tab=history",
        "edit": reverse("snapshot-edit", args=[snapshot.pk]),
        "delete": reverse("snapshot-delete", args=[snapshot.pk]),
        "delete several": f"{reverse('snapshots-delete')}?ids={snapshot.pk}",
        "of its volume": f"{reverse('volume', args=[volume.pk])}?tab=snapshots",
        "extend": reverse("volume-extend", args=[volume.pk]),
        "create": reverse("volume-snapshot", args=[volume.pk]),
        "operation": reverse("operation", args=[operation.pk]),
        "overview": reverse("overview"),
        "search": f"{reverse('search')}?{urlencode({'q': name})}",
    }
    for where, url in pages.items():
        assert folded(name) in innocent(page(member.get(url))), where


@each_name
def test_a_snapshot_can_be_made_with_that_name(member: Client, volume: Volume, name: str) -> None:
    sent = {"name": name, "description": name, "metadata": f"key={folded(name)}"}
    answer = member.post(reverse("volume-snapshot", args=[volume.pk]), sent, follow=True)
    snapshot = Snapshot.objects.get()
    assert (snapshot.name, snapshot.description, snapshot.metadata) == (
        name.strip(),
        name.strip(),
        {"key": folded(name)},
    )
    assert folded(name) in innocent(page(answer))


@each_name
def test_a_search_for_it_finds_it_and_says_what_was_asked(member: Client, hostile: Any, name: str) -> None:
    volume, _ = hostile(name)
    tree = page(member.get(reverse("search"), {"q": name}))
    assert folded(name) in innocent(tree)
    assert tree.has("a", href=reverse("volume", args=[volume.pk]))
    shown = page(member.get(reverse("volumes"), {"name": name}))
    innocent(shown)
    assert shown.has("tbody", data_row=str(volume.pk))


@each_name
def test_it_can_be_created_edited_and_deleted(member: Client, alpha: Project, thick: Pool, name: str) -> None:
    sent = {"name": name, "description": name, "size": 1, "metadata": f"key={folded(name)}"}
    answer = member.post(reverse("volume-create"), sent, follow=True)
    volume = Volume.objects.get()
    assert (volume.name, volume.description, volume.metadata) == (name.strip(), name.strip(), {"key": folded(name)})
    assert folded(name) in innocent(page(answer))
    Volume.objects.update(status=Status.AVAILABLE)
    Operation.objects.update(finished_at=timezone.now(), status="succeeded")
    url = reverse("volume-edit", args=[volume.pk])
    form = page(member.get(url)).one("form", action=url).values()
    assert member.post(url, form).status_code == 302
    changed = Volume.objects.get()
    assert (changed.name.split(), changed.metadata) == (volume.name.split(), volume.metadata)
    assert folded(name) in innocent(page(member.post(reverse("volume-delete", args=[volume.pk]), follow=True)))


@each_name
def test_a_dialog_names_it_in_a_header_that_is_plain_json(member: Client, hostile: Any, name: str) -> None:
    volume, _ = hostile(name)
    answer = member.post(reverse("volume-delete", args=[volume.pk]), headers={"hx-request": "true"})
    said = json.loads(answer["HX-Trigger"])["hearth:acted"]["said"]
    assert name in said
    assert "Set-Cookie" not in answer


@each_name
def test_what_administrators_and_machines_say_is_data_as_well(
    administrator: Client, node: Node, thick: Pool, name: str
) -> None:
    Project.objects.update(name=name[:64])
    node.set(
        zone=name[:64],
        state="broken",
        state_reason=name,
        enabled=False,
        disabled_reason=name,
        facts={"os": name, "kernel": name, "lvm_version": name},
    )
    lv = {"name": name, "size_bytes": 2**30, "segtype": name, "hearth_id": "", "open": False}
    thick.set(present=False, missing_reason=name, enabled=False, disabled_reason=name, facts={"lvs": [lv]})
    Drift.objects.create(
        node=node, pool=thick, kind="foreign_lv", subject=name, detail=name, last_seen_at=timezone.now()
    )
    for url in (
        reverse("overview"),
        reverse("nodes"),
        reverse("node", args=[node.pk]),
        reverse("pool", args=[thick.pk]),
        reverse("volume-create"),
    ):
        assert folded(name)[:60] in innocent(page(administrator.get(url))), url


def test_an_empty_name_is_replaced_by_the_id_everywhere(member: Client, hostile: Any) -> None:
    volume, _ = hostile("")
    ident = str(volume.pk)
    for url in (
        reverse("volumes"),
        reverse("overview"),
        reverse("volume-delete", args=[ident]),
        reverse("volume-edit", args=[ident]),
    ):
        assert ident in page(member.get(url)).text, url
    tree = page(member.get(reverse("volume", args=[ident])))
    assert tree.one("h1").text == ident
    assert ident in tree.one("title").text
    assert ident in page(member.post(reverse("volume-delete", args=[ident]), follow=True)).one("ul", role="status").text


def test_blanks_are_no_name(member: Client, thick: Pool) -> None:
    member.post(reverse("volume-create"), {"name": " \t ", "size": 1})
    assert Volume.objects.get().name == ""


ODD = ("\0", "a\0b", "\udcff", "%", "_", "\\", "' OR 1=1 --", "0" * 40, "-" * 36, "é" * 2000, "-1", "1e400")


@pytest.mark.parametrize("name", ["search", "volumes", "snapshots", "operations"])
def test_odd_questions_are_answered(administrator: Client, world: object, name: str) -> None:
    for odd in ODD:
        query = dict.fromkeys(
            ("q", "name", "status", "page", "sort", "group", "rows", "pool", "size_min", "node", "volume"), odd
        )
        encoded = {key: value.encode(errors="surrogateescape") for key, value in query.items()}
        page(administrator.get(reverse(name), encoded))
