"""When a file system that stands all the time pays: from how many jobs per month it is cheaper than every other road.

A shared Lustre costs by the month whether it is used or not; every job on it saves what the best other road takes more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headrace.advisor.money import FILE_SYSTEM
from headrace.advisor.plans import Plan
from headrace.advisor.question import SECONDS_PER_HOUR, Goal, Question
from headrace.advisor.ranking import winner_of
from headrace.advisor.variants import LustreState, stands
from headrace.figures.prices import HOURS_PER_MONTH, Item


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEven:
    """``shared_usd_per_month``: the file system alone. ``jobs_per_month`` is None where sharing never pays.

    ``shared_usd_per_job``: what a job costs beside the file system. ``other``: the cheapest plan that shares none.
    """

    shared: Plan
    other: Plan
    shared_usd_per_month: float
    shared_usd_per_job: float
    other_usd_per_job: float
    jobs_per_month: float | None

    @property
    def jobs_at_once(self) -> float | None:
        """How many of so many jobs run at any time; None where sharing never pays."""
        if self.jobs_per_month is None:
            return None
        return self.jobs_per_month * self.shared.billed_seconds.point / (HOURS_PER_MONTH * SECONDS_PER_HOUR)


def break_even(plans: Sequence[Plan], question: Question) -> BreakEven | None:
    """The point at which sharing pays; None where a price is not known, or no Lustre can be shared."""
    price = question.prices.usd(Item.LUSTRE_SCRATCH_2_GB_MONTH)
    shared = [each for each in plans if each.variant.lustre is LustreState.SHARED_WARM and each.usd is not None]
    others = [each for each in plans if not _is_shared(each) and each.usd is not None]
    if price is None or not shared or not others:
        return None
    first = min(shared, key=lambda each: (not stands(each.variant, question), each.variant.capacity_gib))
    other = winner_of(others, Goal.COST)
    assert first.usd is not None
    assert other.usd is not None
    alone = first.usd.point - sum(each.usd.point for each in first.costs if each.name == FILE_SYSTEM and each.usd)
    per_month = first.variant.capacity_gib * price
    saved = other.usd.point - alone
    return BreakEven(
        shared=first,
        other=other,
        shared_usd_per_month=per_month,
        shared_usd_per_job=alone,
        other_usd_per_job=other.usd.point,
        jobs_per_month=per_month / saved if saved > 0 else None,
    )


def _is_shared(plan: Plan) -> bool:
    return plan.variant.lustre is not None and plan.variant.lustre.is_shared
