"""The CreateTrainingJob request of a job on a platform: a pure function.

Nothing here calls AWS: the same request is printed by ``headrace plan``, checked by the rules and sent by
``headrace train``. Source: the CreateTrainingJob API, checked in full by :mod:`headrace.service_model`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headrace.channels import reach_of, to_request
from headrace.placement import Attempt
from headrace.platform import PLATFORM_TAG, FoundationPart, Platform, Subnet
from headrace.roads import Reach
from headrace.rules import require, run_rules
from headrace.rules.job_limits import LINEAGE_HYPERPARAMETERS
from headrace.rules.platform_roads import ROLE_RULES, RoleSpec
from headrace.training import CODE_CHANNEL, SOURCE_ARCHIVE, TrainingJob, all_channels, needs_vpc

# One argument of ContainerEntrypoint holds 256 characters (CreateTrainingJob, ContainerEntrypointString).
_UNPACK_AND_RUN = (
    "mkdir -p /opt/ml/code && "
    f"python3 -m tarfile -e /opt/ml/input/data/{CODE_CHANNEL}/{SOURCE_ARCHIVE} /opt/ml/code && "
    'cd /opt/ml/code && exec python3 -u "$0" "$@"'
)
_EMPTY: tuple[Any, ...] = (None, {}, [])


def image_uri(image: str, foundation: FoundationPart) -> str:
    """The image's full URI: a bare ``repository:tag`` is taken from the platform's account and Region."""
    if ".dkr.ecr." in image.split("/", 1)[0]:
        return image
    suffix = "amazonaws.com.cn" if foundation.region.startswith("cn-") else "amazonaws.com"
    return f"{foundation.account}.dkr.ecr.{foundation.region}.{suffix}/{image}"


def build_request(
    job: TrainingJob, platform: Platform, subnets: Sequence[Subnet] = (), attempt: Attempt | None = None
) -> dict[str, Any]:
    """The CreateTrainingJob request for this job on this platform.

    ``subnets``: where the job is attached to the network; none means not at all. ``attempt``: the instance type to
    use in place of the job's own. Raises InvalidInput when the platform has not the role or the
    file system that it takes.
    """
    foundation = platform.foundation
    request: dict[str, Any] = {
        "TrainingJobName": job.name,
        "AlgorithmSpecification": _algorithm(job, foundation),
        "RoleArn": role_arn(job, foundation),
        "InputDataConfig": [to_request(each, platform) for each in all_channels(job, foundation.bucket)],
        "OutputDataConfig": _output(job, foundation),
        "ResourceConfig": _resources(job, attempt or Attempt()),
        "StoppingCondition": _stopping(job),
        "EnableManagedSpotTraining": True if job.spot else None,
        "CheckpointConfig": _checkpoints(job),
        "RetryStrategy": _retry(job),
        "EnableNetworkIsolation": job.network_isolation or None,
        "EnableInterContainerTrafficEncryption": job.encrypt_between_instances or None,
        "HyperParameters": {**job.hyperparameters, **_lineage(job, *LINEAGE_HYPERPARAMETERS)},
        "Environment": dict(job.environment),
        "Tags": _tags(job, foundation),
        "VpcConfig": _network(foundation, subnets),
    }
    return _without_empty(request)


def _algorithm(job: TrainingJob, foundation: FoundationPart) -> dict[str, Any]:
    if job.entry_point is not None:
        entrypoint: tuple[str, ...] | None = ("sh", "-ec", _UNPACK_AND_RUN, job.entry_point)
    else:
        entrypoint = job.command
    specification: dict[str, Any] = {
        "TrainingImage": image_uri(job.image, foundation),
        "TrainingInputMode": "File",
        "ContainerEntrypoint": list(entrypoint or ()),
        "ContainerArguments": list(job.arguments),
        "MetricDefinitions": [{"Name": each.name, "Regex": each.regex} for each in job.metric_definitions],
    }
    return _without_empty(specification)


def role_arn(job: TrainingJob, foundation: FoundationPart) -> str:
    """The role that reads what the job reads: its own, or the platform's. Raises RuleViolations when there is none."""
    if job.role_arn is not None:
        return job.role_arn
    require(run_rules(ROLE_RULES, role_spec(job, foundation)))
    if job.own_ingestion is not None:
        return foundation.ingestion_roles[job.own_ingestion.role]
    return str(getattr(foundation.roles, _reach(job, foundation)))


