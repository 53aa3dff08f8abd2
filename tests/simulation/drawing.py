"""From a seed to the plan of a schedule: one or a few failure modes, and everyday trouble beneath them.

Each of the failure modes is a small function that changes a plan; which of them a seed draws is in `faults.names`, so
that a soak can say what it covered.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace

from tests.simulation import modes_of_ends as ends
from tests.simulation import modes_of_services as services
from tests.simulation.faults import HOUR, CallFaults, EventFaults, Faults, Span
from tests.simulation.machine import Machine

Mode = Callable[[Faults, random.Random, Mapping[str, Machine]], Faults]

MODES: Mapping[str, Mode] = {
    each.__name__: each
    for each in (
        services.lost_create_reply,
        ends.create_under_way,
        services.create_refused,
        ends.flow_ended,
        ends.teardown_ended,
        ends.reaper_ended,
        ends.event_lost,
        ends.event_late,
        ends.event_doubled,
        ends.event_ahead,
        ends.owner_unknown,
        services.delete_refused,
        services.delete_falls_back,
        services.delete_lost,
        ends.stop_denied,
        services.no_capacity,
        services.no_quota,
        services.training_goes_wrong,
        services.job_reply_lost,
        ends.left_over,
        ends.guest_in_the_race,
        ends.guest_in_hold,
        ends.guest_in_the_end,
        ends.end_in_the_race,
        ends.skewed,
        ends.copied_tags,
        ends.tags_edited,
        ends.owner_lost,
        ends.crowd,
        ends.slow_count,
        ends.few_others,
        ends.at_the_cap,
        ends.started_together,
        services.name_taken,
        services.input_spoilt,
        ends.asked_too_early,
        services.throttled,
        services.one_call_fails,
        services.preload_goes_wrong,
        services.creation_goes_wrong,
        services.creation_slow,
        services.link_goes_wrong,
        services.link_slow,
        services.import_goes_wrong,
    )
}


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
