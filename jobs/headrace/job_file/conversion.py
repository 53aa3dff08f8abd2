"""From a job file to the job on a platform: the name made whole, locations resolved, each channel on its road."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from headrace.channels import Channel, judged, link_spec
from headrace.errors import InvalidInput
from headrace.job_file.model import ChannelModel, JobFile
from headrace.platform import FoundationPart, Platform
from headrace.roads import OPTIONS, Compression, Place, RecordWrapper
from headrace.rules import Finding, Level
from headrace.rules.channels import ChannelSpec
from headrace.rules.values import shown
from headrace.sources import S3Location, Source, parse_s3_location, source_type
from headrace.training import (
    CapacityRetry,
    Checkpoints,
    InstanceGroup,
    MetricDefinition,
    OwnIngestion,
    Spot,
    TrainingJob,
)

MAX_JOB_NAME_CHARACTERS = 63
_NOTHING = (None, Compression.NONE, RecordWrapper.NONE)
_SAME_IN_BOTH = (
    "image",
    "instance_type",
    "instance_count",
    "entry_point",
    "volume_size_gb",
    "volume_kms_key",
    "output_kms_key",
    "max_runtime_seconds",
    "max_pending_seconds",
    "keep_alive_seconds",
    "internal_error_retries",
    "in_vpc",
    "network_isolation",
    "encrypt_between_instances",
    "hyperparameters",
    "environment",
    "tags",
    "role_arn",
)


def to_training_job(job: JobFile, platform: Platform, now: datetime | None = None) -> tuple[TrainingJob, list[Finding]]:
    """The job on this platform, and what the rules of channels say of the file.

    A channel that breaks a rule of level ERROR is left out of the job: the rest can still be looked at.
    ``now`` (default: the present) is what ``base_job_name`` is completed with. Raises InvalidInput with every S3
    location that is none, and for a name that is too long.
    """
    problems: list[str] = []
    channels, findings = _channels(job, platform, problems)
    bucket = platform.foundation.bucket
    output = _location("output", job.output, bucket, problems)
    checkpoints = _checkpoints(job, bucket, problems)
    name = _name(job, platform.foundation, now or datetime.now(UTC), problems)
    if problems:
        raise InvalidInput(*problems, *(str(each) for each in findings if each.level is Level.ERROR))
    plain: dict[str, Any] = {field: getattr(job, field) for field in _SAME_IN_BOTH}
    return TrainingJob(
        **plain,
        **_records(job),
        name=name,
        channels=channels,
        output=output,
        checkpoints=checkpoints,
    ), findings


def _records(job: JobFile) -> dict[str, Any]:
    return {
        "source_dir": str(job.source_dir) if job.source_dir else None,
        "dependencies": tuple(str(each) for each in job.dependencies),
        "command": tuple(job.command) if job.command is not None else None,
        "arguments": tuple(job.arguments),
        "instance_groups": tuple(
            InstanceGroup(name=name, **group.model_dump()) for name, group in job.instance_groups.items()
        ),
        "spot": None if job.spot is None else Spot(**job.spot.model_dump()),
        "own_ingestion": None if job.own_ingestion is None else OwnIngestion(**job.own_ingestion.model_dump()),
        "capacity_retry": CapacityRetry(
            instance_types=tuple(job.capacity_retry.instance_types),
            availability_zone_ids=tuple(job.capacity_retry.availability_zone_ids),
        ),
        "availability_zone_ids": tuple(job.availability_zone_ids),
        "metric_definitions": tuple(MetricDefinition(name=m.name, regex=m.regex) for m in job.metric_definitions),
    }


def _channels(job: JobFile, platform: Platform, problems: list[str]) -> tuple[tuple[Channel, ...], list[Finding]]:
    channels: list[Channel] = []
    findings: list[Finding] = []
    for name, model in job.channels.items():
        spec = channel_spec(name, model)
        found, can_be_made = judged(spec, link_spec(name, model.lustre, model.efs is not None, platform))
        findings.extend(found)
        location = _location(spec.field("s3"), model.s3, platform.foundation.bucket, problems)
        if can_be_made and not problems:
            channels.append(Channel(name=name, source=_source(model, spec, location)))
    return tuple(channels), findings


def channel_spec(name: str, model: ChannelModel) -> ChannelSpec:
    """The channel as the rules see it: what the file says, and nothing that it leaves out."""
    said = {field: getattr(model, field) for field in sorted(OPTIONS)}
    return ChannelSpec(
        name=name,
        places=model.places,
        input_mode=model.input_mode,
        directory=model.efs if model.efs is not None else model.path,
        # compression: None and record_wrapper: None ask for nothing, on any road
        options={field: value for field, value in said.items() if not any(value is each for each in _NOTHING)},
    )


def _source(model: ChannelModel, spec: ChannelSpec, location: S3Location | None) -> Source:
    assert spec.road is not None
    record = source_type(spec.road)
    said: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in spec.options.items()
    }
    wheres: dict[Place, dict[str, Any]] = {
        Place.S3: {"location": location},
        Place.LUSTRE: {"link": model.lustre},
        Place.EFS: {"path": model.efs},
    }
    known = {each.name for each in fields(record)}
    given = said | wheres[spec.road.place]
    return record(**{name: value for name, value in given.items() if name in known})


def _location(field: str, text: str | None, bucket: str, problems: list[str]) -> S3Location | None:
    if text is None:
        return None
    try:
        return parse_s3_location(text, default_bucket=bucket)
    except InvalidInput as error:
        problems.append(" ".join(f"{field}: {error}".split()))
        return None


def _checkpoints(job: JobFile, bucket: str, problems: list[str]) -> Checkpoints | None:
    if job.checkpoints is None:
        return None
    text = job.checkpoints.s3 or f"checkpoints/{job.base_job_name or job.job_name}/"
    location = _location("checkpoints.s3", text, bucket, problems)
    return None if location is None else Checkpoints(location=location, local_path=job.checkpoints.local_path)


def _name(job: JobFile, foundation: FoundationPart, now: datetime, problems: list[str]) -> str:
    if job.job_name is not None:
        return job.job_name
    stamp = f"{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03d}"
    name = f"{foundation.job_name_prefix}{job.base_job_name}-{stamp}"
    if len(name) > MAX_JOB_NAME_CHARACTERS:
        most = MAX_JOB_NAME_CHARACTERS - len(foundation.job_name_prefix) - len(stamp) - 1
        problems.append(
            f"base_job_name is {shown(job.base_job_name)}; allowed: up to {most} characters, since the platform's "
            f"prefix and the time are added and a job's name holds {MAX_JOB_NAME_CHARACTERS}; fix: shorten it"
        )
    return name
