"""The platform's own state machines, run by the embedded AWS: a file system for one job, from create to gone.

The machines stand in a stack as the platform's does, with the rule that tears down what no Catch sees.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from headrace_cdk.definition import load
from headrace_local.moto_extension.fsx.failures import FSX_FAILS_FILE
from headrace_local.process import Running
from headrace_local.runner.capacity import NO_CAPACITY_FILE

from tests.conftest import TRUST
from tests.file_systems import LUSTRE_PORTS, Aws
from tests.state_machines import ROLE, Machines
from tests.training_jobs import StartJob, until

PLATFORM = "test"
OBJECTS = {f"data/digits/{number}.txt": b"x" * 10 for number in range(3)}
COUNT_FILES = "test $(find /opt/ml/input/data/train -type f | wc -l) = 3 && cat /opt/ml/input/data/train/*.txt"
COUNTERS = ("loaded_files_e6", "loaded_files_e0", "failed_files")
READ_ALL = f"{COUNT_FILES} >/dev/null && echo loaded_files_e6=0 loaded_files_e0=3 failed_files=0"


class Flow:
    """The three machines, deployed by CloudFormation, and what the tests do with them."""

    def __init__(self, aws: Aws) -> None:
        self.aws, self.machines = aws, Machines(aws.session)
        self.group, self.bucket = aws.group(*LUSTRE_PORTS), aws.bucket(OBJECTS)
        self.role = self._role()
        self.arns = self._deploy()

    def _role(self) -> str:
        iam = self.aws.session.client("iam")
        made = iam.create_role(RoleName=f"jobs-{uuid4().hex[:12]}", AssumeRolePolicyDocument=json.dumps(TRUST))
        return str(made["Role"]["Arn"])

    def _deploy(self) -> dict[str, str]:
        cloudformation, name = self.aws.session.client("cloudformation"), f"ephemeral-{uuid4().hex[:8]}"
        values = {
            "JobSecurityGroupId": self.group,
            "LustreSecurityGroupId": self.group,
            "SubnetIds": ",".join(self.aws.subnets),
            "LinkedUris": f"s3://{self.bucket}/data/",
            "Platform": PLATFORM,
            "MaxFileSystems": "2",
            "MaxGib": "9600",
            "MaxHours": "48",
            "MaxDeletesPerRun": "5",
            "TeardownMachineArn": {"Ref": "Teardown"},
            "TopicArn": {"Ref": "Topic"},
        }
        machines = {each.capitalize(): _machine(each, values) for each in ("ephemeral", "teardown", "reaper")}
        resources = {**machines, "Topic": {"Type": "AWS::SNS::Topic"}, "Rule": _rule()}
        outputs = {each: {"Value": {"Ref": each}} for each in machines}
        body = json.dumps({"Resources": resources, "Outputs": outputs})
        cloudformation.create_stack(StackName=name, TemplateBody=body)
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        assert stack["StackStatus"] == "CREATE_COMPLETE", stack.get("StackStatusReason")
        return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}

    def job(self, name: str, script: str) -> dict[str, Any]:
        """A CreateTrainingJob request that a file system is put into."""
        source = {
            "FileSystemId": "fs-00000000000000000",
            "FileSystemType": "FSxLustre",
            "FileSystemAccessMode": "ro",
            "DirectoryPath": "/data/digits",
        }
        metrics = [{"Name": each, "Regex": f"{each}=([0-9]+)"} for each in COUNTERS]
        return {
            "TrainingJobName": name,
            "RoleArn": self.role,
            "AlgorithmSpecification": {
                "TrainingInputMode": "File",
                "TrainingImage": "123456789012.dkr.ecr.us-east-1.amazonaws.com/training:1",
                "ContainerEntrypoint": ["sh", "-c", script],
                "MetricDefinitions": metrics,
            },
            "InputDataConfig": [{"ChannelName": "train", "DataSource": {"FileSystemDataSource": source}}],
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.bucket}/output"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            "Tags": [{"Key": "team", "Value": "a"}],
        }

    def start(self, script: str | None, preload: str | None = None, **lustre: Any) -> tuple[str, str]:
        """Start the flow: its execution and the job's name. Without a script it holds."""
        name = f"flow-{uuid4().hex[:12]}"
        links = [{"FileSystemPath": "/data/digits", "DataRepositoryPath": f"s3://{self.bucket}/data/digits/"}]
        given = {
            "Schema": 1,
            "JobName": name,
            "Lustre": {
                "StorageCapacity": 1200,
                "SubnetId": self.aws.subnets[0],
                "DataCompressionType": "NONE",
                "Links": links,
                "ReadySeconds": 1804,
                "LifetimeSeconds": 93600,
                **lustre,
            },
            "Preload": {"Request": self.job(name, preload)} if preload else None,
            "Training": {"Request": self.job(name, script), "CapacityAttempts": 2} if script else None,
        }
        return self.machines.start(self.arns["Ephemeral"], given, name=name), name

    def end(self, execution: str) -> dict[str, Any]:
        """The execution's description when it has ended."""
        return self.machines.end(execution, 60)

    def file_systems(self, owner: str) -> list[dict[str, Any]]:
        """What carries this owner's tag."""
        pages = self.aws.fsx.get_paginator("describe_file_systems").paginate(PaginationConfig={"PageSize": 1})
        own = {"Key": "headrace:owner", "Value": owner}
        return [each for page in pages for each in page["FileSystems"] if own in each["Tags"]]

    def teardowns(self, owner: str) -> list[dict[str, Any]]:
        """The executions of the teardown machine that were started for an owner."""
        client = self.machines.client
        listed = client.list_executions(stateMachineArn=self.arns["Teardown"])["executions"]
        found = [client.describe_execution(executionArn=each["executionArn"]) for each in listed]
        return [each for each in found if json.loads(each["input"]).get("Owner") == owner]


