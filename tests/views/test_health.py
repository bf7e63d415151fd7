"""/healthz and /readyz: for machines, so plain and short; and for anybody, so they name nothing."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client, override_settings
from django_rq import get_worker
from rq.utils import utcformat

from tests.services import services
from volumes.engine.worker import Worker
from volumes.models import Node
from volumes.views import health

EVERYTHING = {"database": True, "redis": True, "worker": True, "node": True}


@pytest.fixture(autouse=True)
def worker(db: None) -> Iterator[Worker]:
    """One that has signed on in the tests' Redis and waits for work."""
    services.redis.start()
    worker = get_worker("default", name="one")
    assert isinstance(worker, Worker)
    worker.connection.flushall()
    worker.register_birth()
    worker.set_state("idle")
    yield worker
    services.redis.start()
    worker.connection.flushall()


def silence(worker: Worker, seconds: float) -> None:
    """As if it had given its last sign of life so long ago. It stays registered."""
    then = datetime.now(UTC) - timedelta(seconds=seconds)
    worker.connection.hset(worker.key, "last_heartbeat", utcformat(then))
    assert Worker.count(connection=worker.connection) == 1


def worker_counts(client: Client) -> bool:
    response = client.get("/readyz")
    assert response.status_code == (200 if response.json()["ready"] else 503)
    return bool(response.json()["checks"]["worker"])


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


def test_without_a_worker_it_is_not(client: Client, node: Node, worker: Worker) -> None:
    worker.connection.flushall()
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (503, {"ready": False, "checks": {**EVERYTHING, "worker": False}})


class TestAWorker:
    """Whether it counts. Redis remembers it for minutes, whatever became of it."""

    def test_that_was_killed_while_it_waited_does_not(self, client: Client, worker: Worker) -> None:
        silence(worker, 30)
        assert worker_counts(client)
        silence(worker, 60)
        assert not worker_counts(client)

    def test_that_works_may_be_silent_for_as_long_as_a_node_may_take(self, client: Client, worker: Worker) -> None:
        worker.set_state("busy")
        silence(worker, 160)
        assert worker_counts(client)
        silence(worker, 200)
        assert not worker_counts(client)

    def test_that_lives_makes_up_for_those_that_were_killed(self, client: Client, worker: Worker) -> None:
        silence(worker, 60)
        get_worker("default", name="two").register_birth()
        assert worker_counts(client)

    def test_that_signed_off_does_not(self, client: Client, worker: Worker) -> None:
        worker.register_death()
        assert not worker_counts(client)

    def test_that_lives_on_after_redis_was_flushed_does(self, client: Client, worker: Worker) -> None:
        worker.connection.flushall()
        worker.heartbeat()
        assert worker_counts(client)

    def test_is_found_among_its_other_keys(self, client: Client, worker: Worker) -> None:
        worker.connection.sadd(worker.executions_key, "job:execution")
        assert worker_counts(client)


def test_without_a_node_that_answers_it_is_not(client: Client, node: Node) -> None:
    node.lost("Connection timed out.")
    assert client.get("/readyz").json()["checks"] == {**EVERYTHING, "node": False}


def test_without_redis_it_is_not_and_says_so_at_once(client: Client, node: Node) -> None:
    services.redis.stop()
    start = time.monotonic()
    response = client.get("/readyz")
    assert time.monotonic() - start < 2
    assert (response.status_code, response.json()["checks"]["redis"]) == (503, False)


def test_with_a_redis_that_hangs_it_is_not_and_says_so_soon(client: Client, node: Node) -> None:
    assert services.redis.process
    services.redis.process.send_signal(signal.SIGSTOP)
    start = time.monotonic()
    try:
        response = client.get("/readyz")
    finally:
        services.redis.process.send_signal(signal.SIGCONT)
    assert time.monotonic() - start < 6
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
