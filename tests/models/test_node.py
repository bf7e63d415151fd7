"""A node that stops answering is known to be silent within a minute, whoever should have said so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from tests.factories import HOST_KEY, NodeFactory
from volumes.models import Node

pytestmark = pytest.mark.django_db


def test_a_node_that_answered_a_moment_ago_is_up() -> None:
    assert NodeFactory().is_up


def test_a_node_that_was_never_heard_of_is_not_up() -> None:
    node = NodeFactory(last_seen_at=None)
    assert node.is_silent
    assert not node.is_up


def test_a_node_whose_last_word_was_up_counts_as_silent_within_a_minute() -> None:
    node = NodeFactory(last_seen_at=timezone.now() - timedelta(seconds=59))
    assert node.state == Node.State.UP
    assert not node.is_up


def test_a_node_that_is_heard_again_is_up_and_its_reason_is_gone() -> None:
    node = NodeFactory(state=Node.State.UNREACHABLE, state_reason="It does not answer.", last_seen_at=None)
    node.heard()
    node.refresh_from_db()
    assert node.is_up
    assert node.state_reason == ""


@pytest.mark.parametrize(("broken", "state"), [(False, Node.State.UNREACHABLE), (True, Node.State.BROKEN)])
def test_a_lost_node_keeps_the_sentence_that_says_why(broken: bool, state: str) -> None:
    node = NodeFactory()
    node.lost("10.0.0.1 refuses connections on port 22.", broken=broken)
    node.refresh_from_db()
    assert node.state == state
    assert node.state_reason == "10.0.0.1 refuses connections on port 22."
    assert not node.is_up


def test_two_writers_of_one_row_do_not_undo_each_other() -> None:
    one = NodeFactory()
    other = Node.objects.get(pk=one.pk)
    one.set(bulk_limit=7)
    other.heard()
    one.refresh_from_db()
    assert one.bulk_limit == 7


@pytest.mark.parametrize(
    "text",
    [
        "SHA256:uQeFsBXnmhiTYaMN7ZUEq6gyjIXpdxjP3MYsxnTIYCk",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "ssh-ed25519",
        "ssh-ed25519 AAAA",
        "ssh-ed25519 ключ",
        "ssh-dss AAAAB3NzaC1kc3M=",
        "10.0.0.1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGqZzUzMZxWX0C9DCEJ1Rkx2vlKoWUtZTvCOdbEWVzTz",
    ],
)
def test_what_is_no_host_key_is_not_taken_for_one(text: str) -> None:
    with pytest.raises(ValidationError, match="This is no host key"):
        NodeFactory.build(host_key=text).clean_fields()


@pytest.mark.parametrize("text", ["", HOST_KEY, f"{HOST_KEY} root@node", f"{HOST_KEY}\n"])
def test_a_node_has_a_host_key_or_none(text: str) -> None:
    NodeFactory.build(host_key=text).clean_fields()
