"""What can go wrong with a node: one small class per cause, one sentence per class.

The sentences are gettext message ids: a page shows `error.localized(gettext)`, a log shows `str(error)`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Self

from .commands import Result


def gettext_noop(message: str) -> str:
    """Marks a sentence for translation without translating it here: this package knows no Django."""
    return message


class NodeError(Exception):
    """Base of everything. `results` holds the commands that ran to their end before or as it happened."""

    sentence: ClassVar[str] = gettext_noop("Something went wrong on the node: %(detail)s.")
    way_out: ClassVar[str] = ""

    def __init__(
        self,
        known: Mapping[str, object] | None = None,
        /,
        *,
        result: Result | None = None,
        results: Sequence[Result] = (),
        **more: object,
    ) -> None:
        self.values = {**(known or {}), **more}
        self.result = result
        self.results = list(results)
        super().__init__(self._fill(self.sentence))

    def _fill(self, template: str) -> str:
        return template % _Values(self.values)

    @property
    def remedy(self) -> str:
        return self._fill(self.way_out)

    def localized(self, translate: Callable[[str], str]) -> str:
        return self._fill(translate(self.sentence))

    def localized_remedy(self, translate: Callable[[str], str]) -> str:
        return self._fill(translate(self.way_out)) if self.way_out else ""

    def with_results(self, results: Sequence[Result]) -> Self:
        self.results = list(results)
        return self


class _Values(dict[str, object]):
    """A sentence must come out whole even when a detail is not known."""

    def __missing__(self, key: str) -> str:
        return "?"


# The connection: nothing has run on the node when one of these is raised.


class Unreachable(NodeError):
    sentence = gettext_noop("%(node)s cannot be reached: %(detail)s.")
    way_out = gettext_noop("Check the address, the network and that sshd runs on the node.")


class NameNotResolved(Unreachable):
    sentence = gettext_noop("The name %(address)s cannot be resolved.")
    way_out = gettext_noop("Correct the address of %(node)s, or add the name to DNS.")


class ConnectionRefused(Unreachable):
    sentence = gettext_noop("%(address)s refuses connections on port %(port)s.")
    way_out = gettext_noop("Check that sshd runs on %(node)s and listens on port %(port)s.")


class ConnectTimedOut(Unreachable):
    sentence = gettext_noop("%(address)s does not answer on port %(port)s.")
    way_out = gettext_noop("Check that %(node)s is switched on and that no firewall drops port %(port)s.")


class KeyRejected(Unreachable):
    sentence = gettext_noop("%(node)s does not accept the console's key for user %(user)s.")
    way_out = gettext_noop("Paste the console's public key into the authorized_keys file of %(user)s on %(node)s.")


class HostKeyChanged(Unreachable):
    sentence = gettext_noop("%(node)s shows another host key than the one that was confirmed. Nothing was sent to it.")
    way_out = gettext_noop(
        "If the node was reinstalled, compare the new fingerprint on its own screen and confirm it here. "
        "If not, somebody may be posing as the node."
    )


class HostKeyUnknown(Unreachable):
    sentence = gettext_noop("The host key of %(node)s has not been confirmed yet.")
    way_out = gettext_noop("Compare the fingerprint with the one shown on the node and confirm it.")


class NoShell(Unreachable):
    sentence = gettext_noop("User %(user)s on %(node)s has no usable login shell: %(detail)s.")
    way_out = gettext_noop("Give the user a POSIX shell such as /bin/bash, and no forced command.")


# The machine: it answers, but cannot do what Hearth needs.


class LvmMissing(NodeError):
    sentence = gettext_noop("LVM is not installed on %(node)s.")
    way_out = gettext_noop("Install the package lvm2 on the node.")


class LvmTooOld(NodeError):
    sentence = gettext_noop("LVM %(version)s on %(node)s is too old; %(needed)s or newer is needed.")
    way_out = gettext_noop("Upgrade the node's operating system.")


class ProgramMissing(NodeError):
    sentence = gettext_noop("The program %(program)s is missing on %(node)s.")
    way_out = gettext_noop("Install the package %(package)s on the node.")


class ProgramTooOld(NodeError):
    sentence = gettext_noop("%(program)s %(version)s on %(node)s is too old; %(needed)s or newer is needed.")
    way_out = gettext_noop("Upgrade the node's operating system.")


class NoPrivilege(NodeError):
    sentence = gettext_noop("User %(user)s may not manage LVM on %(node)s.")
    way_out = gettext_noop("Log in as root, or allow this user `sudo` without a password.")


class NoSuchVolumeGroup(NodeError):
    sentence = gettext_noop("Volume group %(vg)s does not exist on %(node)s.")
    way_out = gettext_noop("Check with `vgs` on the node whether its disks are present.")


class NoSuchLogicalVolume(NodeError):
    sentence = gettext_noop("Logical volume %(lv)s does not exist in volume group %(vg)s.")


# The work: LVM or the kernel said no.


class CommandFailed(NodeError):
    sentence = gettext_noop("%(program)s failed with exit code %(exit_code)s: %(detail)s")
    way_out = gettext_noop("The command and its whole output stand in the log of the operation.")

    @property
    def argv(self) -> tuple[str, ...]:
        return self.result.argv if self.result else ()

    @property
    def exit_code(self) -> int:
        return self.result.exit_code if self.result else -1

    @property
    def stderr(self) -> str:
        return self.result.stderr if self.result else ""


class VolumeGroupIncomplete(NodeError):
    sentence = gettext_noop("Volume group %(vg)s on %(node)s has lost a disk: %(detail)s.")
    way_out = gettext_noop("Bring the missing physical volume back; until then LVM changes nothing in the group.")


class NoSuchThinPool(NodeError):
    sentence = gettext_noop("Thin pool %(pool)s does not exist in volume group %(vg)s on %(node)s.")


class AlreadyExists(NodeError):
    sentence = gettext_noop("Logical volume %(lv)s already exists in volume group %(vg)s.")


class DeviceBusy(NodeError):
    sentence = gettext_noop("%(lv)s is in use: %(detail)s.")
    way_out = gettext_noop("Unmount it or stop what uses it on the node, then try again.")


class NoSpace(NodeError):
    sentence = gettext_noop("Volume group %(vg)s has not enough free space: %(detail)s.")
    way_out = gettext_noop("Free some space in it or add a disk to it.")


class ThinPoolFull(NodeError):
    sentence = gettext_noop("Thin pool %(pool)s in volume group %(vg)s takes no new volumes: %(detail)s.")
    way_out = gettext_noop("Extend the thin pool or its metadata, or delete volumes in it.")


class NotOurs(NodeError):
    sentence = gettext_noop("Logical volume %(vg)s/%(lv)s does not carry the tag %(tag)s, so it is left alone.")
    way_out = gettext_noop("If it does belong to this volume, an administrator can adopt it.")


class UnitFailed(NodeError):
    sentence = gettext_noop("The unit %(unit)s could not be started: %(detail)s")


class WipeFailed(NodeError):
    sentence = gettext_noop("%(device)s could not be wiped: %(detail)s.")
    way_out = gettext_noop("Nothing was removed. Look at the log of the wipe, then try again.")


class NotZero(WipeFailed):
    """Read back, and found something else than zeroes: the device does not keep what it is told, or somebody wrote."""

    sentence = gettext_noop("%(device)s was wiped, but does not read as zeroes at byte %(offset)s.")
    way_out = gettext_noop("Nothing was removed. See whether something else writes to it, and check the disk below.")


class Unreadable(WipeFailed):
    sentence = gettext_noop("%(device)s was wiped, but cannot be read back: %(detail)s.")
    way_out = gettext_noop("Nothing was removed. Check the disk below.")


class OutcomeUnknown(NodeError):
    """The connection broke or the time ran out after something was sent. Read the facts, then decide."""

    sentence = gettext_noop(
        "The connection to %(node)s was lost while it worked (%(detail)s); the outcome is not known."
    )
    way_out = gettext_noop("The console reads the state of the node before it does anything else.")
