"""The road over EFS, per throughput mode; data that lies in S3 is loaded into it first.

Bursting: a file system of up to 1 TiB bursts at a fixed rate until its credits are spent, then reads at a rate that its
size gives. Provisioned: what is paid for; reads count as a third. Elastic: whatever is read, paid by the GB.
Source: Amazon EFS User Guide, "Amazon EFS performance specifications".
"""

from __future__ import annotations

from typing import Final

from headrace.advisor.helper_jobs import load_seconds
from headrace.advisor.question import Question
from headrace.advisor.reading import (
    Passage,
    bounded,
    image_seconds,
    megabytes,
    network_mb_per_second,
    reading_of,
    starting,
    walk_seconds,
)
from headrace.advisor.shape import Shape
from headrace.advisor.span import Span, exactly, largest, over, smallest
from headrace.advisor.speeds import Speeds
from headrace.advisor.variants import EfsMode, Variant
from headrace.dataset.profile import Where

_BYTES_PER_TIB: Final = 1 << 40
_HEADROOM: Final = 2
_UNKNOWN_NEED_MB_PER_SECOND: Final = 256.0
_QUICK_EPOCH_SECONDS: Final = 60.0
_SLOWEST_MB_PER_SECOND: Final = 1.0


def efs_passage(variant: Variant, question: Question, shape: Shape) -> Passage:
    """Loaded if it must be, mounted, and read by all instances together."""
    known = question.speeds
    assert variant.efs_mode is not None
    instances, jobs = question.fleet.instances, question.workload.jobs
    waiting = {}
    if question.profile.where is not Where.EFS:
        written = provisioned_mb_per_second(question, shape) if variant.efs_mode is EfsMode.PROVISIONED else None
        waiting["load"] = load_seconds(shape, known, written).times(1 / jobs)
    read = shape.share(instances)
    is_elastic = variant.efs_mode is EfsMode.ELASTIC
    client = known.efs_elastic_client_mb_per_second if is_elastic else known.efs_client_mb_per_second
    together = _mb_per_second(variant.efs_mode, question, shape, known)
    speed = bounded(smallest(together.times(1 / instances), client), network_mb_per_second(question))
    requests = known.efs_file_seconds.times(read.requests / question.readers)
    reading = reading_of(requests, over(megabytes(read), speed))
    ready = {"image": image_seconds(question), "mount": known.mount_seconds, "walk": walk_seconds(shape, known)}
    return Passage(waiting={**waiting, **starting(question)}, ready=ready, first=reading, later=reading)


def _mb_per_second(mode: EfsMode, question: Question, shape: Shape, known: Speeds) -> Span:
    """What the file system gives to all of its clients together."""
    if mode is EfsMode.ELASTIC:
        each = known.efs_elastic_client_mb_per_second
        return smallest(each.times(question.fleet.instances), known.efs_elastic_most_mb_per_second)
    if mode is EfsMode.PROVISIONED:
        paid = known.efs_reads_count_as.times(provisioned_mb_per_second(question, shape))
        return smallest(paid, known.efs_provisioned_most_mb_per_second)
    tib = shape.size_bytes / _BYTES_PER_TIB
    burst = smallest(known.efs_bursting_read_mb_per_second.times(max(1.0, tib)), known.efs_bursting_most_mb_per_second)
    baseline = known.efs_bursting_baseline_mb_per_second_per_tib.times(tib)
    slow = largest(smallest(baseline, known.efs_bursting_most_mb_per_second), exactly(_SLOWEST_MB_PER_SECOND))
    whole_gb = shape.size_bytes * question.workload.epochs * question.workload.jobs / 1e9
    # credits are kept per TiB, too
    in_burst = min(1.0, known.efs_bursting_credit_gb.point * max(1.0, tib) / whole_gb) if whole_gb else 1.0
    return Span(*(1 / (in_burst / fast + (1 - in_burst) / late) for fast, late in zip(burst, slow, strict=True)))


def provisioned_mb_per_second(question: Question, shape: Shape) -> float:
    """What is worth provisioning: twice what the job reads per second, of which reads count a third.

    Twice, since a reader waits for the file before its bytes come; and no more than a file system reads at the most.
    """
    known, per_second = question.speeds, question.workload.samples_per_second
    if not per_second:
        return min(_UNKNOWN_NEED_MB_PER_SECOND, max(_SLOWEST_MB_PER_SECOND, megabytes(shape) / _QUICK_EPOCH_SECONDS))
    seconds = max(1.0, question.samples / question.fleet.instances / per_second)
    needed = _HEADROOM * megabytes(shape) / seconds / known.efs_reads_count_as.point
    most = known.efs_provisioned_most_mb_per_second.point / known.efs_reads_count_as.point
    return min(most, max(_SLOWEST_MB_PER_SECOND, needed))


def billed_mb_per_second(question: Question, shape: Shape) -> float:
    """Of what is provisioned, what the file system's own size does not bring."""
    included = question.speeds.efs_included_mb_per_second_per_tib.point * shape.size_bytes / _BYTES_PER_TIB
    return max(0.0, provisioned_mb_per_second(question, shape) - included)
