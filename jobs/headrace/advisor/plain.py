"""The advice as JSON: the fields are documented in docs/advise.md, and docs/advice.schema.json is their schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from headrace.advisor.advice import Advice, Curve, curves_of
from headrace.advisor.decision_flow import Opinion
from headrace.advisor.notes import notes_on
from headrace.advisor.plans import Plan, Rejection
from headrace.advisor.question import Question
from headrace.advisor.ranking import Ranked
from headrace.advisor.sharing import BreakEven
from headrace.advisor.span import Span
from headrace.advisor.variants import Variant
from headrace.advisor.what_ifs import WhatIf

FORMAT_VERSION: Final = 1
_SECONDS_DIGITS: Final = 3
_USD_DIGITS: Final = 6


def to_plain(advice: Advice) -> dict[str, Any]:
    """The advice for JSON."""
    winner = advice.winner
    return {
        "format_version": FORMAT_VERSION,
        "question": _question(advice.question),
        "winner": None if winner is None else winner.variant.name,
        "why": advice.why,
        "roads": [_ranked(each) for each in advice.ranked],
        "rejected": [_rejection(each) for each in advice.rejections],
        "decision_flow": _opinion(advice.opinion, advice),
        "what_ifs": [_what_if(each) for each in advice.what_ifs],
        "sharing": None if advice.sharing is None else _sharing(advice.sharing),
        "curves": [_curve(each) for each in curves_of(advice)],
        "notes": list(notes_on(advice)),
    }


def _question(question: Question) -> dict[str, Any]:
    profile, workload, fleet = question.profile, question.workload, question.fleet
    return {
        "location": profile.location,
        "where": profile.where.value,
        "files": profile.files,
        "size_bytes": profile.size_bytes,
        "samples": question.samples,
        "samples_per_second": workload.samples_per_second,
        "prepared_samples_per_second": workload.prepared_samples_per_second,
        "epochs": workload.epochs,
        "read_order": workload.read_order.value,
        "readers": question.readers,
        "image_gb": question.image_gb,
        "model_gb": workload.model_gb,
        "jobs": workload.jobs,
        "can_pack": workload.can_pack,
        "instance_type": fleet.instance_type.name,
        "instances": fleet.instances,
        "is_sharded": fleet.is_sharded,
        "is_warm": fleet.is_warm,
        "volume_gb": fleet.volume_gb,
        "spot": None
        if fleet.spot is None
        else {
            "saving_percent": fleet.spot.saving_percent,
            "interruptions": fleet.spot.interruptions,
            "checkpoint_seconds": fleet.spot.checkpoint_seconds,
        },
        "goal": question.goal.value,
        "shared_lustre_gib": question.shared_lustre_gib,
        "region": question.prices.region,
    }


def _variant(variant: Variant) -> dict[str, Any]:
    return {
        "name": variant.name,
        "road": variant.road.name,
        "is_packed": variant.is_packed,
        "lustre": None if variant.lustre is None else variant.lustre.value,
        "capacity_gib": variant.capacity_gib or None,
        "efs_mode": None if variant.efs_mode is None else variant.efs_mode.value,
    }


def _span(span: Span | None, digits: int) -> dict[str, float] | None:
    if span is None:
        return None
    return {name: round(value, digits) for name, value in span._asdict().items()}


def _seconds(span: Span) -> dict[str, float] | None:
    return _span(span, _SECONDS_DIGITS)


def _phases(phases: Mapping[str, Span]) -> dict[str, Any]:
    return {name: _seconds(each) for name, each in phases.items()}


def _plan(plan: Plan) -> dict[str, Any]:
    return {
        **_variant(plan.variant),
        "usd": _span(plan.usd, _USD_DIGITS),
        "elapsed_seconds": _seconds(plan.elapsed_seconds),
        "waiting_seconds": _seconds(plan.waiting_seconds),
        "billed_seconds": _seconds(plan.billed_seconds),
    }


def _ranked(ranked: Ranked) -> dict[str, Any]:
    plan, measurement = ranked.plan, ranked.measurement
    return {
        **_plan(plan),
        "waiting": _phases(plan.waiting),
        "billed": _phases(plan.billed),
        "costs": [
            {"name": each.name, "usd": _span(each.usd, _USD_DIGITS), "arithmetic": each.arithmetic}
            for each in plan.costs
        ],
        "bound": plan.bound.value,
        "first_bound": plan.first_bound.value,
        "is_too_close": ranked.is_too_close,
        "measurement": None
        if measurement is None
        else {
            "name": measurement.plan.variant.name,
            "other": measurement.other.variant.name,
            "phase": measurement.phase,
            "seconds": round(measurement.seconds, _SECONDS_DIGITS),
        },
    }


def _rejection(rejection: Rejection) -> dict[str, Any]:
    return {
        **_variant(rejection.variant),
        "findings": [
            {"rule_id": each.rule_id, "got": each.got, "allowed": each.allowed, "fix": each.fix}
            for each in rejection.findings
        ],
    }


def _opinion(opinion: Opinion, advice: Advice) -> dict[str, Any]:
    return {
        "answers": [
            {
                "road": each.road,
                "is_packed": each.is_packed,
                "steps": [{"question": step.question, "answer": step.answer} for step in each.steps],
            }
            for each in opinion.answers
        ],
        "remarks": list(opinion.remarks),
        "agrees": advice.winner is not None and opinion.agrees_with(advice.winner),
        "disagreement": advice.disagreement,
        "source": opinion.source,
    }


def _what_if(what_if: WhatIf) -> dict[str, Any]:
    return {"change": what_if.change, "changes_answer": what_if.changes_answer, "winner": _plan(what_if.winner)}


def _sharing(sharing: BreakEven) -> dict[str, Any]:
    return {
        "shared": sharing.shared.variant.name,
        "other": sharing.other.variant.name,
        "shared_usd_per_month": round(sharing.shared_usd_per_month, _USD_DIGITS),
        "shared_usd_per_job": round(sharing.shared_usd_per_job, _USD_DIGITS),
        "other_usd_per_job": round(sharing.other_usd_per_job, _USD_DIGITS),
        "jobs_per_month": None if sharing.jobs_per_month is None else round(sharing.jobs_per_month, 3),
        "jobs_at_once": None if sharing.jobs_at_once is None else round(sharing.jobs_at_once, 3),
    }


def _curve(curve: Curve) -> dict[str, Any]:
    return {
        "name": curve.variant.name,
        "epochs": list(curve.epochs),
        "usd": [None if each is None else round(each, _USD_DIGITS) for each in curve.usd],
        "elapsed_seconds": [round(each, _SECONDS_DIGITS) for each in curve.elapsed_seconds],
    }
