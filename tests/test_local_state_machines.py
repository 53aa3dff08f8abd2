"""Step Functions in the embedded AWS: what a machine may rely on.

Each test names a repair of moto and fails when it is gone, or guards what the platform's machines rely on.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from headrace_local.moto_extension.stepfunctions import executions, failures
from headrace_local.moto_extension.stepfunctions.failures import is_met
from headrace_local.moto_extension.stepfunctions.sdk_names import java_name
from headrace_local.moto_extension.stepfunctions.waits import shortened
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.evaluation_details import AWSExecutionDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext
from moto.stepfunctions.parser.asl.eval.program_state import ProgramError, ProgramStopped
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

from tests.state_machines import ROLE, Machines, output_of

NO_FILE_SYSTEM = {
    "Type": "Task",
    "Resource": "arn:aws:states:::aws-sdk:fsx:describeFileSystems",
    "Arguments": {"FileSystemIds": ["fs-00000000000000000"]},
}
ALL = {"ErrorEquals": ["States.ALL"]}


@pytest.fixture
def machines(aws_session: boto3.Session) -> Machines:
    """Step Functions of the embedded AWS."""
    return Machines(aws_session)


def _task(resource: str, arguments: Any, **members: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": f"arn:aws:states:::aws-sdk:{resource}", "Arguments": arguments, **members}


def _fail(error: str = "Test.Failed", cause: str = "told to") -> dict[str, Any]:
    return {"Type": "Fail", "Error": error, "Cause": cause}


def _parallel(states: Mapping[str, Any], **members: Any) -> dict[str, Any]:
    return {"Type": "Parallel", "Branches": [{"StartAt": next(iter(states)), "States": states}], **members}


def test_a_choice_goes_where_its_condition_leads(machines: Machines) -> None:
    """Rules may assign and give an output; Default takes the rest."""
    rule = {
        "Condition": "{% $states.input.n > 1 %}",
        "Assign": {"many": True},
        "Output": {"from": "rule"},
        "Next": "End",
    }
    states = {
        "First": {"Type": "Pass", "Assign": {"many": False}, "Next": "Which"},
        "Which": {"Type": "Choice", "Choices": [rule], "Default": "End"},
        "End": output_of({"many": "{% $many %}", "input": "{% $states.input %}"}),
    }
    assert machines.output(states, {"n": 2}) == {"many": True, "input": {"from": "rule"}}
    assert machines.output(states, {"n": 1}) == {"many": False, "input": {"n": 1}}


def test_a_choice_on_something_that_is_no_boolean_fails(machines: Machines) -> None:
    """A condition must be true or false."""
    states = {
        "Which": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $states.input.n %}", "Next": "End"}],
            "Default": "End",
        },
        "End": {"Type": "Succeed"},
    }
    assert machines.run(states, {"n": "yes"})["error"] == "States.QueryEvaluationError"


def test_assign_is_simultaneous_and_output_sees_what_was_before(machines: Machines) -> None:
    """moto lets Output see the new values."""
    states = {
        "First": {"Type": "Pass", "Assign": {"a": 1, "b": 2}, "Next": "Swap"},
        "Swap": {
            "Type": "Pass",
            "Assign": {"a": "{% $b %}", "b": "{% $a %}"},
            "Output": {"before": "{% [$a, $b] %}"},
            "Next": "End",
        },
        "End": output_of("{% $merge([$states.input, {'after': [$a, $b]}]) %}"),
    }
    assert machines.output(states) == {"before": [1, 2], "after": [2, 1]}


def test_the_same_of_a_task_and_of_what_it_catches(machines: Machines, aws_session: boto3.Session) -> None:
    """Assign and Output of a Task, of a Catch and of a Choice rule look at the same moment."""
    seen = {"a": "{% $a %}"}
    caught = {**ALL, "Assign": {"a": 3, "error": "{% $states.errorOutput %}"}, "Output": seen, "Next": "Which"}
    rule = {"Condition": "{% $a = 3 %}", "Assign": {"a": 4}, "Output": {"sees": "{% [$states.input.a, $a] %}"}}
    states = {
        "First": {"Type": "Pass", "Assign": {"a": 1}, "Next": "Describe"},
        "Describe": _task("fsx:describeFileSystems", {}, Assign={"a": 2}, Output=seen, Next="Wrong"),
        "Wrong": {**NO_FILE_SYSTEM, "Catch": [caught], "End": True},
        "Which": {"Type": "Choice", "Choices": [{**rule, "Next": "End"}]},
        "End": output_of({"sees": "{% $states.input.sees %}", "a": "{% $a %}", "error": "{% $error.Error %}"}),
    }
    assert machines.output(states) == {"sees": [2, 3], "a": 4, "error": "FSx.FileSystemNotFoundException"}


def test_values_that_would_end_a_text_are_values(machines: Machines) -> None:
    """moto writes them into the expression as they are."""
    value = {"text": 'a "quoted" \\ line\nand another {% x %} ü', "none": None, "list": [], "one": [1], "number": 1.5}
    states = {
        "First": {"Type": "Pass", "Assign": {"v": "{% $states.input %}"}, "Next": "End"},
        "End": output_of("{% $v %}"),
    }
    assert machines.output(states, value) == value


def test_texts_that_are_assigned_as_they_stand_are_json(machines: Machines) -> None:
    """With line breaks, quotation marks, and what a shell has for variables."""
    given = {"script": 'p=\\$p\n[ "$p" ] ||\texec ${p} # ü \U0001f600', "$": ["$.x", "$$", "\\"]}
    states = {"First": {"Type": "Pass", "Assign": {"given": given}, "Next": "End"}, "End": output_of("{% $given %}")}
    assert machines.output(states) == given


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$hash('abc', 'SHA-256')", hashlib.sha256(b"abc").hexdigest()),
        ("$hash('abc', 'MD5')", hashlib.md5(b"abc").hexdigest()),  # noqa: S324
        ("$substring($hash('a-1', 'SHA-256'), 0, 40)", hashlib.sha256(b"a-1").hexdigest()[:40]),
        ("$parse('{\"a\": [1, null]}')", {"a": [1, None]}),
        ("$toMillis('2026-11-26T10:15:00.123Z')", 1795688100123),
        ("$toMillis('2026-11-26T10:15:00Z')", 1795688100000),
        ("$fromMillis(1795688100123)", "2026-11-26T10:15:00.123Z"),
        ("$partition([1..5], 2)", [[1, 2], [3, 4], [5]]),
        ("$range(0, 4, 2)", [0, 2, 4]),
        ("[1..3]", [1, 2, 3]),
        ("$map([1..3], function($n){ $n * 2 })", [2, 4, 6]),
        ("10 / 2", 5),
        ("[{'a': 1}][a = 1]", {"a": 1}),
        ("[[{'a': 1}][a = 1]]", [{"a": 1}]),
        ("$count([])", 0),
        ("$exists($states.errorOutput)", False),
        ("$exists($nothing)", False),
        ("null = null", True),
        ("$match('a-1', /-[0-9]$/) ? 'yes' : 'no'", "yes"),
        ("$contains('States.Timeout', /^States[.]/)", True),
        ("$string({'a': null})", '{"a":null}'),
        ("$lookup({'a': 1}, 'a')", 1),
        ("$max([1, 3, 2])", 3),
        ("$merge([{'a': 1}, {'b': [2]}])", {"a": 1, "b": [2]}),
        ("$type($random()) & $type($random(7)) & $type($millis())", "numbernumbernumber"),
    ],
)
def test_functions(machines: Machines, expression: str, value: Any) -> None:
    """Those of JSONata and those of Step Functions; moto lacks $hash and $uuid."""
    assert machines.output({"End": output_of(f"{{% {expression} %}}")}) == value


def test_functions_of_chance_and_time(machines: Machines) -> None:
    """$uuid and $now are what they are called."""
    found = machines.output({"End": output_of({"uuid": "{% $uuid() %}", "now": "{% $now() %}"})})
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", found["uuid"])
    assert abs(datetime.fromisoformat(found["now"]) - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("expression", "cause"),
    [
        ("$states.input.nothing", "returned nothing"),
        ("$error('mine')", "mine"),
        ("$toMillis('never')", "threw an error"),
        ("$hash('abc', 'CRC')", "allowed: MD5, SHA-1"),
        ("function($x){ $x }", "unsupported result type"),
        ("$eval('1')", "threw an error"),
        ("1 + 'a'", "threw an error"),
    ],
)
def test_an_expression_that_fails_is_a_query_evaluation_error(machines: Machines, expression: str, cause: str) -> None:
    """moto calls an exception States.Runtime."""
    ended = machines.run({"End": output_of(f"{{% {expression} %}}")})
    assert (ended["status"], ended["error"]) == ("FAILED", "States.QueryEvaluationError")
    assert cause in ended["cause"]


@pytest.mark.parametrize("field", ["Arguments", "Assign", "Output"])
def test_a_catch_sees_an_expression_that_fails(machines: Machines, field: str) -> None:
    """Wherever in the state it stands."""
    task = _task(
        "fsx:describeFileSystems", {}, Catch=[{**ALL, "Output": "{% $states.errorOutput.Error %}", "Next": "End"}]
    )
    states = {"Describe": task | {field: {"X": "{% $error('mine') %}"}, "End": True}, "End": {"Type": "Succeed"}}
    assert machines.output(states) == "States.QueryEvaluationError"


def test_one_catch_around_everything(machines: Machines) -> None:
    """A Parallel of one branch catches what Choice, Pass and Wait raise, and its branch's errors by their names."""
    caught = {**ALL, "Assign": {"error": "{% $states.errorOutput %}"}, "Next": "End"}
    for name, state in {
        "States.QueryEvaluationError": output_of("{% $error('mine') %}"),
        "Test.Failed": _fail(),
        "FSx.FileSystemNotFoundException": {**NO_FILE_SYSTEM, "End": True},
    }.items():
        states = {"Work": _parallel({"Inner": state}, Catch=[caught], End=True), "End": output_of("{% $error.Error %}")}
        assert machines.output(states) == name


