"""What a launch will do, worked out without calling anything: the exact requests, and what the rules say of them.

``draft`` collects findings and gives the plan whatever they are, so that everything wrong is told at once; ``plan``
refuses a job that breaks a rule. What only the live account knows is looked up by :mod:`headrace.preflight`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from headrace import service_model
from headrace.channels import judged, link_spec_of, spec_of
from headrace.job_file import JobFile, to_training_job
from headrace.placement import Attempt, attempts, subnets_in, zones_spec
from headrace.platform import FoundationPart, Platform, Subnet
from headrace.roads import Distribution, InputMode, S3DataType
from headrace.rules import Finding, Level, RuleViolations, Suppression, require, run_rules
from headrace.rules.job import JOB_RULES
from headrace.rules.launch import LAUNCH_RULES, LaunchSpec
from headrace.rules.locations import DATA_RULES, DataSpec, LocationSpec
from headrace.rules.placement import ZONES_RULES, ZonesSpec
from headrace.rules.platform_roads import ROLE_RULES
from headrace.sources import LustreSource, S3Location, S3Source
from headrace.training import TrainingJob, job_spec, needs_vpc, source_archive_location
from headrace.training_request import build_request, role_spec

MAX_JOB_NAME_CHARACTERS = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAttempt:
    """One CreateTrainingJob: its request, and the subnets in it. Further ones are for want of capacity."""

    request: dict[str, Any]
    subnets: tuple[Subnet, ...]

    @property
    def name(self) -> str:
        """TrainingJobName; each attempt has its own, since a name is never free again."""
        return str(self.request["TrainingJobName"])


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchPlan:
    """Everything that a launch will do: the folder that is uploaded, then the attempts until one gets instances."""

    job: TrainingJob
    platform: Platform
    attempts: tuple[PlannedAttempt, ...]
    zones: ZonesSpec
    findings: tuple[Finding, ...]

    @property
    def foundation(self) -> FoundationPart:
        """What lives as long as the platform."""
        return self.platform.foundation

    @property
    def request(self) -> dict[str, Any]:
        """The CreateTrainingJob request of the first attempt."""
        return self.attempts[0].request

    @property
    def upload_to(self) -> S3Location | None:
        """Where the job's code goes, if it brings any."""
        return None if self.job.source_dir is None else source_archive_location(self.job, self.foundation.bucket)


def plan(
    job: JobFile | TrainingJob,
    platform: Platform,
    *,
    suppressions: Sequence[Suppression] = (),
    now: datetime | None = None,
) -> LaunchPlan:
    """The plan of a launch. Calls nothing. Raises RuleViolations with everything that is wrong without an account.

    ``now`` (default: the present) is what ``base_job_name`` is completed with.
    """
    drafted = draft(job, platform, now=now)
    require(drafted.findings, suppressions)
    return drafted


def draft(job: JobFile | TrainingJob, platform: Platform, *, now: datetime | None = None) -> LaunchPlan:
    """The plan, and in ``findings`` all that the rules say of it without an account.

    Raises InvalidInput where no request can be made at all.
    """
    training_job, findings, left_out = _as_training_job(job, platform, now)
    foundation = platform.foundation
    spec = job_spec(training_job, foundation.bucket)
    # a channel that was left out still counts
    findings += run_rules(JOB_RULES, replace(spec, channels=(*spec.channels, *((name, ()) for name in left_out))))
    retry_az_ids = training_job.capacity_retry.availability_zone_ids
    zones = zones_spec(training_job.channels, platform, training_job.availability_zone_ids, retry_az_ids)
    findings += run_rules(ZONES_RULES, zones)
    if training_job.role_arn is None and (lacking := run_rules(ROLE_RULES, role_spec(training_job, foundation))):
        raise RuleViolations([*(each for each in findings if each.level is Level.ERROR), *lacking])
    drafted = LaunchPlan(
        job=training_job,
        platform=platform,
        attempts=_attempts(training_job, platform, zones),
        zones=zones,
        findings=(),
    )
    findings += run_rules(LAUNCH_RULES, launch_spec(drafted)) + run_rules(DATA_RULES, data_spec(drafted))
    return replace(drafted, findings=tuple(findings))


def _as_training_job(
    job: JobFile | TrainingJob, platform: Platform, now: datetime | None
) -> tuple[TrainingJob, list[Finding], tuple[str, ...]]:
    if isinstance(job, TrainingJob):
        judgements = [(each, *judged(spec_of(each), link_spec_of(each, platform))) for each in job.channels]
        training_job = replace(job, channels=tuple(each for each, _, can_be_made in judgements if can_be_made))
        findings = [finding for _, found, _ in judgements for finding in found]
        return training_job, findings, tuple(each.name for each, _, can_be_made in judgements if not can_be_made)
    training_job, findings = to_training_job(job, platform, now)
    kept = {channel.name for channel in training_job.channels}
    return training_job, findings, tuple(name for name in job.channels if name not in kept)


