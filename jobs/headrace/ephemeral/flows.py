"""The executions of the flow: found by name, looked at, followed to their end.

The name of a flow is its execution's, and its training job's too. Who watches may stop watching; the flow goes on.
"""

from __future__ import annotations

import re
import time
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from headrace import launch
from headrace.aws import Aws
from headrace.aws.file_systems import LustreListing
from headrace.ephemeral import starting
from headrace.ephemeral.cost import Cost, cost_of
from headrace.ephemeral.stages import PRELOAD_SUFFIX, Progress, Stage, StageSpan, capacity_gib, expires, is_preload
from headrace.errors import InvalidInput, JobFailed
from headrace.execution_history import Execution, execution_arn, name_of
from headrace.job_description import JobDescription
from headrace.platform import OWNER_TAG, PLATFORM_TAG, EphemeralPart, Platform
from headrace.roads import Place

FIRST_POLL_SECONDS = 0.5
_SLOWEST_POLL_SECONDS = 10.0
_POLL_GROWTH = 1.2


class FlowFailed(JobFailed):
    """A flow ended without what it was started for. Its file system is gone, unless the message says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A flow as it stands. ``lustre``: its file system as FSx lists it; None before its creation, and when it is gone.

    ``jobs``: those that were created, as they stand; the last is the newest.
    """

    execution: Execution
    progress: Progress
    lustre: LustreListing | None = None
    jobs: tuple[JobDescription, ...] = ()

    @property
    def name(self) -> str:
        """Its name: that of the execution, and of its training job."""
        return self.execution.name

    @property
    def expires(self) -> datetime | None:
        """When the lifetime of the file system is over (UTC)."""
        return expires(self.execution)

    @property
    def job(self) -> JobDescription | None:
        """The training job, as far as there is one: the last that was created for it."""
        ours = [each for each in self.jobs if not is_preload(self.name, each.name)]
        return ours[-1] if ours else None

    def _gone(self, ended: datetime) -> datetime:
        """When its file system was gone: where the flow was aborted, that is when its teardown had ended."""
        last = self.progress.stage
        return max(ended, last.ended) if last is not None and last.ended is not None else ended

    def cost(self, region: str, now: datetime) -> Cost | None:
        """What the file system has cost by now; None before its creation."""
        if self.progress.billed_from is None:
            return None
        end = now if self.lustre is not None or self.execution.ended is None else self._gone(self.execution.ended)
        return cost_of(capacity_gib(self.execution), (end - self.progress.billed_from).total_seconds(), region)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformFlow:
    """An execution of a platform's flow, and the platform's machines."""

    execution: Execution
    part: EphemeralPart


@dataclass(frozen=True, slots=True, kw_only=True)
class JobBegins:
    """What :func:`follow` tells next is of this job of the flow."""

    name: str
    is_preload: bool


FlowEvent = StageSpan | JobBegins | launch.Event | Flow
"""What :func:`follow` tells: a stage begins, something of a job, and at last the flow as it ended."""


def require_part(platform: Platform) -> EphemeralPart:
    """The platform's machines. Raises RuleViolations (V150) when it has none."""
    from headrace.rules import require, run_rules
    from headrace.rules.ephemeral import MACHINES_RULES, MachinesSpec

    spec = MachinesSpec(platform=platform.foundation.platform, has_machines=platform.ephemeral is not None)
    require(run_rules(MACHINES_RULES, spec))
    assert platform.ephemeral is not None
    return platform.ephemeral


def find(aws: Aws, name: str, job: JobDescription | None, platform: str | None = None) -> PlatformFlow | None:
    """The flow of this name, or the one that a training job belongs to; None where there is none.

    A job that reads no Lustre is no flow's, and costs no call. A job's platform is the one that it is tagged with.
    Raises InvalidInput for a job whose owner is no flow of its platform: whoever may tag a job may write anything.
    """
    if job is None:
        part = launch.read_platform(aws, platform).ephemeral
        return None if part is None else _flow_of(aws, part, name)
    if not any(each.road is not None and each.road.place is Place.LUSTRE for each in job.channels):
        return None
    tags = aws.training_jobs.tags(job.arn)
    owner = tags.get(OWNER_TAG)
    if owner is None:
        return None
    deployed = launch.read_platform(aws, tags.get(PLATFORM_TAG) or platform)
    flow_name = name_of(owner)
    part = deployed.ephemeral
    if part is None or owner != execution_arn(part.machine_arn, flow_name) or not _may_be_of(job.name, flow_name):
        raise InvalidInput(
            f"{OWNER_TAG} of {job.name} is {owner!r}; allowed: the flow of platform {deployed.foundation.platform} "
            "that made the job; fix: remove the tag, which is not heeded"
        )
    return _flow_of(aws, part, flow_name)


