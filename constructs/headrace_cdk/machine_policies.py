"""What the state machines of Lustre may do, as pure functions that return IAM statements.

Of ephemeral file systems, tags are the boundary. The flow makes only what it tags as the platform's and as its own; the
teardown deletes, and the reaper marks, only what carries both tags. The shared file system has no owner tag, and nobody
here may give it one: so no mistake in a definition deletes it.
Sources: Service Authorization Reference, "Amazon FSx", "Amazon SageMaker" and "AWS Step Functions"; FSx for Lustre User
Guide, "Adding permissions to use data repositories in Amazon S3" and "Using tags with Amazon FSx".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headrace.platform import EXPIRES_TAG, MARKED_TAG, OWNER_TAG, PLATFORM_TAG, LustreLink

from headrace_cdk.policies import BELOW_A_PREFIX, Place, Statement, allow

PRELOADED_TAGS = "headrace:preloaded:"
"""What the keys begin with by which a shared file system remembers which links are loaded."""
PART_TAG = "headrace:part"
"""What stacks tag their resources with: a file system that has it is the shared one."""

FSX_LINK_ROLES = "s3.data-source.lustre.fsx.amazonaws.com"
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


def make_file_systems(place: Place, platform: str, flow: str) -> list[Statement]:
    """Create file systems, links and tasks that are tagged as this platform's and as an execution's of ``flow``.

    FSx asks for TagResource when something is created with tags. It is the same right that tags what exists: not what a
    stack has made, so that the shared file system never gets an owner.
    """
    made = [place.arn("fsx", f"{kind}/*") for kind in ("file-system", "association", "task")]
    file_systems = made[0]
    as_ours = _tagged("aws:RequestTag", platform, flow)
    with_expiry = {**as_ours, "Null": {f"aws:RequestTag/{EXPIRES_TAG}": "false"}}
    not_of_a_stack = {**as_ours, "Null": {f"aws:ResourceTag/{PART_TAG}": "true"}}
    links_and_tasks = ["fsx:CreateDataRepositoryAssociation", "fsx:CreateDataRepositoryTask"]
    return [
        allow("CreateOurs", ["fsx:CreateFileSystem"], [file_systems], with_expiry, why_wildcard=MADE_LATER),
        allow("TagWhatIsMade", ["fsx:TagResource"], made, not_of_a_stack, why_wildcard=MADE_LATER),
        allow(
            "LinkAndFillOurs",
            links_and_tasks,
            [file_systems],
            _tagged("aws:ResourceTag", platform, flow),
            why_wildcard=MADE_LATER,
        ),
        allow("MakeLinksAndTasks", links_and_tasks, made[1:], as_ours, why_wildcard=MADE_LATER),
    ]


def have_fsx_link(place: Place, links: Sequence[LustreLink]) -> list[Statement]:
    """What FSx asks of whoever links a file system: rights on the data, and on the role that FSx makes for each link.

    FSx demands PutObject for links that only import, too.
    """
    buckets = dict.fromkeys(place.s3_arn(link.bucket) for link in links)
    below = [place.s3_arn(f"{link.bucket}/{link.prefix}*") for link in links]
    link_roles = f"arn:{place.partition}:iam::{place.account}:role/aws-service-role/{FSX_LINK_ROLES}/*"
    fsx_role = f"arn:{place.partition}:iam::{place.account}:role/aws-service-role/fsx.amazonaws.com/*"
    return [
        allow(
            "ShowLinkedData",
            ["s3:Get*", "s3:List*"],
            [*buckets, *below],
            why_wildcard=f"FSx demands these actions by wildcard; {BELOW_A_PREFIX}",
        ),
        allow("LinkedDataMayBeWritten", ["s3:PutObject"], below, why_wildcard=BELOW_A_PREFIX),
        allow(
            "LetFsxReadTheData",
            ["iam:AttachRolePolicy", "iam:CreateServiceLinkedRole", "iam:PutRolePolicy"],
            [link_roles],
            why_wildcard="FSx makes a service-linked role for each link and names it after the file system",
        ),
        allow(
            "LetFsxIn",
            ["iam:CreateServiceLinkedRole"],
            [fsx_role],
            {"StringEquals": {"iam:AWSServiceName": "fsx.amazonaws.com"}},
            why_wildcard="the service-linked role of FSx itself, made once in an account",
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


def take_down(place: Place, platform: str, flow: str, job_name_prefix: str) -> list[Statement]:
    """Stop the platform's jobs, cancel the tasks of its ephemeral file systems, delete these and nothing else."""
    ours = _tagged("aws:ResourceTag", platform, flow)
    return [
        allow(
            "StopJobs",
            ["sagemaker:StopTrainingJob"],
            [place.arn("sagemaker", f"training-job/{job_name_prefix}*")],
            why_wildcard="jobs are made later; the platform's prefix bounds their names",
        ),
        allow(
            "CancelOurs",
            ["fsx:CancelDataRepositoryTask"],
            [place.arn("fsx", "task/*")],
            {"StringEquals": {f"aws:ResourceTag/{PLATFORM_TAG}": platform}},
            why_wildcard="tasks are made later; their tag bounds them",
        ),
        allow(
            "DeleteOurs",
            ["fsx:DeleteFileSystem"],
            [place.arn("fsx", "file-system/*")],
            ours,
            why_wildcard=MADE_LATER,
        ),
    ]


def mark(place: Place, platform: str, flow: str) -> list[Statement]:
    """Put the reaper's mark on an ephemeral file system of this platform and take it away: this one tag."""
    only_the_mark: Conditions = {
        "ForAllValues:StringEquals": {"aws:TagKeys": [MARKED_TAG]},
        "Null": {"aws:TagKeys": "false"},
    }
    return [
        allow(
            "MarkOurs",
            ["fsx:TagResource", "fsx:UntagResource"],
            [place.arn("fsx", "file-system/*")],
            {**_tagged("aws:ResourceTag", platform, flow), **only_the_mark},
            why_wildcard=MADE_LATER,
        )
    ]


def remember_links(place: Place, file_system_id: str) -> list[Statement]:
    """Write on one file system which of its links are loaded, and no other tag."""
    only_these: Conditions = {
        "ForAllValues:StringLike": {"aws:TagKeys": [f"{PRELOADED_TAGS}*"]},
        "Null": {"aws:TagKeys": "false"},
    }
    file_system = place.arn("fsx", f"file-system/{file_system_id}")
    return [allow("RememberLinks", ["fsx:TagResource"], [file_system], only_these)]


def see_own_executions(place: Place, name: str) -> list[Statement]:
    """Find out which executions of a machine run."""
    return [allow("SeeOwnExecutions", ["states:ListExecutions"], [machine_arn(place, name)])]


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


def tell(topic_arn: str) -> list[Statement]:
    """Publish to a topic."""
    return [allow("Tell", ["sns:Publish"], [topic_arn])]


def _tagged(keys: str, platform: str, flow: str) -> Conditions:
    # An owner is the ARN of an execution of the flow: without the tag this does not hold either.
    return {
        "StringEquals": {f"{keys}/{PLATFORM_TAG}": platform},
        "StringLike": {f"{keys}/{OWNER_TAG}": f"arn:*:states:*:execution:{flow}:*"},
    }
