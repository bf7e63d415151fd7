"""Commands, results and secrets."""

from __future__ import annotations

import pytest

from volumes.nodes.commands import Command, Result, Secret, as_command, change, read


def test_a_secret_shows_itself_to_reveal_only() -> None:
    secret = Secret("hunter2")

    assert secret.reveal() == "hunter2"
    assert "hunter2" not in f"{secret} {secret!r} {secret:>20} {Command(('x',), stdin=secret)!r}"


def test_a_secret_is_refused_as_an_argument() -> None:
    with pytest.raises(TypeError, match="goes by stdin"):
        Command(("chap", Secret("hunter2")))  # type: ignore[arg-type]


def test_a_line_for_a_shell_is_refused() -> None:
    with pytest.raises(TypeError, match="list of words"):
        as_command("lvs -a")


@pytest.mark.parametrize("argv", [(), ("echo", "a\0b")])
def test_what_no_kernel_takes_is_refused(argv: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"program|NUL"):
        Command(argv)


def test_read_may_be_repeated_and_change_may_not() -> None:
    assert read(["lvs"]).read_only
    assert not change(["lvremove"]).read_only


def test_the_program_is_found_behind_sudo() -> None:
    assert Result(("sudo", "-n", "--", "/sbin/lvs", "-a"), 0, "", "", 0.1).program == "lvs"
    assert Result(("lvs", "-a"), 0, "", "", 0.1).program == "lvs"


def test_a_command_prints_as_one_would_type_it() -> None:
    assert str(change(["lvcreate", "--name", "$(reboot); --force", "vg"])) == "lvcreate --name '$(reboot); --force' vg"
