"""The roads from S3: the copy of File mode, FastFile, which streams on read, and the FIFO of Pipe mode."""

from __future__ import annotations

from headrace.advisor.question import Question
from headrace.advisor.reading import (
    Bound,
    Epoch,
    Passage,
    bounded,
    image_seconds,
    megabytes,
    network_mb_per_second,
    of_a_larger_instance,
    reading_of,
    starting,
    volume_mb_per_second,
    walk_seconds,
    written_seconds,
)
from headrace.advisor.shape import Shape
from headrace.advisor.span import NONE, Span, largest, over, smallest, total
from headrace.advisor.speeds import Speeds
from headrace.advisor.variants import Variant


def _fast_file_requests_per_second(question: Question, known: Speeds) -> Span:
    """Few readers wait for each file; many are bound by what SageMaker's agent asks S3 for."""
    asked = over(question.readers, known.fast_file_file_seconds)
    return smallest(asked, of_a_larger_instance(known.s3_small_objects_per_second, question))


def file_passage(variant: Variant, question: Question, shape: Shape) -> Passage:
    """File mode: the data is copied to the instance's volume while the image is pulled."""
    del variant
    known = question.speeds
    copied = shape.share(question.fleet.shares)
    speed = bounded(known.file_mode_mb_per_second, network_mb_per_second(question))
    written = written_seconds(megabytes(copied), question)
    requests = over(copied.files, of_a_larger_instance(known.s3_small_objects_per_second, question))
    download = total((requests, largest(over(megabytes(copied), speed), written)))
    # both write to the same volume
    ready = {"download and image": largest(total((image_seconds(question), written)), download)}
    local = _from_volume(question, shape.share(question.fleet.instances), copied)
    return Passage(waiting=starting(question), ready=ready, first=local, later=local)


def _from_volume(question: Question, read: Shape, copied: Shape) -> Epoch:
    known, kind = question.speeds, question.fleet.instance_type
    if copied.size_bytes <= kind.memory_gib * known.page_cache_share.point * (1 << 30):
        return Epoch(NONE, Bound.BYTES)
    reads = known.nvme_reads_per_second if kind.nvme_gb else known.ebs_volume_reads_per_second
    return reading_of(over(read.requests, reads), over(megabytes(read), volume_mb_per_second(question)))


def fast_file_passage(variant: Variant, question: Question, shape: Shape) -> Passage:
    """FastFile: the prefix is listed, and files are fetched when they are read, in each epoch anew."""
    del variant
    known = question.speeds
    read = shape.share(question.fleet.instances)
    together = of_a_larger_instance(known.fast_file_mb_per_second, question)
    speed = smallest(together, known.fast_file_stream_mb_per_second.times(question.readers))
    speed = bounded(speed, network_mb_per_second(question))
    requests = over(read.requests, _fast_file_requests_per_second(question, known))
    reading = reading_of(requests, over(megabytes(read), speed))
    listed = shape.share(question.fleet.shares)
    ready = {
        "image": image_seconds(question),
        "listing": over(listed.files, known.s3_list_objects_per_second),
        "walk": walk_seconds(listed, known),
    }
    return Passage(waiting=starting(question), ready=ready, first=reading, later=reading)


def pipe_passage(variant: Variant, question: Question, shape: Shape) -> Passage:
    """Pipe mode: one stream for each instance and epoch, read from its beginning to its end."""
    del variant
    known = question.speeds
    # a FIFO is read by one process from its beginning to its end: every instance reads all, unless it is sharded
    read = shape.share(question.fleet.shares)
    speed = bounded(known.pipe_mb_per_second, network_mb_per_second(question))
    requests = over(read.files, of_a_larger_instance(known.s3_small_objects_per_second, question))
    reading = reading_of(requests, over(megabytes(read), speed))
    ready = {"image": image_seconds(question), "listing": over(read.files, known.s3_list_objects_per_second)}
    return Passage(waiting=starting(question), ready=ready, first=reading, later=reading)
