"""The connection to a real node: its failures by name, many at once, and coming back by itself."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from demo.paths import ROOT
from tests.nodes.bench import Bench
from tests.services import services
from volumes.nodes import control, keys
from volumes.nodes.commands import Command, Secret, read
from volumes.nodes.errors import (
    ConnectionRefused,
    ConnectTimedOut,
    HostKeyChanged,
    KeyRejected,
    LvmMissing,
    NameNotResolved,
    NoPrivilege,
    NoShell,
    OutcomeUnknown,
    Unreachable,
)
from volumes.nodes.facts import probe
from volumes.nodes.session import Session
from volumes.nodes.target import Target


def at_once(number: int, work: Callable[[], object]) -> list[BaseException]:
    """The same in many threads; what went wrong in them."""
    wrong: list[BaseException] = []

    def one() -> None:
        try:
            work()
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=one) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


CALL = """
import sys
from pathlib import Path
from volumes.nodes.session import Session
from volumes.nodes.target import Target
address, port, key, state = sys.argv[1:]
target = Target("node-1", address, int(port), "root", key, Path(state))
sys.stdout.write(Session(target).run(["hostname"])[0].stdout)
"""


class TestRunning:
    def test_several_commands_in_one_round_trip(self, bench: Bench) -> None:
        seen: list[str] = []
        results = bench.run(
            ["echo", "$(reboot); --force"],
            Command(("sh", "-c", "cat; exit 3"), stdin=Secret("hunter2"), allow_failure=True),
            read(["hostname"]),
            on_result=lambda result: seen.append(result.stdout),
        )

        assert [r.stdout for r in results] == seen == ["$(reboot); --force\n", "********", "node-1\n"]
        assert [r.exit_code for r in results] == [0, 3, 0]
        assert all(0 <= r.seconds < 5 for r in results)

    def test_a_burst_of_twenty_over_a_server_that_allows_ten(self, bench: Bench) -> None:
        assert at_once(20, lambda: bench.run(["sleep", "0.2"])) == []

    def test_when_others_hold_every_session_there_is_still_a_way(self, bench: Bench) -> None:
        bench.run(["true"])
        argv = control.session_argv(bench.target(), 0, "sleep 20")
        others = [subprocess.Popen(argv, env=control.environment(), stdin=subprocess.DEVNULL) for _ in range(10)]
        try:
            time.sleep(2)
            assert bench.run(["hostname"])[0].stdout == "node-1\n"
        finally:
            for other in others:
                other.kill()
                other.wait()

    def test_the_first_connections_of_several_processes_at_once(self, bench: Bench) -> None:
        target = bench.target()
        control.close(target)
        argv = [sys.executable, "-c", CALL, target.address, str(target.port), target.host_key, str(target.state)]
        processes = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(4)]

        assert [process.communicate()[0] for process in processes] == ["node-1\n"] * 4


class TestComingBack:
    def test_a_killed_master_is_replaced(self, bench: Bench) -> None:
        bench.run(["true"])
        path = control.socket_path(bench.target(), 0)
        said = subprocess.run(["ssh", "-S", str(path), "-O", "check", "x"], capture_output=True, text=True, check=True)
        os.kill(int(re.findall(r"pid=(\d+)", said.stderr)[0]), signal.SIGKILL)

        assert path.exists(), "a killed master leaves its socket behind"
        assert bench.run(["hostname"])[0].stdout == "node-1\n"

    def test_a_cut_link_is_noticed_and_mends_by_itself(self, bench: Bench) -> None:
        bench.run(["true"])
        wrong: list[BaseException] = []

        def long() -> None:
            try:
                bench.run(["echo", "one"], ["sleep", "120"], timeout_s=120)
            except OutcomeUnknown as error:
                wrong.append(error)

        thread = threading.Thread(target=long)
        thread.start()
        time.sleep(2)
        bench.machine.guest.set_link(False)
        cut_at = time.monotonic()
        thread.join(60)

        (error,) = wrong
        assert isinstance(error, OutcomeUnknown)
        assert [r.stdout for r in error.results] == ["one\n"]
        assert time.monotonic() - cut_at < 20
        with pytest.raises(ConnectTimedOut):
            Session(bench.target(connect_timeout_s=2)).run(read(["true"]))
        bench.machine.guest.set_link(True)
        assert bench.run(["hostname"])[0].stdout == "node-1\n"

    def test_twenty_callers_of_a_dead_node_do_not_queue_up(self, bench: Bench) -> None:
        bench.run(["true"])
        control.close(bench.target())
        bench.machine.guest.set_link(False)
        began = time.monotonic()
        wrong = at_once(20, lambda: Session(bench.target(connect_timeout_s=3)).run(["true"]))

        assert [type(error) for error in wrong] == [ConnectTimedOut] * 20
        assert time.monotonic() - began < 12


class TestSentences:
    def raised_by(self, target: Target) -> Unreachable:
        with pytest.raises(Unreachable) as caught:
            Session(target).run(["true"])
        control.close(target)
        return caught.value

    def test_name_not_resolved(self, bench: Bench) -> None:
        assert type(self.raised_by(bench.target(address="no-such-node.invalid"))) is NameNotResolved

    def test_refused(self, bench: Bench) -> None:
        assert type(self.raised_by(bench.target(port=1))) is ConnectionRefused

    def test_timeout(self, bench: Bench) -> None:
        bench.machine.guest.pause()
        try:
            control.close(bench.target())
            assert type(self.raised_by(bench.target(connect_timeout_s=2))) is ConnectTimedOut
        finally:
            bench.machine.guest.cont()

    def test_host_key_changed_never_connects(self, bench: Bench, tmp_path: Path) -> None:
        other = " ".join(keys.ensure_key(tmp_path).split()[:2])
        error = self.raised_by(bench.target(host_key=other))

        assert type(error) is HostKeyChanged
        assert "Nothing was sent to it" in str(error)

    def test_key_rejected(self, bench: Bench, tmp_path: Path) -> None:
        keys.ensure_key(tmp_path)
        error = self.raised_by(bench.target(state=tmp_path))

        assert type(error) is KeyRejected
        assert str(error) == "node-1 does not accept the console's key for user root."

    def test_the_scanned_key_is_the_one_on_the_machines_screen(self, bench: Bench) -> None:
        key = keys.scan_host_key("127.0.0.1", bench.target().port)

        assert str(key) == bench.machine.guest.host_key
        printed = bench.machine.sh("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")
        assert keys.matches(key, keys.parse_fingerprint_output(printed))


class TestOtherUsers:
    @pytest.fixture
    def user(self, bench: Bench) -> Target:
        """A user of the name hearth who may log in, and nothing else."""
        line = keys.authorized_keys_line(keys.ensure_key(services.state))
        bench.machine.sh(
            "id hearth 2>/dev/null || useradd --create-home --shell /bin/sh hearth; usermod --shell /bin/sh hearth; "
            f"mkdir -p ~hearth/.ssh; echo '{line}' > ~hearth/.ssh/authorized_keys; chown -R hearth: ~hearth/.ssh"
        )
        return bench.target(user="hearth")

    def test_without_sudo_there_is_no_privilege(self, user: Target) -> None:
        (problem,) = probe(Session(user)).problems
        assert type(problem) is NoPrivilege
        assert str(problem) == "User hearth may not manage LVM on node-1."

    def test_without_a_shell(self, user: Target, bench: Bench) -> None:
        control.close(user)  # sshd looks the shell up once for each connection
        bench.machine.sh("usermod --shell /usr/sbin/nologin hearth")
        with pytest.raises(NoShell, match="not available"):
            Session(user).run(["true"])

    def test_a_machine_that_has_all_it_takes(self, bench: Bench) -> None:
        found = probe(bench.session)

        assert found.problems == ()
        assert found.lvm_version.startswith("2.03.")

    def test_a_machine_without_lvm(self, bench: Bench) -> None:
        bench.machine.sh("mv /sbin/lvm /sbin/lvm.away")
        try:
            with pytest.raises(LvmMissing):
                bench.run(["lvs"])
            assert [type(problem) for problem in probe(bench.session).problems] == [LvmMissing]
        finally:
            bench.machine.sh("mv /sbin/lvm.away /sbin/lvm")
