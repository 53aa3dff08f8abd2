"""From a job file to the job on a platform: the name made whole, locations resolved, each channel on its road."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from headrace.channels import Channel, judged, link_spec
from headrace.job_file.model import ChannelModel, JobFile
from headrace.platform import FoundationPart, Platform
from headrace.roads import OPTIONS, Compression, Place, RecordWrapper
from headrace.rules import Finding, final, run_rules
from headrace.rules.channels import ChannelSpec
from headrace.rules.launch import NAMING_RULES, NamingSpec
from headrace.rules.s3_location import LOCATION_RULES, WrittenLocation
from headrace.sources import S3Location, Source, parse_s3_location, source_type
from headrace.training import (
    MAX_JOB_NAME_CHARACTERS,
    CapacityRetry,
    Checkpoints,
    InstanceGroup,
    MetricDefinition,
    OwnIngestion,
    Spot,
    TrainingJob,
)

_ILLEGAL_IN_NAMES = re.compile("[^a-zA-Z0-9-]+")
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

    A channel that breaks a rule of level ERROR is left out of the job, and so is another place in S3 that is none:
    the rest can still be looked at. ``now`` (default: the present) is what ``base_job_name`` is completed with.
    """
    channels, findings = _channels(job, platform)
    bucket = platform.foundation.bucket
    output = _location("output", job.output, bucket, findings)
    name = _name(job, platform.foundation, now or datetime.now(UTC), findings)
    checkpoints = _checkpoints(job, name, bucket, findings)
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


def _channels(job: JobFile, platform: Platform) -> tuple[tuple[Channel, ...], list[Finding]]:
    channels: list[Channel] = []
    findings: list[Finding] = []
    for name, model in job.channels.items():
        spec = channel_spec(name, model)
        written = None if model.s3 is None else WrittenLocation(spec.field("s3"), model.s3)
        found, can_be_made = judged(spec, link_spec(name, model.lustre, model.efs is not None, platform), written)
        findings.extend(found)
        if can_be_made:
            channels.append(Channel(name=name, source=_source(model, spec, platform.foundation.bucket)))
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


def _source(model: ChannelModel, spec: ChannelSpec, bucket: str) -> Source:
    assert spec.road is not None
    location = None if model.s3 is None else parse_s3_location(model.s3, default_bucket=bucket)
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


def _location(field: str, text: str | None, bucket: str, findings: list[Finding]) -> S3Location | None:
    if text is None:
        return None
    found = run_rules(LOCATION_RULES, WrittenLocation(field, text))
    findings += final(found)
    return None if found else parse_s3_location(text, default_bucket=bucket)


def _checkpoints(job: JobFile, name: str, bucket: str, findings: list[Finding]) -> Checkpoints | None:
    if job.checkpoints is None:
        return None
    # by the whole name: another run of the same file begins anew, and does not go on from where this one ended
    text = job.checkpoints.s3 or f"checkpoints/{name}/"
    # a job whose checkpoints have no place is still one with checkpoints
    location = _location("checkpoints.s3", text, bucket, findings) or S3Location(bucket=bucket, prefix="checkpoints/")
    return Checkpoints(location=location, local_path=job.checkpoints.local_path)


def _name(job: JobFile, foundation: FoundationPart, now: datetime, findings: list[Finding]) -> str:
    stamp = f"{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03d}"
    most = MAX_JOB_NAME_CHARACTERS - len(foundation.job_name_prefix) - len(stamp) - 1
    findings += final(run_rules(NAMING_RULES, NamingSpec(job.job_name, job.base_job_name, most)))
    if job.job_name is not None:
        return job.job_name
    # a base name that is none has its finding; the request is shown all the same
    base = _ILLEGAL_IN_NAMES.sub("-", job.base_job_name or "job")[:most]
    return f"{foundation.job_name_prefix}{base}-{stamp}"
