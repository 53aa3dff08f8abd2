"""Where a job's time went: from its transitions to seconds, shares and bars."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.session import get_session
from headrace.cli import job_view
from headrace.cli.timeline import LOOKS, _screen, bar, plain
from headrace.job_description import ChannelDescription, Instances, JobDescription, Transition
from headrace.roads import LUSTRE, S3_FAST_FILE, S3_FILE, Road
from headrace.timeline import DATA_WAIT_METRIC, ENDS, HELD, PHASE_OF, Phase, Timeline, timeline_of
from hypothesis import given
from hypothesis import strategies as st
from rich.padding import Padding

START = datetime(2026, 1, 1, tzinfo=UTC)
Stay = tuple[str, float | None]
"""A secondary status and its seconds; None where it has not ended."""


def _at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def _transitions(stays: Sequence[Stay], first_seconds: float = 0) -> tuple[Transition, ...]:
    transitions, at = [], first_seconds
    for status, seconds in stays:
        end = None if seconds is None else _at(at + seconds)
        transitions.append(Transition(status=status, message="", started=_at(at), ended=end))
        at += seconds or 0
    return tuple(transitions)


def _job(
    stays: Sequence[Stay],
    *,
    status: str = "Completed",
    roads: Sequence[Road | None] = (S3_FILE,),
    metrics: dict[str, float] | None = None,
    ended_seconds: float | None = None,
    transitions: tuple[Transition, ...] | None = None,
    billable_seconds: int | None = None,
    instance_count: int = 1,
) -> JobDescription:
    channels = [ChannelDescription(name=f"c{number}", road=road, location="x") for number, road in enumerate(roads)]
    return JobDescription(
        name="job",
        arn="arn",
        status=status,
        secondary_status=stays[-1][0] if stays else "Starting",
        created=START,
        ended=None if ended_seconds is None else _at(ended_seconds),
        transitions=_transitions(stays) if transitions is None else transitions,
        metrics=metrics or {},
        billable_seconds=billable_seconds,
        instances=(Instances(instance_type="ml.m5.large", count=instance_count),),
        channels=(ChannelDescription(name="code", road=S3_FILE, location="x"), *channels),
    )


def _nonzero(timeline: Timeline) -> dict[str, float]:
    return {phase.value: seconds for phase, seconds in timeline.seconds.items() if seconds}


PLAIN = (("Starting", 60.0), ("Downloading", 30.0), ("Training", 100.0), ("Uploading", 20.0), ("Completed", 0.0))
SECONDS = [
    ("a plain job", PLAIN, {"starting": 60, "downloading": 30, "training": 100, "uploading": 20}, 30 / 150),
    (
        "the statuses of old",
        (
            ("Starting", 1.0),
            ("LaunchingMLInstances", 2.0),
            ("PreparingTrainingStack", 3.0),
            ("Downloading", 4.0),
            ("DownloadingTrainingImage", 5.0),
            ("Training", 6.0),
        ),
        {"starting": 6, "downloading": 4, "image": 5, "training": 6},
        4 / 15,
    ),
    (
        "a Spot interruption: each phase twice",
        (
            *(("Starting", 10.0), ("Downloading", 30.0), ("Training", 50.0), ("Interrupted", 200.0)),
            *(("Starting", 5.0), ("Downloading", 30.0), ("Training", 80.0), ("Uploading", 10.0), ("Completed", 0.0)),
        ),
        {"starting": 15, "downloading": 60, "training": 130, "interrupted": 200, "uploading": 10},
        60 / 200,
    ),
    ("a job that never got an instance", (("Starting", 100.0), ("Failed", 0.0)), {"starting": 100}, None),
    (
        "a job that waited for capacity in vain",
        (("Pending", 40.0), ("MaxWaitTimeExceeded", 9.0)),
        {"starting": 40},
        None,
    ),
    ("a job without a transition", (), {}, None),
    (
        "a stopped job",
        (("Starting", 10.0), ("Downloading", 10.0), ("Training", 20.0), ("Stopping", 10.0), ("Stopped", 0.0)),
        {"starting": 10, "downloading": 10, "training": 20, "stopping": 10},
        10 / 40,
    ),
    (
        "a status that does not exist yet",
        (("Starting", 1.0), ("Polishing", 5.0), ("Training", 10.0), ("MaxRuntimeExceeded", 3.0)),
        {"starting": 1, "other": 5, "training": 10},
        0.0,
    ),
]


@pytest.mark.parametrize(("stays", "seconds", "share"), [row[1:] for row in SECONDS], ids=[row[0] for row in SECONDS])
def test_transitions_become_phases(stays: Sequence[Stay], seconds: dict[str, float], share: float | None) -> None:
    """The sums of the phases, and the share of the time with instances that went into the download."""
    timeline = timeline_of(_job(stays, ended_seconds=sum(each[1] or 0 for each in stays)), _at(10_000))
    assert _nonzero(timeline) == seconds
    assert timeline.waiting_share == (None if share is None else pytest.approx(share))
    assert not any(each.is_open for each in timeline.segments)


def test_every_status_of_the_service_has_its_place() -> None:
    """A new one in the service model is to be placed, not lost."""
    statuses = set(get_session().get_service_model("sagemaker").shape_for("SecondaryStatus").enum)
    assert statuses == set(PHASE_OF) | ENDS
    assert not set(PHASE_OF) & ENDS


def test_a_running_job_counts_until_now() -> None:
    """The open phase grows, and is marked."""
    job = _job([("Starting", 60.0), ("Downloading", 30.0), ("Training", None)], status="InProgress")
    timeline = timeline_of(job, _at(150))
    assert _nonzero(timeline) == {"starting": 60, "downloading": 30, "training": 60}
    assert [each.is_open for each in timeline.segments] == [False, False, True]
    assert (timeline.total_seconds, timeline.waiting_share) == (150, pytest.approx(1 / 3))


def test_a_phase_shorter_than_a_millisecond_is_shown() -> None:
    """A copy of one small object: the job came to it, so every screen says it."""
    job = _job((("Starting", 1.0), ("Downloading", 0.0), ("Training", 2.0), ("Completed", 0.0)))
    assert timeline_of(job, START).passed == {Phase.STARTING: 1.0, Phase.DOWNLOADING: 0.0, Phase.TRAINING: 2.0}
    assert ["downloading", "0.0", "s"] in [
        line.strip("│ ").replace("│", " ").split() for line in job_view.summary_text(job).splitlines()
    ]
    assert any(
        "downloading 0.0 s, " in str(getattr(line, "renderable", line))
        for line in _screen([timeline_of(job, START)], 80)
    )


def test_a_clock_that_is_behind_the_services_gives_no_negative_time() -> None:
    """This machine's idea of now may lie before the transition."""
    timeline = timeline_of(_job([("Starting", None)], status="InProgress"), _at(-30))
    assert [each.seconds for each in timeline.segments] == [0]
    assert timeline.total_seconds == 0


