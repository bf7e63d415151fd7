"""Which attempts are repeated, and what is raised, with a stand-in for ssh that runs the script here."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from volumes.nodes import control, locks
from volumes.nodes.commands import Command, Result, change, read
from volumes.nodes.errors import (
    CommandFailed,
    ConnectionRefused,
    HostKeyUnknown,
    NoShell,
    OutcomeUnknown,
    Unreachable,
)
from volumes.nodes.session import Session
from volumes.nodes.target import Target

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMrCiKxz4nujTVdP2Jxxi2Bvi44ETHLyG83LlKTyG5gg"
# `plan` holds one word a line, one for each call: what this call of ssh does.
SSH = """\
#!/bin/bash
exec 8>>{folder}/lock; flock 8
plan=$(head -n1 {folder}/plan); sed -i 1d {folder}/plan; echo "${{plan:-run}}" >>{folder}/calls
exec 8>&-
script=${{!#}}
case ${{plan:-run}} in
  run) exec bash -c "$script" ;;
  refuse) echo "ssh: connect to host x port 22: Connection refused" >&2; exit 255 ;;
  lost-before) echo "mux_client_request_session: read from master failed: Broken pipe" >&2; exit 255 ;;
  lost-within) bash -c "$script" | stdbuf -o0 head -c "$(cat {folder}/bytes)"; exit 255 ;;
  hang) exec sleep 60 ;;
  nologin) echo "This account is currently not available."; exit 1 ;;
esac
"""


class FakeSsh:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "bin").mkdir()
        (folder / "bin" / "ssh").write_text(SSH.format(folder=folder))
        (folder / "bin" / "ssh").chmod(0o755)
        self.plan()

    def plan(self, *calls: str, bytes_through: int = 0) -> None:
        (self.folder / "plan").write_text("".join(f"{call}\n" for call in calls))
        (self.folder / "bytes").write_text(str(bytes_through))
        (self.folder / "calls").write_text("")

    @property
    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().split()


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSsh:
    fake = FakeSsh(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setattr(control, "ensure_master", lambda target, number: None)
    return fake


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(Target(name="node-1", address="192.0.2.1", port=22, user="root", host_key=KEY, state=tmp_path))


def test_results_are_returned_and_told_as_they_come(ssh: FakeSsh, session: Session) -> None:
    told: list[Result] = []
    results = session.run(["echo", "one"], read(["echo", "two"]), on_result=told.append)

    assert [r.stdout for r in results] == ["one\n", "two\n"]
    assert told == results
    assert ssh.calls == ["run"]


def test_nothing_to_run_is_no_round_trip(ssh: FakeSsh, session: Session) -> None:
    assert session.run() == []
    assert ssh.calls == []


def test_a_failure_raises_with_what_ran_before(ssh: FakeSsh, session: Session) -> None:
    with pytest.raises(CommandFailed) as caught:
        session.run(["echo", "one"], ["false"], ["echo", "three"])

    assert [r.exit_code for r in caught.value.results] == [0, 1]
    assert caught.value.argv == ("false",)


def test_an_allowed_failure_does_not_raise_even_at_the_end(ssh: FakeSsh, session: Session) -> None:
    results = session.run(Command(("false",), allow_failure=True), ["true"], Command(("false",), allow_failure=True))

    assert [r.exit_code for r in results] == [1, 0, 1]


def test_a_change_is_repeated_when_nothing_was_sent(ssh: FakeSsh, session: Session) -> None:
    ssh.plan("lost-before")

    assert session.run(["echo", "one"])[0].stdout == "one\n"
    assert ssh.calls == ["lost-before", "run"]


def test_a_change_is_never_repeated_once_it_was_sent(ssh: FakeSsh, session: Session, tmp_path: Path) -> None:
    ssh.plan("lost-within", bytes_through=60)
    mark = tmp_path / "mark"

    with pytest.raises(OutcomeUnknown) as caught:
        session.run(["sh", "-c", f"echo x >>{mark}"])
    assert caught.value.results == []
    assert ssh.calls == ["lost-within"]
    assert mark.read_text() == "x\n"


def test_looking_is_repeated_and_tells_every_result_once(ssh: FakeSsh, session: Session) -> None:
    ssh.plan("lost-within", bytes_through=160)
    told: list[Result] = []
    results = session.run(*(read(["echo", str(n)]) for n in range(5)), on_result=told.append)

    assert [r.stdout for r in told] == [r.stdout for r in results] == [f"{n}\n" for n in range(5)]
    assert ssh.calls == ["lost-within", "run"]


def test_a_node_that_stays_away_is_unreachable(ssh: FakeSsh, session: Session) -> None:
    ssh.plan("refuse", "refuse")

    with pytest.raises(ConnectionRefused):
        session.run(["true"])


def test_time_that_runs_out_before_anything_was_sent(ssh: FakeSsh, session: Session) -> None:
    ssh.plan("hang")
    began = time.monotonic()

    with pytest.raises(Unreachable, match="no answer in time"):
        session.run(["true"], timeout_s=0.5)
    assert time.monotonic() - began < 5


def test_time_that_runs_out_in_the_middle(ssh: FakeSsh, session: Session) -> None:
    with pytest.raises(OutcomeUnknown, match="no answer in time") as caught:
        session.run(["echo", "one"], ["sleep", "60"], timeout_s=1.5)

    assert [r.stdout for r in caught.value.results] == ["one\n"]


def test_a_user_without_a_shell(ssh: FakeSsh, session: Session) -> None:
    ssh.plan("nologin")

    with pytest.raises(NoShell, match="This account is currently not available"):
        session.run(["true"])


def test_a_node_whose_key_nobody_confirmed_is_never_called(ssh: FakeSsh, tmp_path: Path) -> None:
    target = Target(name="node-1", address="192.0.2.1", port=22, user="root", host_key="", state=tmp_path)

    with pytest.raises(HostKeyUnknown):
        Session(target).run(["true"])
    assert ssh.calls == []


def test_a_crowd_waits_for_places(
    ssh: FakeSsh, session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(control, "MASTERS", 1)
    monkeypatch.setattr(control, "PLACES", 2)
    line = f"echo in >>{tmp_path}/crowd; sleep 0.1; echo out >>{tmp_path}/crowd"
    threads = [threading.Thread(target=session.run, args=(change(["sh", "-c", line]),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    inside = most = 0
    for word in (tmp_path / "crowd").read_text().split():
        inside += 1 if word == "in" else -1
        most = max(most, inside)
    assert most == 2
    assert len(ssh.calls) == 8


def test_a_place_is_free_again_after_its_holder(tmp_path: Path) -> None:
    paths = [tmp_path / "a", tmp_path / "b"]
    with locks.one_of(paths, 0.1) as first, locks.one_of(paths, 0.1) as second:
        assert (first, second) == (0, 1)
        with locks.one_of(paths, 0.05) as third:
            assert third is None
    with locks.one_of(paths, 0.1) as again:
        assert again == 0