def test_nothing_catches_a_runtime_error(machines: Machines) -> None:
    """moto lets States.ALL catch it, in a Parallel too."""
    unknown = _task(
        "fsx:describeFileSystems", {"NoSuchField": 1}, Catch=[{**ALL, "Next": "End"}], Retry=[ALL], Next="End"
    )
    end = {"Type": "Succeed"}
    for states in (
        {"Describe": unknown, "End": end},
        {"Work": _parallel({"Describe": unknown, "End": end}, Catch=[{**ALL, "Next": "End"}], End=True), "End": end},
    ):
        ended = machines.run(states)
        assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")
        assert "The field 'NoSuchField' is not supported" in ended["cause"]


def test_a_state_holds_256_kib(machines: Machines) -> None:
    """What is more is States.DataLimitExceeded, which States.ALL does not catch."""
    caught = {**ALL, "Next": "End"}
    states = {
        "Work": _parallel({"Big": output_of("{% $pad('', 262144, 'x') %}")}, Catch=[caught], End=True),
        "End": {"Type": "Succeed"},
    }
    ended = machines.run(states)
    assert (ended["status"], ended["error"]) == ("FAILED", "States.DataLimitExceeded")


@pytest.mark.parametrize(
    ("error_equals", "name", "met"),
    [
        (["States.ALL"], "FSx.BadRequestException", True),
        (["States.ALL"], "States.Timeout", True),
        (["States.ALL"], "States.QueryEvaluationError", True),
        (["States.ALL"], "", True),
        (["States.ALL"], "States.Runtime", False),
        (["States.ALL"], "States.DataLimitExceeded", False),
        (["States.Runtime"], "States.Runtime", False),
        (["States.DataLimitExceeded"], "States.DataLimitExceeded", True),
        (["States.TaskFailed"], "FSx.BadRequestException", True),
        (["States.TaskFailed"], "States.Timeout", False),
        (["FSx.BadRequestException"], "FSx.FSxException", False),
    ],
)
def test_which_errors_a_list_covers(error_equals: list[str], name: str, met: bool) -> None:
    """The wildcards are not all of it."""
    assert is_met(error_equals, name) is met