def role_spec(job: TrainingJob, foundation: FoundationPart) -> RoleSpec:
    """The role that the job needs of the platform, as its rule sees it."""
    return RoleSpec(
        platform=foundation.platform,
        reach=_reach(job, foundation),
        reaches=tuple(each for each in Reach if getattr(foundation.roles, each) is not None),
        ingestion_role=None if job.own_ingestion is None else job.own_ingestion.role,
        ingestion_roles=tuple(foundation.ingestion_roles),
    )


def _reach(job: TrainingJob, foundation: FoundationPart) -> Reach:
    reach = reach_of(job.channels)
    # unless the platform attaches every job, its role for S3 alone has no rights on network interfaces
    is_attached_by_choice = needs_vpc(job) and not foundation.require_vpc
    return Reach.BOTH if reach is Reach.S3 and is_attached_by_choice else reach


def _output(job: TrainingJob, foundation: FoundationPart) -> dict[str, Any]:
    uri = f"s3://{foundation.bucket}/output" if job.output is None else job.output.uri.rstrip("/")
    return _without_empty({"S3OutputPath": uri, "KmsKeyId": job.output_kms_key or foundation.kms_key_arn})


def _resources(job: TrainingJob, attempt: Attempt) -> dict[str, Any]:
    shared = {
        "VolumeSizeInGB": job.volume_size_gb,
        "VolumeKmsKeyId": job.volume_kms_key,
        "KeepAlivePeriodInSeconds": job.keep_alive_seconds,
    }
    if not job.instance_groups:
        instances: dict[str, Any] = {
            "InstanceType": attempt.instance_type or job.instance_type,
            "InstanceCount": job.instance_count,
        }
        return _without_empty(instances | shared)
    groups = [
        {
            "InstanceGroupName": each.name,
            "InstanceType": each.instance_type,
            "InstanceCount": each.instance_count,
        }
        for each in job.instance_groups
    ]
    return _without_empty({"InstanceGroups": groups, **shared})


def _stopping(job: TrainingJob) -> dict[str, Any]:
    return _without_empty(
        {
            "MaxRuntimeInSeconds": job.max_runtime_seconds,
            "MaxWaitTimeInSeconds": job.spot.max_wait_seconds if job.spot else None,
            "MaxPendingTimeInSeconds": job.max_pending_seconds,
        }
    )


def _checkpoints(job: TrainingJob) -> dict[str, str]:
    if job.checkpoints is None:
        return {}
    return {"S3Uri": job.checkpoints.location.uri.rstrip("/"), "LocalPath": job.checkpoints.local_path}


def _retry(job: TrainingJob) -> dict[str, int]:
    return {} if job.internal_error_retries is None else {"MaximumRetryAttempts": job.internal_error_retries}


def _network(foundation: FoundationPart, subnets: Sequence[Subnet]) -> dict[str, list[str]]:
    if not subnets:
        return {}
    return {
        "Subnets": [each.subnet_id for each in subnets],
        "SecurityGroupIds": [foundation.job_security_group_id],
    }


def _tags(job: TrainingJob, foundation: FoundationPart) -> list[dict[str, str]]:
    lineage = _lineage(job, "headrace:dataset", "headrace:dataset-version")
    tags = {**job.tags, **lineage, PLATFORM_TAG: foundation.platform}
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _lineage(job: TrainingJob, dataset: str, version: str) -> dict[str, str]:
    if job.own_ingestion is None:
        return {}
    return _without_empty({dataset: job.own_ingestion.dataset, version: job.own_ingestion.version})


def _without_empty(members: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in members.items() if value not in _EMPTY}
