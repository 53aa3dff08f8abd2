"""The machines of ephemeral Lustre: who may do what, to the letter, what starts them, and who is told."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk.assertions import Match, Template
from headrace.platform import DataLocation
from headrace.rules import RuleViolations
from headrace_cdk.alarm_topic import AlarmTopic
from headrace_cdk.definition import load
from headrace_cdk.ephemeral_lustre import EphemeralLustre
from headrace_cdk.ephemeral_user_policy import EphemeralUserPolicy
from headrace_cdk.iam_naming import IamNaming
from headrace_cdk.lustre_link import S3Link
from headrace_cdk.reaper import Reaper
from headrace_cdk.teardown import Teardown

from tests.rights import as_text, rights_of

ACCOUNT, REGION = "123456789012", "us-east-1"
BUCKET = "training-data-bucket"
LOCATIONS = [DataLocation(bucket=BUCKET, prefix="data/"), DataLocation(bucket="elsewhere-bucket", prefix="sets/birds/")]
DATA = S3Link(name="data", path="/data", bucket=BUCKET, prefix="data/")
BIRDS = S3Link(name="birds", path="/birds", bucket="elsewhere-bucket", prefix="sets/birds/")
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b2c3d-0000-0000-0000-000000000000"
ROLES = [f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("file-systems", "both")]
SUBNETS = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
JOB_GROUP, LUSTRE_GROUP = "sg-0123456789abcdef0", "sg-0123456789abcdef1"
MACHINES = ("ephemeral", "teardown", "reaper")
OURS = {
    "StringEquals": {"aws:ResourceTag/headrace:platform": "dev"},
    "StringLike": {"aws:ResourceTag/headrace:owner": "arn:*:states:*:execution:headrace-dev-ephemeral:*"},
}
AS_OURS = {
    "StringEquals": {"aws:RequestTag/headrace:platform": "dev"},
    "StringLike": {"aws:RequestTag/headrace:owner": "arn:*:states:*:execution:headrace-dev-ephemeral:*"},
}


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


ANY_FILE_SYSTEM = [_arn("fsx", "file-system/*")]
JOBS = [_arn("sagemaker", "training-job/dev-*")]
EVERY_MACHINE = {
    "DeliverTheLog": (
        [
            "logs:CreateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:DescribeLogGroups",
            "logs:DescribeResourcePolicies",
            "logs:GetLogDelivery",
            "logs:ListLogDeliveries",
            "logs:PutResourcePolicy",
            "logs:UpdateLogDelivery",
        ],
        ["*"],
        None,
    ),
    "Trace": (
        [
            "xray:GetSamplingRules",
            "xray:GetSamplingTargets",
            "xray:PutTelemetryRecords",
            "xray:PutTraceSegments",
        ],
        ["*"],
        None,
    ),
}
FINDS_WHO_MOUNTS = {
    "ListJobs": (["sagemaker:ListTrainingJobs"], ["*"], None),
    "LookAtJobs": (["sagemaker:DescribeTrainingJob"], [_arn("sagemaker", "training-job/*")], None),
}
EACH_ONE = {
    "Statistic": "Sum",
    "Threshold": 1,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "TreatMissingData": "notBreaching",
    "AlarmActions": [{"Ref": Match.string_like_regexp("^AlarmTopic")}],
}
LOOKS_AT_OWNERS = (["states:DescribeExecution"], [_arn("states", "execution:headrace-dev-ephemeral:*")], None)
STARTS_TEARDOWN = (["states:StartExecution"], [_arn("states", "stateMachine:headrace-dev-teardown")], None)


def _stack() -> Stack:
    app = App(context={"@aws-cdk/core:enablePartitionLiterals": True})
    return Stack(app, "Test", env=Environment(account=ACCOUNT, region=REGION))


def _flow(stack: Stack, **props: Any) -> EphemeralLustre:
    given: dict[str, Any] = {
        "platform": "dev",
        "subnet_ids": SUBNETS,
        "lustre_security_group_id": LUSTRE_GROUP,
        "job_security_group_id": JOB_GROUP,
        "role_arns": ROLES,
        "links": [DATA],
        "data_locations": LOCATIONS,
        "job_name_prefix": "dev-",
        "max_file_systems": 2,
        "max_gib": 4800,
        "max_hours": 24,
    }
    return EphemeralLustre(stack, "Ephemeral", **given | props)


def _all(topic_arn: str | None = None, naming: IamNaming | None = None, **props: Any) -> Template:
    stack = _stack()
    topic = AlarmTopic(
        stack, "AlarmTopic", platform="dev", existing_topic_arn=topic_arn, emails=["a@example.com"]
    ).topic
    Teardown(stack, "Teardown", platform="dev", job_name_prefix="dev-", topic=topic, naming=naming)
    Reaper(stack, "Reaper", platform="dev", topic=topic, max_hours=24, naming=naming)
    EphemeralUserPolicy(stack, "User", platform="dev", naming=naming)
    _flow(stack, naming=naming, **props)
    return Template.from_stack(stack)


@cache
def _default() -> Template:
    return _all()


def test_the_flow_makes_what_is_its_own_and_deletes_nothing() -> None:
    """It creates by request tags, goes on by resource tags, and always runs jobs in the platform's network."""
    vpc = {"sagemaker:VpcSecurityGroupIds": "false", "sagemaker:VpcSubnets": "false"}
    made = [_arn("fsx", "association/*"), _arn("fsx", "task/*")]
    rights = rights_of(_default(), "EphemeralMachinePolicy")
    assert rights == {
        **EVERY_MACHINE,
        "CreateOurs": (
            ["fsx:CreateFileSystem"],
            ANY_FILE_SYSTEM,
            {**AS_OURS, "Null": {"aws:RequestTag/headrace:expires": "false"}},
        ),
        "TagWhatIsMade": (
            ["fsx:TagResource"],
            [*ANY_FILE_SYSTEM, *made],
            {
                **AS_OURS,
                "Null": {
                    "aws:ResourceTag/aws:cloudformation:stack-id": "true",
                    "aws:ResourceTag/headrace:part": "true",
                },
            },
        ),
        "LinkAndFillOurs": (
            ["fsx:CreateDataRepositoryAssociation", "fsx:CreateDataRepositoryTask"],
            ANY_FILE_SYSTEM,
            OURS,
        ),
        "MakeLinksAndTasks": (["fsx:CreateDataRepositoryAssociation", "fsx:CreateDataRepositoryTask"], made, AS_OURS),
        "ShowLinkedData": (["s3:Get*", "s3:List*"], [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/data/*"], None),
        "LinkedDataMayBeWritten": (["s3:PutObject"], [f"arn:aws:s3:::{BUCKET}/data/*"], None),
        "LetFsxReadTheData": (
            ["iam:AttachRolePolicy", "iam:CreateServiceLinkedRole", "iam:PutRolePolicy"],
            [f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/s3.data-source.lustre.fsx.amazonaws.com/*"],
            None,
        ),
        "LetFsxIn": (
            ["iam:CreateServiceLinkedRole"],
            [f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/fsx.amazonaws.com/*"],
            {"StringEquals": {"iam:AWSServiceName": "fsx.amazonaws.com"}},
        ),
        "LookAtFileSystems": (
            [
                "fsx:DescribeDataRepositoryAssociations",
                "fsx:DescribeDataRepositoryTasks",
                "fsx:DescribeFileSystems",
            ],
            ["*"],
            None,
        ),
        "CreateJobsHere": (
            ["sagemaker:CreateTrainingJob"],
            JOBS,
            {
                "ForAllValues:StringEquals": {
                    "sagemaker:VpcSecurityGroupIds": [JOB_GROUP],
                    "sagemaker:VpcSubnets": SUBNETS,
                },
                "Null": vpc,
            },
        ),
        "FollowJobs": (["sagemaker:AddTags", "sagemaker:DescribeTrainingJob"], JOBS, None),
        "PassTheRoles": (
            ["iam:PassRole"],
            ROLES,
            {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        ),
        "LookAtNetwork": (
            [
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
                "ec2:GetSecurityGroupsForVpc",
            ],
            ["*"],
            None,
        ),
        "StartTeardown": STARTS_TEARDOWN,
        "AwaitTeardown": (
            ["states:DescribeExecution"],
            [_arn("states", "execution:headrace-dev-teardown:*")],
            None,
        ),
    }


def test_the_teardown_deletes_only_what_an_execution_owns() -> None:
    """Platform and owner are both asked for: the shared file system has no owner."""
    assert rights_of(_default(), "TeardownMachinePolicy") == {
        **EVERY_MACHINE,
        "LookAtFileSystems": (["fsx:DescribeDataRepositoryTasks", "fsx:DescribeFileSystems"], ["*"], None),
        **FINDS_WHO_MOUNTS,
        "StopJobs": (["sagemaker:StopTrainingJob"], JOBS, None),
        "CancelOurs": (
            ["fsx:CancelDataRepositoryTask"],
            [_arn("fsx", "task/*")],
            {"StringEquals": {"aws:ResourceTag/headrace:platform": "dev"}},
        ),
        "DeleteOurs": (["fsx:DeleteFileSystem"], ANY_FILE_SYSTEM, OURS),
        "LookAtOwners": LOOKS_AT_OWNERS,
    }


def test_the_reaper_marks_and_neither_makes_nor_deletes() -> None:
    """It writes one tag, on what is owned, and starts the teardown."""
    rights = rights_of(_default(), "ReaperMachinePolicy")
    topic = rights.pop("Tell")
    assert topic[0] == ["sns:Publish"]
    assert topic[1][0].startswith("<AlarmTopic")
    assert rights == {
        **EVERY_MACHINE,
        "LookAtFileSystems": (["fsx:DescribeFileSystems"], ["*"], None),
        **FINDS_WHO_MOUNTS,
        "CountClients": (["cloudwatch:GetMetricStatistics"], ["*"], None),
        "LookAtOwners": LOOKS_AT_OWNERS,
        "MarkOurs": (
            ["fsx:TagResource", "fsx:UntagResource"],
            ANY_FILE_SYSTEM,
            {
                **OURS,
                "ForAllValues:StringEquals": {"aws:TagKeys": ["headrace:marked"]},
                "Null": {"aws:TagKeys": "false"},
            },
        ),
        "StartTeardown": STARTS_TEARDOWN,
    }


def test_only_the_teardown_may_delete_and_only_the_flow_may_make() -> None:
    """No role and no person has both."""
    holders: dict[str, set[str]] = {"fsx:DeleteFileSystem": set(), "fsx:CreateFileSystem": set()}
    policies = ("EphemeralMachinePolicy", "TeardownMachinePolicy", "ReaperMachinePolicy", "UserPolicy")
    for policy in policies:
        for actions, _, _ in rights_of(_default(), policy).values():
            for action in holders.keys() & set(actions):
                holders[action].add(policy)
    assert holders == {
        "fsx:DeleteFileSystem": {"TeardownMachinePolicy"},
        "fsx:CreateFileSystem": {"EphemeralMachinePolicy"},
    }


def test_people_start_the_machines_and_stop_the_flow() -> None:
    """A stopped flow is taken down; a stopped teardown would leave what it was to delete."""
    machines = [_arn("states", f"stateMachine:headrace-dev-{kind}") for kind in MACHINES]
    executions = [_arn("states", f"execution:headrace-dev-{kind}:*") for kind in MACHINES]
    rights = {sid: (actions, set(found)) for sid, (actions, found, _) in rights_of(_default(), "UserPolicy").items()}
    assert rights == {
        "StartMachines": (["states:ListExecutions", "states:StartExecution"], set(machines)),
        "FollowMachines": (["states:DescribeExecution", "states:GetExecutionHistory"], set(executions)),
        "StopTheFlow": (["states:StopExecution"], {executions[0]}),
        "CountClients": (["cloudwatch:GetMetricStatistics"], {"*"}),
    }


def test_keys_of_linked_buckets_are_used_through_s3_only() -> None:
    """The platform's key to read and write, others to read; without keys there is no right on any."""
    other = KEY.replace("0a1b", "ffff")
    rights = rights_of(_all(kms_key_arns=[KEY], data_kms_key_arns=[other]), "EphemeralMachinePolicy")
    through_s3 = {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
    assert rights["UseTheBucketsKeys"] == (["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"], [KEY], through_s3)
    assert rights["DecryptTheData"] == (["kms:Decrypt"], [other], through_s3)
    assert "kms:" not in json.dumps(rights_of(_default(), "EphemeralMachinePolicy"))


def test_rights_on_data_are_those_of_the_links() -> None:
    """Each link's bucket and prefix, and no other data location."""
    rights = rights_of(_all(links=[BIRDS]), "EphemeralMachinePolicy")
    below = "arn:aws:s3:::elsewhere-bucket/sets/birds/*"
    assert set(rights["ShowLinkedData"][1]) == {"arn:aws:s3:::elsewhere-bucket", below}
    assert rights["LinkedDataMayBeWritten"][1] == [below]


@pytest.mark.parametrize("kind", MACHINES)
def test_a_role_trusts_its_own_machine(kind: str) -> None:
    """Step Functions may assume it for this machine of this account, and nobody else."""
    (role,) = (
        _default()
        .find_resources("AWS::IAM::Role", {"Properties": {"Description": f"headrace dev: state machine {kind}"}})
        .values()
    )
    (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement == {
        "Action": "sts:AssumeRole",
        "Effect": "Allow",
        "Principal": {"Service": "states.amazonaws.com"},
        "Condition": {
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
            "ArnLike": {"aws:SourceArn": _arn("states", f"stateMachine:headrace-dev-{kind}")},
        },
    }


@pytest.mark.parametrize("kind", MACHINES)
def test_a_machine_is_what_the_loader_gives(kind: str) -> None:
    """Standard, traced, logged without data, with a value for each substitution and for nothing else."""
    (machine,) = (
        _default()
        .find_resources(
            "AWS::StepFunctions::StateMachine", {"Properties": {"StateMachineName": f"headrace-dev-{kind}"}}
        )
        .values()
    )
    properties, definition = machine["Properties"], load(kind)
    assert properties["DefinitionString"] == definition.text
    assert properties["DefinitionSubstitutions"].keys() == definition.substitutions
    assert properties.get("StateMachineType", "STANDARD") == "STANDARD"
    assert properties["TracingConfiguration"] == {"Enabled": True}
    assert properties["LoggingConfiguration"]["Level"] == "ALL"
    assert properties["LoggingConfiguration"]["IncludeExecutionData"] is False
    _default().has_resource_properties(
        "AWS::Logs::LogGroup", {"LogGroupName": f"/aws/vendedlogs/states/headrace-dev-{kind}", "RetentionInDays": 90}
    )


def test_the_cap_and_the_place_reach_the_flow() -> None:
    """What the settings say is what the machine holds an input against."""
    _default().has_resource_properties(
        "AWS::StepFunctions::StateMachine",
        {
            "StateMachineName": "headrace-dev-ephemeral",
            "DefinitionSubstitutions": {
                "Platform": "dev",
                "SubnetIds": ",".join(SUBNETS),
                "LinkedUris": f"s3://{BUCKET}/data/",
                "LustreSecurityGroupId": LUSTRE_GROUP,
                "JobSecurityGroupId": JOB_GROUP,
                "MaxFileSystems": "2",
                "MaxGib": "4800",
                "MaxHours": "24",
                "TeardownMachineArn": _arn("states", "stateMachine:headrace-dev-teardown"),
            },
        },
    )


def test_a_flow_that_ends_badly_is_taken_down_by_its_arn_alone() -> None:
    """The event's input may be missing; the execution's ARN never is."""
    _default().has_resource_properties(
        "AWS::Events::Rule",
        {
            "Name": "headrace-dev-teardown",
            "State": "ENABLED",
            "EventPattern": {
                "source": ["aws.states"],
                "detail-type": ["Step Functions Execution Status Change"],
                "detail": {
                    "status": ["ABORTED", "FAILED", "TIMED_OUT"],
                    "stateMachineArn": [_arn("states", "stateMachine:headrace-dev-ephemeral")],
                },
            },
            "Targets": [
                Match.object_like(
                    {
                        "Arn": {"Ref": Match.string_like_regexp("^TeardownMachine")},
                        "InputTransformer": {
                            "InputPathsMap": {"detail-executionArn": "$.detail.executionArn"},
                            "InputTemplate": '{"Owner":<detail-executionArn>}',
                        },
                    }
                )
            ],
        },
    )


def test_the_reaper_runs_every_quarter_of_an_hour() -> None:
    """Often enough that what is marked is looked at again as soon as it may go."""
    _default().has_resource_properties(
        "AWS::Events::Rule",
        {"Name": "headrace-dev-reaper", "ScheduleExpression": "rate(15 minutes)", "State": "ENABLED"},
    )
    _default().has_resource_properties(
        "AWS::StepFunctions::StateMachine",
        {"DefinitionSubstitutions": {"MaxDeletesPerRun": "5", "MaxHours": "24"}},
    )


@pytest.mark.parametrize(("rule", "machine"), [("TeardownOnFlowEnded", "Teardown"), ("ReaperOften", "Reaper")])
def test_event_bridge_may_start_one_machine(rule: str, machine: str) -> None:
    """The role of a rule is for this rule, and for the machine that it starts."""
    (policy,) = (each for key, each in _default().find_resources("AWS::IAM::Policy").items() if key.startswith(rule))
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "states:StartExecution"
    assert as_text(statement["Resource"]).startswith(f"<{machine}MachineStateMachine")
    (role,) = (each for key, each in _default().find_resources("AWS::IAM::Role").items() if key.startswith(rule))
    (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "events.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": _arn("events", f"rule/headrace-dev-{machine.lower()}")},
    }


@pytest.mark.parametrize(
    ("machine", "metric"),
    [
        ("Teardown", "ExecutionsFailed"),
        ("Teardown", "ExecutionsTimedOut"),
        ("Teardown", "ExecutionsAborted"),
        # one that is aborted is followed by another a quarter of an hour later; none for an hour is told, too
        ("Reaper", "ExecutionsFailed"),
        ("Reaper", "ExecutionsTimedOut"),
    ],
)
def test_what_did_not_end_well_is_told(machine: str, metric: str) -> None:
    """Each of them, also the first, which was no success; where nothing runs, there is nothing to tell."""
    _default().has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {
            "Namespace": "AWS/States",
            "MetricName": metric,
            "Dimensions": [
                {"Name": "StateMachineArn", "Value": {"Ref": Match.string_like_regexp(f"^{machine}Machine")}}
            ],
            **EACH_ONE,
        },
    )


@pytest.mark.parametrize("rule", ["TeardownOnFlowEnded", "ReaperOften"])
def test_what_could_not_be_started_is_told(rule: str) -> None:
    """An execution that never was has no metric of Step Functions; the rule counts it."""
    _default().has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {
            "Namespace": "AWS/Events",
            "MetricName": "FailedInvocations",
            "Dimensions": [{"Name": "RuleName", "Value": {"Ref": Match.string_like_regexp(f"^{rule}")}}],
            **EACH_ONE,
        },
    )


def test_an_event_that_started_no_teardown_is_kept() -> None:
    """In an encrypted queue that EventBridge fills for this rule alone, and somebody is told."""
    template = _default()
    ((key, queue),) = template.find_resources("AWS::SQS::Queue").items()
    assert queue["Properties"] == {"MessageRetentionPeriod": 14 * 86_400, "SqsManagedSseEnabled": True}
    (rule,) = template.find_resources("AWS::Events::Rule", {"Properties": {"Name": "headrace-dev-teardown"}}).values()
    arn = {"Fn::GetAtt": [key, "Arn"]}
    (target,) = rule["Properties"]["Targets"]
    assert target["DeadLetterConfig"] == {"Arn": arn}
    (policy,) = template.find_resources("AWS::SQS::QueuePolicy").values()
    (allowed,) = (each for each in policy["Properties"]["PolicyDocument"]["Statement"] if each["Effect"] == "Allow")
    assert (allowed["Action"], allowed["Resource"]) == ("sqs:SendMessage", arn)
    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
    (source,) = allowed["Condition"]["ArnEquals"].items()
    assert source[0] == "aws:SourceArn"
    assert source[1]["Fn::GetAtt"][0].startswith("TeardownOnFlowEnded")
    template.has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {
            "Namespace": "AWS/SQS",
            "MetricName": "ApproximateNumberOfMessagesVisible",
            "Dimensions": [{"Name": "QueueName", "Value": {"Fn::GetAtt": [key, "QueueName"]}}],
            **EACH_ONE,
            "Statistic": "Maximum",
        },
    )


def test_a_reaper_that_stopped_is_told() -> None:
    """When it fails, and when nothing starts it any more: then there is no data at all."""
    topic = [{"Ref": Match.string_like_regexp("^AlarmTopic")}]
    _default().has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {
            "MetricName": "ExecutionsSucceeded",
            "Dimensions": [{"Name": "StateMachineArn", "Value": {"Ref": Match.string_like_regexp("^ReaperMachine")}}],
            "Period": 3600,
            "Threshold": 1,
            "ComparisonOperator": "LessThanThreshold",
            "TreatMissingData": "missing",
            "AlarmActions": topic,
            "InsufficientDataActions": topic,
        },
    )


def test_alarms_may_publish_to_the_topic_and_only_encrypted() -> None:
    """A policy of one's own replaces the one by which alarms of the account may."""
    (policy,) = _default().find_resources("AWS::SNS::TopicPolicy").values()
    statements = {each["Sid"]: each for each in policy["Properties"]["PolicyDocument"]["Statement"]}
    assert statements["Alarms"]["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert statements["Alarms"]["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    denied = statements["AllowPublishThroughSSLOnly"]
    assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    _default().has_resource_properties("AWS::SNS::Topic", {"KmsMasterKeyId": Match.absent()})
    _default().has_resource_properties("AWS::SNS::Subscription", {"Protocol": "email", "Endpoint": "a@example.com"})


def test_a_topic_that_is_there_is_used_as_it_is() -> None:
    """No topic, policy or subscription is made; the reaper may publish to it."""
    arn = _arn("sns", "on-call")
    template = _all(topic_arn=arn)
    for kind in ("Topic", "TopicPolicy", "Subscription"):
        assert not template.find_resources(f"AWS::SNS::{kind}")
    template.all_resources_properties("AWS::CloudWatch::Alarm", {"AlarmActions": [arn]})
    assert rights_of(template, "ReaperMachinePolicy")["Tell"] == (["sns:Publish"], [arn], None)


def test_every_role_and_policy_is_named_and_bounded() -> None:
    """Machines and rules, too, in accounts that ask for it."""
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
    template = _all(naming=IamNaming(name_prefix="ml-", path="/ml/", permissions_boundary_arn=boundary))
    named = Match.string_like_regexp(f"^ml-dev-{REGION}-")
    role = {"Path": "/ml/", "PermissionsBoundary": boundary, "RoleName": named}
    template.all_resources_properties("AWS::IAM::Role", role)
    template.all_resources_properties("AWS::IAM::ManagedPolicy", {"Path": "/ml/", "ManagedPolicyName": named})


@pytest.mark.parametrize(
    ("props", "rule_id"),
    [
        ({"max_file_systems": 0}, "V170"),
        ({"max_gib": 1000}, "V171"),
        ({"max_hours": 200}, "V172"),
        ({"links": []}, "V174"),
        ({"links": [DATA, S3Link(name="a", path="/data/a", bucket=BUCKET, prefix="data/a/")]}, "V18"),
        ({"links": [S3Link(name="code", path="/code", bucket=BUCKET, prefix="code/")]}, "V69"),
    ],
)
def test_what_cannot_be_is_refused_at_synth(props: dict[str, Any], rule_id: str) -> None:
    """Caps that are none, and links that leave the data or each other's way."""
    with pytest.raises(RuleViolations) as caught:
        _flow(_stack(), **props)
    assert rule_id in {finding.rule_id for finding in caught.value.findings}


def test_nothing_needs_a_runtime_or_an_asset() -> None:
    """No Lambda function, no custom resource: what cleans up has nothing that could break by itself."""
    kinds = {each["Type"] for each in _default().to_json()["Resources"].values()}
    assert not [kind for kind in kinds if kind.startswith(("AWS::Lambda", "Custom::", "AWS::CloudFormation::Custom"))]
    assert "aws:asset" not in json.dumps(_default().to_json())