def _machine(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    definition = load(name)
    return {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "DefinitionString": definition.text,
            "DefinitionSubstitutions": {each: values[each] for each in definition.substitutions},
            "RoleArn": ROLE,
        },
    }


def _rule() -> dict[str, Any]:
    """As the platform's: what fails, times out or is aborted is torn down by its ARN."""
    return {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "EventPattern": {
                "source": ["aws.states"],
                "detail-type": ["Step Functions Execution Status Change"],
                "detail": {"status": ["FAILED", "TIMED_OUT", "ABORTED"], "stateMachineArn": [{"Ref": "Ephemeral"}]},
            },
            "Targets": [
                {
                    "Arn": {"Ref": "Teardown"},
                    "Id": "Target0",
                    "RoleArn": ROLE,
                    "InputTransformer": {
                        "InputPathsMap": {"owner": "$.detail.executionArn"},
                        "InputTemplate": '{"Owner":<owner>}',
                    },
                }
            ],
        },
    }


_DEPLOYED: dict[str, Flow] = {}
"""Endpoint -> the machines there."""


@pytest.fixture
def flow(aws_session: boto3.Session, start_job: StartJob) -> Flow:
    """The machines, deployed once."""
    endpoint = aws_session.client("fsx").meta.endpoint_url
    if endpoint not in _DEPLOYED:
        _DEPLOYED[endpoint] = Flow(Aws(aws_session, start_job))
    return _DEPLOYED[endpoint]


@pytest.fixture
def directory(embedded_aws: Running) -> Iterator[Path]:
    """The server's, where files say what fails; none is left."""
    place = embedded_aws.log_path.parent
    yield place
    for name in (FSX_FAILS_FILE, NO_CAPACITY_FILE):
        (place / name).unlink(missing_ok=True)


def test_a_job_has_a_file_system_of_its_own_that_goes_with_it(flow: Flow) -> None:
    """Created, linked, imported, loaded, used, gone; the output says what it was."""
    execution, name = flow.start(COUNT_FILES, preload=READ_ALL)
    ended = flow.end(execution)
    assert ended["status"] == "SUCCEEDED", ended
    output = json.loads(ended["output"])
    assert (output["TrainingJobName"], output["ImportedFiles"]) == (name, 3)
    assert flow.file_systems(execution) == []
    job = flow.aws.sagemaker.describe_training_job(TrainingJobName=name)
    source = job["InputDataConfig"][0]["DataSource"]["FileSystemDataSource"]
    assert source["FileSystemId"] == output["FileSystemId"]
    tags = flow.aws.sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]
    assert {each["Key"] for each in tags} == {"team", "headrace:owner", "headrace:file-system"}
    preload = flow.aws.sagemaker.describe_training_job(TrainingJobName=f"{name}-preload")
    assert {each["MetricName"]: each["Value"] for each in preload["FinalMetricDataList"]}["loaded_files_e0"] == 3


