"""From a job to a running job: read the platform, check, submit, watch.

What a launch does is worked out by :mod:`headrace.planning`, and held against the live account by
:mod:`headrace.preflight`. Here are the deeds: the code is uploaded, then job after job is created until one gets
instances; where none can be created, the upload is taken back.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path

from headrace import code_shipping, job_file, preflight
from headrace.aws import Aws
from headrace.errors import InvalidInput, NoCapacity
from headrace.job_description import JobDescription, LogLine, Transition
from headrace.planning import LaunchPlan, plan
from headrace.platform import Platform, parameter_path, parse_platform
from headrace.rules import Finding, Suppression, require
from headrace.training import TrainingJob

DEFAULT_PLATFORM = "dev"
PLATFORM_VARIABLE = "HEADRACE_PLATFORM"
# AWS Systems Manager User Guide, "Parameter name requirements": one step of a parameter's path
_PLATFORM_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_FIRST_POLL_SECONDS = 0.5
_SLOWEST_POLL_SECONDS = 5.0
_POLL_GROWTH = 1.2
# what a script prints last reaches CloudWatch Logs a little after the job's end
_LAST_LINES_SECONDS = 0.5
# how FailureReason begins when no instances were to be had (SageMaker Developer Guide, troubleshooting of training)
_NO_CAPACITY = ("CapacityError", "InsufficientInstanceCapacity")


def read_platform(aws: Aws, platform: str | Platform | None = None) -> Platform:
    """The platform's records. ``platform``: default is HEADRACE_PLATFORM, or ``dev``. Raises InvalidInput.

    One that was read already, or is held by :func:`headrace.ephemeral.lustre`, is given back as it is.
    """
    if isinstance(platform, Platform):
        return platform
    name = platform_name(platform)
    return parse_platform(name, aws.account.parameters_below(parameter_path(name)))


def platform_name(platform: str | None = None) -> str:
    """The name that is given, or else the default. Raises InvalidInput for what cannot be the name of a platform."""
    name = platform or os.environ.get(PLATFORM_VARIABLE) or DEFAULT_PLATFORM
    if not _PLATFORM_NAME.fullmatch(name):
        raise InvalidInput(
            f"platform is {name!r}; allowed: letters, digits, dots, hyphens and underscores; "
            "fix: the name under which it was deployed, such as dev"
        )
    return name


def check(launch: LaunchPlan, aws: Aws, suppressions: Sequence[Suppression] = ()) -> list[Finding]:
    """Run all rules against the live account. Raises RuleViolations with every standing ERROR; gives the rest."""
    return require(preflight.check(launch, aws), suppressions)


def submit(launch: LaunchPlan, aws: Aws) -> str:
    """Upload the code and create the job of the first attempt; its ARN.

    When no job came of it, the upload is taken back. Raises InvalidInput, NoCapacity or AwsError.
    """
    code_shipping.upload(launch.job, launch.foundation.bucket, aws)
    try:
        return aws.training_jobs.create(launch.request)
    except BaseException:  # Ctrl-C, too
        code_shipping.take_back(launch.job, launch.foundation.bucket, aws)
        raise


Event = Transition | LogLine | JobDescription
"""What :func:`watch` tells: a phase begins, a line was logged, the job is over."""


def run(launch: LaunchPlan, aws: Aws, told: Callable[[str], None] = lambda _name: None) -> Generator[Event]:
    """Submit and watch; where AWS has no capacity, go on with the next attempt.

    Events of all attempts, each attempt's ending with its JobDescription: the last is that of the job as it ended.
    ``told`` hears the name of each job when it is created. Raises InvalidInput, NoCapacity (no attempt could be
    created) or AwsError.
    """
    code_shipping.upload(launch.job, launch.foundation.bucket, aws)
    created = False
    try:
        for number, attempt in enumerate(launch.attempts, start=1):
            is_last = number == len(launch.attempts)
            try:
                aws.training_jobs.create(attempt.request)
            except NoCapacity:
                if is_last:
                    raise
                continue
            created = True
            told(attempt.name)
            lacks_capacity = False
            for event in watch(aws, attempt.name):
                yield event
                lacks_capacity = isinstance(event, JobDescription) and _lacks_capacity(event)
            if is_last or not lacks_capacity:
                return
    except BaseException:  # Ctrl-C, and a generator that is closed, too
        if not created:
            code_shipping.take_back(launch.job, launch.foundation.bucket, aws, [each.name for each in launch.attempts])
        raise


def _lacks_capacity(job: JobDescription) -> bool:
    # at the beginning only: a script's own words follow "AlgorithmError: "
    return job.status == "Failed" and (job.failure_reason or "").startswith(_NO_CAPACITY)


def watch(aws: Aws, name: str) -> Iterator[Event]:
    """Events of the job until it has ended; the last is its JobDescription. Blocks between them."""
    phases_told = 0
    seen: dict[str, str] = {}
    pause_seconds = _FIRST_POLL_SECONDS
    while True:
        job = aws.training_jobs.describe(name)
        events: Sequence[Event] = (*job.transitions[phases_told:], *aws.job_logs.lines(name, seen))
        phases_told = len(job.transitions)
        yield from events
        if job.is_over:
            time.sleep(_LAST_LINES_SECONDS)
            yield from aws.job_logs.lines(name, seen)
            yield job
            return
        pause_seconds = _FIRST_POLL_SECONDS if events else min(pause_seconds * _POLL_GROWTH, _SLOWEST_POLL_SECONDS)
        time.sleep(pause_seconds)


def train(
    job: str | Path | TrainingJob,
    *,
    platform: str | Platform | None = None,
    region: str | None = None,
    wait: bool = True,
    suppressions: Sequence[Suppression] = (),
) -> JobDescription:
    """Launch a job, given as the path of a job file or as a record, and wait for its end unless told otherwise.

    ``platform``: its name, by default HEADRACE_PLATFORM or ``dev``, or its records. Without ``wait`` only the first
    attempt is made, whatever ``capacity_retry`` says. Raises InvalidInput (nothing was created) with every mistake at
    once, AwsError when a call fails. A job that fails is no exception: see ``status`` of the result.
    """
    aws = Aws(region)
    wanted = job if isinstance(job, TrainingJob) else job_file.load(Path(job))
    launch = plan(wanted, read_platform(aws, platform), suppressions=suppressions)
    check(launch, aws, suppressions)
    if not wait:
        submit(launch, aws)
        return aws.training_jobs.describe(launch.job.name)
    ended: JobDescription | None = None
    for event in run(launch, aws):
        if isinstance(event, JobDescription):
            ended = event
    assert ended is not None
    return ended
