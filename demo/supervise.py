"""supervisord keeps the processes running: one that ends, for whatever reason, is started again."""

from __future__ import annotations

import os
import shlex
import signal
import time
import xmlrpc.client
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from demo.paths import ROOT
from demo.processes import Process, processes
from demo.shell import DemoError, has_ended, spawn
from demo.site import Site, python

CONFIG = """\
[unix_http_server]
file = {run}/supervisor.sock
chmod = 0600

[supervisord]
nodaemon = true
directory = {root}
pidfile = {run}/supervisord.pid
logfile = {logs}/supervisord.log
logfile_maxbytes = 1MB
logfile_backups = 1
childlogdir = {logs}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""
PROGRAM = """
[program:{name}]
command = {command}
priority = {priority}
autorestart = true
startsecs = 1
startretries = 100000
stopwaitsecs = {wait}
killasgroup = true
redirect_stderr = true
stdout_logfile = {logs}/{name}.log
stdout_logfile_maxbytes = 5MB
stdout_logfile_backups = 2
"""


class Supervisor:
    """supervisord of one console. `start` returns when it answers; the processes come up behind it."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def start(self) -> None:
        config = self.site.run_folder / "supervisord.conf"
        config.touch(mode=0o600)
        config.write_text(self._config())
        log = self.site.log_folder / "supervisord.out"
        argv: list[str | Path] = [python(), "-m", "demo.supervisord", "-c", config]
        pid = spawn(argv, folder=ROOT, log=log, env=self.site.environment())
        end = time.monotonic() + 60
        while not has_ended(pid) and time.monotonic() < end:
            if self.is_running:
                return
            time.sleep(0.05)
        raise DemoError(f"supervisord did not start: {log.read_text().strip()}", f"Look at {log}.")

    def stop(self) -> None:
        """End all processes, then supervisord. What does not end by itself is killed."""
        pid = self.pid
        if pid is None:
            return
        os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + 40
        while self.pid is not None:
            if time.monotonic() > end:
                raise DemoError(f"supervisord (process {pid}) does not end.", f"Kill it: kill -9 {pid}")
            time.sleep(0.05)
        has_ended(pid)

    @property
    def pid(self) -> int | None:
        """supervisord of this console, told by its command line: the number may have been used again."""
        note = self.site.run_folder / "supervisord.pid"
        try:
            pid = int(note.read_text())
            command = Path(f"/proc/{pid}/cmdline").read_text()
        except (OSError, ValueError):
            return None
        return pid if str(self.site.run_folder / "supervisord.conf") in command else None

    @property
    def is_running(self) -> bool:
        try:
            return bool(self.pid) and self._ask("getState")["statename"] == "RUNNING"
        except OSError:
            return False

    def running(self) -> list[dict[str, Any]]:
        """Name, pid and state of every process."""
        if not self.is_running:
            return []
        found = self._ask("getAllProcessInfo")
        return [{"name": one["name"], "pid": one["pid"], "state": one["statename"].lower()} for one in found]

    def last_words(self, name: str, lines: int = 15) -> str:
        log = self.site.log_folder / f"{name}.log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""

    def _ask(self, method: str, *arguments: object) -> Any:
        address = f"unix://{self.site.run_folder / 'supervisor.sock'}"
        transport = SupervisorTransport(None, None, address)
        try:
            with xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport) as proxy:
                return getattr(proxy.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as error:
            raise DemoError(f"supervisord refused {method}: {error.faultString}") from error

    def _config(self) -> str:
        paths = {"run": self.site.run_folder, "logs": self.site.log_folder, "root": ROOT}
        listed = processes(self.site)
        # Processes of one group are stopped at once, groups one after the other.
        together = ",".join(process.name for process in listed if process.name != "redis")
        group = f"\n[group:console]\nprograms = {together}\npriority = 100\n"
        return CONFIG.format(**paths) + "".join(self._program(process) for process in listed) + group

    def _program(self, process: Process) -> str:
        command = shlex.join(process.argv).replace("%", "%%")
        values = {"name": process.name, "command": command, "priority": process.priority, "wait": process.stop_wait_s}
        return PROGRAM.format(**values, logs=self.site.log_folder)