def test_a_fail_raises_what_its_expressions_say(machines: Machines) -> None:
    """Error and Cause may be JSONata; renaming what begins with States."""
    renamed = "{% $contains($e.Error, /^States[.]/) ? 'Ephemeral.' & $substringAfter($e.Error, '.') : $e.Error %}"
    states = {
        "Set": {"Type": "Pass", "Assign": {"e": "{% $states.input %}"}, "Next": "Raise"},
        "Raise": _fail(renamed, "{% $e.Cause %}"),
    }
    for given, shown in {"States.Timeout": "Ephemeral.Timeout", "FSx.FSxException": "FSx.FSxException"}.items():
        ended = machines.run(states, {"Error": given, "Cause": "late"})
        assert (ended["error"], ended["cause"]) == (shown, "late")


def test_retries_are_as_many_as_asked_and_do_not_wait_long(machines: Machines) -> None:
    """With delays of minutes; the first retrier that covers the error decides."""
    first = {"ErrorEquals": ["FSx.FileSystemNotFoundException"], "MaxAttempts": 2, "IntervalSeconds": 300}
    timing = {"BackoffRate": 2, "MaxDelaySeconds": 600, "JitterStrategy": "FULL"}
    never = {**first, "MaxAttempts": 0}
    for retry, attempts in (([first | timing, {**ALL, "MaxAttempts": 9}], 3), ([never, {**ALL, "MaxAttempts": 9}], 1)):
        states = {
            "Describe": {**NO_FILE_SYSTEM, "Retry": retry, "Catch": [{**ALL, "Next": "End"}], "End": True},
            "End": output_of(0),
        }
        execution = machines.start(machines.make(states))
        assert machines.end(execution)["status"] == "SUCCEEDED"
        events = machines.client.get_execution_history(executionArn=execution, maxResults=1000)["events"]
        assert [each["type"] for each in events].count("TaskScheduled") == attempts


