"""The advice case by case: what is refused, what the flow says, what would change the answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from headrace.advisor.advice import advise
from headrace.advisor.decision_flow import opinion_on
from headrace.advisor.plans import Plan, plan, plans_for
from headrace.advisor.question import Goal, Question, ReadOrder
from headrace.advisor.ranking import TRAINING, ranking
from headrace.advisor.sharing import break_even
from headrace.advisor.speeds import Speeds
from headrace.advisor.variants import LustreState, Variant
from headrace.dataset.profile import Profile, Unusable, Where, profile_of_sizes
from headrace.durations import duration_text
from headrace.figures.prices import Item
from headrace.figures.rates import rates
from headrace.roads import EFS, LUSTRE, S3_FAST_FILE, S3_FILE, S3_PIPE, Road

from tests.advice_questions import IMAGES, SHARDS, question

GB = 10**9


def _profile(
    size_bytes: int, files: int = 100, where: Where = Where.S3, location: str = "s3://lake/data/x/"
) -> Profile:
    return profile_of_sizes(location, where, {size_bytes: files})


def _unusable(rule_id: str, *roads: Road) -> Profile:
    found = Unusable(
        rule_id=rule_id, reason="bad keys", files=3, roads=tuple(each.name for each in roads), examples=("a",)
    )
    return replace(IMAGES, unusable=(found,))


S3_ROADS = (S3_FILE, S3_FAST_FILE, S3_PIPE)
REFUSED: list[tuple[str, Profile, dict[str, Any], str, set[str]]] = [
    ("random reads", SHARDS, {"access": ReadOrder.RANDOM}, "V180", {"S3 Pipe"}),
    (
        "data in EFS",
        _profile(GB, where=Where.EFS, location="/x"),
        {},
        "V181",
        {"S3 File", "S3 FastFile", "S3 Pipe", "FSx for Lustre"},
    ),
    ("more than the NVMe", _profile(5 * GB), {}, "V182", {"S3 File"}),
    ("more than the largest volume", _profile(200 * GB), {"instance": "ml.p3.2xlarge"}, "V182", {"S3 File"}),
    ("more than was asked for", SHARDS, {"instance": "ml.p3.2xlarge", "volume_gb": 40}, "V182", {"S3 File"}),
    (
        "archived",
        _unusable("V27", *S3_ROADS, LUSTRE, EFS),
        {},
        "V27",
        {
            "S3 File",
            "S3 FastFile",
            "S3 Pipe",
            "FSx for Lustre",
            "EFS",
            "S3 File, packed",
            "S3 FastFile, packed",
            "S3 Pipe, packed",
        },
    ),
    ("keys that are no paths", _unusable("V53", S3_FILE, LUSTRE), {}, "V53", {"S3 File", "FSx for Lustre"}),
    ("keys that are folders", _unusable("V130", S3_FAST_FILE), {}, "V130", {"S3 FastFile"}),
    ("more than any Lustre", _profile(200 * 10**15, 20), {}, "V26", {"FSx for Lustre"}),
]


@pytest.mark.parametrize(
    ("profile", "asked", "rule_id", "roads"), [each[1:] for each in REFUSED], ids=[each[0] for each in REFUSED]
)
def test_what_a_road_cannot_take_is_refused_by_a_rule(
    profile: Profile, asked: dict[str, Any], rule_id: str, roads: set[str]
) -> None:
    """By that rule exactly these roads, and packing helps where keys are the trouble."""
    _, rejections = plans_for(question(profile, **asked))
    refused = {
        f"{each.variant.road.name}{', packed' if each.variant.is_packed else ''}"
        for each in rejections
        if rule_id in {finding.rule_id for finding in each.findings}
    }
    assert refused == roads


def test_a_question_without_any_road_is_answered() -> None:
    """All are refused, and each says why."""
    advice = advise(question(_unusable("V27", *S3_ROADS, LUSTRE, EFS)))
    assert (advice.winner, advice.ranked) == (None, ())
    assert advice.rejections
    assert advice.why == "no road can bring this data set; each says why"


FLOW: list[tuple[str, Profile, dict[str, Any], list[tuple[str, bool]]]] = [
    ("A: small files, small set", _profile(39_000, 30_607), {}, [("S3 File", False)]),
    ("B: large files, small set", _profile(110_000_000, 10), {}, [("S3 File", False)]),
    ("C: in the band, small files", IMAGES, {}, [("S3 File", False), ("S3 FastFile", True)]),
    ("D: in the band, large files", SHARDS, {}, [("S3 File", False), ("S3 FastFile", False)]),
    ("49.9 GB", _profile(49_900_000, 1000), {}, [("S3 File", False)]),
    ("200 GB of large files", _profile(100_000_000, 2000), {}, [("S3 FastFile", False)]),
    ("200 GB of files of 49 MB", _profile(49_000_000, 4082), {}, [("S3 FastFile", True)]),
    (
        "small files that cannot be packed",
        _profile(1_000_000, 200_000),
        {"can_pack": False},
        [("FSx for Lustre", False)],
    ),
    ("in EFS", _profile(39_000, where=Where.EFS, location="/x"), {}, [("EFS", False)]),
    (
        "random reads",
        _profile(100_000_000, 2000),
        {"access": ReadOrder.RANDOM},
        [("S3 FastFile", False), ("FSx for Lustre", False)],
    ),
]


@pytest.mark.parametrize(("profile", "asked", "roads"), [each[1:] for each in FLOW], ids=[each[0] for each in FLOW])
def test_the_decision_flow_says_what_the_post_says(
    profile: Profile, asked: dict[str, Any], roads: list[tuple[str, bool]]
) -> None:
    """Within 50 to 100 GB both of its answers hold."""
    opinion = opinion_on(question(profile, **asked))
    assert [(each.road, each.is_packed) for each in opinion.answers] == roads
    assert all(each.steps for each in opinion.answers)


def test_a_disagreement_is_explained_in_seconds_or_dollars() -> None:
    """The flow takes File mode for anything below 50 GB; for a job of one epoch that is not the quickest."""
    advice = advise(question(_profile(39_000, 30_607), by=Goal.TIME))
    assert advice.winner is not None
    assert not advice.opinion.agrees_with(advice.winner)
    lost = next(each.plan for each in advice.ranked if each.plan.variant == Variant(road=S3_FILE))
    ready = lost.groups["getting ready"].point - advice.winner.groups["getting ready"].point
    assert f"S3 File takes {duration_text(ready)} more for getting ready" in advice.disagreement
    assert advise(question(SHARDS, samples=1_530_350, epochs=10)).disagreement == ""


def test_what_is_too_close_overlaps() -> None:
    """Rivals are those whose range overlaps the winner's."""
    asked = question(SHARDS, samples=1_530_350, by=Goal.TIME)
    ranked = ranking(plans_for(asked)[0], asked)
    winner = ranked[0].plan.elapsed_seconds
    assert any(each.is_too_close for each in ranked)
    for each in ranked[1:]:
        assert each.is_too_close == each.plan.elapsed_seconds.overlaps(winner)
        assert each.is_too_close or each.measurement is None