@pytest.mark.parametrize(
    ("ended_seconds", "expected"), [(100.0, {"starting": 40.0, "training": 60.0}), (None, {"starting": 40.0})]
)
def test_a_missing_end_is_the_next_start_or_the_jobs_end(
    ended_seconds: float | None, expected: dict[str, float]
) -> None:
    """Not now: the job is over."""
    transitions = (
        Transition(status="Starting", message="", started=START, ended=None),
        Transition(status="Training", message="", started=_at(40), ended=None),
    )
    job = _job([("Training", None)], status="Failed", transitions=transitions, ended_seconds=ended_seconds)
    timeline = timeline_of(job, _at(10_000))
    assert _nonzero(timeline) == expected
    assert not any(each.is_open for each in timeline.segments)


ROADS = [
    ((S3_FILE,), {"downloading": 30.0}, 30 / 150),
    ((S3_FILE, LUSTRE), {"downloading": 30.0}, 30 / 150),
    ((S3_FAST_FILE,), {"image": 30.0}, 0.0),
    ((LUSTRE, None), {"image": 30.0}, 0.0),
    ((), {"image": 30.0}, 0.0),
]


@pytest.mark.parametrize(("roads", "downloaded", "share"), ROADS)
def test_downloading_is_data_only_where_data_is_copied(
    roads: Sequence[Road | None], downloaded: dict[str, float], share: float
) -> None:
    """The code's own channel is copied in every job; what remains of the status is the pull of the image."""
    timeline = timeline_of(_job(PLAIN, roads=roads), _at(1000))
    assert _nonzero(timeline) == {"starting": 60, "training": 100, "uploading": 20} | downloaded
    assert timeline.waiting_share == pytest.approx(share)


