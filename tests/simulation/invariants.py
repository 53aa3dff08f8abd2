"""What must hold after every schedule, whatever went wrong in it (rules.md, section 4).

Each invariant reads the record of what really happened and yields one sentence for each breach. What cannot be
excluded without a lock that AWS does not have is stated beside the invariant, with its bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

from tests.simulation.bystanders import DOOMED
from tests.simulation.clock import seconds_of
from tests.simulation.definitions import MAX_FILE_SYSTEMS, PLATFORM
from tests.simulation.interpreter import LONGEST_HISTORY, Execution
from tests.simulation.schedule import DEADLINE_SECONDS, Schedule
from tests.simulation.simulated_event_bridge import REAPER_PERIOD_SECONDS
from tests.simulation.simulated_fsx import FileSystem
from tests.simulation.simulated_sagemaker import Job

TAGS = ("headrace:platform", "headrace:owner", "headrace:job", "headrace:expires")

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
Invariant = Callable[[Schedule], Iterator[str]]


def breaches(schedule: Schedule) -> list[str]:
    """Every breach of every invariant, each with the invariant's name."""
    return [f"{each.__name__}: {text}" for each in INVARIANTS for text in each(schedule)]


def _own(schedule: Schedule) -> list[FileSystem]:
    return [each for each in schedule.world.fsx.file_systems.values() if each.creator is not None]


def _end(each: FileSystem) -> float:
    return float("inf") if each.gone is None else each.gone


def at_most_one_lives_per_execution(schedule: Schedule) -> Iterator[str]:
    for one, other in combinations(_own(schedule), 2):
        if one.creator == other.creator and max(one.created, other.created) < min(_end(one), _end(other)):
            yield f"{one.id} and {other.id} of {one.creator} live at once"


def none_is_untagged(schedule: Schedule) -> Iterator[str]:
    for each in _own(schedule):
        given = {tag["Key"]: tag["Value"] for tag in each.request["Tags"]}
        if not all(given.get(key) for key in TAGS) or given["headrace:owner"] != each.creator:
            yield f"{each.id} was created with the tags {given}"


def all_are_deleted_or_alarmed(schedule: Schedule) -> Iterator[str]:
    """By the deadline: expiry, three quarters of an hour of the reaper, the teardown's two hours."""
    now = schedule.world.clock.now
    told = " ".join(message for _, message in schedule.world.sns.messages) + " ".join(
        each.cause or ""
        for each in schedule.world.step_functions.executions.values()
        if each.error == "Teardown.NotDeleted"
    )
    left = [each for each in _own(schedule) if each.exists and not _nobody_could_know(schedule, each)]
    left += [each.file_system for each in schedule.present if each.doomed and each.file_system.exists]
    for each in left:
        if each.id not in told and now >= schedule.deadline:
            late = f"{DEADLINE_SECONDS:.0f} s after its expiry"
            yield f"{each.id} of {each.creator} is {each.lifecycle} {late}, and no alarm"
        elif now < schedule.deadline:
            yield f"{each.id} is {each.lifecycle}, and the schedule is over"


def _nobody_could_know(schedule: Schedule, each: FileSystem) -> bool:
    """It has lost a tag without which nothing finds it, and no teardown of its owner ran to its end to notice."""
    lost = not _counts(each) or each.tags["headrace:owner"] != each.creator
    cut_short = {execution.arn for execution in schedule.ended_from_outside}
    flow = schedule.world.step_functions.executions[each.creator or ""]
    return lost and not any(execution.arn not in cut_short for execution in _teardowns(schedule, flow))


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


def training_begins_with_everything_imported(schedule: Schedule) -> Iterator[str]:
    tasks = schedule.world.fsx.tasks.values()
    for job in schedule.world.sagemaker.jobs.values():
        if job.creator is not None:
            for identity in job.file_systems():
                if not any(task.file_system == identity and task.lifecycle == "SUCCEEDED" for task in tasks):
                    yield f"{job.name} was created before {identity} was imported"


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
        for each in _own(schedule):
            if each.creator == flow.arn and _end(each) > flow.stopped:
                yield f"{flow.name} ended with {flow.error} while {each.id} was there"


def an_end_from_outside_is_followed_soon(schedule: Schedule) -> Iterator[str]:
    """Within an hour of the first teardown that was allowed to run; it may take as long as deleting it is made hard."""
    plan, world = schedule.plan, schedule.world
    fsx = plan.fsx
    hard = fsx.deletes_refused or fsx.deletes_that_fail or fsx.creation_span.most > 1800 or fsx.import_span.most > 1800
    if (
        hard
        or any(each.only != "createFileSystem" for each in plan.calls)
        or plan.sagemaker.stop_is_refused
        or plan.tag_edits
    ):
        return
    cut_short = {each.arn for each in schedule.ended_from_outside}
    for flow in schedule.flows:
        if flow.arn not in cut_short:
            continue
        for each in _own(schedule):
            runs = [run for run in _teardowns(schedule, flow) if run.arn not in cut_short]
            since = max(min((run.started for run in runs), default=float("inf")), each.created)
            if each.creator == flow.arn and min(_end(each), world.clock.now) - since > 3600:
                yield f"{each.id} was there for {_end(each) - since:.0f} s more when a teardown had begun"


