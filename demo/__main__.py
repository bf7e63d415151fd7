"""Command line: python -m demo COMMAND (the Makefile's words, and some for looking closer)."""

from __future__ import annotations

import argparse
import os
import sys

from demo import commands
from demo.shell import DemoError, say


def main() -> int:
    given = _parser().parse_args()
    try:
        given.run(given)
    except DemoError as error:
        say(f"\nFailed: {error}")
        if error.remedy:
            say(f"What to do: {error.remedy}")
        return 1
    except commands.Stopped:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--lab", default=os.environ.get("DEMO_LAB", "demo"), help="name of the lab (default: demo)")
    verbs = parser.add_subparsers(required=True)
    for name, run, about in (
        ("demo", commands.demo, "console and guests in the foreground; Ctrl-C stops all of it"),
        ("up", commands.up, "the same in the background"),
        ("down", commands.down, "stop it"),
        ("status", commands.status, "what runs, as JSON"),
        ("run", commands.run, "the console alone, in the foreground"),
    ):
        verbs.add_parser(name, help=about).set_defaults(run=run)
    lab = verbs.add_parser("lab", help="only the guests")
    lab.add_argument("action", choices=["up", "down", "kill", "fresh"])
    lab.set_defaults(run=commands.lab)
    ssh = verbs.add_parser("ssh", help="run a command as root on a guest")
    ssh.add_argument("guest")
    ssh.add_argument("words", nargs=argparse.REMAINDER)
    ssh.set_defaults(run=commands.ssh)
    manage = verbs.add_parser("manage", help="manage.py of the demo's console")
    manage.add_argument("--real", action="store_true", help="of the console that `make run` starts")
    manage.add_argument("words", nargs=argparse.REMAINDER)
    manage.set_defaults(run=commands.manage)
    return parser


if __name__ == "__main__":
    sys.exit(main())
