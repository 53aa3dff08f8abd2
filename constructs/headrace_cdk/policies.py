"""What each role may do, as pure functions that return IAM statements.

A function is one line of the table of rights: who needs it is decided in :mod:`headrace_cdk.roles` and
:mod:`headrace_cdk.user_policy`. Arguments are ARNs and names, tokens or literals; nothing is created here.
Sources: Amazon SageMaker Developer Guide, "CreateTrainingJob API: Execution Role Permissions" and "Give SageMaker
Training Jobs Access to Resources in Your Amazon VPC"; Service Authorization Reference for the condition keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headrace.platform import DataLocation

TRAINING_LOG_GROUP = "/aws/sagemaker/TrainingJobs"
OWN_PREFIXES = ("code/", "output/", "checkpoints/")
ANY_REPOSITORY_REASON = "AWS's images lie in AWS's accounts, and a repository's own policy decides who may pull"
BELOW_A_PREFIX = "objects below one prefix of one bucket"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the platform is: partition, Region and account, each a literal or a token."""

    partition: str
    region: str
    account: str

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource in this Region and account."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def s3_arn(self, path: str) -> str:
        """The ARN of a bucket (``name``) or of objects (``name/prefix*``)."""
        return f"arn:{self.partition}:s3:::{path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One Allow statement. ``why_wildcard``: the reason where a resource holds a ``*``."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, Any]] | None = None
    why_wildcard: str | None = None

    def to_plain(self) -> dict[str, Any]:
        """The statement as IAM's JSON has it."""
        plain: dict[str, Any] = {
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": list(self.actions),
            "Resource": list(self.resources),
        }
        if self.conditions:
            plain["Condition"] = self.conditions
        return plain


def allow(
    sid: str,
    actions: Iterable[str],
    resources: Iterable[str],
    conditions: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    why_wildcard: str | None = None,
) -> Statement:
    """An Allow statement, its actions in order."""
    return Statement(
        sid=sid,
        actions=tuple(sorted(actions)),
        resources=tuple(resources),
        conditions=conditions,
        why_wildcard=why_wildcard,
    )


def training_trust(place: Place, job_name_prefix: str) -> dict[str, dict[str, str]]:
    """Conditions of the trust in SageMaker: for training jobs of this account and Region whose name begins so."""
    return {
        "StringEquals": {"aws:SourceAccount": place.account},
        "ArnLike": {"aws:SourceArn": place.arn("sagemaker", f"training-job/{job_name_prefix}*")},
    }


def job_basics(place: Place, image_repository_arns: Sequence[str]) -> list[Statement]:
    """What every training job needs: its log, its metrics, its image."""
    log_group = place.arn("logs", f"log-group:{TRAINING_LOG_GROUP}")
    return [
        allow(
            "WriteTheLog",
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            [log_group, f"{log_group}:log-stream:*"],
            why_wildcard="a log stream is named after its job and instance",
        ),
        allow(
            "PublishMetrics",
            ["cloudwatch:PutMetricData"],
            ["*"],
            {"StringEquals": {"cloudwatch:namespace": TRAINING_LOG_GROUP}},
            why_wildcard="PutMetricData takes no resource; the namespace bounds it",
        ),
        allow(
            "LogInToRegistries",
            ["ecr:GetAuthorizationToken"],
            ["*"],
            why_wildcard="GetAuthorizationToken takes no resource",
        ),
        allow(
            "PullTheImage",
            ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            image_repository_arns,
            why_wildcard=ANY_REPOSITORY_REASON,
        ),
    ]


