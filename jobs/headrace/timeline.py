"""Where a training job's time went: its phases in seconds, what is billed, and what share was waiting for data.

The phases are the job's SecondaryStatusTransitions, grouped by one table. Instances are *held* from the download to
the upload (``HELD``): that is the time which is billed, while starting and the wait after a Spot interruption are not.

    waiting for data = downloading + data_wait_seconds
    share waiting    = waiting for data / (downloading + image + training + uploading + stopping)

SageMaker sees the copy of File mode only. What a script waits while it reads from FastFile, Pipe, Lustre or EFS
happens inside Training; a script that measures it may tell, by a metric with the name ``data_wait_seconds``: seconds
of waiting per instance over the whole job, which must be less than Training's own.

Downloading is data only in a job that copies data. Today's service pulls the image within the same status, and says
so in a message that may be replaced at any moment and must not be relied on; so these seconds are the image's, and the
mounting of channels', in a job without an S3 File channel (the code's own aside), and with one they are the most that
the data can have taken.
Sources: Amazon SageMaker API Reference, SecondaryStatusTransition and DescribeTrainingJob (SecondaryStatus,
BillableTimeInSeconds, FinalMetricDataList), read November 2026.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import zip_longest

from headrace.job_description import ChannelDescription, JobDescription, Transition
from headrace.roads import S3_FILE
from headrace.training import CODE_CHANNEL

DATA_WAIT_METRIC = "data_wait_seconds"
# transitions are told in milliseconds, a script counts with its own clock
_CLOCK_TOLERANCE_SECONDS = 1.0


class Phase(StrEnum):
    """What a job does, as far as its user pays or waits for it."""

    STARTING = "starting"
    DOWNLOADING = "downloading"
    IMAGE = "image"
    TRAINING = "training"
    UPLOADING = "uploading"
    STOPPING = "stopping"
    INTERRUPTED = "interrupted"
    OTHER = "other"


PHASE_OF: Mapping[str, Phase] = {
    "Starting": Phase.STARTING,
    "Pending": Phase.STARTING,
    "LaunchingMLInstances": Phase.STARTING,
    "PreparingTrainingStack": Phase.STARTING,
    "Downloading": Phase.DOWNLOADING,
    "DownloadingTrainingImage": Phase.IMAGE,
    "Training": Phase.TRAINING,
    "Updating": Phase.TRAINING,
    "Uploading": Phase.UPLOADING,
    "Stopping": Phase.STOPPING,
    "Interrupted": Phase.INTERRUPTED,
    "Restarting": Phase.INTERRUPTED,
}
"""Secondary status -> phase; one that the service adds later is ``other``."""

ENDS = frozenset({"Completed", "Failed", "Stopped", "MaxRuntimeExceeded", "MaxWaitTimeExceeded"})
"""Secondary statuses that end a job; no time passes in them."""

HELD = frozenset({Phase.DOWNLOADING, Phase.IMAGE, Phase.TRAINING, Phase.UPLOADING, Phase.STOPPING})
"""Phases in which the job has its instances."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One stay in a phase. ``start_seconds`` counts from the job's creation; an open one lasts until now."""

    phase: Phase
    status: str
    start_seconds: float
    seconds: float
    is_open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A job's time. ``data_wait_seconds``: the script's own measure, None where it told none that can be right.

    ``notes``: what a reader of the numbers should know.
    """

    job: JobDescription
    segments: tuple[Segment, ...]
    total_seconds: float
    data_wait_seconds: float | None
    notes: tuple[str, ...]

    @property
    def seconds(self) -> Mapping[Phase, float]:
        """The sum of each phase; a Spot job may have been in one several times."""
        return {
            phase: sum((segment.seconds for segment in self.segments if segment.phase is phase), 0.0) for phase in Phase
        }

    @property
    def passed(self) -> Mapping[Phase, float]:
        """The sum of each phase that the job came to, however short it was."""
        came_to = {segment.phase for segment in self.segments}
        return {phase: seconds for phase, seconds in self.seconds.items() if phase in came_to}

    @property
    def held_seconds(self) -> float:
        """How long the job had its instances."""
        return sum(self.seconds[phase] for phase in HELD)

    @property
    def waiting_seconds(self) -> float:
        """Downloading, and what the script says that it waited."""
        return self.seconds[Phase.DOWNLOADING] + (self.data_wait_seconds or 0.0)

    @property
    def waiting_share(self) -> float | None:
        """``waiting_seconds`` of ``held_seconds``, 0 to 1; None for a job that never had an instance."""
        held_seconds = self.held_seconds
        return min(1.0, self.waiting_seconds / held_seconds) if held_seconds else None


def timeline_of(job: JobDescription, now: datetime) -> Timeline:
    """The timeline of a job. ``now``: until when a phase counts that has not ended."""
    data = [each for each in job.channels if each.name != CODE_CHANNEL]
    copied = [each for each in data if each.road is S3_FILE]
    segments = tuple(_segments(job, now, copies_data=bool(copied)))
    training_seconds = sum(each.seconds for each in segments if each.phase is Phase.TRAINING)
    told = job.metrics.get(DATA_WAIT_METRIC)
    is_right = told is not None and math.isfinite(told) and 0 <= told <= training_seconds + _CLOCK_TOLERANCE_SECONDS
    notes: list[str] = []
    if told is not None and not is_right:
        notes.append(_wrong_wait(told, training_seconds))
    elif told is None and (len(copied) < len(data) or not data):
        notes.append(_unseen([each for each in data if each not in copied]))
    if copied:
        notes.append("downloading may hold the pull of the image, too: so much at the most was data")
    ends = [each.start_seconds + each.seconds for each in segments]
    return Timeline(
        job=job,
        segments=segments,
        total_seconds=max([_since(job.created, job.ended or now), *ends]),
        data_wait_seconds=told if is_right else None,
        notes=tuple(notes),
    )


def _segments(job: JobDescription, now: datetime, copies_data: bool) -> Iterator[Segment]:
    for each, following in zip_longest(job.transitions, job.transitions[1:]):
        if each.status in ENDS:
            continue
        phase = PHASE_OF.get(each.status, Phase.OTHER)
        is_open = each.ended is None and following is None and not job.is_over
        yield Segment(
            phase=Phase.IMAGE if phase is Phase.DOWNLOADING and not copies_data else phase,
            status=each.status,
            start_seconds=_since(job.created, each.started),
            seconds=_since(each.started, now if is_open else _end(each, following, job)),
            is_open=is_open,
        )


def _end(each: Transition, following: Transition | None, job: JobDescription) -> datetime:
    if each.ended is not None:
        return each.ended
    return following.started if following else job.ended or each.started


def _since(start: datetime, end: datetime) -> float:
    return max(0.0, (end - start).total_seconds())  # this machine's clock may be behind the service's


def _wrong_wait(told: float, training_seconds: float) -> str:
    return (
        f"{DATA_WAIT_METRIC} is {told:g}; allowed: 0 to the {training_seconds:.1f} seconds of training; left out; "
        "fix: let the script print the seconds per instance over the whole job"
    )


def _unseen(channels: Sequence[ChannelDescription]) -> str:
    what = ", ".join(f"{each.name} ({each.road.name if each.road else each.location})" for each in channels)
    return (
        f"{what or 'what the script reads by itself'}: read within training, where SageMaker sees no waiting; "
        f"a metric {DATA_WAIT_METRIC} would tell it"
    )
