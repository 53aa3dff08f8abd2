"""From a question and a variant to a plan, or to a rejection: a value with its reason.

A plan is pure arithmetic of :mod:`headrace.advisor.passages` and :mod:`headrace.advisor.money`; the same question gives
the same plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from headrace.advisor.efs_road import provisioned_mb_per_second
from headrace.advisor.helper_jobs import packing_seconds
from headrace.advisor.money import Cost, Course, costs_of
from headrace.advisor.passages import passage
from headrace.advisor.question import Goal, Question, ReadOrder
from headrace.advisor.reading import Bound, epoch, requests_of
from headrace.advisor.shape import Packing, Shape, packing_of
from headrace.advisor.span import Span, over, total
from headrace.advisor.variants import EfsMode, Variant, variants_for
from headrace.dataset.profile import Where
from headrace.roads import S3_FILE, Place, Road
from headrace.rules.finding import Finding
from headrace.rules.road_fit import LONGEST_JOB_SECONDS, RoadFit, UnusableFiles, fit_findings

READY: Final = "getting ready"
FIRST_EPOCH: Final = "first epoch"
FURTHER_EPOCHS: Final = "further epochs"
EPOCHS: Final = (FIRST_EPOCH, FURTHER_EPOCHS)
WALK: Final = "walk"
_ARCHIVED: Final = "V27"
_JOBS: Final = ("pack", "preload", "load")
_OF_EVERY_ROAD: Final = ("overhead", "upload", "interruptions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A job on a variant's road. Seconds by phase: ``waiting`` is not billed by SageMaker, ``billed`` is.

    ``usd`` is None where a price is not known. ``bound``: what an epoch takes its time for, and ``first_bound`` the
    first one. ``provisioned_mbps``: of an EFS whose throughput is provisioned.
    """

    variant: Variant
    waiting: Mapping[str, Span]
    billed: Mapping[str, Span]
    waiting_seconds: Span
    billed_seconds: Span
    elapsed_seconds: Span
    costs: tuple[Cost, ...]
    usd: Span | None
    bound: Bound
    first_bound: Bound
    provisioned_mbps: float | None = None

    @property
    def ready(self) -> Mapping[str, Span]:
        """What is billed before the script reads, beside what every job has."""
        return {name: each for name, each in self.billed.items() if name not in (*EPOCHS, *_OF_EVERY_ROAD)}

    @property
    def groups(self) -> Mapping[str, Span]:
        """Seconds by what can be compared between roads: getting ready under one name, whatever it is made of."""
        epochs = [self.billed[each] for each in EPOCHS if each in self.billed]
        others = {name: each for name, each in self.billed.items() if name in _OF_EVERY_ROAD}
        return {**self.waiting, **others, READY: total(self.ready.values()), "the epochs": total(epochs)}

    def measure(self, goal: Goal) -> Span | None:
        """What the goal is measured in: US dollars, or seconds until the job has ended."""
        return self.usd if goal is Goal.COST else self.elapsed_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A variant that cannot be taken, and the rules that say why; the first one is the reason."""

    variant: Variant
    findings: tuple[Finding, ...]


def plans_for(question: Question) -> tuple[list[Plan], list[Rejection]]:
    """Every variant of the question: planned, or rejected."""
    plans: list[Plan] = []
    rejections: list[Rejection] = []
    fits: dict[tuple[Road, bool], tuple[RoadFit, list[Finding]]] = {}
    for variant in variants_for(question):
        # whether a road fits does not depend on how it is made ready
        way = variant.road, variant.is_packed
        if way not in fits:
            fit = fit_of(variant, question)
            fits[way] = fit, fit_findings(fit)
        fit, findings = fits[way]
        if not findings:
            planned = plan(question, variant)
            longest_seconds = _longest_job_seconds(planned, question)
            if longest_seconds <= LONGEST_JOB_SECONDS:
                plans.append(planned)
            else:
                findings = fit_findings(replace(fit, longest_job_seconds=longest_seconds))
        if findings:
            rejections.append(Rejection(variant=variant, findings=tuple(findings)))
    return plans, rejections


def _longest_job_seconds(plan: Plan, question: Question) -> float:
    """Of the job itself, and of those that make its road ready; these are shared by all the jobs."""
    ready = (plan.waiting[name].point * question.workload.jobs for name in _JOBS if name in plan.waiting)
    return max((plan.billed_seconds.point, *ready))


def plan(question: Question, variant: Variant) -> Plan:
    """The plan of a variant, whether it fits or not."""
    packing = packing_of(question.profile, question.speeds) if variant.is_packed else None
    shape = shape_of(question, packing)
    way = passage(variant, question, shape)
    waiting = dict(way.waiting)
    if (spot := question.fleet.spot) is not None:
        waiting["starting again"] = question.speeds.starting_seconds.times(spot.interruptions)
    if packing is not None:
        waiting = {"pack": packing_seconds(packing, question.speeds).times(1 / question.workload.jobs), **waiting}
    first, later = epoch(way.first, question, is_first=True), epoch(way.later, question, is_first=False)
    billed = _billed(question, way.ready, first.seconds, later.seconds)
    billed_seconds, waiting_seconds = total(billed.values()), total(waiting.values())
    course = Course(
        variant=variant,
        question=question,
        shape=shape,
        packing=packing,
        waiting=waiting,
        billed=billed_seconds,
        repeats=spot.interruptions if spot else 0.0,
    )
    costs = costs_of(course)
    is_provisioned = variant.efs_mode is EfsMode.PROVISIONED
    known = [each.usd for each in costs if each.usd is not None]
    return Plan(
        variant=variant,
        waiting=waiting,
        billed=billed,
        waiting_seconds=waiting_seconds,
        billed_seconds=billed_seconds,
        elapsed_seconds=total((waiting_seconds, billed_seconds)),
        costs=costs,
        usd=_together(known) if len(known) == len(costs) else None,
        bound=later.bound if question.workload.epochs > 1 else first.bound,
        first_bound=first.bound,
        provisioned_mbps=provisioned_mb_per_second(question, shape) if is_provisioned else None,
    )


def _together(parts: list[Span]) -> Span:
    """The sum of items that are off together, since all of them are made of the same hours."""
    return Span(*(sum(column) for column in zip(*parts, strict=True)))


def _billed(question: Question, ready: Mapping[str, Span], first: Span, later: Span) -> dict[str, Span]:
    known, epochs = question.speeds, question.workload.epochs
    billed = {
        "overhead": known.job_overhead_seconds,
        **ready,
        FIRST_EPOCH: first.times(min(1.0, epochs)),
        FURTHER_EPOCHS: later.times(max(0.0, epochs - 1)),
        "upload": over(question.workload.model_gb * 1000, known.upload_mb_per_second),
    }
    if (spot := question.fleet.spot) is not None:
        again = total((*ready.values(), known.script_start_seconds))
        # no more can be lost than there is to compute
        most = billed[FIRST_EPOCH].point + billed[FURTHER_EPOCHS].point
        lost = min(spot.checkpoint_seconds, most)
        once = Span(again.point + lost / 2, again.low, again.high + lost)
        billed["interruptions"] = once.times(spot.interruptions)
    return {name: seconds for name, seconds in billed.items() if seconds.high > 0}


def shape_of(question: Question, packing: Packing | None) -> Shape:
    """The data set as the road sees it."""
    files = question.profile.files if packing is None else packing.files
    return Shape(files=files, size_bytes=question.profile.size_bytes, requests=requests_of(question, files))


def fit_of(variant: Variant, question: Question) -> RoadFit:
    """The road and the data set as the rules see them. What packs reads objects, whatever their keys are."""
    fleet, profile = question.fleet, question.profile
    is_copied = variant.road is S3_FILE
    return RoadFit(
        road=variant.road,
        size_bytes=profile.size_bytes,
        place=Place.EFS if profile.where is Where.EFS else None,
        reads_at_random=question.workload.read_order is ReadOrder.RANDOM,
        copied_bytes=profile.size_bytes / fleet.shares if is_copied else 0.0,
        instance_type=fleet.instance_type.name,
        nvme_gb=fleet.instance_type.nvme_gb,
        volume_gb=fleet.volume_gb,
        unusable=tuple(
            UnusableFiles(rule_id=each.rule_id, files=each.files, reason=each.reason, examples=each.examples)
            for each in profile.unusable
            if variant.road.name in each.roads and not (variant.is_packed and each.rule_id != _ARCHIVED)
        ),
    )
