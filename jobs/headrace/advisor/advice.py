"""The advice: the roads in order, why the first one wins, what would change that, and a second opinion.

Everything is made of a question alone: the same question gives the same advice, wherever and whenever it is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from headrace.advisor.decision_flow import Opinion, opinion_on
from headrace.advisor.money import INSTANCES, ON_SPOT
from headrace.advisor.plans import Plan, Rejection, plan, plans_for
from headrace.advisor.question import Goal, Question
from headrace.advisor.ranking import Ranked, ranking
from headrace.advisor.reading import Bound
from headrace.advisor.sharing import BreakEven, break_even
from headrace.advisor.span import Span
from headrace.advisor.variants import Variant, stands
from headrace.advisor.what_ifs import WhatIf, what_ifs
from headrace.durations import duration_text
from headrace.figures.instance_types import InstanceType

_NAMED: Final = 2
_CENTS: Final = 0.1
_CURVE_EPOCHS: Final = (1, 2, 3, 5, 10, 20, 50, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What a variant costs and takes at so many epochs."""

    variant: Variant
    epochs: tuple[int, ...]
    usd: tuple[float | None, ...]
    elapsed_seconds: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """All that is said to a question. ``ranked`` is empty where every road is refused.

    ``why``: one sentence. ``disagreement``: why the decision flow of the AWS post says something else; empty where it
    says the same, or where nothing is left to say.
    """

    question: Question
    ranked: tuple[Ranked, ...]
    rejections: tuple[Rejection, ...]
    why: str
    opinion: Opinion
    disagreement: str
    what_ifs: tuple[WhatIf, ...]
    sharing: BreakEven | None

    @property
    def winner(self) -> Plan | None:
        """The best plan."""
        return self.ranked[0].plan if self.ranked else None

    @property
    def rivals(self) -> tuple[Ranked, ...]:
        """Those that are too close to the winner to call."""
        return tuple(each for each in self.ranked if each.is_too_close)


def advise(question: Question, instance_types: Iterable[InstanceType] = ()) -> Advice:
    """Every road, judged and ranked. ``instance_types``: that the job might run on instead."""
    plans, rejections = plans_for(question)
    ranked = tuple(best_of_each(ranking(plans, question)))
    winner = ranked[0].plan if ranked else None
    opinion = opinion_on(question)
    return Advice(
        question=question,
        ranked=ranked,
        rejections=tuple(rejections),
        why=_why(ranked, question),
        opinion=opinion,
        disagreement=_disagreement(ranked, rejections, opinion, question),
        what_ifs=() if winner is None else tuple(what_ifs(question, plans, winner, instance_types)),
        sharing=break_even(plans, question),
    )


def best_of_each(ranked: Sequence[Ranked]) -> list[Ranked]:
    """Of each way to take a road, the size of file system that ranks best."""
    seen: set[tuple[object, ...]] = set()
    kept = []
    for each in ranked:
        way = each.plan.variant
        key = (way.road, way.is_packed, way.lustre, way.efs_mode)
        if key not in seen:
            seen.add(key)
            kept.append(each)
    return kept


def reason_against(one: Plan, other: Plan, goal: Goal) -> str:
    """Where ``other`` loses the most against ``one``, in words."""
    mine = {name: each.point for name, each in one.groups.items()}
    theirs = {name: each.point for name, each in other.groups.items()}
    if goal is Goal.TIME or one.usd is None or other.usd is None:
        name, seconds = _most(mine, theirs)
        return f"takes {duration_text(seconds)} more for {name}"
    item, usd = _most(_money(one), _money(other))
    if item not in (INSTANCES, ON_SPOT):
        return f"pays ${usd:,.{2 if usd >= _CENTS else 4}f} more for {item}"
    name, seconds = _most(mine, {name: each for name, each in theirs.items() if name not in other.waiting})
    return f"keeps the instances {duration_text(seconds)} longer, for {name}"


def _money(plan: Plan) -> dict[str, float]:
    return {each.name: each.usd.point for each in plan.costs if each.usd is not None}


def _most(mine: Mapping[str, float], theirs: Mapping[str, float]) -> tuple[str, float]:
    return max(((name, each - mine.get(name, 0.0)) for name, each in theirs.items()), key=lambda pair: pair[1])


def _why(ranked: Sequence[Ranked], question: Question) -> str:
    if not ranked:
        return "no road can bring this data set; each says why"
    winner = ranked[0].plan
    best = "cheapest" if question.goal is Goal.COST else "quickest"
    if winner.measure(question.goal) is None:
        best = "quickest (prices are missing)"
    told = [f"{winner.variant.name} is the {best}: {_bound_in_words(winner, question)}"]
    if stands(winner.variant, question):
        told.append("of the file system only the job's hours are counted, as it stands anyway and holds the data")
    if close := [each.plan.variant.name for each in ranked if each.is_too_close]:
        more = f" and {len(close) - _NAMED} more" if len(close) > _NAMED else ""
        told.append(f"{', '.join(close[:_NAMED])}{more} may come out the same")
    beaten = next((each.plan for each in ranked[1:] if not each.is_too_close), None)
    if beaten is not None:
        told.append(f"{beaten.variant.name} {reason_against(winner, beaten, question.goal)}")
    return "; ".join(told)


def _bound_in_words(plan: Plan, question: Question) -> str:
    if plan.bound is Bound.COMPUTING and question.workload.samples_per_second is None:
        return "its epochs wait for nothing, as far as is known"
    not_data = ", not by data" if plan.bound in (Bound.COMPUTING, Bound.PREPARING) else ""
    return f"its epochs are bound by {plan.bound.value}{not_data}"


def _disagreement(
    ranked: Sequence[Ranked], rejections: Sequence[Rejection], opinion: Opinion, question: Question
) -> str:
    if not ranked or opinion.agrees_with(ranked[0].plan):
        return ""
    winner = ranked[0].plan
    told = []
    for answer in opinion.answers:
        same = next((each for each in ranked if answer.names(each.plan.variant)), None)
        refused = next((each for each in rejections if answer.names(each.variant)), None)
        if same is not None:
            close = ", by less than the ranges can tell" if same.is_too_close else ""
            told.append(f"{answer.name} {reason_against(winner, same.plan, question.goal)}{close}")
        elif refused is not None:
            told.append(f"{answer.name} is refused by {refused.findings[0].rule_id}")
        else:
            told.append(f"{answer.name} changes little: there is little to pack")
    return f"the flow knows no seconds and no prices: {'; '.join(told)}"


def curves_of(advice: Advice) -> tuple[Curve, ...]:
    """Of each road that was ranked, what a job costs and takes with other numbers of epochs."""
    ranked, question = advice.ranked, advice.question
    curves = []
    for each in ranked:
        points = [
            plan(replace(question, workload=replace(question.workload, epochs=epochs)), each.plan.variant)
            for epochs in _CURVE_EPOCHS
        ]
        curves.append(
            Curve(
                variant=each.plan.variant,
                epochs=_CURVE_EPOCHS,
                usd=tuple(_point(one.usd) for one in points),
                elapsed_seconds=tuple(one.elapsed_seconds.point for one in points),
            )
        )
    return tuple(curves)


def _point(span: Span | None) -> float | None:
    return None if span is None else span.point
