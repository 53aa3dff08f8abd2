"""EventBridge in the embedded AWS: what services tell of themselves, and the machines that rules start."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import boto3
import pytest
from headrace_local.moto_extension.events.target_input import input_of

from tests.state_machines import Machines, output_of
from tests.training_jobs import until

EVENT = {
    "id": "7d7c3a0e-0000-4000-8000-000000000000",
    "time": 1795688100,
    "source": "aws.states",
    "detail": {
        "executionArn": "arn:x:y",
        "n": 2,
        "list": ["a"],
        "quoted": 'say "hi"',
        "status-details": {"status": "OK"},
    },
}


@pytest.fixture
def machines(aws_session: boto3.Session) -> Machines:
    """Step Functions of the embedded AWS."""
    return Machines(aws_session)


@pytest.fixture
def rule(aws_session: boto3.Session) -> Callable[..., str]:
    """Makes a rule of the default bus with one target; gives its name."""
    events = aws_session.client("events")

    def make(target: str, pattern: Any = None, state: str = "ENABLED", **members: Any) -> str:
        name = f"rule-{uuid4().hex[:12]}"
        when = {"EventPattern": json.dumps(pattern)} if pattern else {"ScheduleExpression": "rate(15 minutes)"}
        events.put_rule(Name=name, State=state, **when)
        arn = "arn:aws:iam::123456789012:role/rule"
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": target, "RoleArn": arn, **members}])
        return name

    return make


def _inputs(machines: Machines, machine: str, count: int) -> list[Any]:
    """What executions of a machine were given, when there are so many, the oldest first."""
    found: list[Any] = []

    def is_there() -> bool:
        executions = machines.client.list_executions(stateMachineArn=machine)["executions"]
        arns = [each["executionArn"] for each in sorted(executions, key=lambda each: each["startDate"])]
        found[:] = [json.loads(machines.client.describe_execution(executionArn=each)["input"]) for each in arns]
        return len(found) >= count

    until(is_there, 10)
    return found


HOLD = {"Type": "Wait", "Timestamp": "2099-01-01T00:00:00Z", "End": True}
FAIL = {"Type": "Fail", "Error": "Test.Failed", "Cause": "told to"}


def test_a_rule_starts_a_machine_when_an_execution_ends_badly(machines: Machines, rule: Callable[..., str]) -> None:
    """FAILED, TIMED_OUT and ABORTED of one machine, with the execution's ARN as the input; nothing of another's."""
    teardown = machines.make({"End": output_of("{% $states.input %}")})
    failing, holding, timing = (
        machines.make({"A": FAIL}),
        machines.make({"A": HOLD}),
        machines.make({"A": HOLD}, TimeoutSeconds=1),
    )
    pattern = {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {"stateMachineArn": [failing, holding, timing], "status": ["FAILED", "TIMED_OUT", "ABORTED"]},
    }
    paths = {"owner": "$.detail.executionArn"}
    rule(teardown, pattern, InputTransformer={"InputPathsMap": paths, "InputTemplate": '{"Owner": <owner>}'})
    other = machines.start(machines.make({"A": FAIL}))
    started = [machines.start(each) for each in (failing, holding, timing)]
    machines.client.stop_execution(executionArn=started[1])
    given = _inputs(machines, teardown, 3)
    assert sorted(each["Owner"] for each in given) == sorted(started)
    assert other not in str(given)


def test_what_is_told_of_an_execution(machines: Machines, rule: Callable[..., str]) -> None:
    """All of it, where the target has no input of its own."""
    listener = machines.make({"End": {"Type": "Succeed"}})
    told = machines.make({"End": output_of("{% $states.input.a + 1 %}")})
    rule(listener, {"source": ["aws.states"], "detail": {"stateMachineArn": [told]}})
    execution = machines.start(told, {"a": 1}, name="mine")
    running, succeeded = _inputs(machines, listener, 2)
    assert [each["detail"]["status"] for each in (running, succeeded)] == ["RUNNING", "SUCCEEDED"]
    assert (succeeded["detail-type"], succeeded["resources"]) == ("Step Functions Execution Status Change", [execution])
    detail = succeeded["detail"]
    assert (detail["executionArn"], detail["name"], detail["stateMachineArn"]) == (execution, "mine", told)
    assert (detail["input"], detail["output"]) == ('{"a": 1}', "2")
    assert detail["inputDetails"] == {"included": True}
    assert detail["startDate"] <= detail["stopDate"]


def test_a_rule_that_is_off_or_has_a_schedule_starts_nothing(machines: Machines, rule: Callable[..., str]) -> None:
    """moto takes a schedule for a pattern that everything matches."""
    machine, told = machines.make({"End": {"Type": "Succeed"}}), machines.make({"End": {"Type": "Succeed"}})
    pattern = {"source": ["aws.states"], "detail": {"stateMachineArn": [told]}}
    rule(machine, pattern, state="DISABLED")
    rule(machine)
    seen = machines.make({"End": {"Type": "Succeed"}})
    rule(seen, pattern)
    machines.start(told)
    assert len(_inputs(machines, seen, 2)) == 2
    assert _inputs(machines, machine, 0) == []


def test_a_stack_tells_when_it_is_complete(
    machines: Machines, rule: Callable[..., str], aws_session: boto3.Session
) -> None:
    """CREATE_COMPLETE and UPDATE_COMPLETE of CloudFormation, by the stack's id."""
    listener, cloudformation = machines.make({"End": {"Type": "Succeed"}}), aws_session.client("cloudformation")
    name = f"stack-{uuid4().hex[:12]}"
    pattern = {
        "source": ["aws.cloudformation"],
        "detail-type": ["CloudFormation Stack Status Change"],
        "detail": {
            "stack-id": [{"prefix": f"arn:aws:cloudformation:us-east-1:123456789012:stack/{name}/"}],
            "status-details": {"status": ["CREATE_COMPLETE", "UPDATE_COMPLETE"]},
        },
    }
    rule(listener, pattern, InputPath="$.detail")
    groups = {f"Group{number}": {"Type": "AWS::Logs::LogGroup"} for number in range(2)}
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {"Group0": groups["Group0"]}}))
    cloudformation.update_stack(StackName=name, TemplateBody=json.dumps({"Resources": groups}))
    given = _inputs(machines, listener, 2)
    assert [each["status-details"]["status"] for each in given] == ["CREATE_COMPLETE", "UPDATE_COMPLETE"]
    stack_id = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
    assert {each["stack-id"] for each in given} == {stack_id}


