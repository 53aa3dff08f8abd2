"""The end of a flow: stopped, and followed until its file system is gone.

Nothing here deletes: that is the teardown machine's, which the flow itself starts, or EventBridge when the flow was
aborted. Where neither has, it is started here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from headrace.aws import Aws
from headrace.ephemeral import flows
from headrace.ephemeral.flows import FlowFailed, described, reason_of
from headrace.ephemeral.stages import Progress, Stage
from headrace.execution_history import Execution, ExecutionStatus
from headrace.platform import OWNER_TAG, PLATFORM_TAG

STOPPED = "Ephemeral.Stopped"
# EventBridge starts the teardown within seconds; who waits longer starts it
_TEARDOWN_SECONDS = 60
_CLOCKS_DIFFER = timedelta(minutes=1)


def stop(aws: Aws, execution: Execution) -> bool:
    """Stop the flow; False when it has ended already, or is taking its file system down. Else that is done outside."""
    if execution.is_over:
        return False
    stage = Progress(job_name=execution.name).after(aws.executions.events_after(execution.arn)).stage
    if stage is not None and stage.stage is Stage.TEARING_DOWN:
        return False
    aws.executions.stop(execution.arn, STOPPED, "stopped by headrace")
    return True


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
        yield from take_down(aws, teardown_machine_arn, owner)
        # the teardown knows it by its tags, which somebody may have taken away
        if left := flows.lustres(aws, owner, progress):
            raise FlowFailed(
                f"{execution.name}: {execution.status}: file system {left[0].file_system_id} is {left[0].lifecycle}, "
                f"and was not taken down; see whether it has the tags {PLATFORM_TAG} and {OWNER_TAG}, "
                "or delete it by hand"
            )


def take_down(aws: Aws, teardown_machine_arn: str, owner: str) -> Iterator[str]:
    """Wait until the teardown of a flow that has ended is over; what goes on, in words, whenever that changes.

    EventBridge starts it; where that has not happened after a minute, it is started here, which does no harm twice.
    Raises FlowFailed when a file system is left.
    """
    begun = time.monotonic()
    since = (described(aws, owner).ended or datetime.now(UTC)) - _CLOCKS_DIFFER
    strangers: set[str] = set()
    told, started_here, pause_seconds = "", "", flows.FIRST_POLL_SECONDS
    while True:
        ours = _teardowns(aws, teardown_machine_arn, owner, since, strangers)
        # a list may lag behind
        ours += (
            [described(aws, started_here)] if started_here and all(each.arn != started_here for each in ours) else []
        )
        is_running = any(not each.is_over for each in ours)
        state = _told_of(aws, owner, is_running=is_running)
        if state != told:
            yield state
            told = state
        if not is_running and any(each.status == ExecutionStatus.SUCCEEDED for each in ours):
            return
        if not is_running and started_here:
            last = described(aws, started_here)
            raise FlowFailed(f"teardown {last.name}: {last.status}: {reason_of(last)}; see headrace reap --dry-run")
        if not is_running and (ours or time.monotonic() - begun > _TEARDOWN_SECONDS):
            name = f"by-hand-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
            started_here = aws.executions.start(teardown_machine_arn, name, {"Owner": owner})
        time.sleep(pause_seconds)
        pause_seconds = flows.longer_pause(pause_seconds)


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


def _told_of(aws: Aws, owner: str, *, is_running: bool) -> str:
    left = aws.file_systems.lustres({OWNER_TAG: owner})
    teardown = "the teardown runs" if is_running else "waiting for the teardown"
    return f"{teardown}; {', '.join(f'{each.file_system_id} is {each.lifecycle}' for each in left) or 'no file system'}"