def _teardowns(schedule: Schedule, flow: Execution) -> list[Execution]:
    """The teardowns for this owner that began when it had ended."""
    executions = schedule.world.step_functions.executions.values()
    found = [each for each in executions if each.machine.name == "teardown" and each.input.get("Owner") == flow.arn]
    return [each for each in found if flow.stopped is not None and each.started >= flow.stopped]


def the_reaper_looks_twice(schedule: Schedule) -> Iterator[str]:
    """What it has deleted carries a mark that was a quarter of an hour old."""
    world = schedule.world
    for deletion in world.record.deletions:
        if _reaper_of(schedule, deletion.caller) is None:
            continue
        if deletion.marked is None:
            yield f"{deletion.file_system.id} was deleted for the reaper and carried no mark"
            continue
        age = deletion.time + schedule.plan.step_functions.skew_seconds - seconds_of(deletion.marked)
        if age < REAPER_PERIOD_SECONDS:
            yield f"{deletion.file_system.id} was deleted for the reaper {age:.0f} s after its mark"


def the_reaper_stops_no_job(schedule: Schedule) -> Iterator[str]:
    for job, caller in schedule.world.record.stops:
        if _reaper_of(schedule, caller) is not None:
            yield f"{job.name} was stopped by {caller}, for the reaper"


def _reaper_of(schedule: Schedule, caller: str | None) -> Execution | None:
    """The run of the reaper that started this teardown; None: something else did."""
    starter = schedule.world.record.starters.get(caller or "")
    found = schedule.world.step_functions.executions.get(starter or "")
    return found if found is not None and found.machine.name == "reaper" else None


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


def the_cap_holds(schedule: Schedule) -> Iterator[str]:
    """No flow creates what is above the cap; two that count at the same time may both be the last."""
    ours = [each for each in schedule.world.fsx.file_systems.values() if _counts(each)]
    for each in ours:
        live = sum(other.there_since <= each.created < (other.deleting or _end(other)) for other in ours)
        if each.creator is not None and live > MAX_FILE_SYSTEMS + schedule.plan.neighbours:
            yield f"{each.id} is the {live}th that lives; the cap is {MAX_FILE_SYSTEMS}"


def _counts(each: FileSystem) -> bool:
    return each.tags.get("headrace:platform") == PLATFORM and "headrace:owner" in each.tags


def no_job_is_left_running(schedule: Schedule) -> Iterator[str]:
    """An hour after the end of its flow, or of the teardown that was ended from outside or heard of it late.

    Where no teardown could run to its end, the longest runtime of the job is what ends it: the reaper stops no job.
    """
    executions = schedule.world.step_functions.executions
    cut_short = {each.arn for each in schedule.ended_from_outside}
    for job in schedule.world.sagemaker.jobs.values():
        owner = executions.get(job.creator or "")
        if owner is None or owner.stopped is None:
            continue
        runs = [each for each in _teardowns(schedule, owner) if each.arn not in cut_short]
        ended = schedule.world.clock.now if job.ended is None else job.ended
        since = min((each.started for each in runs), default=None)
        if since is not None and ended - since > 3600:
            yield f"{job.name} ran for {ended - since:.0f} s more when its flow had ended and a teardown begun"


def failures_say_why(schedule: Schedule) -> Iterator[str]:
    """With a name of ours or of the service. The other machines may also fail with a time-out of their own calls."""
    for each in _judged(schedule):
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
        for each in _own(schedule):
            if each.creator == flow.arn and _end(each) > flow.stopped:
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


def the_reaper_tells(schedule: Schedule) -> Iterator[str]:
    """What a teardown of the reaper deleted stands in a message, unless that reaper failed: that is an alarm itself."""
    world = schedule.world
    told = " ".join(message for _, message in world.sns.messages)
    for deletion in world.record.deletions:
        reaper = _reaper_of(schedule, deletion.caller)
        if reaper is not None and reaper.status == "SUCCEEDED" and deletion.file_system.id not in told:
            yield f"{reaper.name} had {deletion.file_system.id} deleted and told nobody"


def answers_are_of_the_api(schedule: Schedule) -> Iterator[str]:
    yield from sorted(set(schedule.world.record.misfits))


def _judged(schedule: Schedule) -> list[Execution]:
    """The executions that really ran, and that no fault of the schedule ended from outside."""
    ended = {each.arn for each in schedule.ended_from_outside}
    return [each for each in schedule.world.step_functions.executions.values() if each.states and each.arn not in ended]


INVARIANTS: tuple[Invariant, ...] = (
    at_most_one_lives_per_execution,
    none_is_untagged,
    all_are_deleted_or_alarmed,
    none_is_deleted_under_a_job,
    no_training_is_billed_without_its_file_system,
    training_begins_with_everything_imported,
    nothing_living_is_deleted,
    an_end_by_itself_leaves_nothing,
    an_end_from_outside_is_followed_soon,
    the_reaper_looks_twice,
    the_reaper_stops_no_job,
    training_follows_a_full_preload,
    the_cap_holds,
    no_job_is_left_running,
    failures_say_why,
    success_is_true,
    nothing_runs_for_ever,
    history_is_short,
    calls_are_few,
    the_reaper_tells,
    answers_are_of_the_api,
)
