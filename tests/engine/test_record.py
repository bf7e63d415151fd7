"""Step rows: numbered through all rounds, made once, and everything that ran is in them."""

from __future__ import annotations

import pytest

from tests.factories import NodeFactory, OperationFactory
from volumes.engine import record
from volumes.engine.protocol import Step as Plan
from volumes.engine.protocol import Unit
from volumes.models import Operation, Step
from volumes.nodes.commands import Result, change

pytestmark = pytest.mark.django_db


@pytest.fixture
def operation() -> Operation:
    return OperationFactory()


def plan(*keys: str) -> list[Plan]:
    return [Plan(key=key, title=f"Do {key}") for key in keys]


def numbers(operation: Operation) -> list[tuple[int, int, str]]:
    return list(operation.steps.values_list("round", "number", "key"))


def test_rows_are_made_once_and_found_again(operation: Operation) -> None:
    first = record.rows_for(operation, plan("one", "two"))
    again = record.rows_for(operation, plan("one", "two"))
    assert [row.pk for _, row in first] == [row.pk for _, row in again]
    assert numbers(operation) == [(1, 1, "one"), (1, 2, "two")]


def test_a_plan_that_grows_gets_the_next_numbers(operation: Operation) -> None:
    record.rows_for(operation, plan("choose"))
    record.rows_for(operation, plan("choose", "make", "wipe"))
    assert numbers(operation) == [(1, 1, "choose"), (1, 2, "make"), (1, 3, "wipe")]


def test_numbers_go_on_through_the_rounds(operation: Operation) -> None:
    record.rows_for(operation, plan("one", "two"))
    operation.round = 2
    record.rows_for(operation, plan("one", "two"))
    assert numbers(operation) == [(1, 1, "one"), (1, 2, "two"), (2, 3, "one"), (2, 4, "two")]


def test_the_page_sees_the_commands_before_they_run(operation: Operation) -> None:
    unit = Unit(
        key="wipe",
        start=lambda name, offset: [change(["start", name])],
        report=lambda state: {},
        bytes_total={"zero": 100, "verify": 50},
    )
    steps = [
        Plan(key="mark", title="Mark", commands=[change(["lvchange", "x"])]),
        Plan(key="wipe", title="Wipe", unit=unit, phase="zero"),
        Plan(key="verify", title="Verify", unit=unit, phase="verify"),
    ]
    rows = [row for _, row in record.rows_for(operation, steps)]
    assert [row.planned for row in rows] == [[["lvchange", "x"]], [["start", "hearth"]], []]
    assert [row.bytes_total for row in rows] == [None, 100, 50]


def test_a_step_that_ended_says_how_far_and_how_long(operation: Operation) -> None:
    row = Step(operation=operation, number=1, key="wipe", title="Wipe", bytes_total=100, bytes_done=60, eta_s=3.0)
    record.begin(row := _saved(row), NodeFactory(name="node-7"))
    record.end(row, Step.Status.DONE, "all zero")
    row.refresh_from_db()
    assert (row.status, row.note, row.bytes_done, row.eta_s) == ("done", "all zero", 100, None)
    assert row.node_name == "node-7"
    assert row.seconds is not None


def test_a_step_that_failed_keeps_how_far_it_came(operation: Operation) -> None:
    row = _saved(Step(operation=operation, number=1, key="wipe", title="Wipe", bytes_total=100, bytes_done=60))
    record.end(row, Step.Status.FAILED, "stopped")
    assert row.bytes_done == 60
    assert row.percent == 60.0


def test_what_ran_is_written_down_exactly_and_the_end_of_long_output_is_kept(operation: Operation) -> None:
    row = _saved(Step(operation=operation, number=1, key="make", title="Make"))
    output = "x" * record.TAIL + "No space left on device"
    record.add(row, [Result(("lvcreate", "--name", "a b"), 5, "", output, 0.12345)], NodeFactory(name="node-7"))
    row.save()
    row.refresh_from_db()
    (command,) = row.commands
    assert command["argv"] == ["lvcreate", "--name", "a b"]
    assert command["output"].endswith("No space left on device")
    assert len(command["output"]) == record.TAIL
    assert (command["exit_code"], command["seconds"], command["node"]) == (5, 0.123, "node-7")
    assert row.exit_code == 5


def test_the_results_of_one_round_trip_are_dealt_out_to_the_steps_that_asked() -> None:
    results = [Result((str(n),), 0, "", "", 0.0) for n in range(4)]
    assert [[r.argv[0] for r in part] for part in record.split(results, [2, 0, 1, 3])] == [["0", "1"], [], ["2"], ["3"]]


def _saved(row: Step) -> Step:
    row.save()
    return row
