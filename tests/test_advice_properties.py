"""What must hold of every plan, whatever the rates are."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

from headrace.advisor.advice import advise
from headrace.advisor.plain import to_plain
from headrace.advisor.plans import Plan, plan, plans_for
from headrace.advisor.question import Goal, Question, ReadOrder
from headrace.advisor.span import Span, largest, over, smallest, total
from headrace.advisor.variants import LustreState, Variant, variants_for
from headrace.dataset.profile import Where, profile_of_sizes
from headrace.roads import LUSTRE, S3_FAST_FILE, S3_FILE, S3_PIPE
from headrace.rules.catalogue import CATALOGUE
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.advice_questions import IMAGES, SHARDS, question

INSTANCES = ("ml.m5.large", "ml.g5.2xlarge", "ml.p3.2xlarge", "ml.g4dn.xlarge", "ml.p4d.24xlarge")


@st.composite
def questions(draw: st.DrawFn, **fixed: Any) -> Question:
    """Any question that does not contradict itself."""
    files = draw(st.integers(1, 2_000_000))
    size_bytes = draw(st.integers(0, 200_000_000))
    instances = draw(st.integers(1, 4))
    asked = {
        "instance": draw(st.sampled_from(INSTANCES)),
        "instances": instances,
        "sharded": 1 < instances <= files and draw(st.booleans()),
        "epochs": draw(st.integers(1, 50)),
        "samples": draw(st.none() | st.integers(1, 10_000_000)),
        "samples_per_second": draw(st.none() | st.floats(0.1, 10_000)),
        "prepared_samples_per_second": draw(st.none() | st.floats(1, 10_000)),
        "access": draw(st.sampled_from(ReadOrder)),
        "readers": draw(st.none() | st.integers(1, 128)),
        "jobs": draw(st.integers(1, 20)),
        "can_pack": draw(st.booleans()),
        "spot_saving_percent": draw(st.none() | st.floats(0, 90)),
        "by": draw(st.sampled_from(Goal)),
        **fixed,
    }
    profile = profile_of_sizes("s3://lake/data/", Where.S3, {size_bytes: files})
    return question(profile, **asked)


def _all_spans(one: Plan) -> list[Span]:
    spans = [*one.waiting.values(), *one.billed.values(), one.waiting_seconds, one.billed_seconds, one.elapsed_seconds]
    return [*spans, *(each.usd for each in one.costs if each.usd is not None), *([one.usd] if one.usd else [])]


@settings(max_examples=60, deadline=None)
@given(questions())
def test_figures_are_in_order_and_add_up(asked: Question) -> None:
    """Nothing is negative, every point lies in its interval, and the whole is the sum of its parts."""
    for one in plans_for(asked)[0]:
        for span in _all_spans(one):
            assert 0 <= span.low <= span.point <= span.high < math.inf
        assert math.isclose(one.billed_seconds.point, sum(each.point for each in one.billed.values()))
        assert math.isclose(one.waiting_seconds.point, sum(each.point for each in one.waiting.values()))
        known = [each.usd.point for each in one.costs if each.usd is not None]
        if len(known) == len(one.costs):
            assert one.usd is not None
            assert math.isclose(one.usd.point, sum(known), abs_tol=1e-12)
        else:
            assert one.usd is None


@settings(max_examples=60, deadline=None)
@given(questions())
def test_every_road_is_a_plan_or_a_reason(asked: Question) -> None:
    """No variant is lost, and each rejection names a rule that can be looked up."""
    plans, rejections = plans_for(asked)
    told = [each.variant for each in plans] + [each.variant for each in rejections]
    assert sorted(told, key=str) == sorted(variants_for(asked), key=str)
    assert len({each.name for each in told}) == len(told)
    for each in rejections:
        assert each.findings
        assert {finding.rule_id for finding in each.findings} <= set(CATALOGUE)


@settings(max_examples=15, deadline=None)
@given(questions())
def test_the_same_question_has_the_same_answer(asked: Question) -> None:
    """The advice is made of the question alone."""
    assert to_plain(advise(asked)) == to_plain(advise(replace(asked)))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 400_000), st.integers(1, 400_000), st.integers(1, 1 << 37), st.data())
def test_more_files_of_the_same_bytes_are_never_faster(
    few: int, more: int, size_bytes: int, data: st.DataObject
) -> None:
    """A file costs a request on every road."""
    few, more = sorted((few, more))
    asked = data.draw(questions(samples=100_000, can_pack=False))
    one, other = (replace(asked, profile=_equal_files(files, size_bytes)) for files in (few, more))
    for variant in variants_for(one):
        less = plan(one, variant), plan(other, variant)
        assert less[0].elapsed_seconds.point <= less[1].elapsed_seconds.point * (1 + 1e-9), variant.name
        assert less[0].billed_seconds.point <= less[1].billed_seconds.point * (1 + 1e-9), variant.name


def _equal_files(files: int, size_bytes: int) -> Any:
    small, larger = divmod(size_bytes, files)
    return profile_of_sizes(
        "s3://lake/data/", Where.S3, [(small, files - larger), (small + 1, larger)][: 2 if larger else 1]
    )


@settings(max_examples=60, deadline=None)
@given(questions())
def test_a_larger_lustre_is_never_slower(asked: Question) -> None:
    """Its disks read and write more. (One that stands already is not made, which a larger one would be.)"""
    asked = replace(asked, shared_lustre_gib=0)
    for state in LustreState:
        sizes = [
            plan(asked, Variant(road=LUSTRE, lustre=state, capacity_gib=capacity))
            for capacity in (1200, 2400, 4800, 9600, 48_000)
        ]
        elapsed = [each.elapsed_seconds.point for each in sizes]
        assert all(one >= other * (1 - 1e-9) for one, other in itertools.pairwise(elapsed))


@settings(max_examples=60, deadline=None)
@given(questions(epochs=1), st.integers(1, 500_000), st.lists(st.integers(1, 200), min_size=2, max_size=5))
def test_epochs_favour_the_road_that_copies(asked: Question, size_bytes: int, epochs: list[int]) -> None:
    """Of small files, FastFile fetches each one again in each epoch, while File mode has copied them."""
    small = replace(asked, profile=profile_of_sizes("s3://lake/x/", Where.S3, {size_bytes: asked.profile.files}))
    lead = []
    for number in sorted(epochs):
        one = replace(small, workload=replace(small.workload, epochs=number))
        fast, copied = (plan(one, Variant(road=road)).billed_seconds.point for road in (S3_FAST_FILE, S3_FILE))
        lead.append(copied - fast)
    assert all(later <= earlier + 1e-6 * (1 + abs(earlier)) for earlier, later in itertools.pairwise(lead))


@settings(max_examples=30, deadline=None)
@given(st.sampled_from([S3_FILE, S3_FAST_FILE, S3_PIPE]), st.integers(1, 50), st.sampled_from(INSTANCES))
def test_packing_small_files_makes_them_shards(road: Any, epochs: int, instance: str) -> None:
    """What is billed after packing scenario C of the post is what is billed for its scenario D."""
    asked = {"samples": 1_530_350, "epochs": epochs, "instance": instance}
    packed = plan(question(IMAGES, **asked), Variant(road=road, is_packed=True))
    shards = plan(question(SHARDS, **asked), Variant(road=road))
    assert math.isclose(packed.billed_seconds.point, shards.billed_seconds.point, rel_tol=1e-3)
    assert packed.waiting["pack"].point > 0
    assert "pack" not in shards.waiting


SPANS = st.tuples(*[st.floats(0, 1e6)] * 3).map(lambda each: Span(sorted(each)[1], min(each), max(each)))


@given(st.lists(SPANS, min_size=1, max_size=6), st.floats(0, 1e3))
def test_spans_stay_in_order(spans: list[Span], factor: float) -> None:
    """Sums, bounds and shares of intervals are intervals; a sum is no wider than all deviations together."""
    whole = total(spans)
    for each in (whole, largest(*spans), smallest(*spans), spans[0].times(factor)):
        assert each.low <= each.point * (1 + 1e-12) + 1e-9
        assert each.point <= each.high * (1 + 1e-12) + 1e-9
    assert whole.high - whole.point <= sum(each.high - each.point for each in spans) + 1e-6
    if all(each.low > 1e-6 for each in spans):
        slow = over(1.0, spans[0])
        assert slow.low <= slow.point <= slow.high
