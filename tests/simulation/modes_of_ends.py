"""Failure modes around a flow: ends from outside, events, the reaper and the living, many file systems."""

from __future__ import annotations

import random
from collections.abc import Mapping
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
    Span,
    TagEdit,
)
from tests.simulation.machine import Machine


def flow_ended(plan: Faults, chance: random.Random, machines: Mapping[str, Machine]) -> Faults:
    return replace(plan, endings=(*plan.endings, ending_somewhere("ephemeral", chance, machines)))


def teardown_ended(plan: Faults, chance: random.Random, machines: Mapping[str, Machine]) -> Faults:
    ending = replace(ending_somewhere("teardown", chance, machines), times=chance.choice((1, 1, 2, 3)))
    return replace(plan, endings=(*plan.endings, ending))


def reaper_ended(plan: Faults, chance: random.Random, machines: Mapping[str, Machine]) -> Faults:
    """Left over for the reaper, which is ended itself now and then."""
    ending = replace(ending_somewhere("reaper", chance, machines), times=chance.choice((1, 2)))
    return replace(left_over(plan, chance, machines), endings=(*plan.endings, ending))


def ending_somewhere(machine: str, chance: random.Random, machines: Mapping[str, Machine]) -> Ending:
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


def owner_unknown(plan: Faults, chance: random.Random, machines: Mapping[str, Machine]) -> Faults:
    """The flow is ended, and for some minutes nobody can be told of what it was."""
    silent = CallFaults(lost=0.6, unanswered=0.4, only="describeExecution", at_most=chance.choice((5, 12, 20)))
    return replace(flow_ended(plan, chance, machines), calls=(silent, *plan.calls))


def event_ahead(plan: Faults, chance: random.Random, machines: Mapping[str, Machine]) -> Faults:
    """The event is there before the description of the execution shows its end."""
    state = chance.choice(("WaitForFileSystem", "WaitForLink", "WaitForImport", "WaitForJob", "Hold"))
    ending = replace(ending_somewhere("ephemeral", chance, machines), state=state, visit=1)
    stale = replace(plan.step_functions, stale_seconds=chance.choice((3.0, 10.0, 30.0)))
    return replace(plan, step_functions=stale, events=EventFaults(Span(0.5, 2)), endings=(*plan.endings, ending))


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


def guest_in_the_end(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    """A job comes while the delete is asked for again and again: each answer is lost, and often the request."""
    delete = CallFaults(lost=0.8, unanswered=0.2, only="deleteFileSystem", at_most=chance.choice((4, 12)))
    guests = tuple(Guest("expired", chance.uniform(0, 400), chance.uniform(5 * MINUTE, HOUR)) for _ in range(2))
    changed = replace(plan, mode="hold", hold_ends_seconds=None, guests=(*plan.guests, *guests))
    return replace(changed, calls=(delete, *plan.calls))


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
            # a flow tags its file system with its own id as soon as it knows it: a copy names the wrong one
            chance.uniform(20 * MINUTE if kind == "copied meanwhile" else 0, 3 * HOUR),
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


def crowd(plan: Faults, chance: random.Random, machines: Mapping[str, Machine]) -> Faults:
    """250 file systems over many pages, of other platforms, shared ones, of owners that run, a few left over."""
    kinds = ("other platform",) * 6 + ("shared", "untagged", "untagged")
    others = [
        Bystander(chance.choice(kinds), clients=chance.choice((0, 0, 2))) for _ in range(chance.choice((40, 250)))
    ]
    others += [Bystander("orphan") for _ in range(chance.choice((0, 1, 4)))]
    others += [Bystander("running owner") for _ in range(chance.choice((0, 1, 4)))]
    chance.shuffle(others)
    if chance.random() < 0.3:  # pages as large as FSx allows its tags to make them
        others += [Bystander("much tagged") for _ in range(25)]
    changed = replace(plan, bystanders=(*plan.bystanders, *others), lifetime_seconds=1.5 * HOUR)
    return chance.choice((flow_ended, left_over))(changed, chance, machines) if chance.random() < 0.7 else changed


def slow_count(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    """Counting what lives takes as long as it may, over many pages."""
    others = tuple(Bystander("other platform") for _ in range(chance.choice((100, 250))))
    count = CallFaults(late=1.0, only="describeFileSystems", at_most=chance.choice((10, 60)))
    calls, lifetime = (count, *plan.calls), 1.5 * HOUR
    return replace(plan, calls=calls, bystanders=(*plan.bystanders, *others), lifetime_seconds=lifetime)


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


def started_together(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    """More flows than the cap allows count within seconds, and all of them see room."""
    return replace(plan, neighbours=MAX_FILE_SYSTEMS + chance.choice((0, 2)), neighbours_span=Span(0, 3))


def asked_too_early(plan: Faults, chance: random.Random, _: Mapping[str, Machine]) -> Faults:
    """Somebody starts the teardown of an owner that still runs."""
    return replace(plan, asked_too_early_seconds=chance.uniform(10, plan.lifetime_seconds))


def create_under_way(plan: Faults, chance: random.Random, machines: Mapping[str, Machine]) -> Faults:
    """The flow is ended while its request to create is under way, and that arrives after the teardown has looked."""
    ending = replace(
        ending_somewhere("ephemeral", chance, machines),
        state="CreateFileSystem",
        visit=1,
        delay_seconds=chance.random(),
    )
    create = CallFaults(late=1.0, only="createFileSystem", at_most=1)
    events = EventFaults(Span(0.5, 2), copies=chance.choice((1, 2)))
    return replace(plan, calls=(create, *plan.calls), endings=(*plan.endings, ending), events=events)


def stop_denied(plan: Faults, chance: random.Random, machines: Mapping[str, Machine]) -> Faults:
    """The flow is ended while its job runs, and stopping it is refused or slow."""
    sagemaker = replace(
        plan.sagemaker,
        training=chance.choice((Course.STALLS, Course.COMPLETES)),
        stop_is_refused=chance.choice((0, 1, 4, 8)),
        stop_span=Span(90, chance.choice((120, 600))),
    )
    state = chance.choice(("CreateJob", "WaitForJob", "DescribeJob", "JudgeJob"))
    ending = replace(ending_somewhere("ephemeral", chance, machines), state=state)
    return replace(plan, mode="train", sagemaker=sagemaker, endings=(*plan.endings, ending))
