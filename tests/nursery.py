"""The console's processes are forked from one that has Django loaded: a start costs a tenth of a second, not two.

Run as `python -m tests.nursery`, told what to start by one line of JSON each on its standard input; it answers with the pid.
It ends with pytest and its children with it, whatever ends pytest.
"""

from __future__ import annotations

import ctypes
import faulthandler
import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from demo.paths import ROOT

PR_SET_PDEATHSIG = 1


class Nursery:
    """pytest's end of it."""

    def __init__(self, folder: Path, database_url: str) -> None:
        environment = {**os.environ, "DATABASE_URL": database_url, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
        argv = ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "tests.nursery"]
        streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
        self._process = subprocess.Popen(argv, cwd=ROOT, env=environment, start_new_session=True, **streams)  # type: ignore[call-overload]

    def start(self, words: Sequence[str], log: Path) -> int:
        """Start `manage.py <words>` and return its pid."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"words": list(words), "log": str(log)}) + "\n")
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


def main() -> None:
    from demo.supervisord import preload

    preload()
    signal.signal(signal.SIGCHLD, _reap)
    for line in sys.stdin:
        asked = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(asked["words"], asked["log"])
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def _reap(*_: object) -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _become(words: list[str], log: str) -> None:
    from django.core.management import execute_from_command_line

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    nothing, logged = os.open(os.devnull, os.O_RDONLY), os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for source, target in ((nothing, 0), (logged, 1), (logged, 2)):
        os.dup2(source, target)
    faulthandler.register(signal.SIGUSR1)  # where it stands, for a test that waits in vain
    try:
        execute_from_command_line(["manage.py", *words])
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


if __name__ == "__main__":
    main()
