"""What the simulation runs is what the templates deploy: definitions, the teardown's rule, the reaper's schedule."""

from __future__ import annotations

import json
from typing import Any

from headrace.ephemeral import machine_input
from headrace.ephemeral.associations import Association
from headrace_cdk.definition import load

from tests.simulation.definitions import (
    MACHINES,
    MAX_FILE_SYSTEMS,
    MAX_HOURS,
    SUBNETS,
    TOPIC,
    definitions,
    machines,
    of_type,
    resolved,
)
from tests.simulation.faults import Faults
from tests.simulation.requests import JOB, flow_input
from tests.simulation.schedule import Schedule
from tests.simulation.simulated_event_bridge import BAD_ENDS, REAPER_PERIOD_SECONDS
from tests.simulation.simulated_step_functions import machine_arn

OUTCOME = "Step Functions Execution Status Change"


def _rules() -> dict[str, dict[str, Any]]:
    return {properties["Name"]: dict(properties) for properties in of_type("AWS::Events::Rule")}


def test_the_definitions_are_those_of_the_files_with_values_in_their_places() -> None:
    for name in MACHINES:
        plain = load(name)
        assert definitions()[name]["States"].keys() == plain.plain["States"].keys()
        assert "${" not in json.dumps(definitions()[name])
    flow = json.dumps(definitions()["ephemeral"])
    assert f"$live + 1 > {MAX_FILE_SYSTEMS}" in flow
    assert f"> {MAX_HOURS} * 3600" in flow
    assert ",".join(SUBNETS) in flow
    assert machine_arn("teardown") in flow
    assert TOPIC in json.dumps(definitions()["reaper"])


def test_the_rule_starts_the_teardown_as_the_simulated_event_bridge_does() -> None:
    """On the same ends of the flow's machine alone, with nothing but the execution's ARN, as the owner."""
    rule = _rules()["headrace-dev-teardown"]
    pattern = rule["EventPattern"]
    assert pattern["source"] == ["aws.states"]
    assert pattern["detail-type"] == [OUTCOME]
    assert pattern["detail"].keys() == {"status", "stateMachineArn"}
    assert set(pattern["detail"]["status"]) == set(BAD_ENDS)
    assert [resolved(arn) for arn in pattern["detail"]["stateMachineArn"]] == [machine_arn("ephemeral")]
    [target] = rule["Targets"]
    given = target["InputTransformer"]
    [(name, path)] = given["InputPathsMap"].items()
    assert path == "$.detail.executionArn"
    assert given["InputTemplate"] == f'{{"Owner":<{name}>}}'
    assert rule["State"] == "ENABLED"


def test_the_reaper_runs_as_often_as_in_the_simulation() -> None:
    rule = _rules()["headrace-dev-reaper"]
    assert rule["ScheduleExpression"] == f"rate({REAPER_PERIOD_SECONDS / 60:.0f} minutes)"
    assert rule["State"] == "ENABLED"


def test_the_simulated_rule_matches_the_bad_ends_alone() -> None:
    """And only those of the flow: a teardown that fails starts no other."""
    calm = Schedule(machines(), Faults(), "calm").run()
    assert calm.flow.status == "SUCCEEDED"
    assert [name.rsplit(":", 1)[1][:4] for name in calm.world.step_functions.executions if "teardown" in name] == [
        "end-"
    ]


def _shape(value: Any) -> Any:
    """Its members, at any depth, without their values."""
    if isinstance(value, dict):
        return {name: _shape(each) for name, each in value.items()}
    return [_shape(each) for each in value] if isinstance(value, list) else None


def test_the_flow_gets_what_the_launcher_makes() -> None:
    """The simulation's input has the members of the launcher's, at any depth."""
    ours = flow_input(Faults(preload=True, links=2), JOB)
    made = machine_input.flow_input(
        job_name=JOB,
        storage_capacity_gib=1200,
        subnet_id=SUBNETS[0],
        associations=[Association(path=f"/data/{n}", bucket="bucket", prefix=f"{n}/") for n in range(2)],
        ready_seconds=1904,
        lifetime_seconds=93_600,
        training_request=ours["Training"]["Request"],
        preload_request=ours["Preload"]["Request"],
    )
    assert _shape(ours) == _shape(made)
