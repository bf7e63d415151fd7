"""/healthz and /readyz: for machines, so plain and short; and for anybody, so they name nothing."""

from __future__ import annotations

import pytest
from django.test import Client, override_settings
from rq import Worker

from tests.services import services
from volumes.models import Node
from volumes.views import health

EVERYTHING = {"database": True, "redis": True, "worker": True, "node": True}


@pytest.fixture(autouse=True)
def _a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Worker, "count", lambda **_: 1)


def test_healthz_is_about_this_process_alone(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")


@override_settings(SECURE_SSL_REDIRECT=True)
def test_both_answer_a_load_balancer_that_speaks_plain_http(client: Client, db: None) -> None:
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200
    assert client.get("/project/").status_code == 301


def test_ready(client: Client, node: Node) -> None:
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"ready": True, "checks": EVERYTHING})
    assert "no-store" in response["Cache-Control"]


def test_a_new_installation_is_ready_for_its_first_node(client: Client, db: None) -> None:
    assert client.get("/readyz").status_code == 200


def test_without_a_worker_it_is_not(client: Client, node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Worker, "count", lambda **_: 0)
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (503, {"ready": False, "checks": {**EVERYTHING, "worker": False}})


def test_without_a_node_that_answers_it_is_not(client: Client, node: Node) -> None:
    node.lost("Connection timed out.")
    assert client.get("/readyz").json()["checks"] == {**EVERYTHING, "node": False}


def test_without_redis_it_is_not_and_says_so_at_once(client: Client, node: Node) -> None:
    services.redis.stop()
    try:
        response = client.get("/readyz")
    finally:
        services.redis.start()
    assert (response.status_code, response.json()["checks"]["redis"]) == (503, False)


def test_without_its_database_it_is_not(client: Client, node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> bool:
        raise ConnectionError("secret host name")

    monkeypatch.setitem(health.CHECKS, "database", gone)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert b"secret" not in response.content


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_nothing_is_posted_to_them(client: Client, db: None, path: str) -> None:
    assert client.post(path).status_code == 405
