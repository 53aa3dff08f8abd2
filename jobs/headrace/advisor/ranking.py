"""The plans in order, and which of them are too close to the first one to call.

Two plans whose intervals overlap may come out either way. Then the measurement is named that would decide: one epoch on
the road whose figures are the least certain, and the seconds up to which that road wins.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from headrace.advisor.plans import Plan
from headrace.advisor.plans import plan as replan
from headrace.advisor.question import SECONDS_PER_HOUR, Goal, Question
from headrace.advisor.span import Span
from headrace.figures.prices import Item
from headrace.roads import ROADS

ALL_BILLED: Final = "all billed seconds"
_THE_SAME: Final = 1.001
_SHORTEST_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One epoch on ``plan``'s road, of which ``phase`` is looked at: in less than ``seconds`` that road wins."""

    plan: Plan
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

    Among those that come out the same to a thousandth, the simplest: the first road of the table of roads, as it is,
    with the smallest file system.
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
    if best is None or other is None or not best.overlaps(other):
        return Ranked(plan=rival)
    return Ranked(plan=rival, is_too_close=True, measurement=_deciding(winner, rival, best, other, question))


def _deciding(winner: Plan, rival: Plan, best: Span, other: Span, question: Question) -> Measurement:
    """The least certain phase that could turn the order by itself; all that is billed where none could."""
    per_second = _usd_per_second(question) if question.goal is Goal.COST else 1.0
    gap_seconds = (other.point - best.point) / per_second if per_second else 0.0
    candidates: list[tuple[float, Measurement]] = []
    for plan, sign in ((rival, -1.0), (winner, 1.0)):
        for phase, seconds in plan.billed.items():
            threshold = seconds.point + sign * gap_seconds
            is_possible = seconds.low <= threshold <= seconds.high and threshold >= _SHORTEST_SECONDS
            if winner.billed.get(phase) != rival.billed.get(phase) and is_possible:
                candidates.append((seconds.high - seconds.low, Measurement(plan=plan, phase=phase, seconds=threshold)))
    if candidates:
        return max(candidates, key=lambda each: each[0])[1]
    once = replace(question, workload=replace(question.workload, epochs=min(1.0, question.workload.epochs)))
    threshold = replan(once, rival.variant).billed_seconds.point - gap_seconds
    if threshold >= _SHORTEST_SECONDS:
        return Measurement(plan=rival, phase=ALL_BILLED, seconds=threshold)
    # no epoch of the rival's is so short: the winner's may be longer than it seems
    kept = replan(once, winner.variant).billed_seconds.point + gap_seconds
    return Measurement(plan=winner, phase=ALL_BILLED, seconds=kept)


def _usd_per_second(question: Question) -> float:
    hour = question.prices.usd(Item.TRAINING_HOUR, question.fleet.instance_type.name)
    return (hour or 0.0) * question.fleet.instances / SECONDS_PER_HOUR
