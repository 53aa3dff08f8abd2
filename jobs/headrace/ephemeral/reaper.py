"""The reaper's facts, looked up with the caller's rights; and the reaper itself, started by hand."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from headrace.aws import Aws
from headrace.aws.connection import AccessDenied
from headrace.aws.file_systems import LustreListing
from headrace.ephemeral import starting
from headrace.ephemeral.flows import FlowFailed, described, reason_of
from headrace.ephemeral.reaping import (
    CLOCKS_DIFFER,
    MARK_AGE,
    Decision,
    FileSystemFacts,
    Owner,
    decide,
)
from headrace.execution_history import Execution, ExecutionStatus
from headrace.job_description import JobDescription
from headrace.platform import EXPIRES_TAG, FILE_SYSTEM_TAG, MARKED_TAG, OWNER_TAG, PLATFORM_TAG, EphemeralPart

_PAUSE_SECONDS = 1.0
_EXECUTION_ARN = re.compile(r"arn:[a-z-]+:states:[a-z0-9-]+:\d{12}:execution:[^:]+:[^:]+")


def decisions(aws: Aws, part: EphemeralPart, now: datetime | None = None) -> list[Decision]:
    """What the reaper would do now with each ephemeral file system of the platform. Raises AwsError."""
    now = now or datetime.now(UTC)
    found = aws.file_systems.lustres({PLATFORM_TAG: part.platform, OWNER_TAG: ""})
    if not found:
        return []
    # no job that is older than a file system mounts it
    jobs = _active_jobs(aws, min(each.created for each in found) - CLOCKS_DIFFER)
    return [decide(_facts(aws, each, jobs, now), now, part.max_hours) for each in found]


def _active_jobs(aws: Aws, since: datetime) -> list[JobDescription | None]:
    """Each job that runs or is stopping; None for one that these rights may not look at."""
    jobs: list[JobDescription | None] = []
    for name in aws.training_jobs.active_names(since):
        try:
            job = aws.training_jobs.describe(name)
        except AccessDenied:
            jobs.append(None)
        else:
            jobs += [] if job.is_over else [job]
    return jobs


def _clients(aws: Aws, file_system_id: str, now: datetime) -> float | None:
    try:
        return aws.file_systems.client_connections(file_system_id, now, int(MARK_AGE.total_seconds() // 60))
    except AccessDenied:
        return None


def _facts(aws: Aws, lustre: LustreListing, jobs: list[JobDescription | None], now: datetime) -> FileSystemFacts:
    owner_arn = lustre.tags[OWNER_TAG]
    known = [each for each in jobs if each is not None]
    return FileSystemFacts(
        file_system_id=lustre.file_system_id,
        lifecycle=lustre.lifecycle,
        created=lustre.created,
        has_platform_tag=True,
        owner_arn=owner_arn,
        owner=_owner(aws, owner_arn),
        expires_tag=lustre.tags.get(EXPIRES_TAG),
        marked_tag=lustre.tags.get(MARKED_TAG),
        itself_tag=lustre.tags.get(FILE_SYSTEM_TAG),
        mounted_by=tuple(each.name for each in known if lustre.file_system_id in each.file_system_ids),
        unknown_jobs=len(jobs) - len(known),
        clients=_clients(aws, lustre.file_system_id, now),
    )


def _owner(aws: Aws, arn: str) -> Owner:
    # text that is no execution's ARN is another error to the machine: it is not known to have ended
    if not _EXECUTION_ARN.fullmatch(arn):
        return Owner(is_known=False)
    try:
        execution = aws.executions.describe(arn)
    except AccessDenied:
        return Owner(is_known=False)
    if execution is None:
        return Owner()
    return Owner(is_running=not execution.is_over, started=execution.started, ended=execution.ended)


def run(aws: Aws, part: EphemeralPart) -> Iterator[Execution]:
    """Start the reaper and wait for its end; the execution as it begins, and as it has ended.

    Raises FlowFailed when it did not succeed.
    """
    execution = described(aws, starting.start_by_hand(aws, part.reaper_machine_arn, {}))
    yield execution
    while not execution.is_over:
        time.sleep(_PAUSE_SECONDS)
        execution = described(aws, execution.arn)
    if execution.status != ExecutionStatus.SUCCEEDED:
        raise FlowFailed(f"reaper {execution.name}: {execution.status}: {reason_of(execution)}")
    yield execution