def own_objects(place: Place, bucket: str) -> list[Statement]:
    """Read the job's code, write its output, keep its checkpoints; nothing of the data."""
    return [
        allow(
            "ListCodeOutputAndCheckpoints",
            ["s3:ListBucket"],
            [place.s3_arn(bucket)],
            {"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in OWN_PREFIXES]}},
        ),
        allow(
            "ReadCodeAndCheckpoints",
            ["s3:GetObject"],
            [place.s3_arn(f"{bucket}/code/*"), place.s3_arn(f"{bucket}/checkpoints/*")],
            why_wildcard=BELOW_A_PREFIX,
        ),
        allow(
            "WriteOutputAndCheckpoints",
            ["s3:PutObject"],
            [place.s3_arn(f"{bucket}/output/*"), place.s3_arn(f"{bucket}/checkpoints/*")],
            why_wildcard=BELOW_A_PREFIX,
        ),
    ]


def read_data(place: Place, locations: Iterable[DataLocation]) -> list[Statement]:
    """Read training data: list below each location's prefix and get what lies there."""
    locations = tuple(locations)
    return [
        *list_data(place, locations),
        allow(
            "ReadTheData",
            ["s3:GetObject"],
            [place.s3_arn(f"{location.bucket}/{location.prefix}*") for location in locations],
            why_wildcard=BELOW_A_PREFIX,
        ),
    ]


def list_data(place: Place, locations: Iterable[DataLocation]) -> list[Statement]:
    """List each bucket of data below the prefixes of its locations only: one statement for each bucket."""
    prefixes: dict[str, list[str]] = {}
    for location in locations:
        prefixes.setdefault(location.bucket, []).append(location.prefix)
    return [
        allow(f"ListData{index}", ["s3:ListBucket"], [place.s3_arn(bucket)], _below(found))
        for index, (bucket, found) in enumerate(prefixes.items())
    ]


def _below(prefixes: Sequence[str]) -> dict[str, dict[str, list[str]]] | None:
    # The whole bucket may be listed without naming a prefix, and then a condition on the prefix would not hold.
    return None if "" in prefixes else {"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in prefixes]}}


def use_keys(place: Place, key_arns: Sequence[str]) -> list[Statement]:
    """Decrypt input and encrypt output with the keys of the platform's bucket, through S3 only."""
    if not key_arns:
        return []
    actions = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"]
    return [allow("UseTheBucketsKeys", actions, key_arns, _through_s3(place))]


def encrypt_volumes(key_arns: Sequence[str]) -> list[Statement]:
    """Let SageMaker encrypt the volumes of a job's instances with the platform's keys: it grants itself their use.

    Keys of a job's own are not in here: such a job names a role of its own, too.
    """
    if not key_arns:
        return []
    by_services = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    return [allow("EncryptVolumes", ["kms:CreateGrant"], key_arns, by_services)]


def decrypt_data(place: Place, key_arns: Sequence[str]) -> list[Statement]:
    """Decrypt what lies in data locations, through S3 only; nothing is written there."""
    if not key_arns:
        return []
    return [allow("DecryptTheData", ["kms:Decrypt"], dict.fromkeys(key_arns), _through_s3(place))]


def _through_s3(place: Place) -> dict[str, dict[str, str]]:
    return {"StringEquals": {"kms:ViaService": f"s3.{place.region}.amazonaws.com"}}


def attach_to_network(place: Place, subnet_ids: Sequence[str], security_group_ids: Sequence[str]) -> list[Statement]:
    """Let SageMaker put network interfaces of the job into these subnets and groups."""
    interfaces = place.arn("ec2", "network-interface/*")
    return [
        allow(
            "CreateInterfacesHere",
            ["ec2:CreateNetworkInterface"],
            [
                interfaces,
                *(place.arn("ec2", f"subnet/{subnet_id}") for subnet_id in subnet_ids),
                *(place.arn("ec2", f"security-group/{group_id}") for group_id in security_group_ids),
            ],
            why_wildcard="an interface has no id before it is made; subnet and group bound it",
        ),
        allow(
            "HandInterfacesToSageMaker",
            ["ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface"],
            [interfaces],
            why_wildcard="an interface has no id before the job runs",
        ),
        allow(
            "LookAtNetworkAndLeaveIt",
            [
                "ec2:DeleteNetworkInterfacePermission",
                "ec2:DescribeDhcpOptions",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
            ],
            ["*"],
            why_wildcard="these actions take no resource",
        ),
    ]


def any_repository(place: Place) -> list[str]:
    """Every repository whose own policy lets this account in: AWS's images lie in AWS's accounts."""
    return [f"arn:{place.partition}:ecr:*:*:repository/*"]
