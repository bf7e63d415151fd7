"""Units: the commands that start and end them, and the state read back."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from volumes.nodes import units
from volumes.nodes.commands import Result
from volumes.nodes.errors import UnitFailed
from volumes.nodes.unit_state import Watch, parse_watch

HEAD = "boot 5239887c-8241-4b16-be16-a59c48334989\nnow 1795452391.5\n"
BEGIN = "@begin 403 1795452072.615768\n"


def watched(rows: str, tails: str = "", extra: str = "") -> Watch:
    return parse_watch(f"{HEAD}{rows}{extra}tails\n{tails}")


def test_the_start_of_a_unit_word_for_word() -> None:
    write, run = units.start("hearth-op-1", "echo $HOME\n", ["/dev/vg/lv", "a$b"], units.Limits("/dev/vg/lv", 1000))

    assert write.argv == ("install", "-D", "-m", "600", "/dev/stdin", "/run/hearth/hearth-op-1.sh")
    assert write.stdin == units.script("unit") + "echo $HOME\n"
    assert run.allow_failure
    assert run.argv == (
        *("systemd-run", "--quiet", "--unit=hearth-op-1", "--remain-after-exit"),
        *("--property=Type=exec", "--property=StandardOutput=truncate:/run/hearth/hearth-op-1.out"),
        *("--property=TimeoutStopSec=120", "--property=Nice=10"),
        *("--property=IOSchedulingClass=best-effort", "--property=IOSchedulingPriority=7"),
        *("--property=CPUWeight=20", "--property=IOWeight=20"),
        *("--property=IOReadBandwidthMax=/dev/vg/lv 1000", "--property=IOWriteBandwidthMax=/dev/vg/lv 1000"),
        *("--", "bash", "/run/hearth/hearth-op-1.sh", "/dev/vg/lv", "a$$b"),
    )


def test_without_a_cap_there_is_none() -> None:
    words = units.start("hearth-op-1", "", [], units.Limits("/dev/vg/lv"))[1].argv

    assert not any("Bandwidth" in word for word in words)


@pytest.mark.parametrize("step", ["", "../x", "a b", "x" + "\n"])
def test_odd_unit_names_are_refused(step: str) -> None:
    with pytest.raises(ValueError, match="no name for a unit"):
        units.unit_name("../op" if not step else "op", step)


def test_starting_twice_is_starting_once() -> None:
    exists = "Failed to start transient service unit: Unit hearth-x.service was already loaded or has a fragment file."

    assert units.check_started(Result(("systemd-run",), 0, "", "", 0.1))
    assert not units.check_started(Result(("systemd-run",), 1, "", exists, 0.1))
    assert units.check_started(Result(("systemd-run",), 1, "", "", 0.1))
    with pytest.raises(UnitFailed, match="hearth-x could not be started: Failed"):
        units.check_started(Result(("systemd-run", "--unit=hearth-x"), 1, "", "Failed to start: No such device", 0.1))


def test_stop_and_clean() -> None:
    assert [c.argv for c in units.clean("hearth-x")] == [
        ("systemctl", "stop", "hearth-x.service"),
        ("systemctl", "reset-failed", "hearth-x.service"),
        ("rm", "-f", "--", *(f"/run/hearth/hearth-x.{kind}" for kind in ("sh", "out", "phase", "progress", "second"))),
    ]
    assert [c.argv for c in units.stop("hearth-x")] == [("systemctl", "stop", "hearth-x.service")]


def test_the_watch_only_looks() -> None:
    command = units.watch(["hearth-a", "hearth-b"], wait_s=0.5)

    assert command.read_only
    assert command.argv[3:] == ("watch-units", "0.5", "hearth-a", "hearth-b")


def test_a_running_unit_shows_how_far_it_is() -> None:
    tails = "==> hearth-a.progress <==\n/dev/vg/lv: Zero-filled 100 bytes from the offset 1000\n/dev/vg/lv: Zero-filled 50 bytes from the offset 1100\n"
    found = watched("unit hearth-a alive zero 1000 4000 1 blkdiscard\n", tails)

    state = found.unit("hearth-a")
    assert (state.state, state.phase, state.bytes_done, state.safe_bytes) == ("running", "zero", 1150, 1000)
    assert (found.boot_id, found.node_time_s) == ("5239887c-8241-4b16-be16-a59c48334989", 1795452391.5)


def test_two_readers_share_a_stretch() -> None:
    tails = "==> hearth-a.progress <==\n\r100 bytes (100 B) copied, 1 s\r200 bytes (200 B) copied, 2 s"
    state = watched("unit hearth-a alive verify 5000 1000 2 9999 0:500 500:500\n", tails).unit("hearth-a")

    assert (state.phase, state.bytes_done) == ("verify", 5400)


def test_a_counter_never_runs_past_its_stretch() -> None:
    tails = "==> hearth-a.progress <==\n900 bytes (900 B) copied, 1 s\n"

    assert watched("unit hearth-a alive verify 0 1000 2 1000 x\n", tails).unit("hearth-a").bytes_done == 1000


@pytest.mark.parametrize(("code", "state"), [(0, "succeeded"), (4, "failed"), (143, "stopped")])
def test_the_last_line_says_how_it_ended(code: int, state: str) -> None:
    log = f"{BEGIN}words\n\n@exit {code} 1795452073.6\n"
    found = watched("unit hearth-a over zero 0 10 1 dd\n", f"==> hearth-a.out <==\n{log}").unit("hearth-a")

    assert (found.state, found.exit_code, found.output_tail, found.ended) == (state, code, log, True)


def test_several_units_keep_their_own_logs() -> None:
    tails = f"==> hearth-a.out <==\n{BEGIN}\n@exit 0 1.0\n\n==> hearth-b.out <==\n{BEGIN}\n@exit 3 1.0\n"
    found = watched("unit hearth-a over\nunit hearth-b over\n", tails)

    assert [unit.state for unit in found.units] == ["succeeded", "failed"]
    assert found.unit("hearth-c").state == "missing"


def test_a_unit_killed_from_outside_has_failed() -> None:
    shown = "Result=signal\nId=hearth-a.service\nActiveState=failed\n\nResult=success\nId=hearth-b.service\nActiveState=active\n"
    found = watched("unit hearth-a gone zero 0 9 1 dd\nunit hearth-b gone\n", f"==> hearth-a.out <==\n{BEGIN}", shown)

    assert (found.unit("hearth-a").state, found.unit("hearth-a").reason) == ("failed", "signal")
    assert found.unit("hearth-b").state == "running", "it has not written its first line yet"


@pytest.mark.parametrize("name", ["unit", "wipe", "discard", "watch", "facts", "probe", "holders"])
def test_scripts_are_good_bash(name: str, tmp_path: Path) -> None:
    path = tmp_path / "script"
    path.write_text(units.script(name))

    subprocess.run(["bash", "-n", str(path)], check=True)
