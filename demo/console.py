"""A console from nothing to ready, and back: the stages behind `make demo`, `make run` and their ends."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from typing import Any

from demo.lab import Lab
from demo.paths import ROOT, state_dir
from demo.people import LOGINS
from demo.ports import LOOPBACK
from demo.shell import DemoError, run, stage
from demo.site import Site, demo_site, python, with_free_ports
from demo.supervise import Supervisor
from volumes.nodes import control, keys


def demo_up() -> Site:
    """Guests, state, processes. Safe to repeat: what runs already is left running."""
    site = demo_site()
    site.make_folders()
    lab = Lab(state_dir())
    lab.up(authorized_key=keys.authorized_keys_line(keys.ensure_key(site.folder)))
    return console_up(site, lab)


def demo_down() -> None:
    """Everything off: processes, shared ssh connections, guests (parked, for a quick next start)."""
    lab = Lab(state_dir())
    console_down(demo_site())
    if any(guest.is_running for guest in lab.guests.values()):
        with stage("Park the guests"):
            lab.down()


def console_up(site: Site, lab: Lab | None = None) -> Site:
    """Start a console's processes and wait until it is ready."""
    supervisor = Supervisor(site)
    if supervisor.is_running:
        prepare(site, lab)
        return site
    site = with_free_ports(site)
    keys.ensure_key(site.folder)
    with stage("Database and files"):
        prepare(site, lab)
    with stage("Start the processes"):
        Supervisor(site).start()
        wait_ready(site)
    return site


def console_down(site: Site) -> None:
    supervisor = Supervisor(site)
    if supervisor.pid:
        with stage("Stop the processes"):
            supervisor.stop()
    if site.folder.exists():
        control.close_all(site.folder)


def prepare(site: Site, lab: Lab | None) -> None:
    """Migrate, collect the static files, and put the demo's people and nodes in."""
    nodes = json.dumps(list(_node_addresses(lab))) if lab else "[]"
    run([python(), "-m", "demo.prepare"], cwd=ROOT, env=site.environment(), input=nodes)


def wait_ready(site: Site, timeout_s: float = 60) -> None:
    """Until the console says that database, Redis, a worker and a node answer."""
    end = time.monotonic() + timeout_s
    last = ""
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(site.url + "/readyz", timeout=5):
                return
        except urllib.error.HTTPError as error:
            last = error.read().decode(errors="replace").strip()
        except OSError as error:
            last = str(error)
        time.sleep(0.1)
    raise DemoError(
        f"The console at {site.url} was not ready within {timeout_s:.0f} s: {last}\n{_ailing(site)}",
        f"Look at the logs in {site.log_folder}.",
    )


def status() -> dict[str, Any]:
    """What `make demo-status` prints."""
    site = demo_site()
    lab = Lab(state_dir())
    found = Supervisor(site).running()
    nodes = [{"name": guest.name, "ssh_port": guest.port} for guest in lab.guests.values() if guest.is_running]
    return {
        "url": site.url,
        "logins": [{"username": name, "password": name, "role": role} for name, role in LOGINS.items()],
        "nodes": nodes,
        "hosts": [],
        "processes": [{"name": one["name"], "pid": one["pid"]} for one in found if one["pid"]],
        "redis_url": site.redis_url,
        "state": str(site.folder),
    }


def _node_addresses(lab: Lab) -> Iterable[dict[str, Any]]:
    for name, spec in lab.specs.items():
        guest = lab[name]
        place = [spec.name, spec.vg_name, spec.thin_pool]
        yield {"spec": place, "address": LOOPBACK, "port": guest.port, "host_key": guest.host_key}


def _ailing(site: Site) -> str:
    supervisor = Supervisor(site)
    bad = [one for one in supervisor.running() if one["state"] != "running"]
    return "\n".join(f"{one['name']} is {one['state']}:\n{supervisor.last_words(one['name'])}" for one in bad)