@pytest.mark.parametrize(
    ("script", "preload", "fails", "lacks", "error"),
    [
        ("exit 3", None, "", "", "Ephemeral.TrainingFailed"),
        ("true", "exit 3", "", "", "Ephemeral.PreloadFailed"),
        ("true", "echo loaded_files_e6=0 loaded_files_e0=2 failed_files=1", "", "", "Ephemeral.PreloadIncomplete"),
        ("true", None, "file-system", "", "Ephemeral.FileSystemNotReady"),
        ("true", None, "association", "", "Ephemeral.LinkNotReady"),
        ("true", None, "task", "", "Ephemeral.ImportFailed"),
        ("true", None, "", "ml.m5.large", "Ephemeral.CapacityError"),
    ],
)
def test_whatever_fails_the_file_system_goes(
    flow: Flow, directory: Path, script: str, preload: str | None, fails: str, lacks: str, error: str
) -> None:
    """And the flow fails with its first error."""
    (directory / FSX_FAILS_FILE).write_text(fails)
    (directory / NO_CAPACITY_FILE).write_text(lacks)
    execution, _ = flow.start(script, preload=preload)
    ended = flow.end(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", error), ended
    assert flow.file_systems(execution) == []
    until(lambda: len(flow.teardowns(execution)) == 2, 10)
    # the flow's own teardown, and EventBridge's, which finds nothing more
    assert len(flow.teardowns(execution)) == 2


def test_a_request_that_cannot_be_is_refused_before_anything_is_made(flow: Flow) -> None:
    """A service's refusal and the machine's own."""
    refused = flow.end(flow.start("true", SubnetId="subnet-00000000000000000")[0])
    assert (refused["status"], refused["error"]) == ("FAILED", "Ephemeral.InvalidRequest")
    execution, _ = flow.start("true", StorageCapacity=1300)
    ended = flow.end(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "FSx.BadRequestException"), ended
    assert "Invalid Lustre FS storage capacity: 1300" in ended["cause"]
    assert flow.file_systems(execution) == []


def test_an_abort_is_torn_down_by_eventbridge(flow: Flow) -> None:
    """With the job that runs: it is stopped, and then the file system goes."""
    execution, name = flow.start("sleep 300")

    def trains() -> bool:
        found = flow.aws.sagemaker.list_training_jobs(NameContains=name)["TrainingJobSummaries"]
        return bool(found) and found[0].get("SecondaryStatus") == "Training"

    until(trains)
    assert trains()
    flow.machines.client.stop_execution(executionArn=execution, cause="enough")
    assert flow.end(execution)["status"] == "ABORTED"
    until(lambda: bool(flow.teardowns(execution)), 10)
    (teardown,) = flow.teardowns(execution)
    ended = flow.end(teardown["executionArn"])
    assert (ended["status"], flow.file_systems(execution)) == ("SUCCEEDED", []), ended
    job = flow.aws.sagemaker.describe_training_job(TrainingJobName=name)
    assert job["TrainingJobStatus"] == "Stopped"


def test_a_hold_lasts_until_it_is_stopped(flow: Flow) -> None:
    """With nothing trained; whoever stops it has the file system taken down."""
    execution, _ = flow.start(None)
    until(lambda: [each["Lifecycle"] for each in flow.file_systems(execution)] == ["AVAILABLE"])
    history = flow.machines.client.get_execution_history

    def holds() -> bool:
        events = history(executionArn=execution, maxResults=1000)["events"]
        return "Hold" in [each.get("stateEnteredEventDetails", {}).get("name") for each in events]

    until(holds)
    assert flow.machines.client.describe_execution(executionArn=execution)["status"] == "RUNNING"
    flow.machines.client.stop_execution(executionArn=execution)
    until(lambda: flow.file_systems(execution) == [])
    assert flow.file_systems(execution) == []


def test_the_reaper_decides_for_each_file_system(flow: Flow) -> None:
    """A mark first, and a teardown where the mark is old; what has not expired loses its mark, or never had one."""
    owner = flow.arns["Ephemeral"].replace(":stateMachine:", ":execution:") + ":gone"
    past, future = "2020-01-01T00:00:00.000Z", "2099-01-01T00:00:00.000Z"
    tags = {
        "MARK": {"headrace:expires": past},
        "DELETE": {"headrace:expires": past, "headrace:marked": past},
        "WAIT": {"headrace:expires": past, "headrace:marked": future},
        "UNMARK": {"headrace:expires": future, "headrace:marked": past},
        "": {"headrace:expires": future},
    }
    made = {decision: _tagged(flow, {"headrace:owner": owner, **each}) for decision, each in tags.items()}
    until(lambda: {each["Lifecycle"] for each in flow.file_systems(owner)} == {"AVAILABLE"})
    ended = flow.end(flow.machines.start(flow.arns["Reaper"]))
    assert ended["status"] == "SUCCEEDED", ended
    decisions = {each["Id"]: each["Decision"] for each in json.loads(ended["output"])["Decisions"]}
    assert {each: decisions.get(each, "") for each in made.values()} == {each: name for name, each in made.items()}
    until(lambda: made["DELETE"] not in _marked(flow, owner))
    assert _marked(flow, owner) == {made["MARK"]: True, made["WAIT"]: True, made["UNMARK"]: False, made[""]: False}
    for each in _marked(flow, owner):
        flow.aws.fsx.delete_file_system(FileSystemId=each)


def _marked(flow: Flow, owner: str) -> dict[str, bool]:
    """File system -> whether it carries the reaper's mark."""
    keys = {each["FileSystemId"]: {tag["Key"] for tag in each["Tags"]} for each in flow.file_systems(owner)}
    return {each: "headrace:marked" in found for each, found in keys.items()}


def _tagged(flow: Flow, tags: Mapping[str, str]) -> str:
    made = flow.aws.fsx.create_file_system(
        FileSystemType="LUSTRE",
        StorageCapacity=1200,
        SubnetIds=flow.aws.subnets[:1],
        LustreConfiguration={"DeploymentType": "SCRATCH_2"},
        Tags=[{"Key": key, "Value": value} for key, value in ({"headrace:platform": PLATFORM} | dict(tags)).items()],
    )
    return str(made["FileSystem"]["FileSystemId"])