def test_the_context_tells_of_execution_and_state(machines: Machines) -> None:
    """Instants in UTC with milliseconds and Z; moto has them as Python writes them."""
    machine = machines.make(
        {"Wait": {"Type": "Wait", "Seconds": 1, "Next": "End"}, "End": output_of("{% $states.context %}")}
    )
    execution = machines.start(machine, {"a": 1}, name="mine")
    context = json.loads(machines.end(execution)["output"])
    assert context["Execution"]["Id"] == execution
    assert (context["Execution"]["Name"], context["Execution"]["Input"]) == ("mine", {"a": 1})
    for instant in (context["Execution"]["StartTime"], context["State"]["EnteredTime"]):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.]\d{3}Z", instant)
    assert context["Execution"]["StartTime"] < context["State"]["EnteredTime"]
    assert (context["State"]["Name"], context["StateMachine"]["Id"]) == ("End", machine)


def test_a_parallel_gives_its_branches_outputs_and_keeps_their_variables(machines: Machines) -> None:
    """A branch sees outer variables, and what it assigns ends with it."""
    branches = [
        {
            "StartAt": "Inner",
            "States": {
                "Inner": {"Type": "Pass", "Assign": {"inner": number}, "Next": "Out"},
                "Out": output_of("{% $inner + $outer %}"),
            },
        }
        for number in (1, 2)
    ]
    states = {
        "First": {"Type": "Pass", "Assign": {"outer": 10}, "Next": "Both"},
        "Both": {"Type": "Parallel", "Branches": branches, "Next": "End"},
        "End": output_of({"sums": "{% $states.input %}", "gone": "{% $not($exists($inner)) %}"}),
    }
    assert machines.output(states) == {"sums": [11, 12], "gone": True}


