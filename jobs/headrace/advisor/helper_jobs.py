"""The jobs that make a road ready: preload Lustre, load EFS, pack small files; on which instance, and how long.

Each is a training job on a CPU instance of its own; the time until it has the instance is waited for, and not billed.
"""

from __future__ import annotations

from typing import Final

from headrace.advisor.question import Question
from headrace.advisor.reading import megabytes
from headrace.advisor.shape import Packing, Shape
from headrace.advisor.span import Span, largest, over, total
from headrace.advisor.speeds import Speeds
from headrace.figures.instance_types import all_instance_types
from headrace.figures.lustre_content import GIB_PER_TIB, content_mb_per_second, instance_for, readers_for
from headrace.figures.prices import Item

LOAD_INSTANCE: Final = "ml.m5.large"
"""What ``headrace efs load`` takes by itself."""
PACK_INSTANCE: Final = "ml.m5.4xlarge"
"""16 vCPUs, on which packing was measured."""


def preload_seconds(shape: Shape, capacity_gib: int, known: Speeds) -> Span:
    """What a preload job takes, with the readers that it takes by itself."""
    content = known.lustre_content_mb_per_second_per_tib.times(capacity_gib / GIB_PER_TIB)
    files = known.lustre_cold_file_seconds.times(shape.files / readers_for(content.point))
    return _of_a_job(largest(over(megabytes(shape), content), files), known)


def preload_instance(question: Question, capacity_gib: int) -> str:
    """What ``headrace preload`` takes by itself; where its price is not known, the cheapest CPU type that does too."""
    needed, known = content_mb_per_second(capacity_gib), all_instance_types()
    usual = instance_for(needed).name
    if question.prices.usd(Item.TRAINING_HOUR, usual) is not None:
        return usual
    priced = [
        (price.usd, name)
        for (item, name), price in question.prices.of.items()
        if item is Item.TRAINING_HOUR
        and name in known
        and not known[name].accelerators
        and (known[name].network_mb_per_second or 0) >= needed
    ]
    return min(priced)[1] if priced else usual


def load_seconds(shape: Shape, known: Speeds) -> Span:
    """A job that copies the data set from S3 to EFS (``headrace efs load``)."""
    files = over(shape.files, known.efs_load_files_per_second)
    return _of_a_job(largest(files, over(megabytes(shape), known.efs_load_mb_per_second)), known)


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
