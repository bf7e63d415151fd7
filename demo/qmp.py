"""QEMU's monitor: one short connection per question."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

from demo.shell import DemoError


class MonitorError(DemoError):
    """QEMU refused a command, or its monitor does not answer."""


class Monitor:
    """A QMP client. A context manager. The socket is found from its folder because unix paths are short."""

    def __init__(self, path: Path, timeout_s: float = 60) -> None:
        folder = os.open(path.parent, os.O_PATH)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout_s)
        try:
            self._socket.connect(f"/proc/self/fd/{folder}/{path.name}")
        except OSError as error:
            self._socket.close()
            raise MonitorError(f"QEMU's monitor {path} does not answer: {error.strerror}.") from error
        finally:
            os.close(folder)
        self._lines = self._socket.makefile("rw")

    def __enter__(self) -> Monitor:
        self._read()
        self.ask("qmp_capabilities")
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._socket.close()

    def ask(self, command: str, **arguments: object) -> Any:
        """Run a command and return what it returns. Events that come in between are passed over."""
        named = {key.replace("__", "-"): value for key, value in arguments.items()}
        self._lines.write(json.dumps({"execute": command, "arguments": named}) + "\n")
        self._lines.flush()
        while True:
            answer = self._read()
            if "error" in answer:
                raise MonitorError(f"QEMU refused {command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def human(self, line: str) -> None:
        """Run a command of the human monitor that says nothing when it succeeds (savevm, loadvm, delvm)."""
        said = self.ask("human-monitor-command", command__line=line).strip()
        if said:
            raise MonitorError(f"QEMU refused {line}: {said}")

    def _read(self) -> Any:
        try:
            line = self._lines.readline()
        except OSError as error:
            raise MonitorError(f"QEMU's monitor does not answer: {error}") from error
        if not line:
            raise MonitorError("QEMU ended.")
        return json.loads(line)
