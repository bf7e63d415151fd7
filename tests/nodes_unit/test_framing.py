"""The script for several commands in one round trip, run by real shells, and the reader of its output."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from volumes.nodes.commands import Command, Result, Secret, change, read
from volumes.nodes.framing import Batch, Reader, build

MARKER = "0123456789abcdef"


def run(*commands: Command, shell: str = "bash", noise: str = "", go: bool = True) -> Reader:
    batch = build(commands, sudo=False, marker=MARKER)
    payload = batch.payload if go else b"no\n" + batch.payload
    done = subprocess.run([shell, "-c", noise + batch.script], input=payload, capture_output=True, check=False)
    return feed(batch, done.stdout, done.stderr)


def feed(batch: Batch, out: bytes, err: bytes) -> Reader:
    reader = Reader(batch)
    reader.feed_out(out)
    reader.feed_err(err)
    reader.take(1.0)
    return reader


def echo(text: str, *, code: int = 0, allow_failure: bool = False) -> Command:
    return Command(
        ("sh", "-c", f"printf %s '{text}'; printf err-%s '{text}' >&2; exit {code}"), allow_failure=allow_failure
    )


@pytest.mark.parametrize("shell", ["bash", "dash"])
def test_every_command_keeps_its_own_output(shell: str) -> None:
    if not shutil.which(shell):
        pytest.fail(f"{shell} is part of Debian")
    reader = run(echo("one"), echo("two", code=3, allow_failure=True), echo("three"), shell=shell)

    assert [(r.stdout, r.stderr, r.exit_code) for r in reader.results] == [
        ("one", "err-one", 0),
        ("two", "err-two", 3),
        ("three", "err-three", 0),
    ]
    assert reader.complete
    assert all(r.seconds >= 0 for r in reader.results)


def test_the_first_failure_ends_the_batch() -> None:
    reader = run(echo("one"), echo("two", code=5), echo("three"))

    assert [r.exit_code for r in reader.results] == [0, 5]
    assert reader.complete


def test_arguments_arrive_as_they_are() -> None:
    odd = ["$(reboot); --force", "a b", "'", '"', "\\n", "*", "~", "", "ü\n|&"]
    reader = run(change(["printf", "<%s>", *odd]))

    assert reader.results[0].stdout == "".join(f"<{word}>" for word in odd)


def test_each_command_reads_its_own_stdin_and_no_other() -> None:
    reader = run(
        change(["cat"], stdin="first\n"),
        change(["cat"]),
        change(["cat"], stdin="x" * 100_000),
        change(["cat"], stdin="last"),
    )

    assert [r.stdout for r in reader.results] == ["first\n", "", "x" * 100_000, "last"]


def test_a_secret_is_masked_where_a_command_repeats_it() -> None:
    reader = run(change(["tee", "/dev/stderr"], stdin=Secret("hunter2\n")))

    assert reader.results[0].stdout == reader.results[0].stderr == "********\n"


def test_a_change_waits_for_the_word_go() -> None:
    reader = run(change(["echo", "done"]), go=False)

    assert reader.started
    assert reader.results == []


def test_looking_does_not_wait() -> None:
    batch = build([read(["true"])], sudo=False, marker=MARKER)

    assert batch.payload == b""
    assert "read -r" not in batch.script


def test_noise_of_the_login_shell_is_no_output() -> None:
    reader = run(echo("one"), noise="echo welcome; echo warning >&2; ")

    assert reader.results[0].stdout == "one"
    assert reader.results[0].stderr == "err-one"
    assert "warning" in reader.noise


def test_output_cannot_pose_as_a_frame() -> None:
    fake = f"\n{'f' * 16} 0 0 1 2\n"
    reader = run(change(["printf", "%s", fake]), change(["echo", "next"]))

    assert [r.stdout for r in reader.results] == [fake, "next\n"]


def test_results_come_one_by_one_in_whatever_pieces_they_arrive() -> None:
    batch = build([echo("one"), echo("two")], sudo=False, marker=MARKER)
    done = subprocess.run(["bash", "-c", batch.script], input=batch.payload, capture_output=True, check=False)
    reader, seen = Reader(batch), list[Result]()
    reader.feed_err(done.stderr)
    for number in range(len(done.stdout)):
        reader.feed_out(done.stdout[number : number + 1])
        seen += reader.take(1.0)

    assert [r.stdout for r in seen] == ["one", "two"]


def test_a_cut_connection_leaves_what_came_before() -> None:
    batch = build([echo("one"), echo("two")], sudo=False, marker=MARKER)
    done = subprocess.run(["bash", "-c", batch.script], input=batch.payload, capture_output=True, check=False)
    reader = feed(batch, done.stdout[:-8], done.stderr)

    assert [r.stdout for r in reader.results] == ["one"]
    assert not reader.complete


def test_only_privileged_commands_get_sudo() -> None:
    batch = build([read(["lvs"]), read(["uptime"], privileged=False)], sudo=True, marker=MARKER)

    assert batch.argvs == (("sudo", "-n", "--", "lvs"), ("uptime",))
    assert "sudo -n -- lvs </dev/null; e 0" in batch.script
    assert "\nuptime </dev/null; e 1" in batch.script
