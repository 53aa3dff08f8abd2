"""The plans in order, and which of them are too close to the first one to call.

Two plans whose intervals overlap may come out either way. Then the measurement is named that would decide, if one epoch
can: on the road whose figures are the least certain, and the seconds up to which that road is the better one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from headrace.advisor.money import INSTANCES, ON_SPOT, VOLUME
from headrace.advisor.plans import FIRST_EPOCH, WALK, Plan
from headrace.advisor.question import SECONDS_PER_HOUR, Goal, Question
from headrace.advisor.span import Span, total
from headrace.figures.prices import HOURS_PER_MONTH, Item
from headrace.roads import ROADS

_THE_SAME: Final = 1.0001
_SHORTEST_SECONDS: Final = 1.0


TRAINING: Final = "training"
"""Of one epoch, as ``headrace timeline`` shows it: walking the folder, and the epoch."""
BEFORE_TRAINING: Final = "downloading and image"
"""As ``headrace timeline`` shows them: all that is billed before the script starts, but the job's overhead."""
_TIMED: Final = (INSTANCES, ON_SPOT, VOLUME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One epoch on ``plan``'s road: if ``phase`` takes less than ``seconds``, that road is better than ``other``'s."""

    plan: Plan
    other: Plan
    phase: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A plan in its place. ``measurement``: of one that is too close to the winner, what would decide."""

    plan: Plan
    is_too_close: bool = False
    measurement: Measurement | None = None


def ranking(plans: Sequence[Plan], question: Question) -> list[Ranked]:
    """The plans by the goal, the best first; those whose price is not known come last, the quickest of them first."""
    if not plans:
        return []
    winner = winner_of(plans, question.goal)
    rivals = sorted((each for each in plans if each is not winner), key=lambda each: _order(each, question.goal))
    return [Ranked(plan=winner), *(_against(winner, each, question) for each in rivals)]


def winner_of(plans: Sequence[Plan], goal: Goal) -> Plan:
    """The best of one or more plans.

    Among those that come out the same to a ten-thousandth, the simplest: the first road of the table of roads, with the
    smallest file system.
    """
    orders = [(_order(each, goal)[:2], each) for each in plans]
    least = min(order for order, _ in orders)
    return min((each for order, each in orders if all(map(_is_about, order, least))), key=_simplicity)


def _order(plan: Plan, goal: Goal) -> tuple[float, float, tuple[int, int, str]]:
    measure = plan.measure(goal)
    if measure is None:
        return math.inf, plan.elapsed_seconds.point, _simplicity(plan)
    return measure.point, 0.0, _simplicity(plan)


def _is_about(value: float, least: float) -> bool:
    return value <= least * _THE_SAME


def _simplicity(plan: Plan) -> tuple[int, int, str]:
    return ROADS.index(plan.variant.road), plan.variant.capacity_gib, plan.variant.name


def _against(winner: Plan, rival: Plan, question: Question) -> Ranked:
    best, other = winner.measure(question.goal), rival.measure(question.goal)
    if best is None and other is None:
        # without prices, what is left is the time
        return _against(winner, rival, replace(question, goal=Goal.TIME))
    if best is None or other is None or not best.overlaps(other):
        return Ranked(plan=rival)
    gap = other.point - best.point
    return Ranked(plan=rival, is_too_close=True, measurement=_deciding(winner, rival, gap, question))


def _deciding(winner: Plan, rival: Plan, gap: float, question: Question) -> Measurement | None:
    """The least certain thing that one epoch shows and that could turn the order by itself; None where none could."""
    epochs = max(1.0, question.workload.epochs)
    found: list[tuple[float, Measurement]] = []
    for plan, other, sign in ((rival, winner, -1.0), (winner, rival, 1.0)):
        worth = gap / _usd_per_second(plan, question) if question.goal is Goal.COST else gap
        for phase, seconds, times in ((TRAINING, _training(plan), epochs), (BEFORE_TRAINING, _before(plan), 1.0)):
            threshold = seconds.point + sign * worth / times
            if max(seconds.low, _SHORTEST_SECONDS) <= threshold <= seconds.high:
                told = Measurement(plan=plan, other=other, phase=phase, seconds=threshold)
                found.append((seconds.high - seconds.low, told))
    return max(found, key=lambda each: each[0])[1] if found else None


def _training(plan: Plan) -> Span:
    return total(plan.billed[each] for each in (WALK, FIRST_EPOCH) if each in plan.billed)


def _before(plan: Plan) -> Span:
    return total(seconds for name, seconds in plan.ready.items() if name != WALK)


def _usd_per_second(plan: Plan, question: Question) -> float:
    """What a further second on the road costs."""
    timed = sum(each.usd.point for each in plan.costs if each.name in _TIMED and each.usd is not None)
    gib_month = question.prices.usd(Item.LUSTRE_SCRATCH_2_GB_MONTH) or 0.0
    file_system = plan.variant.capacity_gib * gib_month / HOURS_PER_MONTH / SECONDS_PER_HOUR
    return timed / plan.billed_seconds.point + file_system
