"""The jobs that make a road ready: preload Lustre, load EFS, pack small files; on which instance, and how long.

Each is a training job on a CPU instance of its own; the time until it has the instance is waited for, and not billed.
"""

from __future__ import annotations

from typing import Final

from headrace.advisor.question import Question
from headrace.advisor.reading import megabytes
from headrace.advisor.shape import Packing, Shape
from headrace.advisor.span import Span, exactly, largest, over, smallest, total
from headrace.advisor.speeds import Speeds
from headrace.figures.instance_types import all_instance_types
from headrace.figures.lustre_content import GIB_PER_TIB, content_mb_per_second, instance_for, network_of, readers_for
from headrace.figures.prices import Item

LOAD_INSTANCE: Final = "ml.m5.large"
"""What ``headrace efs load`` takes by itself."""
PACK_INSTANCE: Final = "ml.m5.4xlarge"
"""16 vCPUs, on which packing was measured."""


def preload_seconds(question: Question, shape: Shape, capacity_gib: int) -> Span:
    """What a preload job takes: as long as the disks, its readers' streams, its network and each file let it."""
    known, network = question.speeds, network_of(preload_instance(question, capacity_gib))
    disks = known.lustre_content_mb_per_second_per_tib.times(capacity_gib / GIB_PER_TIB)
    readers = readers_for(disks.point)
    speed = smallest(disks, known.lustre_cold_stream_mb_per_second.times(readers))
    if network is not None:
        speed = smallest(speed, exactly(network))
    files = known.lustre_cold_file_seconds.times(shape.files / readers)
    return _of_a_job(largest(over(megabytes(shape), speed), files), known)


def preload_instance(question: Question, capacity_gib: int) -> str:
    """What ``headrace preload`` takes by itself, or what does as well and has a price.

    Where nothing with a price brings what the file system takes, the largest network that has one: it takes longer.
    """
    needed = content_mb_per_second(capacity_gib)
    usual = instance_for(needed).name
    priced = {name: price.usd for (item, name), price in question.prices.of.items() if item is Item.TRAINING_HOUR}
    if usual in priced or not priced:
        return usual
    networks = {name: network_of(name) or 0.0 for name in priced if not _has_accelerators(name)}
    enough = [name for name, network in networks.items() if network >= needed]
    if enough:
        return min(enough, key=lambda each: (priced[each], each))
    return max(networks, key=lambda each: (networks[each], each), default=usual)


def _has_accelerators(name: str) -> bool:
    known = all_instance_types().get(name)
    return known is None or known.accelerators > 0


def load_seconds(shape: Shape, known: Speeds, written_mb_per_second: float | None = None) -> Span:
    """A job that copies the data set from S3 to EFS (``headrace efs load``).

    ``written_mb_per_second``: what a provisioned file system takes; None: more than the job copies.
    """
    files = over(shape.files, known.efs_load_files_per_second)
    speed = known.efs_load_mb_per_second
    if written_mb_per_second is not None:
        speed = smallest(speed, exactly(written_mb_per_second))
    return _of_a_job(largest(files, over(megabytes(shape), speed)), known)


def packing_seconds(packing: Packing, known: Speeds) -> Span:
    """A job that reads the small files in parallel and writes them as shards."""
    files = over(packing.small_files, known.pack_files_per_second)
    return _of_a_job(largest(files, over(packing.small_bytes / 1e6, known.pack_mb_per_second)), known)


def billed_of(seconds: Span, known: Speeds) -> Span:
    """Of what such a job takes, what is billed."""
    free = known.starting_seconds
    return Span(*(max(0.0, whole - start) for whole, start in zip(seconds, free, strict=True)))


def _of_a_job(work: Span, known: Speeds) -> Span:
    return total((known.starting_seconds, known.job_overhead_seconds, work))
