"""From a seed to the plan of a schedule: one or a few failure modes of the rules, and everyday trouble beneath them.

Each of the failure modes is a small function that changes a plan; which of them a seed draws is in `faults.names`, so
that a soak can say what it covered. The order is that of rules.md, "worth injecting first".
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace

from tests.simulation.definitions import MAX_FILE_SYSTEMS
from tests.simulation.faults import (
    HOUR,
    MINUTE,
    Bystander,
    CallFaults,
    Course,
    Ending,
    EventFaults,
    Faults,
    Guest,
    Outcome,
    Span,
    TagEdit,
)
from tests.simulation.machine import Machine

Mode = Callable[[Faults, random.Random, Mapping[str, Machine]], Faults]

CALLED_IN_PASSING = (
    "createFileSystem",
    "describeFileSystems",
    "createDataRepositoryAssociation",
    "createDataRepositoryTask",
    "createTrainingJob",
    "describeTrainingJob",
    "startExecution",
    "describeExecution",
    "deleteFileSystem",
    "stopTrainingJob",
    "listTrainingJobs",
    "cancelDataRepositoryTask",
    "tagResource",
)


def drawn(seed: str, machines: Mapping[str, Machine], always: str | None = None) -> Faults:
    """The plan of a seed. `always`: a failure mode that it has in any case."""
    chance = random.Random(f"{seed}/plan")  # noqa: S311 - a story, not a secret
    lifetime = chance.choice((1.5, 1.5, 3, 3, 8, 26)) * HOUR
    plan = Faults(
        mode=chance.choice(("train", "train", "train", "hold")),
        preload=chance.random() < 0.4,
        links=chance.choice((1, 1, 2, 8)),
        lifetime_seconds=lifetime,
        ready_seconds=chance.choice((1804, 2400, 4000)),
    )
    plan = replace(plan, sagemaker=replace(plan.sagemaker, training_span=Span(300, min(lifetime, 6 * HOUR))))
    if plan.mode == "hold" and chance.random() < 0.5:
        plan = replace(plan, hold_ends_seconds=chance.uniform(0, lifetime))
    names = chance.sample(sorted(MODES), k=chance.choice((0, 1, 1, 1, 2, 2, 3)))
    if always is not None:
        names = [always, *(name for name in names[:1] if name != always)]
    for name in names:
        plan = MODES[name](plan, chance, machines)
    return replace(_everyday(plan, chance), names=tuple(names))


def _everyday(plan: Faults, chance: random.Random) -> Faults:
    """What no failure mode is needed for: some calls fail, answers are old, a neighbour works in the same account."""
    rate = chance.choice((0, 0, 0.01, 0.05))
    calls = (
        *plan.calls,
        CallFaults(throttled=rate, lost=rate / 5, unanswered=rate / 5, failed=rate / 2, late=rate / 5),
    )
    stale = chance.choice((0.0, 0.0, 1.0, 5.0))
    return replace(
        plan,
        calls=calls if rate else plan.calls,
        neighbours=plan.neighbours or (1 if chance.random() < 0.1 else 0),
        fsx=replace(plan.fsx, deleting_is_refused=chance.random() < 0.5),
        sagemaker=replace(plan.sagemaker, list_delay_seconds=stale),
        step_functions=replace(plan.step_functions, stale_seconds=max(stale, plan.step_functions.stale_seconds)),
        events=plan.events if plan.events != EventFaults() else EventFaults(Span(0.5, chance.choice((3, 60, 600)))),
    )


# -- F20, F21: the create


def lost_create_reply(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    """Every answer of the create is lost, or a few; the file system is there."""
    often = chance.choice((1, 2, 5, 20))
    create = CallFaults(unanswered=0.8, failed=0.2, only="createFileSystem", at_most=often)
    return replace(plan, calls=(create, *plan.calls))


def create_under_way(plan: Faults, chance: random.Random, machines: Mapping[str, Machine]) -> Faults:
    """The flow is ended while its request to create is under way, and that arrives after the teardown has looked."""
    ending = replace(
        _ending("ephemeral", chance, machines), state="CreateFileSystem", visit=1, delay_seconds=chance.random()
    )
    create = CallFaults(late=1.0, only="createFileSystem", at_most=1)
    events = EventFaults(Span(0.5, 2), copies=chance.choice((1, 2)))
    return replace(plan, calls=(create, *plan.calls), endings=(*plan.endings, ending), events=events)


def create_refused(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    return replace(plan, fsx=replace(plan.fsx, service_limit=True))


# -- F18: the end from outside, at every state


def flow_ended(plan: Faults, chance: random.Random, machines: Mapping[str, Machine]) -> Faults:
    return replace(plan, endings=(*plan.endings, _ending("ephemeral", chance, machines)))


def teardown_ended(plan: Faults, chance: random.Random, machines: Mapping[str, Machine]) -> Faults:
    ending = replace(_ending("teardown", chance, machines), times=chance.choice((1, 1, 2, 3)))
    return replace(plan, endings=(*plan.endings, ending))


def reaper_ended(plan: Faults, chance: random.Random, machines: Mapping[str, Machine]) -> Faults:
    """Left over for the reaper, which is ended itself now and then."""
    ending = replace(_ending("reaper", chance, machines), times=chance.choice((1, 2)))
    return replace(left_over(plan, chance, machines), endings=(*plan.endings, ending))


def _ending(machine: str, chance: random.Random, machines: Mapping[str, Machine]) -> Ending:
    status, error = chance.choice(
        (
            ("ABORTED", None),
            ("TIMED_OUT", "States.Timeout"),
            ("FAILED", "States.Runtime"),
            ("FAILED", "States.DataLimitExceeded"),
        )
    )
    return Ending(
        machine,
        status,
        error,
        state=chance.choice(machines[machine].state_names),
        visit=chance.choice((1, 1, 1, 2, 4, 12)),
        delay_seconds=chance.choice((0.0, chance.uniform(0, 1.5), chance.uniform(0, 40))),
    )


def event_lost(plan: Faults, chance: random.Random, machines: Mapping[str, Machine]) -> Faults:
    """The flow is ended and no event tells of it: beyond what EventBridge promises, and the reaper's work."""
    return replace(flow_ended(plan, chance, machines), events=EventFaults(forgotten=True))


