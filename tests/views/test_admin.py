"""The administration: what an administrator may type there is checked as it is on Hearth's own pages."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import HOST_KEY
from volumes.models import Node

NODE = {"name": "node-9", "address": "10.0.0.9", "ssh_port": "22", "ssh_user": "root", "tags": "[]", "bulk_limit": "2"}


@pytest.fixture
def url(db: None) -> str:
    return reverse("admin:volumes_node_add")


def test_a_bad_paste_of_a_host_key_is_refused_with_a_sentence(administrator: Client, url: str) -> None:
    answer = administrator.post(url, {**NODE, "host_key": "256 SHA256:abc root@node (ED25519)"})
    assert answer.status_code == 200
    assert "This is no host key. Paste the line of /etc/ssh/ssh_host_ed25519_key.pub" in answer.content.decode()
    assert not Node.objects.exists()


def test_a_host_key_is_taken_as_it_stands_in_its_file(administrator: Client, url: str) -> None:
    assert administrator.post(url, {**NODE, "host_key": f"{HOST_KEY} root@node-9\n"}).status_code == 302
    assert Node.objects.get().host_key == f"{HOST_KEY} root@node-9"


def test_the_bandwidth_cap_is_said_to_be_shared(administrator: Client, url: str) -> None:
    assert "Shared by all bulk jobs of the node" in administrator.get(url).content.decode()
