"""Run commands on a node: several in one round trip, over a connection that all of the console shares."""

from __future__ import annotations

import time
from collections.abc import Sequence

from . import control, framing
from .commands import Command, Result, as_command
from .errors import NoShell, OutcomeUnknown, Unreachable
from .explain import explain
from .sshfail import connection_error
from .target import Target
from .wire import Exchange, OnResult, Wire

_MIN_RETRY_S = 1.0


class Session:
    """Stateless and safe to share between threads; the warm connection lives outside, in ssh's own master."""

    def __init__(self, target: Target) -> None:
        self.target = target

    def run(
        self, *commands: Command | Sequence[str], timeout_s: float = 60.0, on_result: OnResult | None = None
    ) -> list[Result]:
        """Run the commands in order, in one round trip, and return their results.

        A command that fails ends the batch and raises its named error, unless it `allow_failure`. Raises an
        `Unreachable` when provably nothing ran, and `OutcomeUnknown` when the connection broke or `timeout_s` passed
        after something was sent; `error.results` has what did come back. `on_result` is called as each one arrives.
        A broken connection is replaced and the batch repeated once where that cannot do harm.
        """
        given = [as_command(command) for command in commands]
        if not given:
            return []
        deadline = time.monotonic() + timeout_s
        told = _Once(on_result)
        first = self._attempt(given, timeout_s, told)
        if self._may_repeat(given, first) and deadline - time.monotonic() > _MIN_RETRY_S:
            first = self._attempt(given, deadline - time.monotonic(), told)
        return self._judge(given, first)

    def close(self) -> None:
        control.close(self.target)

    def _attempt(self, commands: list[Command], timeout_s: float, told: _Once) -> Exchange:
        told.restart()
        batch = framing.build(commands, sudo=not self.target.is_root, marker=framing.new_marker())
        deadline = time.monotonic() + timeout_s
        with control.place(self.target, timeout_s) as number:
            argv = control.session_argv(self.target, number, batch.script)
            return Wire(argv, control.environment(), batch, told).run(deadline - time.monotonic())

    def _may_repeat(self, commands: list[Command], done: Exchange) -> bool:
        """Lost on the way, and either nothing was sent or everything only looks."""
        if done.complete or done.timed_out or done.exit_code != 255:
            return False
        return not done.sent or all(command.read_only for command in commands)

    def _judge(self, commands: list[Command], done: Exchange) -> list[Result]:
        if not done.complete:
            raise self._lost(done).with_results(done.results)
        last = done.results[-1]
        if last.exit_code != 0 and not commands[len(done.results) - 1].allow_failure:
            raise explain(last, node=self.target.name, user=self.target.user).with_results(done.results)
        return done.results

    def _lost(self, done: Exchange) -> Unreachable | OutcomeUnknown:
        about = control.about(self.target)
        if done.timed_out and done.sent:
            return OutcomeUnknown(about, detail="no answer in time")
        if done.sent:
            return OutcomeUnknown(about, detail=_last_line(done.noise) or "connection closed")
        if done.timed_out:
            return Unreachable(about, detail="no answer in time")
        if done.exit_code != 255:
            return NoShell(about, detail=_last_line(done.noise) or f"it ended with exit code {done.exit_code}")
        known = connection_error(done.noise, about)
        return known or Unreachable(about, detail=_last_line(done.noise) or "the connection broke")


class _Once:
    """Passes every result on once, also when a batch is repeated."""

    def __init__(self, on_result: OnResult | None) -> None:
        self._on_result, self._told, self._seen = on_result, 0, 0

    def restart(self) -> None:
        self._seen = 0

    def __call__(self, result: Result) -> None:
        self._seen += 1
        if self._on_result and self._seen > self._told:
            self._told = self._seen
            self._on_result(result)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else ""
