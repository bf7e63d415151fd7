"""A lab: some guests in one folder, beside other labs (the demo's, the tests', somebody's own)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from demo import accel
from demo.guest import FRESH, PARKED, Guest
from demo.image import Image, ensure_image
from demo.ports import free_port, is_free
from demo.qemu import Qemu
from demo.shell import DemoError, run, say, stage
from demo.storage import DISK_BYTES, NODES, NodeSpec, make_pool

BASE_PORTS = {"demo": 2211, "test": 2231}
OTHER_BASE_PORT = 2251


class Lab:
    """Guests by name. `up` brings all of them to answering over ssh, `down` parks them.

    A `disposable` lab is made anew when the recipe of the node image has changed; others keep their disks.
    """

    def __init__(
        self,
        state: Path,
        name: str = "demo",
        *,
        base_port: int = 0,
        nodes: Sequence[NodeSpec] = NODES,
        disposable: bool = False,
    ) -> None:
        self.state = state
        self.name = name
        self.folder = state / name
        self.base_port = base_port or BASE_PORTS.get(name, OTHER_BASE_PORT)
        self.specs = {spec.name: spec for spec in nodes}
        self.disposable = disposable
        self.admin_key = self.folder / "admin_key"
        self.guests: dict[str, Guest] = {}
        self._open()

    def __getitem__(self, name: str) -> Guest:
        if name not in self.guests:
            known = ", ".join(self.guests) or "none has been made yet"
            raise DemoError(f"There is no guest {name} in the lab {self.name}.", f"Guests: {known}.")
        return self.guests[name]

    def up(self, *, snapshot: str = PARKED, authorized_key: str = "") -> None:
        """Start every guest, the first time with a new disk and its pool on it. Safe to repeat.

        `snapshot="fresh"` puts the guests, running or not, back to how they were right after they were made.
        `authorized_key`: a line for root's authorized_keys besides the demo's own key (Hearth's).
        """
        if snapshot == FRESH:
            self._discard(guest for guest in self.guests.values() if not guest.has(FRESH))
        chosen = self._prepare()
        try:
            self._start_all(snapshot, authorized_key)
        except DemoError as error:
            if not accel.distrust(self.state, chosen):
                raise
            say(f"  {error}\n  Hardware virtualisation does not work here after all; again without it.")
            self.kill()
            self._prepare()
            self._start_all(snapshot, authorized_key)

    def down(self) -> None:
        """Park every guest, also those that a process before this one started."""
        self._each(Guest.stop)

    def kill(self) -> None:
        """End every guest at once; nothing is saved."""
        self._each(Guest.power_off)

    def _start_all(self, snapshot: str, authorized_key: str) -> None:
        title = f"Start {', '.join(self.guests)}"
        if not all(guest.is_running or guest.has(snapshot) for guest in self.guests.values()):
            virtual = "" if self._note()["accelerator"] == "kvm" else ", without hardware virtualisation"
            title += f" (cold boot{virtual}: half a minute or so)"
        with stage(title):
            self._each(lambda guest: self._start(guest, snapshot, authorized_key))

    def _start(self, guest: Guest, snapshot: str, authorized_key: str) -> None:
        if guest.is_running and snapshot == FRESH:
            guest.power_off()
        if guest.is_running and not guest.answers():
            say(f"  {guest.name} runs but does not answer: it is started again.")
            guest.qemu.quit()
        guest.start(snapshot=snapshot)
        guest.wait_ssh(60 if guest.qemu.accelerator == "kvm" else 600)
        made = guest.folder / "made"
        if not made.exists():
            make_pool(guest, self.specs[guest.name])
            guest.check("sync")
            made.touch()
            guest.save(FRESH)
        if authorized_key:
            guest.allow(authorized_key)

    def _each(self, work: Callable[[Guest], object]) -> None:
        """The same on all guests at once. Every one is tried; then the first failure is raised."""
        with ThreadPoolExecutor(max_workers=max(1, len(self.guests))) as pool:
            futures = [pool.submit(work, guest) for guest in self.guests.values()]
            try:
                wait(futures)
            except BaseException:  # interrupted: what runs is left as it is, to be parked
                for guest in self.guests.values():
                    guest.given_up.set()
                raise
        for future in futures:
            future.result()

    # What the folder remembers

    def _prepare(self) -> str:
        """Bring image, key, ports and disks in place, write down what was chosen, and return the accelerator."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        image = self._image()
        if not self.admin_key.exists():
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{self.name} lab", "-f", self.admin_key])
        chosen = accel.accelerator(self.state, image.kernel)
        ports: dict[str, int] = {}
        for number, name in enumerate(self.specs):
            guest = self.guests.get(name)
            if not (guest and guest.is_running):
                guest = Guest(self._qemu(name, image, guest.port if guest else self.base_port + number, chosen))
            if not guest.is_running and not is_free(guest.port):
                guest.qemu.port = free_port(self.base_port + number, taken=ports.values())
            ports[name] = guest.port
            self.guests[name] = guest
            guest.create(DISK_BYTES)
        note = {"image": image.folder.name, "accelerator": chosen, "ports": ports}
        (self.folder / "lab.json").write_text(json.dumps(note, indent=1) + "\n")
        return chosen

    def _image(self) -> Image:
        """The image this lab's disks stand on: the newest for new disks, the one they were made from for old ones."""
        known = self.state / self._note().get("image", "none")
        newest = ensure_image(self.state) if self.disposable or not known.exists() else Image(known)
        if newest.folder != known:
            self._discard(self.guests.values())
        return newest

    def _discard(self, guests: Iterable[Guest]) -> None:
        """Take guests with disks of no use any longer away; new ones are made in their place."""
        for guest in list(guests):
            guest.power_off()
            shutil.rmtree(guest.folder, ignore_errors=True)
            del self.guests[guest.name]

    def _open(self) -> None:
        note = self._note()
        if not note:
            return
        image = Image(self.state / note["image"])
        for name, port in note["ports"].items():
            self.guests[name] = Guest(self._qemu(name, image, port, note["accelerator"]))

    def _note(self) -> dict[str, Any]:
        path = self.folder / "lab.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def _qemu(self, name: str, image: Image, port: int, chosen: str) -> Qemu:
        return Qemu(name, self.folder / name, image, self.admin_key, port, chosen)
