"""A training job as people think of it, and the pure function that makes the CreateTrainingJob request of it.

Nothing here calls AWS: the same request is printed by ``--dry-run``, checked by the rules and sent by ``launch``.
A job's code travels as one archive in a channel of its own, ``code``, and is unpacked by a line of shell: that
works in any image that has Python, and needs no training toolkit in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headrace.channels import Channel, reach_of, to_request
from headrace.errors import InvalidInput
from headrace.platform import FoundationPart
from headrace.sources import S3FileSource, S3Location

CODE_CHANNEL = "code"
SOURCE_ARCHIVE = "source.tar.gz"

# One argument of ContainerEntrypoint holds 256 characters (CreateTrainingJob, ContainerEntrypointString).
_UNPACK_AND_RUN = (
    "mkdir -p /opt/ml/code && "
    f"python3 -m tarfile -e /opt/ml/input/data/{CODE_CHANNEL}/{SOURCE_ARCHIVE} /opt/ml/code && "
    'cd /opt/ml/code && exec python3 -u "$0" "$@"'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricDefinition:
    """A number to be read off the job's log: the first group of ``regex`` is its value."""

    name: str
    regex: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingJob:
    """One training job.

    ``image``: an ECR image URI, or ``repository:tag`` in the platform's account and Region.
    ``entry_point``: a script inside ``source_dir``, run by the image's Python; or ``command``: what the image runs
    (its own entry point where both are None). ``role_arn``: instead of the platform's role for these channels.
    """

    name: str
    image: str
    instance_type: str
    channels: tuple[Channel, ...]
    entry_point: str | None = None
    source_dir: str | None = None
    command: tuple[str, ...] | None = None
    arguments: tuple[str, ...] = ()
    instance_count: int = 1
    volume_size_gb: int = 30
    max_runtime_seconds: int = 86_400
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    metric_definitions: tuple[MetricDefinition, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    role_arn: str | None = None


def image_uri(image: str, foundation: FoundationPart) -> str:
    """The image's full URI: a bare ``repository:tag`` is taken from the platform's account and Region."""
    if ".dkr.ecr." in image.split("/", 1)[0]:
        return image
    suffix = "amazonaws.com.cn" if foundation.region.startswith("cn-") else "amazonaws.com"
    return f"{foundation.account}.dkr.ecr.{foundation.region}.{suffix}/{image}"


def source_archive_location(job: TrainingJob, foundation: FoundationPart) -> S3Location:
    """Where the job's code is uploaded to: a folder of its own, since the code channel takes the whole folder."""
    return S3Location(bucket=foundation.bucket, prefix=f"code/{job.name}/{SOURCE_ARCHIVE}")


def build_request(job: TrainingJob, foundation: FoundationPart) -> dict[str, Any]:
    """The CreateTrainingJob request for this job on this platform.

    Raises InvalidInput when the platform has no role that reads these channels.
    Source: the CreateTrainingJob API, checked in full by :mod:`headrace.service_model`.
    """
    channels = (*job.channels, *_code_channel(job, foundation))
    request: dict[str, Any] = {
        "TrainingJobName": job.name,
        "AlgorithmSpecification": _algorithm(job, foundation),
        "RoleArn": job.role_arn or _role_arn(job, foundation),
        "InputDataConfig": [to_request(channel) for channel in channels],
        "OutputDataConfig": _output(foundation),
        "ResourceConfig": {
            "InstanceType": job.instance_type,
            "InstanceCount": job.instance_count,
            "VolumeSizeInGB": job.volume_size_gb,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": job.max_runtime_seconds},
        "HyperParameters": dict(job.hyperparameters),
        "Environment": dict(job.environment),
        "Tags": _tags(job, foundation),
        "VpcConfig": _network(foundation),
    }
    return {key: value for key, value in request.items() if value not in ({}, [])}


def _code_channel(job: TrainingJob, foundation: FoundationPart) -> tuple[Channel, ...]:
    if job.entry_point is None:
        return ()
    archive = source_archive_location(job, foundation)
    folder = S3Location(bucket=archive.bucket, prefix=archive.prefix.removesuffix(SOURCE_ARCHIVE))
    return (Channel(name=CODE_CHANNEL, source=S3FileSource(location=folder)),)


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
    return {key: value for key, value in specification.items() if value != []}


def _role_arn(job: TrainingJob, foundation: FoundationPart) -> str:
    reach = reach_of(job.channels)
    arn: str | None = getattr(foundation.roles, reach.value)
    if arn is None:
        raise InvalidInput(
            f"channels need the role {reach.value!r}, which platform {foundation.platform!r} has not; "
            "allowed: the roads that are switched on; fix: switch the road on in the settings and deploy"
        )
    return arn


def _output(foundation: FoundationPart) -> dict[str, str]:
    output = {"S3OutputPath": f"s3://{foundation.bucket}/output"}
    if foundation.kms_key_arn is not None:
        output["KmsKeyId"] = foundation.kms_key_arn
    return output


def _network(foundation: FoundationPart) -> dict[str, list[str]]:
    if not foundation.require_vpc:
        return {}
    return {
        "Subnets": [each.subnet_id for each in foundation.subnets],
        "SecurityGroupIds": [foundation.job_security_group_id],
    }


def _tags(job: TrainingJob, foundation: FoundationPart) -> list[dict[str, str]]:
    tags = {**job.tags, "headrace:platform": foundation.platform}
    return [{"Key": key, "Value": value} for key, value in tags.items()]
