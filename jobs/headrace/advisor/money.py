"""What a job on a road costs, item by item; each with its arithmetic.

A file system that is made for the job, or for all the jobs, is counted from its creation to its deletion; a shared one
that stands anyway while the job uses it; one that would have to stand, for a month that the jobs share. What is copied,
to EFS or into shards, is stored for a month. Where the data lies now is not counted: that is paid for anyway.
An item whose price is not known is None, and so is the sum.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from headrace.advisor.efs_road import billed_mb_per_second
from headrace.advisor.helper_jobs import (
    LOAD_INSTANCE,
    PACK_INSTANCE,
    billed_of,
    preload_instance,
)
from headrace.advisor.question import SECONDS_PER_HOUR, Question
from headrace.advisor.shape import Packing, Shape, volume_gb
from headrace.advisor.span import NONE, Span, exactly, total
from headrace.advisor.variants import EfsMode, LustreState, Variant, stands
from headrace.dataset.profile import Where
from headrace.figures.prices import HOURS_PER_MONTH, Item
from headrace.roads import EFS, LUSTRE, S3_FAST_FILE, S3_FILE, S3_PIPE, Road

INSTANCES: Final = "instances"
ON_SPOT: Final = "instances on Spot"
VOLUME: Final = "ML volume"
FILE_SYSTEM: Final = "file system"
_GB: Final = 1e9
_PART_BYTES: Final = 8 << 20
_KEYS_PER_LIST: Final = 1000


class Part(NamedTuple):
    """So much at a price; ``usd`` is None where that is not known. ``factor``: what is left of the price."""

    quantity: Span
    unit: str
    usd: float | None
    factor: float = 1.0

    def __str__(self) -> str:
        told = "price unknown" if self.usd is None else f"${self.usd:,.6g}"
        return f"{self.quantity.point:,.4g} {self.unit} x {told}{'' if self.factor == 1 else f' x {self.factor:.3g}'}"


class Cost(NamedTuple):
    """One item of the bill in US dollars; ``usd`` is None where a price is not known."""

    name: str
    usd: Span | None
    parts: tuple[Part, ...]
    note: str = ""

    @property
    def arithmetic(self) -> str:
        """How the item comes about."""
        return self.note or " + ".join(map(str, self.parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A job on a road, in seconds: what the bill is made of. ``packing``: what was packed before, if anything was."""

    variant: Variant
    question: Question
    shape: Shape
    packing: Packing | None
    waiting: Mapping[str, Span]
    billed: Span
    repeats: float
    """How often Spot lets the job begin anew."""


def costs_of(course: Course) -> tuple[Cost, ...]:
    """Every item of the bill."""
    return (
        _instances(course),
        *_volume(course),
        *_ROADS[course.variant.road](course),
        *_packing(course),
    )


def _priced(name: str, *parts: Part) -> Cost:
    spans = [each.quantity.times(each.usd * each.factor) for each in parts if each.usd is not None]
    if len(spans) < len(parts):
        return Cost(name, None, parts)
    return Cost(name, spans[0] if len(spans) == 1 else total(spans), parts)


def _hours(seconds: Span, count: float = 1) -> Span:
    return seconds.times(count / SECONDS_PER_HOUR)


def _instances(course: Course) -> Cost:
    fleet, prices = course.question.fleet, course.question.prices
    kind = fleet.instance_type.name
    factor = 1 - fleet.spot.saving_percent / 100 if fleet.spot else 1.0
    hours = _hours(course.billed, fleet.instances)
    name = ON_SPOT if fleet.spot else INSTANCES
    return _priced(name, Part(hours, f"h of {kind}", prices.usd(Item.TRAINING_HOUR, kind), factor))


def _volume(course: Course) -> Iterator[Cost]:
    fleet = course.question.fleet
    is_copied = course.variant.road is S3_FILE
    copied = course.shape.share(fleet.shares).size_bytes if is_copied else 0
    if gib := volume_gb(course.question, copied):
        months = _hours(course.billed, gib * fleet.instances / HOURS_PER_MONTH)
        yield _priced(VOLUME, Part(months, "GB-months", course.question.prices.usd(Item.ML_VOLUME_GB_MONTH)))


def _requests(course: Course, gets: float, puts_and_lists: float, name: str = "S3 requests") -> Cost:
    prices = course.question.prices
    return _priced(
        name,
        Part(exactly(gets / 1000), "thousand GET", prices.usd(Item.S3_GET_1000)),
        Part(exactly(puts_and_lists / 1000), "thousand PUT and LIST", prices.usd(Item.S3_PUT_LIST_1000)),
    )


def _copies(course: Course) -> int:
    fleet = course.question.fleet
    return fleet.instances // fleet.shares


def _of_file(course: Course) -> Iterator[Cost]:
    times = _copies(course) * (1 + course.repeats)
    files = course.shape.files
    yield _requests(course, files * times, files / _KEYS_PER_LIST * times)


def _of_fast_file(course: Course) -> Iterator[Cost]:
    lists = course.shape.files / _KEYS_PER_LIST * _copies(course) * (1 + course.repeats)
    yield _requests(course, course.shape.requests * course.question.workload.epochs, lists)


