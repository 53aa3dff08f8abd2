"""Preload after deployment: who may do what, to the letter, what starts it, what it is given, and who is told."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_fsx as fsx
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Match, Template
from headrace.errors import InvalidInput
from headrace_cdk.definition import load
from headrace_cdk.shared_preload import SharedPreload

from tests.machine_definitions import GIVEN
from tests.rights import as_text, rights_of

ACCOUNT, REGION = "123456789012", "us-east-1"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:on-call"
SUBNET, GROUP, ROLE = "subnet-0123456789abcdef0", "sg-0123456789abcdef0", f"arn:aws:iam::{ACCOUNT}:role/file-systems"
REQUEST: dict[str, Any] = {
    **GIVEN["preload"]["Request"],
    "RoleArn": ROLE,
    "VpcConfig": {"Subnets": [SUBNET], "SecurityGroupIds": [GROUP]},
    "Environment": {"PRELOAD_SCRIPT_0": 'while eval "p=\\${P$i-}"; do\n s=$s$p; # ${Name} "ü"'},
}


def _template(topic_arn: str | None = None, **request: Any) -> Template:
    app = App(context={"@aws-cdk/core:enablePartitionLiterals": True})
    stack = Stack(app, "Test", env=Environment(account=ACCOUNT, region=REGION))
    lustre = fsx.CfnFileSystem(stack, "Lustre", file_system_type="LUSTRE", subnet_ids=[SUBNET])
    source = {"FileSystemDataSource": {"FileSystemId": lustre.ref, "DirectoryPath": "/data"}}
    SharedPreload(
        stack,
        "Preload",
        platform="dev",
        file_system_id=lustre.ref,
        request={**REQUEST, "InputDataConfig": [{"ChannelName": "data", "DataSource": source}], **request},
        topic=None if topic_arn is None else sns.Topic.from_topic_arn(stack, "Topic", topic_arn),
    )
    return Template.from_stack(stack)


@cache
def _default() -> Template:
    return _template()


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def test_it_runs_its_jobs_and_remembers_what_is_loaded() -> None:
    """Jobs of its own name, place and role; one kind of tag on one file system; nothing is made or deleted."""
    jobs = [_arn("sagemaker", "training-job/dev-preload-*")]
    rights = rights_of(_default(), "PreloadMachinePolicy")
    assert rights.keys() >= {"DeliverTheLog", "Trace"}
    network_sid = rights.pop("LookAtNetwork")
    assert all(action.startswith("ec2:") for action in network_sid[0])
    assert {sid: each for sid, each in rights.items() if sid not in ("DeliverTheLog", "Trace")} == {
        "LookAtFileSystems": (["fsx:DescribeDataRepositoryTasks", "fsx:DescribeFileSystems"], ["*"], None),
        "CreateJobsHere": (
            ["sagemaker:CreateTrainingJob"],
            jobs,
            {
                "ForAllValues:StringEquals": {
                    "sagemaker:VpcSecurityGroupIds": [GROUP],
                    "sagemaker:VpcSubnets": [SUBNET],
                },
                "Null": {"sagemaker:VpcSecurityGroupIds": "false", "sagemaker:VpcSubnets": "false"},
            },
        ),
        "FollowJobs": (["sagemaker:AddTags", "sagemaker:DescribeTrainingJob"], jobs, None),
        "PassTheRoles": (
            ["iam:PassRole"],
            [ROLE],
            {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        ),
        "RememberLinks": (
            ["fsx:TagResource"],
            [_arn("fsx", "file-system/<Lustre>")],
            {
                "ForAllValues:StringLike": {"aws:TagKeys": ["headrace:preloaded:*"]},
                "Null": {"aws:TagKeys": "false"},
            },
        ),
        "SeeOwnExecutions": (["states:ListExecutions"], [_arn("states", "stateMachine:headrace-dev-preload")], None),
    }


def test_deployments_of_its_own_stack_start_it() -> None:
    """As CloudFormation tells of a stack that has been made, changed, or has taken resources up; no other end."""
    _default().has_resource_properties(
        "AWS::Events::Rule",
        {
            "Name": "headrace-dev-preload",
            "State": "ENABLED",
            "EventPattern": {
                "source": ["aws.cloudformation"],
                "detail-type": ["CloudFormation Stack Status Change"],
                "detail": {
                    "stack-id": [{"Ref": "AWS::StackId"}],
                    "status-details": {"status": ["CREATE_COMPLETE", "IMPORT_COMPLETE", "UPDATE_COMPLETE"]},
                },
            },
            "Targets": [Match.object_like({"Input": Match.absent(), "InputTransformer": Match.absent()})],
        },
    )


def _machine(template: Template) -> dict[str, Any]:
    (found,) = template.find_resources("AWS::StepFunctions::StateMachine").values()
    properties: dict[str, Any] = found["Properties"]
    return properties


def test_the_machine_is_the_loaders_with_the_request_in_it() -> None:
    """Word for word, the shell's variables too: CloudFormation substitutes nothing where no substitutions are."""
    machine = _machine(_default())
    assert "DefinitionSubstitutions" not in machine
    plain = json.loads(as_text(machine["DefinitionString"]))
    given = plain["States"]["Begin"]["Assign"].pop("given")
    expected = load("preload").plain
    assert expected["States"]["Begin"]["Assign"].pop("given") == {}
    assert plain == expected
    source = {"FileSystemDataSource": {"FileSystemId": "<Lustre>", "DirectoryPath": "/data"}}
    assert given == {
        "FileSystemId": "<Lustre>",
        "Links": ["data"],
        "JobName": "dev-preload",
        "Request": {**REQUEST, "InputDataConfig": [{"ChannelName": "data", "DataSource": source}]},
    }


@pytest.mark.parametrize("change", [{"RoleArn": "{% $x %}"}, {"Environment": {"A": "{%"}}, {"Tags": [{"Key": "{%x"}]}])
def test_nothing_that_it_is_given_is_evaluated(change: dict[str, Any]) -> None:
    """Step Functions takes any text for an expression that begins as one."""
    with pytest.raises(InvalidInput, match=r"machine preload is given '\{%"):
        _template(**change)


def test_a_machine_without_a_place_is_given_nothing() -> None:
    """Nor one with substitutions, for which CloudFormation would take the shell's variables."""
    for name in ("ephemeral", "reaper"):
        with pytest.raises(AssertionError):
            load(name).text_with_given({})


@pytest.mark.parametrize("topic_arn", [None, TOPIC])
def test_what_fails_or_takes_too_long_is_told(topic_arn: str | None) -> None:
    """To the topic where there is one; else CloudWatch shows it."""
    template = _template(topic_arn)
    alarms = template.find_resources("AWS::CloudWatch::Alarm").values()
    assert {each["Properties"]["MetricName"] for each in alarms} == {"ExecutionsFailed", "ExecutionsTimedOut"}
    actions = Match.absent() if topic_arn is None else [topic_arn]
    template.all_resources_properties("AWS::CloudWatch::Alarm", {"AlarmActions": actions, "Threshold": 1})
