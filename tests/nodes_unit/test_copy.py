"""The verdict over copies and digests, from the logs of their units: nothing is taken on trust."""

from __future__ import annotations

import pytest

from volumes.nodes import copy
from volumes.nodes.unit_state import UnitState

ONE, OTHER = "0" * 32, "f" * 32


def ended(log: str, *, code: int = 0) -> UnitState:
    return UnitState("hearth-x-1", "succeeded" if code == 0 else "failed", code, log)


def test_a_copy_is_good_when_what_was_read_reads_back() -> None:
    assert copy.copied(ended(f"@read {ONE}\n@written {ONE}\n@verdict same\n")) == ONE


@pytest.mark.parametrize(
    "log",
    [
        f"@read {ONE}\n@written {ONE}\n",
        f"@read {ONE}\n@verdict same\n",
        "@verdict same\n",
        f"@read {ONE}\n@written {OTHER}\n@verdict same\n",
    ],
    ids=["no verdict", "nothing read back", "no digests", "digests that differ"],
)
def test_a_copy_without_proof_is_none(log: str) -> None:
    with pytest.raises(copy.CopyFailed):
        copy.copied(ended(log))


def test_what_reads_back_as_something_else_says_both_digests() -> None:
    with pytest.raises(copy.CopyDiffers, match=f"{ONE} was wanted, {OTHER} was found"):
        copy.copied(ended(f"@read {ONE}\n@written {OTHER}\n@verdict different\n", code=4))


def test_a_copy_that_broke_off_says_what_dd_said() -> None:
    log = "dd: error reading '/dev/vg/s': Input/output error\n@failed the copy broke off\n"
    with pytest.raises(copy.CopyFailed, match="error reading '/dev/vg/s': Input/output error"):
        copy.copied(ended(log, code=3))


def test_a_digest_has_to_be_the_one_that_is_wanted() -> None:
    assert copy.digested(ended(f"@digest {ONE}\n")) == ONE
    with pytest.raises(copy.CopyDiffers):
        copy.digested(ended(f"@digest {OTHER}\n", code=4), wanted=ONE)
    with pytest.raises(copy.CopyFailed, match="it is not a block device"):
        copy.digested(ended("@failed it is not a block device\n", code=3))


def test_nothing_is_left_out_unless_the_target_is_fresh_and_thin() -> None:
    def words(*, sparse: bool) -> list[str]:
        return list(copy.copy("hearth-x-1", "/dev/a/s", "/dev/a/t", 1024, sparse=sparse)[1].argv)

    assert words(sparse=False)[-5:] == ["/dev/a/s", "/dev/a/t", "1024", "4194304", ""]
    assert words(sparse=True)[-1] == "sparse,"
