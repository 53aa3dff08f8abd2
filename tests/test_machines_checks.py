"""The machines against the services' models, their own variables and our rules; and each check against a mistake.

The checks themselves: machine_requests.py, machine_variables.py and machine_rules.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from headrace_cdk.definition import MACHINES

from tests import machine_requests, machine_rules, machine_variables
from tests.machine_definitions import Definition, changed, machine, node, places, trees
from tests.machine_services import SERVICES, exception_name, member_name, operation
from tests.machine_typing import Typing
from tests.machine_variables import JSONATA


def _findings(name: str, definition: Definition) -> list[str]:
    typing = Typing(name, definition)
    checks = (machine_requests, machine_variables, machine_rules)
    return [each for check in checks for each in check.findings(typing)]


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_has_no_findings(name: str) -> None:
    """Operations, arguments, errors, results, variables, functions, rules."""
    assert _findings(name, machine(name)) == []


def _put(*path: str | int, value: Any) -> Callable[[Definition], None]:
    """Sets a value at a path within a state."""

    def change(state: Definition) -> None:
        target: Any = state
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = value

    return change


def _drop(*path: str | int) -> Callable[[Definition], None]:
    """Takes a value out of a state."""

    def change(state: Definition) -> None:
        target: Any = state
        for step in path[:-1]:
            target = target[step]
        del target[path[-1]]

    return change


def _replace(*path: str | int, old: str, new: str) -> Callable[[Definition], None]:
    """Changes a part of an expression."""

    def change(state: Definition) -> None:
        target: Any = state
        for step in path[:-1]:
            target = target[step]
        assert old in target[path[-1]]
        target[path[-1]] = target[path[-1]].replace(old, new)

    return change


SDK = "arn:aws:states:::aws-sdk:"
MISTAKES: list[tuple[str, str, Callable[[Definition], None], str]] = [
    # operations
    ("ephemeral", "CountLive", _put("Resource", value=f"{SDK}fsx:listFileSystems"), "names no operation"),
    ("ephemeral", "CountLive", _put("Resource", value=f"{SDK}fsx:DescribeFileSystems"), "names no operation"),
    ("ephemeral", "StartTeardown", _put("Resource", value=f"{SDK}states:startExecution"), "names no operation"),
    ("ephemeral", "CountLive", _put("Resource", value="arn:aws:states:::lambda:invoke"), "is no plain call"),
    (
        "ephemeral",
        "Work/CreateJob",
        _put("Resource", value="arn:aws:states:::sagemaker:createTrainingJob.sync"),
        "is no plain call",
    ),
    # arguments: names, required ones, values, lists
    ("ephemeral", "CreateFileSystem", _put("Arguments", "Capacity", value=1), "Arguments.Capacity is unknown to"),
    ("ephemeral", "CreateFileSystem", _drop("Arguments", "SubnetIds"), "Arguments.SubnetIds is missing"),
    (
        "ephemeral",
        "CreateFileSystem",
        _put("Arguments", "LustreConfiguration", "DeploymentType", value="SCRATCH_3"),
        "DeploymentType is 'SCRATCH_3'",
    ),
    ("ephemeral", "CreateFileSystem", _put("Arguments", "StorageCapacity", value="{% '1200' %}"), "a value of type"),
    ("ephemeral", "CreateFileSystem", _put("Arguments", "StorageCapacity", value="{% $owner %}"), "is string"),
    ("ephemeral", "CreateFileSystem", _put("Arguments", "SubnetIds", value="{% $owner %}"), "wrap it in [ ]"),
    (
        "ephemeral",
        "Work/CreateJob",
        _replace("Arguments", old="'VpcConfig'", new="'VPCConfig'"),
        "Arguments.VPCConfig is unknown to",
    ),
    (
        "ephemeral",
        "Work/CreateJob",
        _replace("Arguments", old="'SecurityGroupIds'", new="'SecurityGroups'"),
        "Arguments.VpcConfig.SecurityGroupIds is missing",
    ),
    (
        "ephemeral",
        "Work/CreateJob",
        _replace("Arguments", old="'DirectoryPath'", new="'Directory'"),
        "FileSystemDataSource.Directory is unknown to",
    ),
    (
        "ephemeral",
        "Work/CreateJob",
        _replace("Arguments", old="[$in.Lustre.SubnetId]", new="$in.Lustre.SubnetId"),
        "Arguments.VpcConfig.Subnets is string",
    ),
    ("teardown", "ListJobs", _replace("Arguments", old="StatusEquals", new="Status"), "Arguments.Status is unknown"),
    ("teardown", "BeginLookingForJobs", _put("Assign", "status", value="Running"), "StatusEquals is 'Running'"),
    ("teardown", "ListTasks", _put("Arguments", "Filters", 0, "Name", value="file-system"), "Name is 'file-system'"),
    ("reaper", "Mark/TagIt", _put("Arguments", value={"ResourceArn": "{% $states.input.Arn %}"}), "ResourceArn is unk"),
    ("reaper", "Judge/CountClients", _put("Arguments", "Statistics", value=["Max"]), "Statistics[] is 'Max'"),
    ("teardown", "CancelTasks", _put("Items", value="{% $states.input.Tasks.Id %}"), "Items is nothing, one or many"),
    (
        "preload",
        "RememberLinks",
        _put("Arguments", "Tags", value="{% $map($missing, function($l) {{'Key': $l}}) %}"),
        "Arguments.Tags is nothing, one or many",
    ),
    # errors
    (
        "teardown",
        "Look",
        _put("Catch", 0, "ErrorEquals", value=["FSx.FileSystemNotFound"]),
        "Catch[0]: FSx.FileSystemNotFound is no error",
    ),
    (
        "teardown",
        "Look",
        _put("Retry", 0, "ErrorEquals", value=["Fsx.FileSystemNotFoundException"]),
        "Retry[0]: Fsx.FileSystemNotFoundException is no error",
    ),
    (
        "ephemeral",
        "StartTeardown",
        _put("Catch", 0, "ErrorEquals", value=["Sfn.ExecutionDoesNotExistException"]),
        "Catch[0]: Sfn.ExecutionDoesNotExistException is no error",
    ),
    (
        "preload",
        "CreateJob",
        _put("Catch", 1, "ErrorEquals", value=["SageMaker.ResourceLimitExceeded"]),
        "Catch[1]: SageMaker.ResourceLimitExceeded is no error",
    ),
    # results, inputs, context
    (
        "ephemeral",
        "CreateFileSystem",
        _put("Assign", "fileSystemId", value="{% $states.result.FileSystemId %}"),
        "CreateFileSystemResponse has no FileSystemId",
    ),
    (
        "ephemeral",
        "Work/DescribeJob",
        _replace("Output", "Loaded", old="FinalMetricDataList", new="FinalMetrics"),
        "DescribeTrainingJobResponse has no FinalMetrics",
    ),
    (
        "teardown",
        "FindFileSystems",
        _replace("Assign", "queue", old="Tags.Key", new="Tag.Key"),
        "FileSystem has no Tag",
    ),
    (
        "ephemeral",
        "Work/IsImported",
        _replace("Choices", 0, "Condition", old="Failed", new="Failures"),
        "there is no Failures beside Lifecycle, Failed",
    ),
    (
        "ephemeral",
        "Begin",
        _replace("Assign", "ready", old="ReadySeconds", new="ReadyMinutes"),
        "there is no ReadyMinutes beside StorageCapacity",
    ),
    (
        "ephemeral",
        "Begin",
        _put("Assign", "owner", value="{% $states.context.Execution.Arn %}"),
        "there is no Arn beside Id",
    ),
    (
        "ephemeral",
        "IsBelowCap",
        _put("Choices", 0, "Condition", value="{% $states.result.NextToken != null %}"),
        "there is no result beside input, context",
    ),
    (
        "ephemeral",
        "IsBelowCap",
        _put("Choices", 0, "Condition", value="{% NextToken != null %}"),
        "NextToken is read of what has no members",
    ),
    (
        "preload",
        "Begin",
        _drop("Assign", "given", "FileSystemId"),
        "there is no FileSystemId beside Links, JobName, Request",
    ),
    ("preload", "Begin", _drop("Assign", "given", "Request", "RoleArn"), "Arguments.RoleArn is missing"),
    # variables, functions, conditions
    ("ephemeral", "Begin", _drop("Assign", "page"), "reads $page, which is not assigned on every way here"),
    ("ephemeral", "Begin", _drop("Assign", "failure"), "HowToEnd.Choices[0].Condition: reads $failure"),
    ("ephemeral", "Work/DescribeFileSystem", _drop("Assign", "linkIndex"), "CreateLink.Arguments: reads $linkIndex"),
    ("ephemeral", "Work/StartImport", _put("Assign", "owner", value="me"), "$owner is assigned in a scope around"),
    ("ephemeral", "Raise", _put("Cause", value="{% $jobName %}"), "reads $jobName, which is not assigned"),
    ("ephemeral", "Begin", _put("Assign", "spare", value=1), "$spare is assigned and never used"),
    ("ephemeral", "Begin", _put("Assign", "failure", value=""), 'Assign.failure: is ""'),
    ("ephemeral", "Begin", _put("Assign", "now", value=0), "$now is a function of JSONata"),
    ("ephemeral", "Begin", _put("Assign", "live", value="{% $eval('0') %}"), "calls $eval"),
    ("ephemeral", "Begin", _put("Assign", "live", value="{% $sha256('0') %}"), "calls $sha256"),
    ("ephemeral", "Begin", _put("Assign", "live", value="{% (\n0) %}"), "stands on several lines"),
    ("ephemeral", "Begin", _put("Assign", "live", value="{% [1, 2][$ > 1] %}"), "reads a bare $"),
    ("ephemeral", "Begin", _put("Assign", "live", value="{% ($token := 0; $token) %}"), "binds $token"),
    ("ephemeral", "IsBelowCap", _put("Choices", 0, "Condition", value="{% $page %}"), "to be true or false"),
    # our own rules
    ("ephemeral", "CountLive", _drop("TimeoutSeconds"), "a call has a TimeoutSeconds"),
    ("ephemeral", "CountLive", _drop("Retry"), "a call is tried again"),
    ("ephemeral", "CreateFileSystem", _drop("Catch"), "CreateFileSystem: there may be a file system, and an error is"),
    ("ephemeral", "Work", _drop("Catch"), "Work: there may be a file system, and an error is not caught"),
    ("ephemeral", "DescribeTeardown", _drop("Catch", 0), "DescribeTeardown: there may be a file system"),
    ("ephemeral", "Work/CreateLink", _put("Resource", value=f"{SDK}fsx:deleteFileSystem"), "only the teardown deletes"),
    ("ephemeral", "CapReached", _put("Error", value="States.Permissions"), "keeps for itself"),
    ("ephemeral", "CapReached", _put("Error", value="Ephemeral.TooMany"), "Ephemeral.TooMany is not documented"),
    ("ephemeral", "CapReached", _put("Error", value="{% $owner %}"), "raised where it was caught"),
    ("ephemeral", "Begin", _put("Next", value="Nowhere"), "Begin.Next: there is no state Nowhere"),
    ("ephemeral", "Work/Trained", _put("Next", value="StartTeardown"), "there is no state StartTeardown"),
    (
        "ephemeral",
        "Work",
        _replace("Catch", 0, "Assign", "settled", old=".TrainingStopped", new=".Stopped"),
        "no error",
    ),
    ("reaper", "Mark/UntagIt", _put("Arguments", "TagKeys", value=["headrace:mark"]), "'headrace:mark' is no tag"),
]


@pytest.fixture(scope="module")
def parsed() -> None:
    """The expressions of all mistakes, read by one process."""
    trees(*(changed(machine(name), path, change) for name, path, change, _ in MISTAKES))


@pytest.mark.parametrize(("name", "path", "change", "expected"), MISTAKES)
def test_a_mistake_is_found(
    parsed: None, name: str, path: str, change: Callable[[Definition], None], expected: str
) -> None:
    """Each check can fail."""
    found = _findings(name, changed(machine(name), path, change))
    assert [each for each in found if expected in each], found


SPELT = [
    # as the Developer Guide's own examples and the Java SDK's accessors have them
    ("ResourceARN", "ResourceARN"),
    ("stateMachineArn", "StateMachineArn"),
    ("input", "Input"),
    ("TopicArn", "TopicArn"),
    ("S3DataSource", "S3DataSource"),
    ("VolumeSizeInGB", "VolumeSizeInGB"),
    ("DNSName", "DnsName"),
    ("SSEKMSKeyId", "SsekmsKeyId"),
    ("Equals", "EqualsValue"),
    ("StatusEquals", "StatusEquals"),
]


@pytest.mark.parametrize(("of_service", "of_step_functions"), SPELT)
def test_members_are_spelt_as_the_java_sdk_does(of_service: str, of_step_functions: str) -> None:
    """Step Functions takes no other spelling."""
    assert member_name(of_service) == of_step_functions


@pytest.mark.parametrize(
    ("shape", "error"),
    [
        ("FileSystemNotFound", "FileSystemNotFoundException"),
        ("IncompatibleParameterError", "IncompatibleParameterErrorException"),
        ("ResourceInUse", "ResourceInUseException"),
        ("InvalidParameterException", "InvalidParameterException"),
        ("KMSThrottlingException", "KmsThrottlingException"),
        ("InternalServiceFault", "InternalServiceException"),
    ],
)
def test_errors_are_spelt_as_the_java_sdk_does(shape: str, error: str) -> None:
    """A name that is spelt otherwise is never caught."""
    assert exception_name(shape) == error


def test_a_request_of_boto3_is_handed_on_as_it_is() -> None:
    """The launcher's requests are in boto3's spelling; the flow adds to them and passes them to CreateTrainingJob."""
    called = operation("arn:aws:states:::aws-sdk:sagemaker:createTrainingJob")
    assert called is not None
    wanted, seen, otherwise = [called.input or ""], set[str](), []
    while wanted:
        shape = wanted.pop()
        if shape in seen:
            continue
        seen.add(shape)
        described = called.model.shapes[shape]
        otherwise += [f"{shape}.{name}" for name in described.get("members", {}) if member_name(name) != name]
        inner = [
            *described.get("members", {}).values(),
            *(described[key] for key in ("member", "value") if key in described),
        ]
        wanted.extend(each["shape"] for each in inner)
    assert len(seen) > 50
    assert otherwise == []


def test_the_functions_are_those_of_jsonata() -> None:
    """The list says what npm's jsonata has; $eval is its only one that Step Functions takes away."""
    names = sorted(JSONATA | {"eval", "sha256"})
    values = [{"value": f"{{% $exists(${name}) %}}", "bindings": {}} for name in names]
    found = [each["value"] for each in node({"values": values})["outcomes"]]
    assert [name for name, exists in zip(names, found, strict=True) if not exists] == ["sha256"]


def test_every_service_is_one_that_a_machine_calls() -> None:
    """A row that nobody needs says nothing about its spelling."""
    called = {each["Resource"].split(":")[-2] for name in MACHINES for each in _tasks(machine(name))}
    assert called == set(SERVICES)


def _tasks(definition: Definition) -> list[Definition]:
    return [at.state for at in places(definition) if at.state["Type"] == "Task"]
