"""Where a console listens and what its processes are told."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from demo import site
from demo.ports import LOOPBACK, free_port, is_free
from demo.shell import DemoError


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch) -> Path:
    """A state folder of its own, and no settings from outside."""
    for name in ("WEB_PORT", "REDIS_PORT", "WEB_ADDRESS", "WORKERS", "REDIS_URL", "HEARTH_STATE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DEMO_STATE", str(tmp_path))
    return tmp_path


@pytest.fixture
def taken_port():
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_the_demo_listens_on_loopback_only():
    assert site.demo_site().address == "127.0.0.1"
    assert site.demo_site().url == "http://127.0.0.1:8000"


def test_the_demo_never_touches_the_callers_database_or_redis(monkeypatch, state):
    monkeypatch.setenv("DATABASE_URL", "postgres://somewhere/important")
    monkeypatch.setenv("REDIS_URL", "redis://somewhere/0")
    monkeypatch.setenv("HEARTH_HTTPS", "1")
    environment = site.demo_site().environment()
    assert environment["DATABASE_URL"] == f"sqlite:///{state}/console/hearth.sqlite3"
    assert environment["REDIS_URL"].startswith("redis://127.0.0.1:")
    assert environment["HEARTH_DEMO"] == "1"
    assert "HEARTH_HTTPS" not in environment


def test_a_real_console_takes_them_and_is_no_demo(monkeypatch, tmp_path):
    monkeypatch.setenv("HEARTH_STATE", str(tmp_path / "real"))
    monkeypatch.setenv("DATABASE_URL", "postgres://somewhere/important")
    monkeypatch.setenv("REDIS_URL", "redis://somewhere/0")
    monkeypatch.setenv("HEARTH_DEMO", "")
    environment = site.real_site().environment()
    assert environment["DATABASE_URL"] == "postgres://somewhere/important"
    assert environment["REDIS_URL"] == "redis://somewhere/0"
    assert environment["HEARTH_DEMO"] == ""


def test_a_real_consoles_own_redis_wants_a_password(monkeypatch, tmp_path):
    monkeypatch.setenv("HEARTH_STATE", str(tmp_path / "real"))
    real = site.real_site()
    real.make_folders()
    assert len(real.redis_password) > 20
    assert real.redis_password in real.redis_url
    assert (real.redis_folder / "password").stat().st_mode & 0o077 == 0


def test_a_taken_port_is_replaced_and_remembered(monkeypatch, taken_port):
    monkeypatch.setattr(site, "WEB_PORT", taken_port)
    chosen = site.with_free_ports(site.demo_site())
    assert chosen.web_port != taken_port
    assert site.demo_site().web_port == chosen.web_port


def test_a_taken_port_somebody_asked_for_is_an_error(monkeypatch, taken_port):
    monkeypatch.setenv("WEB_PORT", str(taken_port))
    with pytest.raises(DemoError, match=f"Port {taken_port} is taken") as error:
        site.with_free_ports(site.demo_site())
    assert "WEB_PORT" in error.value.remedy


def test_an_address_of_another_machine_is_an_error():
    with pytest.raises(DemoError, match="not an address of this machine"):
        is_free(free_port(20000), "192.0.2.1")


def test_a_deep_folder_gets_a_short_place_for_its_sockets(monkeypatch, tmp_path):
    deep = tmp_path / ("d" * 90)
    monkeypatch.setenv("DEMO_STATE", str(deep))
    assert len(str(site.demo_site().run_folder / "supervisor.sock")) < 100
