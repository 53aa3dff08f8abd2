"""What must hold of file systems: who may create, who may delete, when, and what never lives on.

What cannot be excluded without a lock that AWS does not have is stated beside the invariant, with its bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from tests.simulation.bystanders import DOOMED
from tests.simulation.clock import seconds_of, timestamp
from tests.simulation.definitions import MAX_FILE_SYSTEMS
from tests.simulation.readings import (
    TAGS,
    created_by_flows,
    end_of,
    is_tagged,
    reaper_behind,
    teardowns_after,
)
from tests.simulation.schedule import DEADLINE_SECONDS, Schedule
from tests.simulation.simulated_event_bridge import REAPER_PERIOD_SECONDS
from tests.simulation.simulated_fsx import FileSystem

# Nobody can lock a file system between the last look at the jobs and the delete: a job that was created in between is
# no breach, as long as that look is not older than this. Undisturbed it is some seconds, and a job takes two minutes to
# its mount: nothing of it is billed.
OLDEST_LOOK_SECONDS = 240.0

REFUSALS_OF_HOURS = 60  # a teardown asks so often within its two hours


def at_most_one_lives_per_execution(schedule: Schedule) -> Iterator[str]:
    for one, other in combinations(created_by_flows(schedule), 2):
        if one.creator == other.creator and max(one.created, other.created) < min(end_of(one), end_of(other)):
            yield f"{one.id} and {other.id} of {one.creator} live at once"


def none_is_untagged(schedule: Schedule) -> Iterator[str]:
    for each in created_by_flows(schedule):
        given = {tag["Key"]: tag["Value"] for tag in each.request["Tags"]}
        if not all(given.get(key) for key in TAGS) or given["headrace:owner"] != each.creator:
            yield f"{each.id} was created with the tags {given}"


def all_are_deleted_or_alarmed(schedule: Schedule) -> Iterator[str]:
    """By the deadline: expiry, three quarters of an hour of the reaper, the teardown's two hours.

    An alarm is enough only where no machine can delete: FSx refuses for hours, or a tag is lost that deleting needs.
    """
    executions = schedule.world.step_functions.executions.values()
    alarms = " ".join(each.cause or "" for each in executions if each.error == "Teardown.NotDeleted")
    left = [each for each in created_by_flows(schedule) if each.exists]
    left += [each.file_system for each in schedule.present if each.doomed and each.file_system.exists]
    for each in left:
        lost = each.creator is not None and (not is_tagged(each) or each.tags["headrace:owner"] != each.creator)
        if lost and _nobody_could_know(schedule, each):
            continue
        if schedule.world.clock.now < schedule.deadline:
            yield f"{each.id} is {each.lifecycle}, and the schedule is over"
        elif not (lost or schedule.plan.fsx.deletes_refused > REFUSALS_OF_HOURS) or each.id not in alarms:
            late = f"{DEADLINE_SECONDS:.0f} s after its expiry"
            yield f"{each.id} of {each.creator} is {each.lifecycle} {late}, and no alarm"


def _nobody_could_know(schedule: Schedule, each: FileSystem) -> bool:
    """No teardown of its owner ran to its end to notice."""
    cut_short = {execution.arn for execution in schedule.ended_from_outside}
    flow = schedule.world.step_functions.executions[each.creator or ""]
    return not any(execution.arn not in cut_short for execution in teardowns_after(schedule, flow))


def none_is_deleted_under_a_job(schedule: Schedule) -> Iterator[str]:
    delay = schedule.plan.sagemaker.list_delay_seconds  # a job is that old when the list shows it
    for deletion in schedule.world.record.deletions:
        for name, age in deletion.mounting:
            if age >= min(deletion.seen + delay, OLDEST_LOOK_SECONDS):
                yield f"{deletion.file_system.id} was deleted while {name} mounted it, {age:.0f} s after its creation"


def no_training_is_billed_without_its_file_system(schedule: Schedule) -> Iterator[str]:
    for job, identity, lifecycle in schedule.world.record.billed:
        if lifecycle != "AVAILABLE":
            yield f"{job.name} was billed while {identity} was {lifecycle}"
        for deletion in schedule.world.record.deletions:
            ended = float("inf") if job.ended is None else job.ended
            billed_from = float("inf") if job.billed_from is None else job.billed_from
            if deletion.file_system.id == identity and billed_from <= deletion.time < ended:
                yield f"{job.name} was billed {ended - deletion.time:.0f} s after the deletion of {identity}"


def nothing_living_is_deleted(schedule: Schedule) -> Iterator[str]:
    """Not of others, not shared, not of an owner that runs, unless the owner itself asked for it."""
    doomed = {each.file_system.id: each.kind for each in schedule.present}
    executions = schedule.world.step_functions.executions
    for deletion in schedule.world.record.deletions:
        each = deletion.file_system
        if each.creator is None:
            if doomed.get(each.id) not in DOOMED:
                yield f"{each.id} ({doomed.get(each.id)}) was deleted by {deletion.caller}"
            continue
        owner, caller = executions[each.creator], executions[deletion.caller or ""]
        owner_ran = owner.stopped is None or owner.stopped > deletion.time
        if caller.machine.name != "teardown":
            yield f"{each.id} was deleted by {caller.machine.name}, which is not the teardown"
        elif owner_ran and schedule.world.record.starters[caller.arn] != owner.arn:
            yield f"{each.id} was deleted by {caller.name} while its owner ran"


def an_end_by_itself_leaves_nothing(schedule: Schedule) -> Iterator[str]:
    """A flow that nobody ended has its file system gone when it ends, or says that it has not."""
    ended = {each.arn for each in schedule.ended_from_outside}
    for flow in schedule.flows:
        if flow.stopped is None or flow.arn in ended or flow.error == "Ephemeral.NotDeleted":
            continue
        for each in created_by_flows(schedule):
            if each.creator == flow.arn and end_of(each) > flow.stopped:
                yield f"{flow.name} ended with {flow.error} while {each.id} was there"


def an_end_from_outside_is_followed_soon(schedule: Schedule) -> Iterator[str]:
    """Within an hour and a half of the first teardown that was allowed to run, unless deleting is made hard."""
    plan, world = schedule.plan, schedule.world
    fsx = plan.fsx
    hard = fsx.deletes_refused or fsx.deletes_that_fail or fsx.creation_span.most > 1800 or fsx.import_span.most > 1800
    lossy = any(each.only not in ("createFileSystem", "describeExecution") for each in plan.calls)
    if hard or lossy or plan.sagemaker.stop_is_refused or plan.tag_edits:
        return
    cut_short = {each.arn for each in schedule.ended_from_outside}
    for flow in schedule.flows:
        if flow.arn not in cut_short:
            continue
        for each in created_by_flows(schedule):
            runs = [run for run in teardowns_after(schedule, flow) if run.arn not in cut_short]
            since = max(min((run.started for run in runs), default=float("inf")), each.created)
            if each.creator == flow.arn and min(end_of(each), world.clock.now) - since > 5400:
                yield f"{each.id} was there for {end_of(each) - since:.0f} s more when a teardown had begun"


def the_reaper_looks_twice(schedule: Schedule) -> Iterator[str]:
    """What it has deleted carries a mark that was a quarter of an hour old."""
    world = schedule.world
    for deletion in world.record.deletions:
        if reaper_behind(schedule, deletion.caller) is None:
            continue
        if deletion.marked is None:
            yield f"{deletion.file_system.id} was deleted for the reaper and carried no mark"
            continue
        age = deletion.time + schedule.plan.step_functions.skew_seconds - seconds_of(deletion.marked)
        if age < REAPER_PERIOD_SECONDS:
            yield f"{deletion.file_system.id} was deleted for the reaper {age:.0f} s after its mark"


def the_reaper_stops_no_job(schedule: Schedule) -> Iterator[str]:
    for job, caller in schedule.world.record.stops:
        if reaper_behind(schedule, caller) is not None:
            yield f"{job.name} was stopped by {caller}, for the reaper"


def the_reaper_tells(schedule: Schedule) -> Iterator[str]:
    """What a teardown of the reaper deleted stands in a message, unless that reaper failed: that is an alarm itself."""
    world = schedule.world
    told = " ".join(message for _, message in world.sns.messages)
    for deletion in world.record.deletions:
        reaper = reaper_behind(schedule, deletion.caller)
        if reaper is not None and reaper.status == "SUCCEEDED" and deletion.file_system.id not in told:
            yield f"{reaper.name} had {deletion.file_system.id} deleted and told nobody"


def nothing_above_the_cap_is_used(schedule: Schedule) -> Iterator[str]:
    """Flows that start together may all create; who then finds the cap full of older ones gets no job."""
    ours = [each for each in schedule.world.fsx.file_systems.values() if is_tagged(each)]
    jobs = schedule.world.sagemaker.jobs.values()
    for each in ours:
        there = [other for other in ours if other.there_since <= each.created]
        older = [other for other in there if _age(schedule, other) < _age(schedule, each)]
        alive = sum(each.created + 120 < (other.deleting or end_of(other)) for other in older)
        used = any(each.id in job.file_systems() for job in jobs if job.creator == each.creator)
        if each.creator is not None and alive >= MAX_FILE_SYSTEMS and used:
            yield f"{each.id} has a job, and {alive} older ones live; the cap is {MAX_FILE_SYSTEMS}"


def _age(schedule: Schedule, each: FileSystem) -> tuple[str, str]:
    """What tells which is older, as FSx writes it: to the millisecond, and then by the id."""
    return timestamp(each.created + schedule.plan.fsx.skew_seconds), each.id


def the_cap_holds(schedule: Schedule) -> Iterator[str]:
    """No flow creates what is above the cap; those that count at the same time may all be the last."""
    ours = [each for each in schedule.world.fsx.file_systems.values() if is_tagged(each)]
    for each in ours:
        live = sum(other.there_since <= each.created < (other.deleting or end_of(other)) for other in ours)
        if each.creator is not None and live > MAX_FILE_SYSTEMS + schedule.plan.neighbours:
            yield f"{each.id} is the {live}th that lives; the cap is {MAX_FILE_SYSTEMS}"