@pytest.mark.parametrize(
    ("told", "share"), [(0.0, 30 / 150), (45.0, 75 / 150), (100.0, 130 / 150), (100.9, 130.9 / 150)]
)
def test_what_the_script_waited_is_added(told: float, share: float) -> None:
    """The metric data_wait_seconds tells what SageMaker cannot see; up to all of training."""
    timeline = timeline_of(_job(PLAIN, metrics={DATA_WAIT_METRIC: told, "loss": 1.0}), _at(1000))
    assert timeline.data_wait_seconds == told
    assert timeline.waiting_share == pytest.approx(share)
    assert not [note for note in timeline.notes if DATA_WAIT_METRIC in note]


@pytest.mark.parametrize("told", [-1.0, 102.0, float("nan"), float("inf")])
def test_a_wait_that_cannot_be_right_is_left_out_and_said(told: float) -> None:
    """Such as the sum over all instances, or milliseconds."""
    timeline = timeline_of(_job(PLAIN, metrics={DATA_WAIT_METRIC: told}), _at(1000))
    assert timeline.data_wait_seconds is None
    assert timeline.waiting_seconds == 30
    assert f"{DATA_WAIT_METRIC} is {told:g}; allowed: 0 to the 100.0 seconds of training" in timeline.notes[0]


@pytest.mark.parametrize(
    ("roads", "metrics", "expected"),
    [
        ((S3_FILE,), {}, ["downloading may hold the pull of the image"]),
        ((S3_FAST_FILE, LUSTRE), {}, ["c0 (S3 FastFile), c1 (FSx for Lustre): read within training"]),
        ((S3_FILE, LUSTRE), {}, ["c1 (FSx for Lustre): read within training", "downloading may hold"]),
        ((S3_FAST_FILE,), {DATA_WAIT_METRIC: 3.0}, []),
        ((), {}, ["what the script reads by itself: read within training"]),
    ],
)
def test_notes_say_what_the_share_does_not_hold(
    roads: Sequence[Road], metrics: dict[str, float], expected: list[str]
) -> None:
    """A share of nought on FastFile does not mean that nobody waited."""
    notes = timeline_of(_job(PLAIN, roads=roads, metrics=metrics), _at(1000)).notes
    assert len(notes) == len(expected)
    assert all(note.startswith(start) for note, start in zip(notes, expected, strict=True))


def test_json_has_every_phase_and_the_bill_of_all_instances() -> None:
    """BillableTimeInSeconds is wall time; what is billed is that times the number of instances."""
    timeline = timeline_of(_job(PLAIN, billable_seconds=150, instance_count=4, ended_seconds=210), _at(1000))
    told = json.loads(json.dumps(plain(timeline)))
    assert set(told["phase_seconds"]) == {phase.value for phase in Phase}
    assert (told["instance_count"], told["billable_seconds"], told["billed_instance_seconds"]) == (4, 150, 600)
    assert (told["held_seconds"], told["waiting_seconds"], told["total_seconds"]) == (150, 30, 210)
    assert told["segments"][1] == {
        "phase": "downloading",
        "status": "Downloading",
        "start_seconds": 60,
        "seconds": 30,
        "is_open": False,
    }


def test_every_field_of_the_json_is_documented() -> None:
    """And every phase with its letter."""
    page = (Path(__file__).parent.parent / "docs" / "jobs.md").read_text(encoding="utf-8")
    timeline = timeline_of(_job(PLAIN), _at(1000))
    told = plain(timeline)
    documented = set(re.findall(r"`(\w+)`", page))
    assert set(told) | set(told["segments"][0]) | set(job_view.plain(timeline.job, _at(1000))) <= documented
    rows = dict(re.findall(r"^\| (\w+) \| `(.)` \|", page, re.MULTILINE))
    assert rows == {phase.value: LOOKS[phase.value][0] for phase in Phase}


