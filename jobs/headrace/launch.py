"""From a job file to a running job: plan, check, submit, watch.

``plan`` is pure and gives the exact request; ``check`` asks the live account whether everything named in it is
there and runs the rules; ``submit`` does the two deeds there are (upload the code, create the job) and takes the
first back if the second fails; ``watch`` tells what happens until the job ends.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from headrace import job_file, service_model, source_archive
from headrace.aws import Aws
from headrace.errors import HeadraceError, InvalidInput
from headrace.job_description import JobDescription, LogLine, Transition
from headrace.platform import FoundationPart, Platform, parameter_path, parse_platform
from headrace.rules import UNKNOWN, Finding, require, run_rules
from headrace.rules.launch import LAUNCH_RULES, ChannelSpec, LaunchSpec
from headrace.sources import S3Location
from headrace.training import TrainingJob, build_request, source_archive_location

DEFAULT_PLATFORM = "dev"
PLATFORM_VARIABLE = "HEADRACE_PLATFORM"
# AWS Systems Manager User Guide, "Parameter name requirements": one step of a parameter's path
_PLATFORM_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_FIRST_POLL_SECONDS = 0.5
_SLOWEST_POLL_SECONDS = 5.0
_POLL_GROWTH = 1.3
# what a script prints last reaches CloudWatch Logs a little after the job's end
_LAST_LINES_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchPlan:
    """Everything that a launch will do: the CreateTrainingJob request, and the folder that is uploaded before it."""

    job: TrainingJob
    foundation: FoundationPart
    request: dict[str, Any]

    @property
    def upload_to(self) -> S3Location | None:
        """Where the job's code goes, if it brings any."""
        return None if self.job.source_dir is None else source_archive_location(self.job, self.foundation)


def read_platform(aws: Aws, platform: str | None = None) -> Platform:
    """The platform's records. ``platform``: default is HEADRACE_PLATFORM, or ``dev``. Raises InvalidInput."""
    name = platform or os.environ.get(PLATFORM_VARIABLE) or DEFAULT_PLATFORM
    if not _PLATFORM_NAME.fullmatch(name):
        raise InvalidInput(
            f"platform is {name!r}; allowed: letters, digits, dots, hyphens and underscores; "
            "fix: the name under which it was deployed, such as dev"
        )
    return parse_platform(name, aws.parameters_below(parameter_path(name)))


def plan(job: job_file.JobFile, platform: Platform, now: datetime | None = None) -> LaunchPlan:
    """The plan of a launch. Calls nothing. Raises RuleViolations with everything that is wrong without an account."""
    training_job = job_file.to_training_job(job, platform.foundation, now)
    request = build_request(training_job, platform.foundation)
    launch = LaunchPlan(job=training_job, foundation=platform.foundation, request=request)
    require(run_rules(LAUNCH_RULES, _spec(launch)))
    return launch


def check(launch: LaunchPlan, aws: Aws) -> list[Finding]:
    """Look the facts up and run the rules on them. Raises RuleViolations with every ERROR; gives the rest."""
    regions: dict[str, str | None] = {}
    for channel in launch.job.channels:
        bucket = channel.source.location.bucket
        if bucket not in regions:
            regions[bucket] = aws.bucket_region(bucket)
    channels = tuple(_live_channel(each, regions, aws) for each in _spec(launch).channels)
    spec = _spec(
        launch,
        channels=channels,
        is_name_in_use=aws.training_job_exists(launch.job.name),
        role_exists=aws.role_exists(launch.request["RoleArn"]),
        image_exists=aws.image_exists(launch.request["AlgorithmSpecification"]["TrainingImage"]),
    )
    return require(run_rules(LAUNCH_RULES, spec))


def _live_channel(channel: ChannelSpec, regions: dict[str, str | None], aws: Aws) -> ChannelSpec:
    region = regions[channel.bucket]
    return ChannelSpec(
        name=channel.name,
        bucket=channel.bucket,
        prefix=channel.prefix,
        is_readable=channel.is_readable,
        bucket_region=region,
        has_objects=UNKNOWN if region is None else aws.has_objects(channel.bucket, channel.prefix, region),
    )


def _spec(launch: LaunchPlan, channels: tuple[ChannelSpec, ...] | None = None, **facts: Any) -> LaunchSpec:
    foundation, request = launch.foundation, launch.request
    return LaunchSpec(
        job_name=launch.job.name,
        job_name_prefix=foundation.job_name_prefix,
        region=foundation.region,
        channels=channels or _channel_specs(launch),
        readable_locations=tuple(f"s3://{each.bucket}/{each.prefix}" for each in foundation.data_locations),
        role_arn=request["RoleArn"],
        has_own_role=launch.job.role_arn is not None,
        image=request["AlgorithmSpecification"]["TrainingImage"],
        request_violations=tuple(service_model.violations("sagemaker", "CreateTrainingJob", request)),
        **facts,
    )


def _channel_specs(launch: LaunchPlan) -> tuple[ChannelSpec, ...]:
    allowed = launch.foundation.data_locations
    return tuple(
        ChannelSpec(
            name=channel.name,
            bucket=location.bucket,
            prefix=location.prefix,
            is_readable=any(location.lies_in(each.bucket, each.prefix) for each in allowed),
        )
        for channel in launch.job.channels
        for location in (channel.source.location,)
    )


def submit(launch: LaunchPlan, aws: Aws) -> str:
    """Upload the code and create the job; its ARN. When the job cannot be created, the upload is taken back."""
    archive = launch.upload_to
    if archive is None or launch.job.source_dir is None:
        return aws.create_training_job(launch.request)
    aws.put_object(archive.bucket, archive.prefix, source_archive.build(Path(launch.job.source_dir)))
    try:
        return aws.create_training_job(launch.request)
    except HeadraceError:
        aws.delete_object(archive.bucket, archive.prefix)
        raise


Event = Transition | LogLine | JobDescription
"""What :func:`watch` tells: a phase begins, a line was logged, the job is over."""


def watch(aws: Aws, name: str) -> Iterator[Event]:
    """Events of the job until it has ended; the last is its JobDescription. Blocks between them."""
    phases_told = 0
    seen: dict[str, str] = {}
    pause_seconds = _FIRST_POLL_SECONDS
    while True:
        job = aws.describe_training_job(name)
        events: Sequence[Event] = (*job.transitions[phases_told:], *aws.log_lines(name, seen))
        phases_told = len(job.transitions)
        yield from events
        if job.is_over:
            time.sleep(_LAST_LINES_SECONDS)
            yield from aws.log_lines(name, seen)
            yield job
            return
        pause_seconds = _FIRST_POLL_SECONDS if events else min(pause_seconds * _POLL_GROWTH, _SLOWEST_POLL_SECONDS)
        time.sleep(pause_seconds)


def train(
    path: str | Path, *, platform: str | None = None, region: str | None = None, wait: bool = True
) -> JobDescription:
    """Launch the job of a job file, and wait for its end unless told otherwise.

    ``platform``: default is HEADRACE_PLATFORM, or ``dev``. Raises InvalidInput (nothing was created) with every
    mistake at once, AwsError when a call fails. A job that fails is no exception: see ``status`` of the result.
    """
    aws = Aws(region)
    launch = plan(job_file.load(Path(path)), read_platform(aws, platform))
    check(launch, aws)
    submit(launch, aws)
    if wait:
        for event in watch(aws, launch.job.name):
            if isinstance(event, JobDescription):
                return event
    return aws.describe_training_job(launch.job.name)