def _flow_of(aws: Aws, part: EphemeralPart, name: str) -> PlatformFlow | None:
    execution = aws.executions.describe(execution_arn(part.machine_arn, name))
    return None if execution is None else PlatformFlow(execution=execution, part=part)


def _may_be_of(job_name: str, flow_name: str) -> bool:
    # the name of a flow is its training job's; further attempts are numbered
    return re.fullmatch(f"{re.escape(flow_name)}({PRELOAD_SUFFIX})?(-[0-9]+)?", job_name) is not None


def look(aws: Aws, execution: Execution) -> Flow:
    """Everything about the flow as it stands."""
    progress = Progress(job_name=execution.name).after(aws.executions.events_after(execution.arn))
    return Flow(
        execution=execution,
        progress=progress.closed(execution.ended),
        lustre=_lustre(aws, execution, progress),
        jobs=tuple(_jobs(aws, progress)),
    )


def _jobs(aws: Aws, progress: Progress) -> Iterator[JobDescription]:
    for name in progress.jobs:
        # a job that has ended may have been deleted
        with suppress(InvalidInput):
            yield aws.training_jobs.describe(name)


def _lustre(aws: Aws, execution: Execution, progress: Progress) -> LustreListing | None:
    found = lustres(aws, execution.arn, progress)
    return found[0] if found else None


def lustres(aws: Aws, owner: str, progress: Progress) -> list[LustreListing]:
    """The flow's file system, if it is there.

    Its id is known from the history, and tags can be taken away; without an id its creation may have succeeded all the
    same, and only its tag tells.
    """
    if progress.file_system_id is not None:
        return aws.file_systems.lustres({}, progress.file_system_id)
    return aws.file_systems.lustres({OWNER_TAG: owner})


def follow(aws: Aws, arn: str) -> Generator[FlowEvent]:
    """Events of the flow until its execution has ended; the last is the Flow. Blocks between them.

    While a job of the flow lasts, its phases and its log are told.
    """
    execution = described(aws, arn)
    progress = Progress(job_name=execution.name)
    stages_told = jobs_watched = 0
    pause_seconds = FIRST_POLL_SECONDS
    while True:
        # described before its events are read, so that those of its end are among them
        execution = described(aws, arn)
        progress = progress.after(aws.executions.events_after(arn, progress.last_event_id))
        news = len(progress.stages) > stages_told
        yield from progress.stages[stages_told:]
        stages_told = len(progress.stages)
        for name in progress.jobs[jobs_watched:]:
            yield JobBegins(name=name, is_preload=is_preload(execution.name, name))
            yield from launch.watch(aws, name)
        jobs_watched = len(progress.jobs)
        if execution.is_over:
            yield look(aws, execution)
            return
        pause_seconds = FIRST_POLL_SECONDS if news else longer_pause(pause_seconds)
        time.sleep(pause_seconds)


def longer_pause(pause_seconds: float) -> float:
    """How long to wait before the next look, when nothing has happened since the last."""
    return min(pause_seconds * _POLL_GROWTH, _SLOWEST_POLL_SECONDS)


def described(aws: Aws, arn: str) -> Execution:
    """The execution as it stands; one that was just started may have to be waited for.

    Raises InvalidInput when there is none of this ARN.
    """
    execution = starting.awaited(aws, arn)
    if execution is None:
        raise InvalidInput(f"no execution {arn}; check the name and the Region")
    return execution


def wait_for(aws: Aws, arn: str, stage: Stage) -> Iterator[FlowEvent]:
    """Events of the flow until a stage has begun; ends with the Flow. Raises FlowFailed when it ends before."""
    for event in follow(aws, arn):
        if isinstance(event, Flow):
            raise failure(event)
        yield event
        if isinstance(event, StageSpan) and event.stage is stage:
            yield look(aws, described(aws, arn))
            return


def reason_of(execution: Execution) -> str:
    """Why an execution did not succeed, on one line."""
    parts = [each for each in (execution.error, execution.cause) if each]
    return " ".join(": ".join(parts).split()) or "no reason given"


def failure(flow: Flow) -> FlowFailed:
    """The error of a flow that has ended."""
    left = "" if flow.lustre is None else f"; file system {flow.lustre.file_system_id} is {flow.lustre.lifecycle}"
    return FlowFailed(f"{flow.name}: {flow.execution.status}: {reason_of(flow.execution)}{left}")
