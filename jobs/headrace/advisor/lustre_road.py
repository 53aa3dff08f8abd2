"""The road over FSx for Lustre: shared or made for the job, its content loaded before, or by the first epoch."""

from __future__ import annotations

from headrace.advisor.helper_jobs import preload_seconds
from headrace.advisor.question import Question
from headrace.advisor.reading import (
    Bound,
    Epoch,
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
from headrace.advisor.span import Span, largest, over, smallest
from headrace.advisor.speeds import Speeds
from headrace.advisor.variants import LustreState, Variant, stands
from headrace.figures.lustre_content import GIB_PER_TIB


def lustre_passage(variant: Variant, question: Question, shape: Shape) -> Passage:
    """Made, linked, imported and loaded as the variant says; then mounted, and read by all instances together."""
    known = question.speeds
    state, tib = variant.lustre, variant.capacity_gib / GIB_PER_TIB
    assert state is not None
    waiting = _making(variant, question, shape)
    read = shape.share(question.fleet.instances)
    warm = _from_lustre(question, read, tib, known)
    cold = warm
    if state.is_cold:
        content = over(megabytes(shape), known.lustre_content_mb_per_second_per_tib.times(tib))
        files = known.lustre_cold_file_seconds.times(read.files / question.readers)
        streams = over(megabytes(read), known.lustre_cold_stream_mb_per_second.times(question.readers))
        seconds = largest(content, streams, files, warm.seconds)
        if state is LustreState.SHARED_COLD:
            # the first of the jobs loads it for the others
            jobs = question.workload.jobs
            others = warm.seconds.times((jobs - 1) / jobs)
            seconds = Span(*(one / jobs + rest for one, rest in zip(seconds, others, strict=True)))
        cold = Epoch(seconds, Bound.FILES if files.point > content.point else Bound.CONTENT)
    ready = {"image": image_seconds(question), "mount": known.mount_seconds, "walk": walk_seconds(shape, known)}
    return Passage(waiting={**waiting, **starting(question)}, ready=ready, first=cold, later=warm)


def _making(variant: Variant, question: Question, shape: Shape) -> dict[str, Span]:
    """What is waited for until the file system is there, with the data in it: a share of each job that uses it."""
    known, state = question.speeds, variant.lustre
    if state is None or stands(variant, question):
        return {}
    is_for_all = state.is_shared or state is LustreState.HELD_PRELOADED
    share = 1 / question.workload.jobs if is_for_all else 1.0
    waiting = {
        "create": known.lustre_create_seconds.times(share),
        "import": over(shape.files * share, known.lustre_import_objects_per_second),
    }
    if state.is_preloaded or state is LustreState.SHARED_WARM:
        waiting["preload"] = preload_seconds(question, shape, variant.capacity_gib).times(share)
    return waiting


def _from_lustre(question: Question, read: Shape, tib: float, known: Speeds) -> Epoch:
    disks = known.lustre_read_mb_per_second_per_tib.times(tib / question.fleet.instances)
    speed = smallest(disks, known.lustre_stream_mb_per_second.times(question.readers))
    speed = bounded(speed, network_mb_per_second(question))
    requests = known.lustre_file_seconds.times(read.requests / question.readers)
    return reading_of(requests, over(megabytes(read), speed))
