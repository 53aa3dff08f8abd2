"""What a launch will do, worked out without calling AWS: the exact requests, and what the rules say of them.

``draft`` collects findings and gives the plan whatever they are, so that everything wrong is told at once; ``plan``
refuses a job that breaks a rule. What only the live account knows is looked up by :mod:`headrace.preflight`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from headrace import service_model, source_archive
from headrace.attempts import PlannedAttempt, planned_attempts
from headrace.channels import judged, link_spec_of, spec_of, written_location_of
from headrace.job_file import JobFile, to_training_job
from headrace.placement import zones_spec
from headrace.platform import FoundationPart, Platform
from headrace.roads import Distribution, InputMode, S3DataType
from headrace.rules import Finding, Suppression, final, require, run_rules
from headrace.rules.channel_names import CHANNEL_NAME_RULES
from headrace.rules.job import JOB_RULES
from headrace.rules.job_code import CODE_RULES, MARK_RULES
from headrace.rules.job_limits import LIMIT_RULES
from headrace.rules.launch import LAUNCH_RULES, LaunchSpec
from headrace.rules.location_paths import PATH_RULES
from headrace.rules.locations import DATA_RULES, DataSpec, LocationSpec
from headrace.rules.placement import ZONES_RULES, ZonesSpec
from headrace.rules.platform_roads import ROLE_RULES
from headrace.rules.s3_location import LOCATION_RULES, WrittenLocation
from headrace.sources import LustreSource, S3Location, S3Source
from headrace.training import TrainingJob, job_spec, source_archive_location
from headrace.training_request import role_spec


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

    What cannot be made as it was asked for is left out of the requests, and its findings are final.
    """
    training_job, findings, left_out = _as_training_job(job, platform, now)
    findings += _judged_alone(training_job, platform.foundation, left_out)
    retry_az_ids = training_job.capacity_retry.availability_zone_ids
    zones = zones_spec(training_job.channels, platform, training_job.availability_zone_ids, retry_az_ids)
    findings += run_rules(ZONES_RULES, zones)
    has_role = training_job.role_arn is not None
    lacking = [] if has_role else final(run_rules(ROLE_RULES, role_spec(training_job, platform.foundation)))
    # where the platform has no role for it, the request is shown without
    requested = replace(training_job, role_arn="") if lacking else training_job
    drafted = LaunchPlan(
        job=training_job,
        platform=platform,
        attempts=planned_attempts(requested, platform, zones),
        zones=zones,
        findings=(),
    )
    findings += (
        lacking
        + run_rules(LAUNCH_RULES, launch_spec(drafted))
        + run_rules((*DATA_RULES, *PATH_RULES), data_spec(drafted))
    )
    return replace(drafted, findings=tuple(findings))


def _judged_alone(job: TrainingJob, foundation: FoundationPart, left_out: Sequence[str]) -> list[Finding]:
    """What the rules say of the job, wherever it would run. Looks at the folder of its code."""
    spec = job_spec(job, foundation.bucket)
    problems: Sequence[source_archive.Problem] = ()
    if job.source_dir is not None and job.entry_point is not None:
        dependencies = [Path(each) for each in job.dependencies]
        problems = source_archive.find_problems(Path(job.source_dir), job.entry_point, dependencies)
    # a channel that was left out still counts
    channels = (*((name, ()) for name in left_out), *spec.channels)
    spec = replace(spec, channels=channels, code_problems=tuple(problems), region=foundation.region)
    found = run_rules((*CHANNEL_NAME_RULES, *JOB_RULES, *LIMIT_RULES, *MARK_RULES), spec)
    return found + final(run_rules(CODE_RULES, spec))


def _as_training_job(
    job: JobFile | TrainingJob, platform: Platform, now: datetime | None
) -> tuple[TrainingJob, list[Finding], tuple[str, ...]]:
    if isinstance(job, TrainingJob):
        judgements = [
            (each, *judged(spec_of(each), link_spec_of(each, platform), written_location_of(each)))
            for each in job.channels
        ]
        training_job = replace(job, channels=tuple(each for each, _, can_be_made in judgements if can_be_made))
        findings = [finding for _, found, _ in judgements for finding in found]
        for field, uri, _ in _written(job):
            findings += final(run_rules(LOCATION_RULES, WrittenLocation(field, uri)))
        return training_job, findings, tuple(each.name for each, _, can_be_made in judgements if not can_be_made)
    training_job, findings = to_training_job(job, platform, now)
    kept = {channel.name for channel in training_job.channels}
    return training_job, findings, tuple(name for name in job.channels if name not in kept)


def launch_spec(launch: LaunchPlan, **facts: Any) -> LaunchSpec:
    """The launch as its rules see it; ``facts`` as far as they were looked up."""
    foundation, request = launch.foundation, launch.request
    return LaunchSpec(
        job_name=launch.job.name,
        job_name_prefix=foundation.job_name_prefix,
        written=tuple(_written(launch.job)),
        bucket=foundation.bucket,
        role_arn=request["RoleArn"],
        has_own_role=launch.job.role_arn is not None,
        image=request["AlgorithmSpecification"]["TrainingImage"],
        request_violations=tuple(dict.fromkeys(_refused(launch))),
        **facts,
    )


def _refused(launch: LaunchPlan) -> Iterator[service_model.Violation]:
    for attempt in launch.attempts:
        for violation in service_model.violations("sagemaker", "CreateTrainingJob", attempt.request):
            # a role that the platform has not is told by its own rule
            if violation.member != "RoleArn" or launch.job.role_arn is not None:
                yield violation


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


def _written(job: TrainingJob) -> list[tuple[str, str, str]]:
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
        is_mounted=source.road.input_mode is InputMode.FAST_FILE,
        is_piped=source.road.input_mode is InputMode.PIPE,
        shares=_shares(launch.job, source),
        is_readable=any(source.location.lies_in(each.bucket, each.prefix) for each in allowed),
    )


def _shares(job: TrainingJob, source: S3Source) -> int:
    """Among how many instances the objects are divided: all, or those of the groups that the channel goes to."""
    if source.distribution is not Distribution.SHARDED_BY_S3_KEY:
        return 1
    if not job.instance_groups:
        return job.instance_count
    named = source.instance_groups or [each.name for each in job.instance_groups]
    return sum(each.instance_count for each in job.instance_groups if each.name in named)


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
