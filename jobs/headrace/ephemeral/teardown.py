"""The end of a flow: stopped, and followed until its file system is gone.

Nothing here deletes: that is the teardown machine's, which the flow itself starts, or EventBridge when the flow was
aborted. Where neither has, it is started here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from headrace.aws import Aws
from headrace.aws.connection import AccessDenied
from headrace.aws.file_systems import LustreListing
from headrace.ephemeral import flows, reaping, starting
from headrace.ephemeral.flows import Flow, FlowFailed, PlatformFlow, described, reason_of
from headrace.ephemeral.stages import Progress, Stage, StageSpan
from headrace.errors import InvalidInput
from headrace.execution_history import Execution, ExecutionStatus
from headrace.platform import FILE_SYSTEM_TAG, OWNER_TAG, PLATFORM_TAG

STOPPED = "Ephemeral.Stopped"
# EventBridge starts the teardown within seconds; who waits longer starts it
_TEARDOWN_SECONDS = 60
# before a flow's end none begins, but clocks differ
_BEFORE_ITS_END = timedelta(minutes=1)


def stop(aws: Aws, execution: Execution) -> bool:
    """Stop the flow; False when it has ended already, or is taking its file system down. Else that is done outside."""
    if execution.is_over:
        return False
    stage = Progress(job_name=execution.name).after(aws.executions.events_after(execution.arn)).stage
    if stage is not None and stage.stage is Stage.TEARING_DOWN:
        return False
    aws.executions.stop(execution.arn, STOPPED, "stopped by headrace")
    return True


def look(aws: Aws, flow: PlatformFlow) -> Flow:
    """Everything about a flow as it stands, with the teardown from outside of one that did not end by itself."""
    found = flows.look(aws, flow.execution)
    ended, last = flow.execution.ended, found.progress.stage
    if ended is None or found.progress.billed_from is None or last is None or last.stage is Stage.TEARING_DOWN:
        return found
    with suppress(AccessDenied):
        owner, since = flow.execution.arn, ended - _BEFORE_ITS_END
        if ours := _teardowns(aws, flow.part.teardown_machine_arn, owner, since, set()):
            ends = [each.ended for each in ours if each.ended is not None]
            is_over = len(ends) == len(ours)
            span = StageSpan(
                stage=Stage.TEARING_DOWN,
                started=max(ended, min(each.started for each in ours)),
                ended=max(ended, *ends) if is_over else None,
            )
            return replace(found, progress=replace(found.progress, stages=(*found.progress.stages, span)))
    return found


def others_of(aws: Aws, execution: Execution) -> list[LustreListing]:
    """File systems that name this flow as their owner, and which it has not made: tags can be copied."""
    named = aws.file_systems.lustres({OWNER_TAG: execution.arn})
    return [each for each in named if not was_made_by(execution, each)]


def was_made_by(execution: Execution, lustre: LustreListing) -> bool:
    """Whether the teardown takes it for the flow's: made in the flow's first hour, before its end, by its own tags."""
    is_in_time = reaping.was_made_in_time(execution.started, execution.ended, lustre.created)
    return is_in_time and lustre.tags.get(FILE_SYSTEM_TAG, lustre.file_system_id) == lustre.file_system_id


def until_gone(aws: Aws, teardown_machine_arn: str, owner: str) -> Iterator[str]:
    """Wait until a flow that was stopped, or ends by itself, has left nothing; what goes on, in words.

    Raises FlowFailed when a file system is left.
    """
    execution, pause_seconds = described(aws, owner), flows.FIRST_POLL_SECONDS
    if not execution.is_over:
        yield "the flow takes its file system down"
    while not execution.is_over:
        time.sleep(pause_seconds)
        pause_seconds = flows.longer_pause(pause_seconds)
        execution = described(aws, owner)
    # what has ended by itself has seen to its file system; but for one that was aborted, it may yet be under way
    is_aborted = execution.status in (ExecutionStatus.ABORTED, ExecutionStatus.TIMED_OUT)
    progress = Progress(job_name=execution.name).after(aws.executions.events_after(owner))
    if is_aborted or flows.lustres(aws, owner, progress):
        yield from take_down(aws, teardown_machine_arn, owner, jobs=progress.jobs)
        # a teardown may have ended before the file system was seen
        if flows.lustres(aws, owner, progress):
            yield from take_down(aws, teardown_machine_arn, owner, jobs=progress.jobs, anew=True)
        # the teardown knows it by its tags, which somebody may have taken away
        if left := flows.lustres(aws, owner, progress):
            raise FlowFailed(
                f"{execution.name}: {execution.status}: file system {left[0].file_system_id} is {left[0].lifecycle}, "
                f"and was not taken down; see whether it has the tags {PLATFORM_TAG} and {OWNER_TAG}, "
                "or delete it by hand"
            )


def take_down(
    aws: Aws, teardown_machine_arn: str, owner: str, *, jobs: Sequence[str] = (), anew: bool = False
) -> Iterator[str]:
    """Wait until the teardown of a flow that has ended is over; what goes on, in words, whenever that changes.

    EventBridge starts it; where that has not happened after a minute, it is started here, which does no harm twice.
    ``jobs``: of the flow, by name, the newest last: it is stopped first. ``anew``: one is started at once, whatever
    others have done. Raises FlowFailed when a file system is left.
    """
    begun = time.monotonic()
    since = (described(aws, owner).ended or datetime.now(UTC)) - _BEFORE_ITS_END
    strangers: set[str] = set()
    told, pause_seconds = "", flows.FIRST_POLL_SECONDS
    started_here = start(aws, teardown_machine_arn, owner) if anew else ""
    while True:
        ours = _teardowns(aws, teardown_machine_arn, owner, since, strangers)
        # a list may lag behind
        ours += (
            [described(aws, started_here)] if started_here and all(each.arn != started_here for each in ours) else []
        )
        is_running = any(not each.is_over for each in ours)
        state = _told_of(aws, owner, jobs, is_running=is_running)
        if state != told:
            yield state
            told = state
        counting = [each for each in ours if each.arn == started_here] if anew else ours
        if not is_running and any(each.status == ExecutionStatus.SUCCEEDED for each in counting):
            return
        if not is_running and started_here:
            last = described(aws, started_here)
            raise FlowFailed(f"teardown {last.name}: {last.status}: {reason_of(last)}; see headrace reap --dry-run")
        if not is_running and (ours or time.monotonic() - begun > _TEARDOWN_SECONDS):
            started_here = start(aws, teardown_machine_arn, owner)
        time.sleep(pause_seconds)
        pause_seconds = flows.longer_pause(pause_seconds)


def start(aws: Aws, teardown_machine_arn: str, owner: str) -> str:
    """Start a teardown of what a flow that has ended has left, whatever others do; the ARN of its execution."""
    return starting.start_by_hand(aws, teardown_machine_arn, {"Owner": owner})


def _teardowns(aws: Aws, machine_arn: str, owner: str, since: datetime, strangers: set[str]) -> list[Execution]:
    """Executions of the teardown machine for this owner since then, newest first; ``strangers``: of others."""
    found: list[Execution] = []
    for arn in aws.executions.newest(machine_arn):
        if arn in strangers:
            continue
        execution = aws.executions.describe(arn)
        if execution is None or execution.input.get("Owner") != owner:
            strangers.add(arn)
        elif execution.started >= since:
            found.append(execution)
        if execution is not None and execution.started < since:
            break
    return found


def _told_of(aws: Aws, owner: str, jobs: Sequence[str], *, is_running: bool) -> str:
    teardown = "the teardown runs" if is_running else "waiting for the teardown"
    left = ", ".join(
        f"{each.file_system_id} is {each.lifecycle}" for each in aws.file_systems.lustres({OWNER_TAG: owner})
    )
    if not left:
        return f"{teardown}, which sees that nothing is left" if is_running else teardown
    stopping = "" if not jobs or _has_ended(aws, jobs[-1]) else f"; waiting for training job {jobs[-1]} to stop"
    return f"{teardown}; {left}{stopping}"


def _has_ended(aws: Aws, job: str) -> bool:
    # one that was deleted, or may not be looked at, is not told
    with suppress(InvalidInput, AccessDenied):
        return aws.training_jobs.describe(job).is_over
    return True