def test_a_map_runs_its_states_for_each_item(machines: Machines) -> None:
    """Inline, one after the other, with an ItemSelector; a list of one and of none, too."""
    processor = {
        "ProcessorConfig": {"Mode": "INLINE"},
        "StartAt": "Look",
        "States": {
            "Look": {**NO_FILE_SYSTEM, "Catch": [{**ALL, "Output": "{% $states.input %}", "Next": "Out"}], "End": True},
            "Out": output_of("{% $states.input.index & ':' & $states.input.item.name & $suffix %}"),
        },
    }
    selector = {"item": "{% $states.context.Map.Item.Value %}", "index": "{% $states.context.Map.Item.Index %}"}
    each = {
        "Type": "Map",
        "Items": "{% $items %}",
        "MaxConcurrency": 1,
        "ItemSelector": selector,
        "ItemProcessor": processor,
        "End": True,
    }
    states = {
        "First": {"Type": "Pass", "Assign": {"items": "{% $states.input.items %}", "suffix": "!"}, "Next": "Each"}
    }
    for names in (["a", "b", "c"], ["a"], []):
        found = machines.output({**states, "Each": each}, {"items": [{"name": name} for name in names]})
        assert found == [f"{index}:{name}!" for index, name in enumerate(names)]


def test_a_task_of_an_item_sees_the_item_in_its_context(machines: Machines) -> None:
    """moto forgets it in a Task's arguments and inside a Parallel."""
    value = "{% $states.context.Map.Item.Value %}"
    task = _task("fsx:describeFileSystems", {"FileSystemIds": [value]}, Catch=[{**ALL, "Next": "Both"}], End=True)
    both = _parallel({"Inner": output_of(value)}, End=True)
    processor = {"ProcessorConfig": {"Mode": "INLINE"}, "StartAt": "Look", "States": {"Look": task, "Both": both}}
    each = {"Type": "Map", "Items": ["fs-00000000000000000"], "ItemProcessor": processor, "End": True}
    assert machines.output({"Each": each}) == [["fs-00000000000000000"]]


def test_an_item_that_fails_fails_the_map(machines: Machines) -> None:
    """By its own error, which the Map catches; moto cannot hand on one of the service's own."""
    for bad, error in ((_fail(), "Test.Failed"), (output_of("{% $error('mine') %}"), "States.QueryEvaluationError")):
        processor = {"ProcessorConfig": {"Mode": "INLINE"}, "StartAt": "Bad", "States": {"Bad": bad}}
        caught = {"ErrorEquals": [error], "Next": "End"}
        each = {"Type": "Map", "Items": [1], "ItemProcessor": processor, "Catch": [caught], "End": True}
        assert machines.output({"Each": each, "End": output_of("{% $states.input.Error %}")}) == error


def test_a_long_wait_is_short(machines: Machines) -> None:
    """Seconds, whether a number or an expression; HEADRACE_LOCAL_WAIT_SECONDS is the longest."""
    states = {
        "First": {"Type": "Wait", "Seconds": 3600, "Next": "Second"},
        "Second": {"Type": "Wait", "Seconds": "{% 60 * 60 %}", "Next": "End"},
        "End": {"Type": "Succeed"},
    }
    assert machines.run(states)["status"] == "SUCCEEDED"


