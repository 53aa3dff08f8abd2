"""What a person who launches jobs may do: the calls of the job side, one function for each errand.

Sources: the calls in :mod:`headrace.aws`; Service Authorization Reference, "Amazon SageMaker" for the condition keys
and for actions that take no resource; what SageMaker asks with the caller's rights when a job names a file system or
a network (Describe only).
"""

from __future__ import annotations

from collections.abc import Sequence

from headrace.platform import DataLocation, parameter_path

from headrace_cdk.policies import (
    ANY_REPOSITORY_REASON,
    BELOW_A_PREFIX,
    TRAINING_LOG_GROUP,
    Place,
    Statement,
    allow,
)

NAMED_LIKE_THE_PLATFORM = "jobs are made later; the platform's prefix bounds their names"
MANIFESTS = "*.manifest"


def read_platform_record(place: Place, platform: str) -> list[Statement]:
    """Find out what was deployed. The call is judged by the path that it names, with or without its last slash."""
    path = place.arn("ssm", f"parameter{parameter_path(platform)}")
    return [allow("ReadThePlatformRecord", ["ssm:GetParametersByPath"], [path.rstrip("/"), path])]


def handle_own_objects(place: Place, bucket: str) -> list[Statement]:
    """Upload a job's code, remove it when the job could not be created, fetch the model that a job has made."""
    return [
        allow(
            "UploadCode",
            ["s3:DeleteObject", "s3:PutObject"],
            [place.s3_arn(f"{bucket}/code/*")],
            why_wildcard=BELOW_A_PREFIX,
        ),
        allow(
            "FetchResults",
            ["s3:GetObject"],
            [place.s3_arn(f"{bucket}/output/*")],
            why_wildcard=BELOW_A_PREFIX,
        ),
    ]


def handle_manifests(place: Place, bucket: str, locations: Sequence[DataLocation]) -> list[Statement]:
    """Check manifests where data lies, write new ones below the bucket's ``data/``.

    Only objects that are named so: who launches jobs reads no training data, and ``.json`` and ``.jsonl`` are what
    data sets themselves are often made of. A manifest of another name is checked as a local file. Whether the objects
    that a manifest lists are there is told by listing them, which needs no right to read them.
    """
    return [
        allow(
            "ReadManifests",
            ["s3:GetObject"],
            [place.s3_arn(f"{location.bucket}/{location.prefix}{MANIFESTS}") for location in locations],
            why_wildcard="manifests in data locations",
        ),
        allow(
            "WriteManifests",
            ["s3:PutObject"],
            [place.s3_arn(f"{bucket}/data/{MANIFESTS}")],
            why_wildcard="manifests in the bucket's own data",
        ),
    ]


def launch_jobs(
    place: Place,
    job_name_prefix: str,
    subnet_ids: Sequence[str],
    security_group_ids: Sequence[str],
    *,
    require_vpc: bool,
) -> list[Statement]:
    """Create jobs whose name begins so, in the platform's subnets and groups; follow and stop them.

    A job without a VPC reaches S3 only, with the rights of its role, and is allowed unless ``require_vpc``:
    ForAllValues holds where the request names no subnet at all, and the Null condition closes that.
    ``sagemaker:FileSystemId`` is not restricted: the Lustre file system comes and goes in a stack that this policy does
    not know, and a condition that names the EFS alone would refuse it. The security groups of the file systems are the
    guard: they let the platform's jobs in and nobody else.
    """
    jobs = [place.arn("sagemaker", f"training-job/{job_name_prefix}*")]
    guard_rails: dict[str, dict[str, object]] = {
        "ForAllValues:StringEquals": {
            "sagemaker:VpcSecurityGroupIds": list(security_group_ids),
            "sagemaker:VpcSubnets": list(subnet_ids),
        }
    }
    if require_vpc:
        guard_rails["Null"] = {"sagemaker:VpcSecurityGroupIds": "false", "sagemaker:VpcSubnets": "false"}
    return [
        allow(
            "CreateJobsHere",
            ["sagemaker:CreateTrainingJob"],
            jobs,
            guard_rails,
            why_wildcard=NAMED_LIKE_THE_PLATFORM,
        ),
        allow(
            "FollowAndStopJobs",
            [
                "sagemaker:AddTags",
                "sagemaker:DescribeTrainingJob",
                "sagemaker:ListTags",
                "sagemaker:StopTrainingJob",
            ],
            jobs,
            why_wildcard=NAMED_LIKE_THE_PLATFORM,
        ),
        allow("ListJobs", ["sagemaker:ListTrainingJobs"], ["*"], why_wildcard="ListTrainingJobs takes no resource"),
    ]


def pass_roles(role_arns: Sequence[str]) -> list[Statement]:
    """Hand the platform's roles, and no others, to SageMaker, and to nobody else."""
    return [
        allow("CheckTheRoles", ["iam:GetRole"], role_arns),
        allow(
            "PassTheRoles",
            ["iam:PassRole"],
            role_arns,
            {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        ),
    ]


def read_job_logs(place: Place) -> list[Statement]:
    """Stream what a job prints."""
    log_group = place.arn("logs", f"log-group:{TRAINING_LOG_GROUP}")
    return [
        allow(
            "ReadJobLogs",
            ["logs:DescribeLogStreams", "logs:GetLogEvents"],
            [f"{log_group}:*", f"{log_group}:log-stream:*"],
            why_wildcard="a log stream is named after its job and instance",
        )
    ]


def check_images(repository_arns: Sequence[str]) -> list[Statement]:
    """Ask whether an image exists, before a job waits for it."""
    return [allow("CheckImages", ["ecr:BatchGetImage"], repository_arns, why_wildcard=ANY_REPOSITORY_REASON)]


def look_at_network() -> list[Statement]:
    """Ask before a job is paid whether it can reach its data, with these groups, ACLs, routes and addresses.

    SageMaker asks for a part of it with the caller's rights, too.
    """
    return [
        allow(
            "LookAtNetwork",
            [
                "ec2:DescribeNetworkAcls",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeRouteTables",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcAttribute",
                "ec2:DescribeVpcEndpoints",
                "ec2:DescribeVpcs",
            ],
            ["*"],
            why_wildcard="these actions take no resource",
        )
    ]


def look_at_file_systems() -> list[Statement]:
    """Find out whether a file system, its mount targets and its links are there; SageMaker asks the same."""
    return [
        allow(
            "LookAtFileSystems",
            [
                "elasticfilesystem:DescribeFileSystemPolicy",
                "elasticfilesystem:DescribeFileSystems",
                "elasticfilesystem:DescribeMountTargets",
                "fsx:DescribeDataRepositoryAssociations",
                "fsx:DescribeFileSystems",
            ],
            ["*"],
            why_wildcard="the Lustre comes and goes in a stack of its own, and all of them only look",
        )
    ]


def look_at_capacity() -> list[Statement]:
    """Find out whether a zone offers an instance type."""
    return [
        allow(
            "LookAtInstanceTypes",
            ["ec2:DescribeInstanceTypeOfferings"],
            ["*"],
            why_wildcard="DescribeInstanceTypeOfferings takes no resource",
        ),
    ]