def _transformer(template: str, **paths: str) -> dict[str, Any]:
    return {"InputTransformer": {"InputTemplate": template, "InputPathsMap": paths}}


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ({"Input": '{"a": 1}'}, '{"a": 1}'),
        ({"InputPath": "$.detail.list"}, '["a"]'),
        ({"InputPath": "$.detail.status-details.status"}, '"OK"'),
        (_transformer('{"x": <n>, "y": "is <n>"}', n="$.detail.n"), '{"x": 2, "y": "is 2"}'),
        (_transformer('{"x":<q>,"y":"<q>"}', q="$.detail.quoted"), '{"x":"say \\"hi\\"","y":"say \\"hi\\""}'),
        (_transformer('{"x": <none>}', none="$.detail.none"), '{"x": null}'),
        (_transformer('{"x": <a>}', a="$.time"), '{"x": "2026-11-26T10:15:00Z"}'),
        (_transformer('{"x": "<unknown>"}'), '{"x": "<unknown>"}'),
    ],
)
def test_what_a_target_is_given(target: dict[str, Any], text: str) -> None:
    """A constant, a part, or a text with parts in it, with quotation marks where JSON wants them."""
    assert input_of(target, EVENT) == text


def test_a_target_is_given_the_event_where_nothing_else_is_said() -> None:
    """With the time as the service writes it."""
    assert json.loads(input_of({}, EVENT)) == {**EVENT, "time": "2026-11-26T10:15:00Z"}