def test_the_longest_wait_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the server."""
    monkeypatch.setenv("HEADRACE_LOCAL_WAIT_SECONDS", "5")
    assert [shortened(each) for each in (3, 60)] == [3, 5]


def test_a_wait_for_an_instant_waits_for_it(machines: Machines) -> None:
    """To the fraction of a second; moto drops it, and takes local time."""
    instant = datetime.now(UTC) + timedelta(seconds=1.5)
    text = instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    states = {
        "Hold": {"Type": "Wait", "Timestamp": "{% $states.input.until %}", "Next": "End"},
        "End": {"Type": "Succeed"},
    }
    ended = machines.run(states, {"until": text})
    assert (ended["status"], ended["stopDate"] >= instant - timedelta(milliseconds=2)) == ("SUCCEEDED", True)


def test_whoever_waits_can_be_stopped(machines: Machines) -> None:
    """At once, inside a Parallel too, with error and cause, which moto drops."""
    hold = {"Type": "Wait", "Timestamp": "2099-01-01T00:00:00Z", "End": True}
    for states in (
        {"Hold": hold},
        {"Work": _parallel({"Hold": hold}, Catch=[{**ALL, "Next": "End"}], Next="End"), "End": output_of(0)},
    ):
        machine = machines.make(states)
        execution = machines.start(machine)
        machines.client.stop_execution(executionArn=execution, error="Test.Stopped", cause="enough")
        ended = machines.client.describe_execution(executionArn=execution)
        assert (ended["status"], ended["error"], ended["cause"]) == ("ABORTED", "Test.Stopped", "enough")
        assert "stopDate" in ended
        assert machines.client.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"] == []


@pytest.fixture
def surroundings() -> Environment:
    """Those of an execution that runs, in the interpreter."""
    execution = {"Id": "id", "Input": {}, "Name": "name", "RoleArn": ROLE, "StartTime": "now"}
    env = Environment(
        aws_execution_details=AWSExecutionDetails(account="1", region="r", role_arn=ROLE),
        execution_type="STANDARD",
        context={"Execution": execution, "StateMachine": {"Id": "id", "Name": "name"}},
        event_history_context=EventHistoryContext.of_program_start(),
        cloud_watch_logging_session=None,
        activity_store={},
    )
    env.next_state_name = "Work"
    return env


def test_a_branch_that_begins_at_the_moment_of_an_abort_just_ends(surroundings: Environment) -> None:
    """moto's raises in its thread, and the Parallel waits for it for ever."""
    states = {"Inner": {"Type": "Succeed"}}
    definition = {"QueryLanguage": "JSONata", "StartAt": "Inner", "States": states}
    program = AmazonStateLanguageParser.parse(json.dumps(definition))[0]
    branch = surroundings.open_inner_frame()
    surroundings.set_stop(stop_date=datetime.now(UTC), cause=None, error=None)
    with pytest.raises(RuntimeError, match="Could not set NextState"):
        executions._run_program(program, branch)
    executions.run_program(program, branch)
    assert isinstance(branch.program_state(), ProgramStopped)


def test_an_error_does_not_take_the_place_of_an_abort(surroundings: Environment) -> None:
    """Nor of a time-out: whatever a state says that is still at work."""
    surroundings.set_stop(stop_date=datetime.now(UTC), cause=None, error=None)
    failures.set_error(surroundings, {"error": "Test.Failed"})
    assert isinstance(surroundings.program_state(), ProgramStopped)
    failures._set_error(surroundings, {"error": "Test.Failed"})
    assert isinstance(surroundings.program_state(), ProgramError)  # which is what moto's own does


def test_stopping_what_has_ended_changes_nothing(machines: Machines) -> None:
    """And what never was does not exist."""
    machine = machines.make({"End": {"Type": "Succeed"}})
    execution = machines.start(machine)
    ended = machines.end(execution)
    machines.client.stop_execution(executionArn=execution)
    assert machines.client.describe_execution(executionArn=execution)["status"] == ended["status"]
    with pytest.raises(machines.client.exceptions.ExecutionDoesNotExist):
        machines.client.stop_execution(executionArn=f"{execution}x")