BARS = [
    ("proportional", PLAIN[:3], 190, 19, "s" * 6 + "D" * 3 + "T" * 10),
    ("half as long as the longest job", PLAIN[:3], 380, 38, "s" * 6 + "D" * 3 + "T" * 10),
    ("again after an interruption", (("Training", 20.0), ("Interrupted", 10.0), ("Training", 20.0)), 50, 5, "TT!TT"),
    ("a phase shorter than a character", (("Training", 99.9), ("Uploading", 0.1)), 100, 10, "T" * 10),
    ("no time at all", (("Training", 0.0),), 0, 10, ""),
]


@pytest.mark.parametrize(
    ("stays", "longest_seconds", "width", "expected"), [row[1:] for row in BARS], ids=[row[0] for row in BARS]
)
def test_a_bar_says_by_letters_what_happened_when(
    stays: Sequence[Stay], longest_seconds: float, width: int, expected: str
) -> None:
    """Letters, so that it reads without colours as well."""
    assert bar(timeline_of(_job(stays), _at(0)), longest_seconds, width).plain == expected


def test_a_gap_is_blank_and_what_goes_on_is_marked() -> None:
    """Ten seconds pass before the first status; training has not ended."""
    transitions = _transitions([("Downloading", 10.0), ("Training", None)], first_seconds=10)
    job = _job([("Training", None)], status="InProgress", transitions=transitions)
    assert bar(timeline_of(job, _at(50)), 50, 5).plain == " DTT>"


_STATUSES = st.sampled_from([*PHASE_OF, *ENDS, "SomethingNew"])
_STAYS = st.lists(st.tuples(_STATUSES, st.floats(0, 1e6)), max_size=12)


@given(_STAYS, st.sampled_from(["Completed", "Failed", "Stopped", "InProgress"]), st.floats(-10, 2e6))
def test_no_second_is_lost_or_counted_twice(stays: list[Stay], status: str, now_seconds: float) -> None:
    """Any sequence: the segments follow each other, the phases sum up to them, the share is a share."""
    timeline = timeline_of(_job(stays, status=status), _at(now_seconds))
    assert sum(timeline.seconds.values()) == pytest.approx(sum(each.seconds for each in timeline.segments))
    assert timeline.held_seconds == pytest.approx(sum(timeline.seconds[phase] for phase in HELD))
    for one, other in zip(timeline.segments, timeline.segments[1:], strict=False):
        assert one.start_seconds + one.seconds <= other.start_seconds + 1e-3
    assert timeline.waiting_share is None or 0 <= timeline.waiting_share <= 1
    assert timeline.total_seconds >= max((each.start_seconds + each.seconds for each in timeline.segments), default=0)


@given(_STAYS, st.integers(1, 300), st.floats(1, 5))
def test_a_bar_is_never_wider_than_its_share_of_the_screen(stays: list[Stay], width: int, stretch: float) -> None:
    """Rounding adds up nowhere: phases end where their time ends."""
    timeline = timeline_of(_job(stays), _at(0))
    longest_seconds = timeline.total_seconds * stretch
    drawn = bar(timeline, longest_seconds, width).plain
    end_seconds = max((each.start_seconds + each.seconds for each in timeline.segments), default=0)
    assert len(drawn) <= width
    assert len(drawn) == (round(end_seconds / longest_seconds * width) if longest_seconds else 0)


def test_what_others_named_steers_no_terminal() -> None:
    """The place of a channel that headrace does not know is somebody else's text."""
    channel = ChannelDescription(name="train", road=None, location="s3://lake/\x1b]0;title\x07")
    timeline = timeline_of(replace(_job(PLAIN, ended_seconds=210), channels=(channel,)), _at(210))
    lines = [each.renderable if isinstance(each, Padding) else each for each in _screen([timeline], 80)]
    told = "\n".join(str(line) for line in lines)
    assert "s3://lake/]0;title" in told
    assert not {"\x1b", "\x07"} & set(told)
