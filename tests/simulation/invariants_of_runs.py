"""What must hold of the runs: what they say is true, they end, they stay within limits, and they ask seldom."""

from __future__ import annotations

from collections.abc import Iterator

from tests.simulation.interpreter import LONGEST_HISTORY, Execution
from tests.simulation.readings import (
    TAGS,
    created_by_flows,
    end_of,
    left_to_themselves,
    teardowns_after,
)
from tests.simulation.schedule import Schedule
from tests.simulation.simulated_sagemaker import Job

# Nobody can lock a file system between the last look at the jobs and the delete: a job that was created in between is
# no breach, as long as that look is not older than this. Undisturbed it is some seconds, and a job takes two minutes to
# its mount: nothing of it is billed.
OLDEST_LOOK_SECONDS = 240.0

# Calls beside those of waiting: the fixed ones of a run, and the pages of every file system and job of the account.
CALLS_OF_A_RUN = 60
# Nobody can lock a file system between the last look at the jobs and the delete: a job that was created in between is
# no breach, as long as that look is not older than this. Undisturbed it is some seconds, and a job takes two minutes to
# its mount: nothing of it is billed.
OLDEST_LOOK_SECONDS = 240.0

# Calls beside those of waiting: the fixed ones of a run, and the pages of every file system and job of the account.
CALLS_OF_A_RUN = 60
SECONDS_PER_CALL = 15.0

# Nobody can lock a file system between the last look at the jobs and the delete: a job that was created in between is
# no breach, as long as that look is not older than this. Undisturbed it is some seconds, and a job takes two minutes to
# its mount: nothing of it is billed.
OLDEST_LOOK_SECONDS = 240.0

# Calls beside those of waiting: the fixed ones of a run, and the pages of every file system and job of the account.
CALLS_OF_A_RUN = 60
SECONDS_PER_CALL = 15.0

ERRORS_OF_OURS = {
    "Ephemeral.CapReached",
    "Ephemeral.CapacityError",
    "Ephemeral.FileSystemNotReady",
    "Ephemeral.ImportFailed",
    "Ephemeral.InvalidRequest",
    "Ephemeral.LifetimeExceeded",
    "Ephemeral.LinkNotReady",
    "Ephemeral.NotDeleted",
    "Ephemeral.PreloadFailed",
    "Ephemeral.PreloadIncomplete",
    "Ephemeral.Timeout",  # States.Timeout of a call, under a name that may be raised
    "Ephemeral.TrainingFailed",
    "Ephemeral.TrainingStopped",
}


def training_begins_with_everything_imported(schedule: Schedule) -> Iterator[str]:
    tasks = schedule.world.fsx.tasks.values()
    for job in schedule.world.sagemaker.jobs.values():
        if job.creator is not None:
            for identity in job.file_systems():
                if not any(task.file_system == identity and task.lifecycle == "SUCCEEDED" for task in tasks):
                    yield f"{job.name} was created before {identity} was imported"


def _loaded_files(job: Job) -> float:
    return 1_000_000 * job.metrics.get("loaded_files_e6", 0) + job.metrics.get("loaded_files_e0", 0)


def training_follows_a_full_preload(schedule: Schedule) -> Iterator[str]:
    jobs = schedule.world.sagemaker.jobs
    for flow in schedule.flows:
        if flow.input["Preload"] is None:
            continue
        preloads = [each for each in jobs.values() if each.creator == flow.arn and "-preload" in each.name]
        full = any(
            each.status == "Completed"
            and _loaded_files(each) == schedule.plan.fsx.objects
            and not each.metrics.get("failed_files")
            for each in preloads
        )
        trained = [each.name for each in jobs.values() if each.creator == flow.arn and each not in preloads]
        if trained and not full:
            yield f"{trained[0]} was created, and no preload had loaded everything"