@pytest.mark.parametrize("goal", Goal)
@pytest.mark.parametrize("epochs", [1, 7])
def test_a_measurement_at_its_threshold_is_a_draw(goal: Goal, epochs: int) -> None:
    """An epoch that takes what it says brings both roads to the same cost, or the same time."""
    looked_at: set[str] = set()
    for files, more in ((1000, {}), (10_000, {}), (30_000, {}), (100_000, {"spot_saving_percent": 70.0})):
        asked = question(_profile(39_000, files), by=goal, instance="ml.p3.2xlarge", epochs=epochs, **more)
        for each in ranking(plans_for(asked)[0], asked)[1:]:
            told = each.measurement
            if told is None:
                continue
            assert each.plan in (told.plan, told.other)
            training = [told.plan.billed[name].point for name in ("walk", "first epoch") if name in told.plan.billed]
            before = [span.point for name, span in told.plan.ready.items() if name != "walk"]
            moved = told.seconds - (sum(training) if told.phase == TRAINING else sum(before))
            moved *= epochs if told.phase == TRAINING else 1
            now, other = told.plan.measure(goal), told.other.measure(goal)
            assert now is not None
            assert other is not None
            # dearer by the second: instances, the volume, and a file system that is paid by its hours
            rate = 1.0 if goal is Goal.TIME else _usd_of_one_second_more(told.plan, asked)
            assert now.point + moved * rate == pytest.approx(other.point, rel=1e-6)
            assert told.seconds >= 1
            looked_at.add(told.phase)
    assert looked_at