def event_late(plan: Faults, chance: random.Random, machines: Mapping[str, Machine]) -> Faults:
    events = EventFaults(Span(600, chance.choice((3 * HOUR, 20 * HOUR))), copies=chance.choice((1, 2, 3)))
    return replace(flow_ended(plan, chance, machines), events=events)


def event_doubled(plan: Faults, chance: random.Random, machines: Mapping[str, Machine]) -> Faults:
    events = EventFaults(Span(0.5, chance.choice((1, 120, HOUR))), copies=chance.choice((2, 3)))
    return replace(flow_ended(plan, chance, machines), events=events)


def event_ahead(plan: Faults, chance: random.Random, machines: Mapping[str, Machine]) -> Faults:
    """The event is there before the description of the execution shows its end."""
    state = chance.choice(("WaitForFileSystem", "WaitForLink", "WaitForImport", "WaitForJob", "Hold"))
    ending = replace(_ending("ephemeral", chance, machines), state=state, visit=1)
    stale = replace(plan.step_functions, stale_seconds=chance.choice((3.0, 10.0, 30.0)))
    return replace(plan, step_functions=stale, events=EventFaults(Span(0.5, 2)), endings=(*plan.endings, ending))


# -- F22: the delete


def delete_refused(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    return replace(plan, fsx=replace(plan.fsx, deletes_refused=chance.choice((1, 3, 10, 30, 120))))


def delete_falls_back(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    return replace(plan, fsx=replace(plan.fsx, deletes_that_fail=chance.choice((1, 2, 4))))


def delete_lost(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    delete = CallFaults(lost=0.5, unanswered=0.4, only="deleteFileSystem", at_most=chance.choice((1, 3, 12)))
    return replace(plan, calls=(delete, *plan.calls))


# -- F19, F15, F16, F17: the training job


def stop_denied(plan: Faults, chance: random.Random, machines: Mapping[str, Machine]) -> Faults:
    """The flow is ended while its job runs, and stopping it is refused or slow."""
    sagemaker = replace(
        plan.sagemaker,
        training=chance.choice((Course.STALLS, Course.COMPLETES)),
        stop_is_refused=chance.choice((0, 1, 4, 8)),
        stop_span=Span(90, chance.choice((120, 600))),
    )
    state = chance.choice(("CreateJob", "WaitForJob", "DescribeJob", "JudgeJob"))
    ending = replace(_ending("ephemeral", chance, machines), state=state)
    return replace(plan, mode="train", sagemaker=sagemaker, endings=(*plan.endings, ending))


def no_capacity(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    failures = chance.choice((1, 2, 5))
    return replace(plan, mode="train", sagemaker=replace(plan.sagemaker, capacity_failures=failures))


def no_quota(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    return replace(plan, mode="train", sagemaker=replace(plan.sagemaker, limit_exceeded=chance.choice((1, 5))))


def training_goes_wrong(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    course = chance.choice((Course.FAILS, Course.IS_STOPPED, Course.STALLS))
    return replace(plan, mode="train", sagemaker=replace(plan.sagemaker, training=course))


def job_reply_lost(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    job = CallFaults(unanswered=0.5, lost=0.2, late=0.3, only="createTrainingJob", at_most=chance.choice((1, 3, 9, 20)))
    return replace(plan, mode="train", calls=(job, *plan.calls))


# -- F32: the reaper and the living


def left_over(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    """Nothing takes this one down but the reaper: the flow is ended, the event is lost; others are left over, too."""
    state = chance.choice(("WaitForFileSystem", "WaitForLink", "WaitForImport", "WaitForJob", "Hold", "StartTeardown"))
    status, error = chance.choice((("ABORTED", None), ("TIMED_OUT", "States.Timeout")))
    ending = Ending("ephemeral", status, error, state, 1, chance.uniform(0, 40))
    orphans = tuple(
        Bystander(chance.choice(("orphan", "orphan", "forgotten owner")), chance.uniform(0, HOUR))
        for _ in range(chance.choice((0, 1, 3, 8)))
    )
    return replace(
        plan,
        events=EventFaults(forgotten=True),
        endings=(*plan.endings, ending),
        bystanders=(*plan.bystanders, *orphans),
        lifetime_seconds=min(plan.lifetime_seconds, 3 * HOUR),
    )


def guest_in_the_race(plan: Faults, chance: random.Random, machines: Mapping[str, Machine]) -> Faults:
    """Somebody's job starts on it between mark and delete, or just before the end."""
    guests = tuple(
        Guest(
            chance.choice(("marked", "marked", "ended", "expired")),
            chance.choice((chance.uniform(0, 30), chance.uniform(0, 900), chance.uniform(840, 1000))),
            chance.uniform(5 * MINUTE, 2 * HOUR),
        )
        for _ in range(chance.choice((1, 1, 2, 4)))
    )
    return replace(left_over(plan, chance, machines), guests=(*plan.guests, *guests))


def guest_in_hold(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    """In hold mode notebooks and jobs of their users mount it, some beyond its expiry."""
    guests = tuple(
        Guest("hold", chance.uniform(0, 0.9 * plan.lifetime_seconds), chance.uniform(5 * MINUTE, 2 * HOUR))
        for _ in range(chance.choice((1, 2, 5)))
    )
    return replace(plan, mode="hold", guests=(*plan.guests, *guests))


def end_in_the_race(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    """The flow ends, or does not yet, while the reaper looks: its time is over, its work is not."""
    sagemaker = replace(plan.sagemaker, training_span=Span(0.9 * plan.lifetime_seconds, 1.3 * plan.lifetime_seconds))
    return replace(plan, sagemaker=sagemaker, hold_ends_seconds=None)


def skewed(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    most = chance.choice((2.0, 60.0, 300.0))
    return replace(
        plan,
        fsx=replace(plan.fsx, skew_seconds=chance.uniform(-most, most)),
        sagemaker=replace(plan.sagemaker, skew_seconds=chance.uniform(-most, most)),
        step_functions=replace(plan.step_functions, skew_seconds=chance.uniform(-most, most)),
    )


def copied_tags(plan: Faults, chance: random.Random, machines: Mapping[str, Machine]) -> Faults:
    """Somebody's file system, made before this flow or after it, gets all the tags of the flow's."""
    kinds = chance.sample(("copied before", "copied meanwhile", "copied after"), k=chance.choice((1, 1, 2)))
    copies = tuple(
        Bystander(
            kind,
            # in its first hour, and ten minutes for clocks that differ, a copy looks like the original
            chance.uniform(81 * MINUTE if kind == "copied meanwhile" else 0, 3 * HOUR),
            clients=chance.choice((0, 0, 3)),
        )
        for kind in kinds
    )
    changed = replace(plan, bystanders=(*plan.bystanders, *copies))
    return chance.choice((flow_ended, left_over, event_late))(changed, chance, machines)


def tags_edited(plan: Faults, chance: random.Random, machines: Mapping[str, Machine]) -> Faults:
    """Somebody edits tags of the flow's own file system. Its expiry: the platform's longest lifetime counts."""
    key, value = chance.choice((("headrace:expires", None), ("headrace:expires", "tomorrow"), ("headrace:job", None)))
    changed = replace(plan, tag_edits=(TagEdit(key, value, chance.uniform(0, HOUR)),))
    return chance.choice((flow_ended, left_over))(changed, chance, machines)


def owner_lost(plan: Faults, chance: random.Random, machines: Mapping[str, Machine]) -> Faults:
    """Somebody takes away, or changes, a tag without which nothing may delete it: then somebody has to be told."""
    edits = (
        ("headrace:owner", None),
        ("headrace:owner", "me"),
        ("headrace:platform", None),
        ("headrace:platform", "x"),
    )
    key, value = chance.choice(edits)
    changed = replace(plan, tag_edits=(TagEdit(key, value, chance.uniform(0, HOUR)),), events=EventFaults())
    return flow_ended(changed, chance, machines) if chance.random() < 0.5 else changed


# -- F33: many


def crowd(plan: Faults, chance: random.Random, machines: Mapping[str, Machine]) -> Faults:
    """250 file systems over many pages, of other platforms, shared ones, of owners that run, a few left over."""
    kinds = ("other platform",) * 6 + ("shared", "untagged", "untagged")
    others = [
        Bystander(chance.choice(kinds), clients=chance.choice((0, 0, 2))) for _ in range(chance.choice((40, 250)))
    ]
    others += [Bystander("orphan") for _ in range(chance.choice((0, 1, 4)))]
    others += [Bystander("running owner") for _ in range(chance.choice((0, 1, 4)))]
    chance.shuffle(others)
    changed = replace(plan, bystanders=(*plan.bystanders, *others), lifetime_seconds=1.5 * HOUR)
    return chance.choice((flow_ended, left_over))(changed, chance, machines) if chance.random() < 0.7 else changed


def few_others(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    kinds = ("other platform", "shared", "untagged", "running owner", "orphan", "orphan in use", "forgotten owner")
    others = tuple(Bystander(chance.choice(kinds), chance.uniform(0, HOUR)) for _ in range(chance.choice((2, 5, 9))))
    return replace(plan, bystanders=(*plan.bystanders, *others))


def at_the_cap(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    """So many live already that this one is the last, or one too many; on several pages."""
    live = MAX_FILE_SYSTEMS + chance.choice((-1, -1, 0, 0, 1, 5))
    others = [Bystander("running owner") for _ in range(live)]
    others += [Bystander(chance.choice(("other platform", "shared"))) for _ in range(chance.choice((0, 25)))]
    chance.shuffle(others)
    return replace(plan, bystanders=(*plan.bystanders, *others), lifetime_seconds=1.5 * HOUR, neighbours=0)


# -- F25, F27, F7 to F9, F6


def name_taken(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    """A training job of the same name is there: the machine's own retry would look just like it."""
    return replace(plan, mode="train", job_name_taken=True)


def input_spoilt(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    """Somebody starts the machine with an input that the launcher would have refused."""
    return replace(plan, mode="train", spoiled=chance.choice(("schema", "subnet", "links", "hours", "mounts")))


def asked_too_early(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    """Somebody starts the teardown of an owner that still runs."""
    return replace(plan, asked_too_early_seconds=chance.uniform(10, plan.lifetime_seconds))


def throttled(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    return replace(plan, calls=(*plan.calls, CallFaults(throttled=0.3)))


def one_call_fails(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    """One action fails again and again, beyond all retries of one state."""
    kinds = (CallFaults(throttled=1.0), CallFaults(failed=1.0), CallFaults(lost=0.6, unanswered=0.4))
    each = replace(
        chance.choice(kinds), only=chance.choice(CALLED_IN_PASSING), at_most=chance.choice((2, 9, 10, 20, 40))
    )
    return replace(plan, calls=(each, *plan.calls))


def preload_goes_wrong(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    sagemaker = chance.choice(
        (
            replace(plan.sagemaker, preload=Course.STALLS),
            replace(plan.sagemaker, preload=Course.FAILS),
            replace(plan.sagemaker, preload=Course.IS_STOPPED),
            replace(plan.sagemaker, files_not_loaded=chance.choice((1, 1000))),
            replace(plan.sagemaker, unreadable_files=1),
        )
    )
    return replace(plan, preload=True, sagemaker=sagemaker)


def creation_goes_wrong(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    outcome = chance.choice((Outcome.FAILED, Outcome.MISCONFIGURED))
    return replace(plan, fsx=replace(plan.fsx, creation=outcome, creation_span=Span(30, 1500)))


def creation_slow(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    return replace(plan, fsx=replace(plan.fsx, creation_span=Span(1000, chance.choice((3000, 3 * HOUR)))))


def link_goes_wrong(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    outcome = chance.choice((Outcome.FAILED, Outcome.MISCONFIGURED))
    return replace(plan, fsx=replace(plan.fsx, link=outcome, last_link_only=chance.random() < 0.5))


def link_slow(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    return replace(plan, fsx=replace(plan.fsx, link_span=Span(300, chance.choice((1500, 2 * HOUR)))))


def import_goes_wrong(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    fsx = chance.choice(
        (
            replace(plan.fsx, import_fails=True),
            replace(plan.fsx, objects_that_fail=3),
            replace(plan.fsx, objects=0),
            replace(plan.fsx, import_span=Span(1500, 5 * HOUR)),
        )
    )
    return replace(plan, fsx=fsx)


MODES: Mapping[str, Mode] = {
    each.__name__: each
    for each in (
        lost_create_reply,
        create_under_way,
        create_refused,
        flow_ended,
        teardown_ended,
        reaper_ended,
        event_lost,
        event_late,
        event_doubled,
        event_ahead,
        delete_refused,
        delete_falls_back,
        delete_lost,
        stop_denied,
        no_capacity,
        no_quota,
        training_goes_wrong,
        job_reply_lost,
        left_over,
        guest_in_the_race,
        guest_in_hold,
        end_in_the_race,
        skewed,
        copied_tags,
        tags_edited,
        owner_lost,
        crowd,
        few_others,
        at_the_cap,
        name_taken,
        input_spoilt,
        asked_too_early,
        throttled,
        one_call_fails,
        preload_goes_wrong,
        creation_goes_wrong,
        creation_slow,
        link_goes_wrong,
        link_slow,
        import_goes_wrong,
    )
}
