"""A second opinion that knows no arithmetic: the decision flow of the AWS post, as a table.

decision_flow.json holds the questions in the post's own words and thresholds; "50-100 GB" is a band, within which both
answers hold. The facts that are asked for are few, so the table can be read beside the post's figure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from headrace.advisor.plans import Plan
from headrace.advisor.question import Question, ReadOrder
from headrace.advisor.variants import Variant

_TABLE: Final = Path(__file__).with_name("decision_flow.json")
_BYTES_PER_MB: Final = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A question of the flow, and the answer that this data set gives."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A road that the flow leads to, and the steps on the way."""

    road: str
    is_packed: bool
    steps: tuple[Step, ...]

    def names(self, variant: Variant) -> bool:
        """Whether the variant is on this road."""
        return variant.road.name == self.road and variant.is_packed == self.is_packed

    @property
    def name(self) -> str:
        """The road in words."""
        return f"{self.road} after packing" if self.is_packed else self.road


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What the flow says, and what the post says beside it."""

    answers: tuple[Answer, ...]
    remarks: tuple[str, ...]
    source: str

    def agrees_with(self, plan: Plan) -> bool:
        """Whether one of its answers is the plan's road."""
        return any(each.names(plan.variant) for each in self.answers)


def opinion_on(question: Question) -> Opinion:
    """The flow's opinion."""
    table, facts = _table(), _facts(question)
    answers = list(_follow(table, table["start"], facts, ()))
    remarks = []
    for each in table["text_only"]:
        if _holds(each, facts[each["fact"]]):
            remarks.append(each["text"])
            if "road" in each:
                steps = (Step(question="beside the flow, in the text", answer=each["text"]),)
                answers.append(Answer(road=each["road"], is_packed=False, steps=steps))
    return Opinion(answers=tuple(answers), remarks=tuple(remarks), source=table["source"])


def _facts(question: Question) -> Mapping[str, Any]:
    profile, workload = question.profile, question.workload
    return {
        "where": profile.where.value,
        "size_gb": profile.size_bytes / 1e9,
        "mean_file_mb": profile.mean_bytes / _BYTES_PER_MB,
        "can_pack": workload.can_pack,
        "reads_at_random": workload.read_order is ReadOrder.RANDOM,
        "epochs": workload.epochs,
    }


def _follow(table: Any, name: str, facts: Mapping[str, Any], before: tuple[Step, ...]) -> Iterator[Answer]:
    asked = table["questions"][name]
    for each in asked["answers"]:
        if not _holds(each, facts[asked["fact"]]):
            continue
        steps = (*before, Step(question=asked["text"], answer=each["text"]))
        if "next" in each:
            yield from _follow(table, each["next"], facts, steps)
        else:
            yield Answer(road=each["road"], is_packed=each.get("is_packed", False), steps=steps)


def _holds(condition: Mapping[str, Any], fact: Any) -> bool:
    if "equals" in condition:
        return bool(fact == condition["equals"])
    return bool(condition.get("from", float("-inf")) <= fact < condition.get("below", float("inf")))


@cache
def _table() -> Any:
    return json.loads(_TABLE.read_text(encoding="utf-8"))