def _usd_of_one_second_more(one: Plan, asked: Question) -> float:
    kind = asked.fleet.instance_type.name
    hour = asked.prices.usd(Item.TRAINING_HOUR, kind) or 0.0
    saving = asked.fleet.spot.saving_percent / 100 if asked.fleet.spot else 0.0
    volume = next(each.parts[0].quantity.point for each in one.costs if each.name == "ML volume")
    per_second = volume / one.billed_seconds.point * (asked.prices.usd(Item.ML_VOLUME_GB_MONTH) or 0.0)
    file_system = one.variant.capacity_gib * (asked.prices.usd(Item.LUSTRE_SCRATCH_2_GB_MONTH) or 0.0) / 730 / 3600
    return hour * (1 - saving) / 3600 + per_second + file_system


def test_changes_that_are_told_do_change_the_answer() -> None:
    """At the number that is named the other road wins, and one before it it does not."""
    asked = question(IMAGES, epochs=10, shared_lustre=1200)
    advice = advise(asked)
    assert advice.winner is not None
    told = {each.change: each for each in advice.what_ifs}
    (change,) = (each for each in told if each.endswith(" epochs"))
    assert change.startswith("up to ")
    number = int(change.split()[2].replace(",", ""))
    assert number < 10
    gains = []
    for epochs in (number, number + 1):
        there = question(IMAGES, epochs=epochs, shared_lustre=1200)
        new, old = advise(there).winner, plan(there, advice.winner.variant)
        assert new is not None
        assert new.usd is not None
        assert old.usd is not None
        gains.append(1 - new.usd.point / old.usd.point)
    # two percent are worth telling
    assert gains[0] > 0.02 >= gains[1]
    assert "the script cannot read shards" in told


def test_other_instances_have_the_same_accelerators() -> None:
    """Samples per second are measured, and hold for no other accelerator."""
    from headrace.figures.instance_types import all_instance_types

    asked = question(IMAGES, epochs=10)
    advice = advise(asked, all_instance_types().values())
    names = [each.change for each in advice.what_ifs if each.change.startswith("ml.")]
    assert names
    assert all(name.startswith("ml.g5.") and name != "ml.g5.2xlarge" for name in names)


def test_sharing_pays_at_its_break_even() -> None:
    """With so many jobs a month, the file system and the other road cost the same."""
    asked = question(IMAGES, epochs=10)
    found = break_even(plans_for(asked)[0], asked)
    assert found is not None
    assert found.jobs_per_month is not None
    shared = found.shared_usd_per_month + found.jobs_per_month * found.shared_usd_per_job
    assert shared == pytest.approx(found.jobs_per_month * found.other_usd_per_job)
    assert found.shared_usd_per_month == pytest.approx(1200 * 0.14)


def test_a_file_system_that_is_held_is_shared_by_its_jobs() -> None:
    """Creation and preload are paid once; with one job there is nothing to share."""
    twenty = question(IMAGES, jobs=20)
    held, alone = (
        plan(twenty, Variant(road=LUSTRE, lustre=state, capacity_gib=1200))
        for state in (LustreState.HELD_PRELOADED, LustreState.EPHEMERAL_PRELOADED)
    )
    assert held.waiting["create"].point == pytest.approx(alone.waiting["create"].point / 20)
    assert held.usd is not None
    assert alone.usd is not None
    assert held.usd.point < alone.usd.point
    states = {each.lustre for each, _ in _variants(question(IMAGES))}
    assert LustreState.HELD_PRELOADED not in states


def _variants(asked: Any) -> list[tuple[Variant, None]]:
    plans, rejections = plans_for(asked)
    return [(each.variant, None) for each in (*plans, *rejections)]


