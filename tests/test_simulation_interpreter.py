"""The simulation's interpreter of Amazon States Language: a corpus that the embedded AWS runs too, and its limits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from tests.simulation.clock import Clock
from tests.simulation.definitions import machines
from tests.simulation.faults import CallFaults, Faults
from tests.simulation.interpreter import Execution
from tests.simulation.machine import DefinitionError, Machine
from tests.simulation.simulated_step_functions import SimulatedStepFunctions
from tests.simulation.world import World
from tests.state_machines import Machines

CORPUS = yaml.safe_load((Path(__file__).parent / "simulation" / "corpus.yaml").read_text(encoding="utf-8"))["machines"]
HELD_TOO = [row for row in CORPUS if "embedded" not in row]
MISSING = {
    "Type": "Task",
    "Resource": "arn:aws:states:::aws-sdk:fsx:describeFileSystems",
    "Arguments": {"FileSystemIds": ["fs-00000000000000000"]},
}


def _definition(states: Mapping[str, Any], **members: Any) -> dict[str, Any]:
    return {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states, **members}


def _run(states: Mapping[str, Any], given: Any = None, plan: Faults | None = None, **members: Any) -> Execution:
    """The execution of a machine of these states, in a world of its own, when it is over."""
    made = Machine.compiled("ephemeral", _definition(states, **members))
    world = World({"ephemeral": made, "teardown": _NOTHING}, plan or Faults(), "a test")
    execution = world.step_functions.start("ephemeral", "run", {} if given is None else given)
    world.clock.run_until(world.clock.start + 10_000_000, lambda: execution.status != "RUNNING")
    return execution


_NOTHING = Machine.compiled("teardown", _definition({"Nothing": {"Type": "Succeed"}}))


def _judge(row: Mapping[str, Any], status: str, output: Any, error: str | None, cause: str | None) -> None:
    if "output" in row:
        assert (status, error) == ("SUCCEEDED", None), cause
        assert output == row["output"]
    else:
        assert (status, error) == (row.get("status", "FAILED"), row["error"]), cause
        assert row.get("cause", "") in (cause or "")


@pytest.mark.parametrize("row", CORPUS, ids=lambda row: row["name"])
def test_a_small_machine_ends_as_the_specification_says(row: Mapping[str, Any]) -> None:
    execution = _run(row["states"], row.get("input"), **row.get("members", {}))
    _judge(row, execution.status, execution.output, execution.error, execution.cause)


@pytest.mark.parametrize("row", HELD_TOO, ids=lambda row: row["name"])
def test_it_ends_so_in_the_embedded_aws_too(aws_session: boto3.Session, row: Mapping[str, Any]) -> None:
    """Two interpreters, made apart from each other, agree."""
    ended = Machines(aws_session).run(row["states"], row.get("input"), **row.get("members", {}))
    output = json.loads(ended["output"]) if "output" in ended else None
    _judge(row, ended["status"], output, ended.get("error"), ended.get("cause"))


def test_every_retrier_has_a_count_and_delays_of_its_own() -> None:
    """The third attempt of a retrier waits its interval twice multiplied, never longer than its longest delay."""
    retriers = [
        {"ErrorEquals": ["FSx.FSxException"], "IntervalSeconds": 5, "MaxAttempts": 2, "BackoffRate": 3},
        {
            "ErrorEquals": ["States.ALL"],
            "IntervalSeconds": 10,
            "MaxAttempts": 4,
            "BackoffRate": 2,
            "MaxDelaySeconds": 25,
        },
    ]
    throttled = Faults(calls=(CallFaults(throttled=1.0, at_most=2),))
    execution = _run({"One": {**MISSING, "Retry": retriers, "End": True}}, plan=throttled)
    assert execution.error == "FSx.FileSystemNotFoundException"
    waited = 5 + 15 + 10 + 20 + 25 + 25
    assert execution.stopped is not None
    assert waited < execution.stopped - execution.started < waited + 7 * 0.4 + 0.1
    assert execution.events == 1 + 2 + 7 * 3


@pytest.mark.parametrize("fault", [CallFaults(lost=1.0), CallFaults(unanswered=1.0)])
def test_a_call_that_nobody_answers_ends_with_the_time_out_of_its_state(fault: CallFaults) -> None:
    execution = _run({"One": {**MISSING, "TimeoutSeconds": 7, "End": True}}, plan=Faults(calls=(fault,)))
    assert execution.error == "States.Timeout"
    assert execution.stopped is not None
    assert execution.stopped - execution.started == pytest.approx(7.05)


def test_the_history_holds_25_000_events() -> None:
    """Three states of two events each for every round; what reaches the limit fails, and nothing catches it."""
    states = {
        "Work": {
            "Type": "Parallel",
            "Branches": [
                {
                    "StartAt": "A",
                    "States": {
                        "A": {"Type": "Wait", "Seconds": 1, "Next": "B"},
                        "B": {"Type": "Pass", "Next": "A"},
                    },
                }
            ],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
            "End": True,
        },
        "Caught": {"Type": "Succeed"},
    }
    execution = _run(states)
    assert (execution.error, execution.events) == ("States.Runtime", 25_001)
    assert execution.stopped is not None
    assert execution.stopped - execution.started == pytest.approx(6248, abs=3)


def test_events_are_counted_as_step_functions_writes_them() -> None:
    """A Wait 2, a Choice 2, a Task 5, a Succeed 2, a Map 4 and 2 for each item; one for the start."""
    states = {
        "A": {"Type": "Wait", "Seconds": 1, "Next": "B"},
        "B": {"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "C"}]},
        "C": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sagemaker:listTrainingJobs",
            "Arguments": {},
            "Next": "D",
        },
        "D": {
            "Type": "Map",
            "Items": [1, 2],
            "ItemProcessor": {"StartAt": "E", "States": {"E": {"Type": "Pass", "End": True}}},
            "Next": "F",
        },
        "F": {"Type": "Succeed"},
    }
    assert _run(states).events == 1 + 2 + 2 + 5 + (4 + 2 * 2 + 2 * 2) + 2


@pytest.mark.parametrize(
    ("states", "what"),
    [
        ({"A": {"Type": "Pass", "Next": "B"}}, "no state 'B'"),
        ({"A": {"Type": "Pass"}}, "either Next or End"),
        ({"A": {"Type": "Pass", "Paramters": {}, "End": True}}, "Paramters"),
        ({"A": {"Type": "Wait", "SecondsPath": "$.a", "End": True}}, "SecondsPath"),
        ({"A": {"Type": "Pass", "Output": "{% ( %}", "End": True}}, "JSONata"),
        (
            {
                "A": {"Type": "Pass", "Assign": {"x": 1}, "Next": "B"},
                "B": {
                    "Type": "Parallel",
                    "Branches": [{"StartAt": "C", "States": {"C": {"Type": "Pass", "Assign": {"x": 2}, "End": True}}}],
                    "End": True,
                },
            },
            "outer scope",
        ),
    ],
)
def test_what_step_functions_would_not_create_does_not_run(states: Mapping[str, Any], what: str) -> None:
    with pytest.raises((DefinitionError, ValueError), match=what):
        Machine.compiled("a", _definition(states))


def test_an_execution_of_a_name_is_started_once() -> None:
    """The same input while it runs is the same execution; else the name is taken."""
    world = World(machines(), Faults(), "a test")
    services: SimulatedStepFunctions = world.step_functions
    first = {"StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:headrace-dev-teardown", "Name": "a"}
    one = services.start_execution({**first, "Input": '{"Owner": "x"}'}, None)
    assert services.start_execution({**first, "Input": '{"Owner":"x"}'}, None) == one
    with pytest.raises(Exception, match="ExecutionAlreadyExistsException"):
        services.start_execution({**first, "Input": '{"Owner": "y"}'}, None)


def test_the_clock_keeps_the_order_of_what_happens_at_once() -> None:
    clock, happened = Clock(), list[str]()
    clock.call_later(5, lambda: happened.append("b"))
    clock.call_later(1, lambda: happened.append("a"))
    clock.call_later(5, lambda: happened.append("c"))
    cancelled = clock.call_later(2, lambda: happened.append("never"))
    cancelled.cancel()
    clock.run_until(clock.start + 10)
    assert happened == ["a", "b", "c"]
    assert clock.now == clock.start + 10
