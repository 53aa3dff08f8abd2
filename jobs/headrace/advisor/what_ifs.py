"""What would change the answer: more or fewer epochs, more jobs, packing or not, another instance.

Each change is answered by asking the whole question again. Instances are compared with those that have the same
accelerators only, since the samples per second are the user's own measure and hold for no other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from headrace.advisor.plans import Plan, plan, plans_for
from headrace.advisor.question import Question
from headrace.advisor.ranking import winner_of
from headrace.advisor.shape import packing_of
from headrace.figures.instance_types import InstanceType

_MOST_EPOCHS: Final = 1000
_MOST_JOBS: Final = 1000
_MOST_INSTANCE_TYPES: Final = 8
_WORTH_TELLING: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """A change, and the plan that wins after it. ``changes_answer``: whether that is another road."""

    change: str
    winner: Plan
    changes_answer: bool


def what_ifs(
    question: Question, plans: Iterable[Plan], winner: Plan, instance_types: Iterable[InstanceType] = ()
) -> list[WhatIf]:
    """Those changes that lead to another road, and instance types that do the same job for less."""
    return [
        *_of_number("epoch{s}", question, winner, _MOST_EPOCHS, _with_epochs),
        *_of_number("job{s} on the same data", question, winner, _MOST_JOBS, _with_jobs),
        *_of_packing(question, winner),
        *_of_size(plans, winner),
        *_of_instance(question, winner, instance_types),
    ]


def best(question: Question) -> Plan | None:
    """The winner of a question; None where every road is refused."""
    plans, _ = plans_for(question)
    return winner_of(plans, question.goal) if plans else None


def _with_epochs(question: Question, number: int) -> Question:
    return replace(question, workload=replace(question.workload, epochs=number))


def _with_jobs(question: Question, number: int) -> Question:
    return replace(question, workload=replace(question.workload, jobs=number))


def _of_number(
    what: str, question: Question, winner: Plan, most: int, changed: Callable[[Question, int], Question]
) -> Iterator[WhatIf]:
    """The next number above at which another road is clearly better, and the next one below."""
    now = question.workload.epochs if changed is _with_epochs else question.workload.jobs
    below, above = math.floor(now), math.ceil(now)
    for words, near, numbers in (("from", below, _upwards(below, most)), ("up to", above, _downwards(above))):
        for number in numbers:
            if _better(changed(question, number), winner) is None:
                near = number
                continue
            first = _first_change(near, number, lambda each: _better(changed(question, each), winner) is not None)
            found = _better(changed(question, first), winner)
            assert found is not None
            told = what.format(s="" if first == 1 else "s")
            yield WhatIf(change=f"{words} {first:,} {told}", winner=found, changes_answer=True)
            break


def _upwards(now: int, most: int) -> Iterator[int]:
    number = max(1, now)
    while number < most:
        number = min(most, max(number + 1, math.floor(number * 2.5)))
        yield number


def _downwards(now: int) -> Iterator[int]:
    number = now
    while number > 1:
        number = max(1, min(number - 1, math.ceil(number / 2.5)))
        yield number


def _first_change(same: int, changed: int, changes: Callable[[int], bool]) -> int:
    """The number nearest to ``same`` at which the answer is another, between the two."""
    while abs(changed - same) > 1:
        middle = (same + changed) // 2
        if changes(middle):
            changed = middle
        else:
            same = middle
    return changed


def _better(question: Question, winner: Plan) -> Plan | None:
    """The best plan where that is on another road, and better than the winner's road by more than a hair."""
    found = best(question)
    if found is None or _same(found, winner):
        return None
    then, measure = plan(question, winner.variant).measure(question.goal), found.measure(question.goal)
    if then is None or measure is None:
        return None
    return found if measure.point < then.point * (1 - _WORTH_TELLING) else None


def _same(one: Plan, other: Plan) -> bool:
    return (one.variant.road, one.variant.is_packed, one.variant.lustre) == (
        other.variant.road,
        other.variant.is_packed,
        other.variant.lustre,
    )


def _of_packing(question: Question, winner: Plan) -> Iterator[WhatIf]:
    if packing_of(question.profile, question.speeds) is None:
        return
    can_pack = question.workload.can_pack
    found = best(replace(question, workload=replace(question.workload, can_pack=not can_pack)))
    if found is not None and not _same(found, winner):
        change = "the script cannot read shards" if can_pack else "small files packed into shards"
        yield WhatIf(change=change, winner=found, changes_answer=True)


def _of_size(plans: Iterable[Plan], winner: Plan) -> Iterator[WhatIf]:
    """The quickest size of the winner's file system, where it is another."""
    if winner.variant.lustre is None:
        return
    sizes = [each for each in plans if _same(each, winner)]
    quickest = min(sizes, key=lambda each: (each.elapsed_seconds.point, each.variant.capacity_gib))
    if quickest.elapsed_seconds.point < winner.elapsed_seconds.point * (1 - _WORTH_TELLING):
        change = f"{quickest.variant.capacity_gib:,} GiB instead of {winner.variant.capacity_gib:,}"
        yield WhatIf(change=change, winner=quickest, changes_answer=False)


def _of_instance(question: Question, winner: Plan, instance_types: Iterable[InstanceType]) -> Iterator[WhatIf]:
    now, goal = question.fleet.instance_type, question.goal
    measure = winner.measure(goal)
    # samples per second of CPUs hold for no other type
    if measure is None or not now.accelerators:
        return
    found: list[tuple[float, WhatIf]] = []
    for each in instance_types:
        if each.name == now.name or (each.accelerator, each.accelerators) != (now.accelerator, now.accelerators):
            continue
        there = best(_on(question, each))
        other = None if there is None else there.measure(goal)
        if there is None or other is None or other.point >= measure.point * (1 - _WORTH_TELLING):
            continue
        change = f"{each.name} ({each.vcpus} vCPUs instead of {now.vcpus})"
        found.append((other.point, WhatIf(change=change, winner=there, changes_answer=not _same(there, winner))))
    yield from (each for _, each in sorted(found, key=lambda pair: pair[0])[:_MOST_INSTANCE_TYPES])


def _on(question: Question, instance_type: InstanceType) -> Question:
    """The same question on another type: with the same accelerators, and CPUs that prepare as much each."""
    workload, now = question.workload, question.fleet.instance_type
    prepared = workload.prepared_samples_per_second
    if prepared is not None:
        workload = replace(workload, prepared_samples_per_second=prepared * instance_type.vcpus / now.vcpus)
    return replace(question, workload=workload, fleet=replace(question.fleet, instance_type=instance_type))