def test_a_machine_times_out(machines: Machines) -> None:
    """Past every Catch; moto tells no stopDate then."""
    hold = {"Type": "Wait", "Timestamp": "2099-01-01T00:00:00Z", "End": True}
    states = {"Work": _parallel({"Hold": hold}, Catch=[{**ALL, "Next": "End"}], Next="End"), "End": {"Type": "Succeed"}}
    machine = machines.make(states, TimeoutSeconds=1)
    ended = machines.end(machines.start(machine))
    assert (ended["status"], "stopDate" in ended) == ("TIMED_OUT", True)
    (listed,) = machines.client.list_executions(stateMachineArn=machine)["executions"]
    assert (listed["status"], listed["stopDate"]) == ("TIMED_OUT", ended["stopDate"])


def test_a_task_times_out(machines: Machines, aws_session: boto3.Session) -> None:
    """By its own TimeoutSeconds; the call goes on, and nobody hears what it answers."""
    subnet = aws_session.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    properties = {"FileSystemType": "LUSTRE", "StorageCapacity": 1200, "SubnetIds": [subnet]}
    # each is CREATING for half a second, one after the other
    resources = {f"F{number}": {"Type": "AWS::FSx::FileSystem", "Properties": properties} for number in range(4)}
    arguments = {"StackName": "slow", "TemplateBody": json.dumps({"Resources": resources})}
    caught = {"ErrorEquals": ["States.TaskFailed"], "Output": "no", "Next": "End"}
    late = {"ErrorEquals": ["States.Timeout"], "Output": "{% $states.errorOutput.Error %}", "Next": "End"}
    slow = _task("cloudformation:createStack", arguments, TimeoutSeconds=1, Catch=[caught, late], Next="End")
    assert machines.output({"Slow": slow, "End": {"Type": "Succeed"}}) == "States.Timeout"


def test_names_are_used_once(machines: Machines) -> None:
    """The same name and input give the running execution again; else it exists already. moto knows no default name."""
    machine = machines.make({"Hold": {"Type": "Wait", "Timestamp": "{% $states.input.until %}", "End": True}})
    first = machines.start(machine, {"until": "2099-01-01T00:00:00Z"}, name="mine")
    assert machines.start(machine, {"until": "2099-01-01T00:00:00Z"}, name="mine") == first
    for stopped in (False, True):
        if stopped:
            machines.client.stop_execution(executionArn=first)
        with pytest.raises(machines.client.exceptions.ExecutionAlreadyExists):
            machines.start(
                machine, {"until": "2099-01-01T00:00:00Z" if stopped else "2098-01-01T00:00:00Z"}, name="mine"
            )
    others = {machines.start(machine, {"until": "2000-01-01T00:00:00Z"}) for _ in range(2)}
    assert len(others) == 2
    with pytest.raises(machines.client.exceptions.InvalidName):
        machines.start(machine, name="a b")


@pytest.mark.parametrize(
    ("member", "name"),
    [
        ("FileSystemId", "FileSystemId"),
        ("ResourceARN", "ResourceARN"),
        ("DNSName", "DnsName"),
        ("executionArn", "ExecutionArn"),
        ("S3", "S3"),
        ("S3Uri", "S3Uri"),
        ("KMSKeyId", "KmsKeyId"),
        ("BatchImportMetaDataOnCreate", "BatchImportMetaDataOnCreate"),
        ("status", "Status"),
        ("ARN", "Arn"),
    ],
)
def test_names_in_a_machine_are_those_of_java(member: str, name: str) -> None:
    """With a capital."""
    assert java_name(member) == name


