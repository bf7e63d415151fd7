"""supervisord that has Django loaded already: the console's processes are forked from it instead of started from nothing.

They share the memory of everything that is loaded (a third of what they would take each on their own), and a killed
one is back in a tenth of a second. Everything else is supervisord's: what to run, restarts, logs, signals, the end.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence

import django
import django_rq
from django.apps import apps
from django.core.management import execute_from_command_line
from django.urls import get_resolver
from setproctitle import setproctitle
from supervisor.options import ServerOptions
from supervisor.supervisord import go

PRELOADED = (
    "console.urls",
    "console.wsgi",
    "console.cron",
    "django_rq.cron",
    "django_rq.management.commands.rqworker",
    "encodings.idna",
    "gunicorn.app.wsgiapp",
    "gunicorn.arbiter",
    "gunicorn.workers.gthread",
    "volumes.engine.worker",
    "volumes.management.commands.watch",
    "volumes.operations",
)
PR_SET_PDEATHSIG = 1


class Options(ServerOptions):  # type: ignore[misc]
    """supervisord's, except for what happens in a new child where a program would be executed."""

    def execve(self, filename: str, argv: Sequence[str], env: dict[str, str]) -> None:
        """Called in the child, with its files, group and folder already in place. Does not return."""
        _end_with_parent()
        work = _preloaded(argv)
        if work is None:
            os.execve(filename, list(argv), env)
        else:
            os.environ.update(env)
            _become(argv, work)


def main() -> None:
    options = Options()
    options.realize(sys.argv[1:])
    options.first = True
    options.test = False
    preload()
    go(options)


def preload() -> None:
    """Load, and do once, what every process would load and do: it is shared then. Nothing is connected to."""
    django.setup()
    for name in PRELOADED:
        importlib.import_module(name)
    for model in apps.get_models():
        str(model._default_manager.all().query)
    get_resolver()._populate()
    django_rq.get_queue()
    gc.freeze()  # the collector shall not touch, and so copy, what the children share


def _preloaded(argv: Sequence[str]) -> Callable[[], object] | None:
    """What to call in place of a program, when it is one of ours."""
    if argv[1:2] == ["manage.py"]:
        return lambda: execute_from_command_line(list(argv[1:]))
    if argv[0].endswith("/gunicorn"):
        return importlib.import_module("gunicorn.app.wsgiapp").run  # type: ignore[no-any-return]
    return None


def _become(argv: Sequence[str], work: Callable[[], object]) -> None:
    """Leave supervisord behind as far as executing a program would: signals, name, and no way back into its loop."""
    for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP, signal.SIGCHLD, signal.SIGUSR2):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = list(argv)
    setproctitle(" ".join(argv))
    code = 1
    try:
        work()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _end_with_parent() -> None:
    """Should supervisord be killed, its processes end too, and the next start finds nothing of the old one."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    main()