def _of_pipe(course: Course) -> Iterator[Cost]:
    times = _copies(course) * course.question.workload.epochs
    yield _requests(course, course.shape.files * times, course.shape.files / _KEYS_PER_LIST * times)


def _of_lustre(course: Course) -> Iterator[Cost]:
    state, question = course.variant.lustre, course.question
    assert state is not None
    is_made = not stands(course.variant, question)
    jobs = question.workload.jobs if state.is_shared or state is LustreState.HELD_PRELOADED else 1
    price = question.prices.usd(Item.LUSTRE_SCRATCH_2_GB_MONTH)
    gib_months = _lifetime_months(course, jobs).times(course.variant.capacity_gib)
    yield _priced(FILE_SYSTEM, Part(gib_months, "GB-months of SCRATCH_2", price))
    if "preload" in course.waiting:
        yield _job("preload", "preload", preload_instance(question, course.variant.capacity_gib), course, jobs)
    if is_made or state.is_cold:
        yield _requests(course, course.shape.files / jobs, course.shape.files / _KEYS_PER_LIST / jobs)
    yield _no_crossing()


def _lifetime_months(course: Course, jobs: int) -> Span:
    """For how long the job pays for a Lustre: what it takes, if it stands anyway; a month for all jobs, if it would.

    One that is made for the job, or for all of them, is billed from its creation to its deletion.
    """
    state, question = course.variant.lustre, course.question
    assert state is not None
    used = total((course.billed, *course.waiting.values()))
    if stands(course.variant, question):
        return _hours(used, 1 / HOURS_PER_MONTH)
    if state.is_shared:
        month = 1 / jobs
        return Span(*(max(month, each) for each in _hours(used, 1 / HOURS_PER_MONTH)))
    deleting = question.speeds.lustre_delete_seconds.times(1 / jobs)
    return _hours(total((course.billed, deleting, *course.waiting.values())), 1 / HOURS_PER_MONTH)


def _of_efs(course: Course) -> Iterator[Cost]:
    question, prices = course.question, course.question.prices
    gib, jobs = course.shape.size_bytes / (1 << 30), question.workload.jobs
    used = _hours(total((course.billed, *course.waiting.values())))
    is_loaded = question.profile.where is not Where.EFS
    if is_loaded:
        # the copy stands until somebody deletes it
        months = Span(*(max(1 / jobs, each / HOURS_PER_MONTH) for each in used))
        yield _priced("EFS storage", Part(months.times(gib), "GB-months", prices.usd(Item.EFS_STANDARD_GB_MONTH)))
    if course.variant.efs_mode is EfsMode.PROVISIONED:
        least = question.speeds.efs_provisioned_least_hours.point / jobs
        hours = Span(*(max(least, each) for each in used))
        months = hours.times(billed_mb_per_second(question, course.shape) / HOURS_PER_MONTH)
        yield _priced("EFS throughput", Part(months, "MB/s-months", prices.usd(Item.EFS_PROVISIONED_MBPS_MONTH)))
    elif course.variant.efs_mode is EfsMode.ELASTIC:
        read = exactly(gib * question.workload.epochs)
        yield _priced("EFS reads", Part(read, "GB", prices.usd(Item.EFS_ELASTIC_READ_GB)))
        if is_loaded:
            yield _priced("EFS writes", Part(exactly(gib / jobs), "GB", prices.usd(Item.EFS_ELASTIC_WRITE_GB)))
    if is_loaded:
        yield _job("load", "load", LOAD_INSTANCE, course, jobs)
        yield _requests(course, course.shape.files / jobs, course.shape.files / _KEYS_PER_LIST / jobs)
    yield _no_crossing()


def _job(name: str, phase: str, instance_type: str, course: Course, jobs: int) -> Cost:
    """A job that makes the road ready for so many jobs, each of which waits for its share of it."""
    usd = course.question.prices.usd(Item.TRAINING_HOUR, instance_type)
    billed = billed_of(course.waiting[phase].times(jobs), course.question.speeds)
    return _priced(name, Part(_hours(billed, 1 / jobs), f"h of {instance_type}", usd))


def _no_crossing() -> Cost:
    return Cost("cross-AZ traffic", NONE, (), "0 GB: headrace runs the job in the file system's zone")


def _packing(course: Course) -> Iterator[Cost]:
    packing, jobs = course.packing, course.question.workload.jobs
    if packing is None:
        return
    yield _job("packing", "pack", PACK_INSTANCE, course, jobs)
    puts = packing.shards * math.ceil(course.question.speeds.shard_mb.point * 1e6 / _PART_BYTES)
    yield _requests(course, packing.small_files / jobs, puts / jobs, "S3 requests of packing")
    months = exactly(packing.small_bytes / _GB / jobs)
    yield _priced("storage of shards", Part(months, "GB-months", course.question.prices.usd(Item.S3_STANDARD_GB_MONTH)))


_ROADS: Final[Mapping[Road, Callable[[Course], Iterator[Cost]]]] = {
    S3_FILE: _of_file,
    S3_FAST_FILE: _of_fast_file,
    S3_PIPE: _of_pipe,
    LUSTRE: _of_lustre,
    EFS: _of_efs,
}