def _attempts(job: TrainingJob, platform: Platform, zones: ZonesSpec) -> tuple[PlannedAttempt, ...]:
    foundation = platform.foundation
    is_attached = needs_vpc(job) or foundation.require_vpc
    # where there is no zone, V35 or V123 has refused the job; the request is shown all the same
    anywhere = (subnets_in(zones, platform) or foundation.subnets) if is_attached else ()
    retry = job.capacity_retry
    planned: list[PlannedAttempt] = []
    for attempt in attempts(retry.instance_types, retry.availability_zone_ids):
        subnets = anywhere if attempt.az_id is None else subnets_in(zones, platform, attempt.az_id)
        if subnets or not is_attached:
            planned.append(_planned(job, platform, subnets, attempt, len(planned)))
    return tuple(planned) or (_planned(job, platform, anywhere, Attempt(), 0),)


def _planned(
    job: TrainingJob, platform: Platform, subnets: tuple[Subnet, ...], attempt: Attempt, number: int
) -> PlannedAttempt:
    suffix = f"-{number + 1}" if number else ""
    named = build_request(job, platform, subnets, attempt)
    named["TrainingJobName"] = job.name[: MAX_JOB_NAME_CHARACTERS - len(suffix)] + suffix if suffix else job.name
    return PlannedAttempt(request=named, subnets=subnets)


def launch_spec(launch: LaunchPlan, **facts: bool) -> LaunchSpec:
    """The launch as its rules see it; ``facts`` as far as they were looked up."""
    foundation, request = launch.foundation, launch.request
    return LaunchSpec(
        job_name=launch.job.name,
        job_name_prefix=foundation.job_name_prefix,
        written=tuple(_written(launch)),
        bucket=foundation.bucket,
        role_arn=request["RoleArn"],
        has_own_role=launch.job.role_arn is not None,
        image=request["AlgorithmSpecification"]["TrainingImage"],
        request_violations=tuple(dict.fromkeys(violation for each in launch.attempts for violation in _refused(each))),
        **facts,
    )


def _refused(attempt: PlannedAttempt) -> list[service_model.Violation]:
    return service_model.violations("sagemaker", "CreateTrainingJob", attempt.request)


def data_spec(launch: LaunchPlan, locations: Sequence[LocationSpec] | None = None) -> DataSpec:
    """What the job reads from S3, as its rules see it; ``locations``: with facts, where they were looked up."""
    foundation, job = launch.foundation, launch.job
    return DataSpec(
        region=foundation.region,
        locations=tuple(location_specs(launch) if locations is None else locations),
        readable_locations=tuple(f"s3://{each.bucket}/{each.prefix}" for each in foundation.data_locations),
        has_own_role=job.role_arn is not None,
        volume_size_gb=job.volume_size_gb,
        instance_types=job_spec(job, foundation.bucket).instance_types,
    )


def _written(launch: LaunchPlan) -> list[tuple[str, str, str]]:
    job = launch.job
    output = ("output", job.output, "output/")
    checkpoints = ("checkpoints.s3", job.checkpoints.location if job.checkpoints else None, "checkpoints/")
    return [(field, location.uri, folder) for field, location, folder in (output, checkpoints) if location is not None]


def location_specs(launch: LaunchPlan) -> list[LocationSpec]:
    """Every place in S3 that the job's channels show, be it through a Lustre link."""
    specs: list[LocationSpec] = []
    for channel in launch.job.channels:
        source = channel.source
        if isinstance(source, S3Source):
            specs.append(_s3_location(channel.name, source, launch))
        elif isinstance(source, LustreSource):
            specs.append(_linked_location(channel.name, source, launch.platform))
    return specs


def _s3_location(name: str, source: S3Source, launch: LaunchPlan) -> LocationSpec:
    is_prefix = source.data_type is S3DataType.S3_PREFIX
    allowed = launch.foundation.data_locations
    return LocationSpec(
        field=f"channels.{name}.s3",
        bucket=source.location.bucket,
        prefix=source.location.prefix,
        is_one_object=not is_prefix,
        is_copied=is_prefix and source.road.input_mode is InputMode.FILE,
        shares=launch.job.instance_count if source.distribution is Distribution.SHARDED_BY_S3_KEY else 1,
        is_readable=any(source.location.lies_in(each.bucket, each.prefix) for each in allowed),
    )


def _linked_location(name: str, source: LustreSource, platform: Platform) -> LocationSpec:
    link = source.link_on(platform)
    below = source.path.strip("/")
    return LocationSpec(
        field=f"channels.{name}.{'path' if below else 'lustre'}",
        bucket=link.bucket,
        prefix=f"{link.prefix}{below}/" if below else link.prefix,
        is_linked=True,
        is_readable=True,
    )
