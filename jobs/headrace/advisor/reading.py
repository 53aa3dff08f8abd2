"""How long a job takes: what people wait for before it is billed, then what is billed, phase by phase.

    billed = overhead + getting ready + first epoch + further epochs + upload + what Spot repeats
    epoch  = the longest of computing, preparing and reading, since a script reads ahead while it computes

Getting ready is where the roads differ: File mode copies the data while the image is pulled, so only the longer of the
two counts; FastFile lists it; file systems attach the job's network and mount; scripts walk what is mounted. Reading is
per file and per byte: a file costs a request, however small it is. A cold Lustre loads its content from S3 in the first
epoch, later epochs find it. Instances share an epoch's samples; each copies all of the data in File mode unless the
objects are sharded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from headrace.advisor.question import Question, ReadOrder
from headrace.advisor.shape import Shape
from headrace.advisor.span import NONE, Span, largest, over, smallest, total
from headrace.advisor.speeds import Speeds

_BYTES_PER_MB: Final = 1e6
_MB_PER_GB: Final = 1000


class Bound(StrEnum):
    """What an epoch takes its time for."""

    COMPUTING = "computing"
    PREPARING = "preparing samples"
    FILES = "a request for each file"
    BYTES = "throughput"
    CONTENT = "loading from S3"


class Epoch(NamedTuple):
    """Seconds of an epoch, or of what is read in it, and what they are spent on."""

    seconds: Span
    bound: Bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """What a road takes, beside what every job takes. ``waiting``: by name, before the job is billed.

    ``ready``: by name, billed before the script starts. ``first``, ``later``: what is read in an epoch.
    """

    waiting: Mapping[str, Span]
    ready: Mapping[str, Span]
    first: Epoch
    later: Epoch


def epoch(reading: Epoch, question: Question, *, is_first: bool) -> Epoch:
    """An epoch in which computing, preparing and reading go on at the same time.

    In the first one the script comes into its stride, while what reads ahead is at work already.
    """
    workload, instances = question.workload, question.fleet.instances
    samples = question.samples / instances
    computing = _at_rate(samples, workload.samples_per_second, question.speeds)
    is_known = workload.samples_per_second is not None
    if is_first:
        computing = total((computing, question.speeds.script_start_seconds))
    preparing = _at_rate(samples, workload.prepared_samples_per_second, question.speeds)
    seconds = largest(computing, preparing, reading.seconds)
    if seconds.point == computing.point and (is_known or not reading.seconds.point):
        return Epoch(seconds=seconds, bound=Bound.COMPUTING)
    is_prepared = preparing.point > 0 and seconds.point == preparing.point
    return Epoch(seconds=seconds, bound=Bound.PREPARING if is_prepared else reading.bound)


def _at_rate(samples: float, per_second: float | None, known: Speeds) -> Span:
    return known.compute_spread.times(samples / per_second) if per_second else NONE


def megabytes(shape: Shape) -> float:
    """The bytes of a shape in MB."""
    return shape.size_bytes / _BYTES_PER_MB


def network_mb_per_second(question: Question) -> Span | None:
    """The instance's network: its baseline, or more while its burst lasts; None where it is not known."""
    kind = question.fleet.instance_type
    lasting, burst = kind.network_mb_per_second, kind.network_burst_mb_per_second
    return None if lasting is None else Span(lasting, lasting, max(lasting, burst or 0.0))


def bounded(speed: Span, bound: Span | None) -> Span:
    """A speed that something else may bound; None bounds nothing."""
    return speed if bound is None else smallest(speed, bound)


def reading_of(requests: Span, content: Span) -> Epoch:
    """Requests and bytes, one after the other: while a reader waits for a file, its stream stands still."""
    seconds = total((requests, content))
    return Epoch(seconds, Bound.FILES if requests.point > content.point else Bound.BYTES)


def walk_seconds(shape: Shape, known: Speeds) -> Span:
    """Until a script has found the files of a mounted folder."""
    return over(shape.files, known.walk_files_per_second)


def image_seconds(question: Question) -> Span:
    """Until the training image is there; an instance of a warm pool has it."""
    if question.fleet.is_warm:
        return NONE
    return over(question.image_gb * _MB_PER_GB, question.speeds.image_pull_mb_per_second)


def of_a_larger_instance(speed: Span, question: Question) -> Span:
    """A speed that was measured on a small instance; a larger one may have more of it, which nobody has measured."""
    more = question.fleet.instance_type.vcpus / question.speeds.measured_vcpus.point
    return Span(speed.point, speed.low, speed.high * max(1.0, more))


def volume_mb_per_second(question: Question) -> Span:
    """What an instance reads and writes on its volume, for as long as it takes: local NVMe, or EBS."""
    known, kind = question.speeds, question.fleet.instance_type
    if kind.nvme_gb:
        return known.nvme_mb_per_second.times(max(1.0, kind.nvme_gb // known.nvme_drive_gb.point))
    lasting, burst = kind.ebs_mb_per_second, kind.ebs_burst_mb_per_second
    if lasting is None:
        return known.ebs_volume_mb_per_second
    return smallest(known.ebs_volume_mb_per_second, Span(lasting, lasting, max(lasting, burst or 0.0)))


def written_seconds(size_mb: float, question: Question) -> Span:
    """How long the volume takes what is copied to it: EBS has its burst for a while, then its baseline."""
    lasting = volume_mb_per_second(question)
    seconds = over(size_mb, lasting)
    in_burst_mb = min(size_mb, question.speeds.ebs_burst_seconds.point * lasting.high)
    point = in_burst_mb / lasting.high + (size_mb - in_burst_mb) / lasting.point
    is_ebs = not question.fleet.instance_type.nvme_gb and lasting.high > lasting.point
    return Span(point, min(point, seconds.low), max(point, seconds.high)) if is_ebs else seconds


def starting(question: Question) -> dict[str, Span]:
    """Until the job has its instances: not billed."""
    known = question.speeds
    return {"starting": known.warm_starting_seconds if question.fleet.is_warm else known.starting_seconds}


def requests_of(question: Question, files: float) -> float:
    """Reads that each begin anew: of whole files from their beginning, or of single samples anywhere in them."""
    if question.workload.read_order is ReadOrder.RANDOM:
        return max(files, question.samples)
    return files