def test_a_machine_starts_and_describes_another(machines: Machines) -> None:
    """Both ways by Java's names, with instants as text."""
    inner = machines.make({"End": output_of("{% $states.input %}")})
    states = {
        "Start": _task(
            "sfn:startExecution",
            {"StateMachineArn": inner, "Name": "inner", "Input": "{% $string({'a': 1}) %}"},
            Assign={"arn": "{% $states.result.ExecutionArn %}"},
            Next="Wait",
        ),
        "Wait": {"Type": "Wait", "Seconds": 60, "Next": "Look"},
        "Look": _task(
            "sfn:describeExecution", {"ExecutionArn": "{% $arn %}"}, Output="{% $states.result %}", Next="Is"
        ),
        "Is": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $states.input.Status = 'RUNNING' %}", "Next": "Wait"}],
            "Default": "End",
        },
        "End": output_of("{% $states.input %}"),
    }
    found = machines.output(states)
    assert (found["Status"], found["Output"], found["Name"]) == ("SUCCEEDED", '{"a": 1}', "inner")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.]\d{3}Z", found["StartDate"])


def _errors(machines: Machines, resource: str, arguments: Any) -> tuple[str, str]:
    ended = machines.run({"Call": _task(resource, arguments, End=True)})
    return ended["error"], ended["cause"]


def test_errors_of_services_by_their_names(machines: Machines) -> None:
    """As a Catch must name them; what the service refuses is the service's error, not the machine's."""
    arn = "arn:aws:states:us-east-1:123456789012:execution:none:none"
    error, cause = _errors(machines, "sfn:describeExecution", {"ExecutionArn": arn})
    assert error == "Sfn.ExecutionDoesNotExistException"
    assert re.search(r"[(]Service: Sfn, Status Code: 400, Request ID: .*[)]$", cause)
    assert (
        _errors(machines, "sagemaker:describeTrainingJob", {"TrainingJobName": "none"})[0]
        == "SageMaker.SageMakerException"
    )
    assert _errors(machines, "sagemaker:stopTrainingJob", {"TrainingJobName": "none"})[0].startswith("SageMaker.")
    assert _errors(machines, "fsx:createFileSystem", {"FileSystemType": "LUSTRE"})[0] == "FSx.BadRequestException"
    assert (
        _errors(machines, "sns:publish", {"TopicArn": "arn:aws:sns:us-east-1:123456789012:none", "Message": "-"})[0]
        == "Sns.NotFoundException"
    )


def test_metrics_are_asked_for_with_instants_as_text(machines: Machines) -> None:
    """cloudwatch:getMetricStatistics, as the reaper does."""
    arguments = {
        "Namespace": "AWS/FSx",
        "MetricName": "ClientConnections",
        "Dimensions": [{"Name": "FileSystemId", "Value": "fs-00000000000000000"}],
        "StartTime": "{% $fromMillis($millis() - 900000) %}",
        "EndTime": "{% $now() %}",
        "Period": 60,
        "Statistics": ["Maximum"],
    }
    states = {
        "Ask": _task("cloudwatch:getMetricStatistics", arguments, Output="{% [$states.result.Datapoints] %}", End=True)
    }
    assert machines.output(states) == []


def test_a_history_is_read_from_its_end_page_by_page(machines: Machines) -> None:
    """moto gives it whole and from the beginning, whatever is asked for."""
    states = {f"S{number}": {"Type": "Pass", "Next": f"S{number + 1}"} for number in range(9)}
    execution = machines.start(machines.make({**states, "S9": output_of({})}))
    machines.end(execution)
    asked = {"executionArn": execution, "maxResults": 8}
    page = machines.client.get_execution_history(**asked, reverseOrder=True)
    ids = [each["id"] for each in page["events"]]
    while "nextToken" in page:
        assert len(page["events"]) == 8
        page = machines.client.get_execution_history(**asked, reverseOrder=True, nextToken=page["nextToken"])
        ids += [each["id"] for each in page["events"]]
    assert len(ids) > 20
    assert ids == sorted(ids, reverse=True)
    in_order = machines.client.get_execution_history(executionArn=execution)["events"]
    assert [each["id"] for each in in_order] == ids[::-1]
