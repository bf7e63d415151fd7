"""What keeps a logical volume open, in words: LVM and the kernel only say "in use"."""

from __future__ import annotations

from dataclasses import dataclass

from .commands import Command, read
from .errors import DeviceBusy, NodeError
from .session import Session
from .units import script

_MOST = 3


@dataclass(frozen=True)
class Holders:
    """Mount points, devices built on it, exports, and processes as `name (pid)`."""

    mounts: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    exports: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()
    swap: bool = False

    @property
    def sentence(self) -> str:
        """`mounted on /srv; opened by qemu-system-x86 (812)`; empty when nothing was found."""
        parts = [
            _part("mounted on", self.mounts),
            _part("used by the device", self.devices),
            _part("exported as", self.exports),
            "used as swap space" if self.swap else "",
            _part("opened by", self.processes),
        ]
        return "; ".join(part for part in parts if part)


def _part(verb: str, names: tuple[str, ...]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return f"{verb} {', '.join(names[:_MOST])}{more}"


def who_holds(vg: str, lv: str) -> Command:
    """Look for everything that has the LV open. Read the answer with `parse_holders`."""
    return read(["bash", "-c", script("holders"), "hearth-holders", f"/dev/{vg}/{lv}"], allow_failure=True)


def parse_holders(text: str) -> Holders:
    """The answer to `who_holds`. The same mount in many namespaces counts once."""
    found: dict[str, dict[str, None]] = {}
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        found.setdefault(kind, {})[_unescaped(rest) if kind == "mount" else rest] = None
    processes = [line.split(" ", 1) for line in found.get("process", {})]
    return Holders(
        mounts=tuple(found.get("mount", {})),
        devices=tuple(found.get("holder", {})),
        exports=tuple(found.get("export", {})),
        processes=tuple(f"{comm} ({pid})" for pid, comm in processes),
        swap="swap" in found,
    )


def _unescaped(path: str) -> str:
    """mountinfo writes blanks and the like as octal numbers."""
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        path = path.replace(code, character)
    return path


def explain_busy(session: Session, vg: str, lv: str, error: DeviceBusy) -> DeviceBusy:
    """The same error, naming what holds the LV where that can be found out."""
    try:
        result = session.run(who_holds(vg, lv), timeout_s=30)[0]
    except NodeError:
        return error
    detail = parse_holders(result.stdout).sentence
    if not detail:
        return error
    return DeviceBusy(
        error.values, result=error.result, results=[*error.results, result], lv=f"{vg}/{lv}", detail=detail
    )