def no_job_is_left_running(schedule: Schedule) -> Iterator[str]:
    """An hour after the end of its flow, or of the teardown that was ended from outside or heard of it late.

    Where no teardown could run to its end, or the file system is not to be touched any more, the longest runtime of the
    job is what ends it: the reaper stops no job.
    """
    executions = schedule.world.step_functions.executions
    cut_short = {each.arn for each in schedule.ended_from_outside}
    for job in schedule.world.sagemaker.jobs.values():
        owner = executions.get(job.creator or "")
        if owner is None or owner.stopped is None or any(edit.key in TAGS[:2] for edit in schedule.plan.tag_edits):
            continue
        runs = [each for each in teardowns_after(schedule, owner) if each.arn not in cut_short]
        ended = schedule.world.clock.now if job.ended is None else job.ended
        since = min((each.started for each in runs), default=None)
        if since is not None and ended - since > 3600:
            yield f"{job.name} ran for {ended - since:.0f} s more when its flow had ended and a teardown begun"


def failures_say_why(schedule: Schedule) -> Iterator[str]:
    """With a name of ours or of the service. The other machines may also fail with a time-out of their own calls."""
    for each in left_to_themselves(schedule):
        if each.status != "FAILED":
            continue
        met = {_renamed(error) for error in schedule.world.record.errors.get(each.arn, set())}
        named = (
            ERRORS_OF_OURS
            if each.machine.name == "ephemeral"
            else {"Teardown.NotDeleted", "Teardown.OwnerRuns", "States.Timeout"}
        )
        if each.error not in met | named:
            yield f"{each.machine.name} {each.name} failed with {each.error}, which nothing explains: {each.cause}"
        elif not each.cause:
            yield f"{each.name} failed with {each.error} and no cause"


def _renamed(error: str) -> str:
    return error.replace("States.", "Ephemeral.", 1) if error.startswith("States.") else error


def success_is_true(schedule: Schedule) -> Iterator[str]:
    """A flow that succeeded has trained, and its file system was gone by then."""
    jobs = schedule.world.sagemaker.jobs
    for flow in schedule.flows:
        if flow.status != "SUCCEEDED":
            continue
        assert flow.stopped is not None
        for each in created_by_flows(schedule):
            if each.creator == flow.arn and end_of(each) > flow.stopped:
                yield f"{flow.name} succeeded while {each.id} was {each.lifecycle}"
        name = flow.output.get("TrainingJobName")
        if (name is None) != (flow.input["Training"] is None):
            yield f"{flow.name} succeeded with the training job {name}"
        elif name is not None and jobs[name].status != "Completed":
            yield f"{flow.name} succeeded while {name} was {jobs[name].status}"


def nothing_runs_for_ever(schedule: Schedule) -> Iterator[str]:
    """A flow ends with its lifetime and a teardown; a teardown within six hours, a reaper within one."""
    now = schedule.world.clock.now
    for each in schedule.world.step_functions.executions.values():
        if each.alive and now - each.started > _longest(schedule, each):
            yield f"{each.machine.name} {each.name} has run for {now - each.started:.0f} s"


def _longest(schedule: Schedule, each: Execution) -> float:
    return {"ephemeral": schedule.plan.lifetime_seconds + 7 * 3600, "teardown": 21_600}.get(each.machine.name, 3600)


def history_is_short(schedule: Schedule) -> Iterator[str]:
    for each in schedule.world.step_functions.executions.values():
        if each.events >= LONGEST_HISTORY:
            yield f"{each.machine.name} {each.name} has {each.events} events"


def calls_are_few(schedule: Schedule) -> Iterator[str]:
    """At most one for 15 s of waiting, beside those that a run makes in any case; those after faults do not count."""
    world = schedule.world
    pages = 3 * len(world.fsx.file_systems) / 10 + 4 * len(world.sagemaker.jobs)
    for arn, calls in world.record.undisturbed.items():
        each = world.step_functions.executions[arn]
        seconds = (world.clock.now if each.stopped is None else each.stopped) - each.started
        if calls > CALLS_OF_A_RUN + pages + seconds / SECONDS_PER_CALL:
            yield f"{each.machine.name} {each.name} made {calls} calls in {seconds:.0f} s"


def answers_are_of_the_api(schedule: Schedule) -> Iterator[str]:
    yield from sorted(set(schedule.world.record.misfits))
