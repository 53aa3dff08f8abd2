"""What the state machines of Lustre may do, as pure functions that return IAM statements: what several of them need.

What only one needs is beside it: :mod:`headrace_cdk.flow_policies`, :mod:`headrace_cdk.teardown_policies`,
:mod:`headrace_cdk.reaper_policies` and :mod:`headrace_cdk.preload_policies`.

Of ephemeral file systems, tags are the boundary. The flow makes only what it tags as the platform's and as its own; the
teardown deletes, and the reaper marks, only what carries both tags. The shared file system has no owner tag, and nobody
here may give one to what CloudFormation or the construct ``Lustre`` has made: so no mistake in a definition deletes it.
A file system that somebody made by hand has no tag that could tell it from one that is being made; there, the flow's
definition, which tags nothing that exists, is all that keeps it from being claimed.
Sources: Service Authorization Reference, "Amazon FSx", "Amazon SageMaker" and "AWS Step Functions".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headrace.platform import OWNER_TAG, PLATFORM_TAG

from headrace_cdk.policies import Place, Statement, allow

PART_TAG = "headrace:part"
"""What stacks, and the construct Lustre, tag with: a file system that has it is no ephemeral one."""

MADE_LATER = "file systems are made later; their tags bound them"
ONLY_LOOKS = "descriptions take no resource here, and only look"
Conditions = dict[str, dict[str, Any]]


def machine_name(platform: str, kind: str) -> str:
    """The name of a machine: known before it is made, so that machines can name each other without a cycle."""
    return f"headrace-{platform}-{kind}"


def machine_arn(place: Place, name: str) -> str:
    """The ARN of a state machine."""
    return place.arn("states", f"stateMachine:{name}")


def executions_arn(place: Place, name: str) -> str:
    """The ARNs of all executions of a state machine."""
    return place.arn("states", f"execution:{name}:*")


def machine_trust(place: Place, name: str) -> Conditions:
    """Conditions of the trust in Step Functions: for this machine of this account and Region."""
    return _source(place, machine_arn(place, name))


def rule_trust(place: Place, rule_name: str) -> Conditions:
    """Conditions of the trust in EventBridge: for this rule of this account and Region."""
    return _source(place, place.arn("events", f"rule/{rule_name}"))


def _source(place: Place, arn: str) -> Conditions:
    return {"StringEquals": {"aws:SourceAccount": place.account}, "ArnLike": {"aws:SourceArn": arn}}


def keep_a_log() -> list[Statement]:
    """What every machine needs: to have its log delivered, and its traces."""
    return [
        allow(
            "DeliverTheLog",
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
            why_wildcard="log deliveries take no resource",
        ),
        allow(
            "Trace",
            [
                "xray:GetSamplingRules",
                "xray:GetSamplingTargets",
                "xray:PutTelemetryRecords",
                "xray:PutTraceSegments",
            ],
            ["*"],
            why_wildcard="X-Ray's actions take no resource",
        ),
    ]


def run_jobs(
    place: Place,
    job_name_prefix: str,
    role_arns: Sequence[str],
    subnet_ids: Sequence[str],
    security_group_ids: Sequence[str],
) -> list[Statement]:
    """Create and follow jobs of this platform, always in its subnets and group, with its roles."""
    jobs = [place.arn("sagemaker", f"training-job/{job_name_prefix}*")]
    guard_rails: Conditions = {
        "ForAllValues:StringEquals": {
            "sagemaker:VpcSecurityGroupIds": list(security_group_ids),
            "sagemaker:VpcSubnets": list(subnet_ids),
        },
        "Null": {"sagemaker:VpcSecurityGroupIds": "false", "sagemaker:VpcSubnets": "false"},
    }
    named = "jobs are made later; the platform's prefix bounds their names"
    return [
        allow("CreateJobsHere", ["sagemaker:CreateTrainingJob"], jobs, guard_rails, why_wildcard=named),
        allow("FollowJobs", ["sagemaker:AddTags", "sagemaker:DescribeTrainingJob"], jobs, why_wildcard=named),
        allow(
            "PassTheRoles",
            ["iam:PassRole"],
            role_arns,
            {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        ),
        allow(
            "LookAtNetwork",
            [
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
                "ec2:GetSecurityGroupsForVpc",
            ],
            ["*"],
            why_wildcard="these actions take no resource; FSx and SageMaker ask with the caller's rights",
        ),
    ]


def look_at_ours(*more_actions: str) -> list[Statement]:
    """Find file systems: FSx lists all of the account, and the definitions choose by tag."""
    actions = ["fsx:DescribeFileSystems", *more_actions]
    return [allow("LookAtFileSystems", actions, ["*"], why_wildcard=ONLY_LOOKS)]


def count_clients() -> list[Statement]:
    """Read how many clients a file system has."""
    return [
        allow(
            "CountClients",
            ["cloudwatch:GetMetricStatistics"],
            ["*"],
            why_wildcard="GetMetricStatistics takes no resource",
        )
    ]


def find_who_mounts(place: Place) -> list[Statement]:
    """Find out which jobs mount a file system: all jobs of the account, since anybody may have mounted it.

    A job that may not be looked at would count as one that mounts it, and nothing would ever be deleted.
    """
    return [
        allow("ListJobs", ["sagemaker:ListTrainingJobs"], ["*"], why_wildcard="ListTrainingJobs takes no resource"),
        allow(
            "LookAtJobs",
            ["sagemaker:DescribeTrainingJob"],
            [place.arn("sagemaker", "training-job/*")],
            why_wildcard="any job of the account may mount a file system; this only looks",
        ),
    ]


def look_at_executions(place: Place, name: str, sid: str) -> list[Statement]:
    """Ask whether executions of a machine run."""
    return [
        allow(
            sid,
            ["states:DescribeExecution"],
            [executions_arn(place, name)],
            why_wildcard="executions of one machine",
        )
    ]


def start_machine(place: Place, name: str, sid: str) -> list[Statement]:
    """Start a machine."""
    return [allow(sid, ["states:StartExecution"], [machine_arn(place, name)])]


def tagged(keys: str, platform: str, flow: str) -> Conditions:
    """Conditions on an ephemeral file system of the platform; ``keys``: aws:RequestTag or aws:ResourceTag."""
    # An owner is the ARN of an execution of the flow: without the tag this does not hold either.
    return {
        "StringEquals": {f"{keys}/{PLATFORM_TAG}": platform},
        "StringLike": {f"{keys}/{OWNER_TAG}": f"arn:*:states:*:execution:{flow}:*"},
    }