def test_spot_downloads_again_after_each_interruption() -> None:
    """What is copied is copied anew; the price is lower by the saving."""
    file = Variant(road=S3_FILE)
    calm = plan(question(IMAGES, spot_saving_percent=60.0, interruptions=0.0), file)
    often = plan(question(IMAGES, spot_saving_percent=60.0, interruptions=2.0, checkpoint_minutes=0.0), file)
    lost = often.billed_seconds.point - calm.billed_seconds.point
    # what comes again: the download, and the start of the script
    again = calm.billed["download and image"].point + rates()["script_start_seconds"].value
    assert lost == pytest.approx(2 * again)
    full = plan(question(IMAGES), file)
    assert calm.costs[0].usd is not None
    assert full.costs[0].usd is not None
    assert calm.costs[0].usd.point == pytest.approx(0.4 * full.costs[0].usd.point)


def test_a_warm_pool_has_its_image_but_not_its_data() -> None:
    """It matches on everything but the data channels."""
    cold, warm = (plan(question(IMAGES, warm=each), Variant(road=S3_FAST_FILE)) for each in (False, True))
    assert warm.waiting["starting"].point < cold.waiting["starting"].point
    assert "image" not in warm.billed
    assert warm.billed["listing"] == cold.billed["listing"]


def test_shards_are_copied_once_over_all_instances() -> None:
    """ShardedByS3Key divides the copy, replication does not; requests are paid accordingly."""
    whole, shares = (plan(question(SHARDS, instances=4, sharded=each), Variant(road=S3_FILE)) for each in (False, True))
    assert shares.billed["download and image"].point < whole.billed["download and image"].point
    requests = [next(each for each in one.costs if each.name == "S3 requests").usd for one in (whole, shares)]
    assert requests[0] is not None
    assert requests[1] is not None
    assert requests[0].point == pytest.approx(4 * requests[1].point)


def test_each_rate_is_used_and_has_its_source() -> None:
    """The file and the record name the same rates, and each says where it is from."""
    assert set(rates()) == set(Speeds.__dataclass_fields__)
    for name, each in rates().items():
        assert 0 < each.low <= each.value <= each.high, name
        assert len(each.source) > 20, name
        assert each.unit, name
        assert not each.source.startswith("users"), name


def test_a_rate_that_was_not_measured_is_marked() -> None:
    """Where the source itself says so."""
    told = ("assume", "no measurement", "chosen", "made of")
    assert {name for name, each in rates().items() if each.assumed} == {
        name for name, each in rates().items() if any(word in each.source for word in told)
    }


def test_one_size_of_each_way_is_shown() -> None:
    """The best of each; the others would be rows that say the same."""
    advice = advise(question(IMAGES, epochs=10))
    ways = [replace(each.plan.variant, capacity_gib=0) for each in advice.ranked]
    assert len({str(each) for each in ways}) == len(ways)
    assert {each.lustre for each in ways if each.road is LUSTRE} == set(LustreState) - {LustreState.HELD_PRELOADED}


@pytest.mark.parametrize(
    ("asked", "bucket", "region"),
    [(None, None, "us-east-1"), (None, "eu-west-1", "eu-west-1"), ("us-west-2", "eu-west-1", "us-west-2")],
)
def test_prices_are_those_of_the_region(asked: str | None, bucket: str | None, region: str) -> None:
    """The one that was asked for, or the bucket's."""
    assert question(replace(IMAGES, region=bucket), region=asked).prices.region == region


def test_a_job_that_never_ends_is_refused() -> None:
    """A billion small files take months in FastFile mode; what is packed is trained on in time."""
    asked = question(_profile(10_000, 1_000_000_000), epochs=1, samples_per_second=10_000.0)
    plans, rejections = plans_for(asked)
    refused = {each.variant for each in rejections if each.findings[0].rule_id == "V183"}
    assert Variant(road=S3_FAST_FILE) in refused
    assert all(each.billed_seconds.point <= 28 * 86_400 for each in plans)
    assert any(each.variant.is_packed for each in plans)


def test_what_people_say_in_python_may_be_text() -> None:
    """Plain text means what the command line means by it."""
    asked = question(IMAGES, by="cost", access="random")
    assert (asked.goal, asked.workload.read_order) == (Goal.COST, ReadOrder.RANDOM)
