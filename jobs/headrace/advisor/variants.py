"""The roads in all the ways that are worth a look: a road of :data:`headrace.roads.ROADS`, and how it is made ready.

A variant is a name for what people decide; what each takes and costs is the business of
:mod:`headrace.advisor.passages` and :mod:`headrace.advisor.money`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from headrace.advisor.question import Question
from headrace.advisor.shape import packing_of
from headrace.roads import EFS, LUSTRE, ROADS, S3_FAST_FILE, S3_FILE, S3_PIPE, Place, Road
from headrace.rules.lustre import DEFAULT_QUOTA_GIB
from headrace.rules.lustre_sizing import LARGEST_DATASET_GIB, legal_capacity_gib, next_capacity_gib

BYTES_PER_GIB = 1 << 30
_LARGER_SIZES = 3


class LustreState(StrEnum):
    """In which state a job finds its Lustre file system, and for whom that was made."""

    SHARED_WARM = "shared, loaded"
    SHARED_COLD = "shared, not loaded"
    EPHEMERAL = "for one job"
    EPHEMERAL_PRELOADED = "for one job, preloaded"
    HELD_PRELOADED = "for all the jobs, preloaded"

    @property
    def is_shared(self) -> bool:
        """Whether it was there before, and stays."""
        return self in (LustreState.SHARED_WARM, LustreState.SHARED_COLD)

    @property
    def is_preloaded(self) -> bool:
        """Whether its content is loaded while nobody trains."""
        return self in (LustreState.EPHEMERAL_PRELOADED, LustreState.HELD_PRELOADED)

    @property
    def is_cold(self) -> bool:
        """Whether the first epoch loads content from S3."""
        return self in (LustreState.SHARED_COLD, LustreState.EPHEMERAL)


class EfsMode(StrEnum):
    """ThroughputMode of an EFS file system."""

    BURSTING = "bursting"
    PROVISIONED = "provisioned"
    ELASTIC = "elastic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way to bring the data. ``is_packed``: after packing small files into shards."""

    road: Road
    is_packed: bool = False
    lustre: LustreState | None = None
    capacity_gib: int = 0
    efs_mode: EfsMode | None = None

    @property
    def name(self) -> str:
        """For people, and unique among the variants of a question."""
        parts = [self.road.name]
        if self.lustre is not None:
            parts += [self.lustre.value, f"{self.capacity_gib:,} GiB"]
        if self.efs_mode is not None:
            parts.append(self.efs_mode.value)
        if self.is_packed:
            parts.append("packed")
        return ", ".join(parts)


def variants_for(question: Question) -> Iterator[Variant]:
    """Every variant, those that a rule will refuse too."""
    packs = question.workload.can_pack and packing_of(question.profile, question.speeds) is not None
    for road in ROADS:
        yield from _of_road(road, question)
        if packs and road.place is Place.S3:
            yield Variant(road=road, is_packed=True)


def _of_road(road: Road, question: Question) -> Iterator[Variant]:
    if road is LUSTRE:
        for capacity_gib in capacities_gib(question):
            for state in LustreState:
                if state is not LustreState.HELD_PRELOADED or question.workload.jobs > 1:
                    yield Variant(road=road, lustre=state, capacity_gib=capacity_gib)
    elif road is EFS:
        for mode in EfsMode:
            yield Variant(road=road, efs_mode=mode)
    else:
        assert road in (S3_FILE, S3_FAST_FILE, S3_PIPE)
        yield Variant(road=road)


def capacities_gib(question: Question) -> list[int]:
    """The smallest capacity that holds the data set, and up to three doublings, whose disks read and write more.

    And that of the shared file system, where it is large enough.
    """
    gib = min(question.profile.size_bytes / BYTES_PER_GIB, LARGEST_DATASET_GIB)
    capacities = [legal_capacity_gib(gib or 1).storage_capacity_gib]
    while len(capacities) <= _LARGER_SIZES:
        following = next_capacity_gib(2 * capacities[-1])
        if following > DEFAULT_QUOTA_GIB:
            break
        capacities.append(following)
    if question.shared_lustre_gib > capacities[0]:
        capacities.append(question.shared_lustre_gib)
    return sorted(set(capacities))


def stands(variant: Variant, question: Question) -> bool:
    """Whether the variant's file system is there anyway, for everybody."""
    shared = variant.lustre is not None and variant.lustre.is_shared
    return shared and variant.capacity_gib == question.shared_lustre_gib
