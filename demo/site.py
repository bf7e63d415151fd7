"""One console: its folder, its addresses, and the environment its processes run in."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from demo.paths import ROOT, state_dir
from demo.ports import LOOPBACK, free_port, is_free
from demo.shell import DemoError

WEB_PORT = 8000
REDIS_PORT = 6390
WORKERS = 4


@dataclass(frozen=True)
class Site:
    """Where a console lives and listens. `redis_url` of another Redis than its own, or empty."""

    folder: Path
    demo: bool
    address: str
    web_port: int
    redis_port: int
    workers: int
    outside_redis: str = ""

    @property
    def url(self) -> str:
        return f"http://{self.address}:{self.web_port}"

    @property
    def redis_folder(self) -> Path:
        return self.folder / "redis"

    @property
    def redis_password(self) -> str:
        """Jobs are code: whoever may write to Redis may run commands. Only the demo does without a password."""
        note = self.redis_folder / "password"
        if self.demo or not self.redis_folder.exists():
            return ""
        if not note.exists():
            note.touch(mode=0o600)
            note.write_text(secrets.token_urlsafe(24))
        return note.read_text()

    @property
    def redis_url(self) -> str:
        password = f":{self.redis_password}@" if self.redis_password else ""
        return self.outside_redis or f"redis://{password}{LOOPBACK}:{self.redis_port}/0"

    @property
    def run_folder(self) -> Path:
        """For sockets and process files. A unix socket's path holds 107 characters: a deep folder gets a short one."""
        near = self.folder / "run"
        if len(str(near)) < 80:
            return near
        name = hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"hearth-run-{os.getuid()}-{name}"

    @property
    def log_folder(self) -> Path:
        return self.folder / "logs"

    def make_folders(self) -> None:
        for folder in (self.folder, self.redis_folder, self.run_folder, self.log_folder):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def environment(self) -> dict[str, str]:
        """For every process of this console. The demo listens to no DATABASE_URL or REDIS_URL of its caller."""
        made = {
            "DJANGO_SETTINGS_MODULE": "console.settings",
            "HEARTH_STATE": str(self.folder),
            "REDIS_URL": self.redis_url,
            "PYTHONUNBUFFERED": "1",
            "MALLOC_ARENA_MAX": "2",  # threads share the allocator's pools: less memory, no difference in speed here
        }
        if self.demo:
            made |= {"HEARTH_DEMO": "1", "DATABASE_URL": f"sqlite:///{self.folder / 'hearth.sqlite3'}"}
            kept = {name: value for name, value in os.environ.items() if not name.startswith("HEARTH_")}
        else:
            kept = dict(os.environ)
            made["HEARTH_HTTPS"] = kept.get("HEARTH_HTTPS", "0" if self.address == LOOPBACK else "1")
        hosts = [*kept.get("HEARTH_ALLOWED_HOSTS", "").split(","), "localhost", "127.0.0.1", "[::1]", self.address]
        made["HEARTH_ALLOWED_HOSTS"] = ",".join(dict.fromkeys(filter(None, hosts)))
        return kept | made


def demo_site() -> Site:
    return _site(state_dir() / "console", demo=True)


def real_site() -> Site:
    """The console of `make run`. Its folder is not the demo's: `make clean` must not take it away."""
    folder = Path(os.environ.get("HEARTH_STATE") or ROOT / ".hearth").resolve()
    return _site(folder, demo=False, outside_redis=os.environ.get("REDIS_URL", ""))


def _site(folder: Path, *, demo: bool, outside_redis: str = "") -> Site:
    """What was used last time, unless the environment says otherwise."""
    note = folder / "site.json"
    known = json.loads(note.read_text()) if note.exists() else {}
    return Site(
        folder=folder,
        demo=demo,
        address=os.environ.get("WEB_ADDRESS") or known.get("address", LOOPBACK),
        web_port=int(os.environ.get("WEB_PORT") or known.get("web_port", WEB_PORT)),
        redis_port=int(os.environ.get("REDIS_PORT") or known.get("redis_port", REDIS_PORT)),
        workers=int(os.environ.get("WORKERS") or known.get("workers", WORKERS)),
        outside_redis=outside_redis,
    )


def with_free_ports(site: Site) -> Site:
    """The same console on ports nobody else has, written down. A port asked for by name is not replaced."""
    ports: dict[str, int] = {}
    places = (("web_port", "WEB_PORT", site.address), ("redis_port", "REDIS_PORT", LOOPBACK))
    for name, variable, address in places:
        wanted = getattr(site, name)
        if is_free(wanted, address):
            ports[name] = wanted
        elif os.environ.get(variable):
            raise DemoError(f"Port {wanted} is taken.", f"Choose another: {variable}=... or leave it out.")
        else:
            ports[name] = free_port(wanted + 1, taken=ports.values(), address=address)
    site = Site(**{**site.__dict__, **ports})
    site.make_folders()
    kept = {name: getattr(site, name) for name in ("address", "web_port", "redis_port", "workers")}
    (site.folder / "site.json").write_text(json.dumps(kept, indent=1) + "\n")
    return site


def python() -> str:
    """The interpreter of the installation, whose folder also holds gunicorn and supervisord."""
    return sys.executable


def program(name: str) -> str:
    return str(Path(sys.executable).parent / name)
