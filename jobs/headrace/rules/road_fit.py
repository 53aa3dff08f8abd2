"""Rules of a road and a data set: whether the road can bring it at all, whatever that takes or costs.

The advice runs them over every road; each finding is the reason why a road is not among the choices.
What keys become is judged in :mod:`headrace.rules.location_paths`.
Sources: Amazon SageMaker Developer Guide, "Choosing an input mode and a storage unit"; Amazon EBS User Guide, volume
types (gp2: 16 TiB); Amazon SageMaker API Reference, StoppingCondition (28 days).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from headrace.roads import InputMode, Place, Road
from headrace.rules.finding import Finding, Rule, rule, run_rules
from headrace.rules.lustre_sizing import LARGEST_GIB, MAX_FILL
from headrace.rules.values import finding_in_words

LARGEST_VOLUME_GB: Final = 16_384
_DAY_SECONDS: Final = 86_400
LONGEST_JOB_SECONDS: Final = 28 * _DAY_SECONDS
_BYTES_PER_GIB: Final = 1 << 30
_BYTES_PER_GB: Final = 10**9
_ROOM: Final = 1.1


@dataclass(frozen=True, slots=True, kw_only=True)
class UnusableFiles:
    """Files that roads cannot take: how many, by which rule, and the first of them."""

    rule_id: str
    files: int
    reason: str
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadFit:
    """A road and what is to go on it. ``unusable``: what of the data set this road cannot take.

    ``copied_bytes``: to each instance, in File mode. ``nvme_gb``: 0 of an instance without local NVMe.
    ``volume_gb``: as it was asked for. ``longest_job_seconds``: of the job, or of one that makes the road ready for it.
    """

    road: Road
    size_bytes: int
    place: Place | None
    reads_at_random: bool = False
    copied_bytes: float = 0.0
    instance_type: str = ""
    nvme_gb: int = 0
    volume_gb: int | None = None
    longest_job_seconds: float = 0.0
    unusable: tuple[UnusableFiles, ...] = ()


def _unusable(fit: RoadFit, rule_id: str, allowed: str, fix: str) -> Iterator[Finding]:
    for each in fit.unusable:
        if each.rule_id == rule_id:
            examples = f": {', '.join(map(repr, each.examples))}" if each.examples else ""
            got = f"{fit.road.name} with {each.files:,} file{'' if each.files == 1 else 's'} ({each.reason}){examples}"
            yield finding_in_words(rule_id, "road", got, allowed, fix)


@rule("V27")
def road_reads_no_archive(fit: RoadFit) -> Iterator[Finding]:
    """No road reads objects in an archive until they are restored."""
    fix = "restore them (aws s3api restore-object), or copy them to another class"
    yield from _unusable(fit, "V27", "objects that can be read at once", fix)


@rule("V53")
def road_takes_keys_as_paths(fit: RoadFit) -> Iterator[Finding]:
    """Roads that show files take no keys that are no paths."""
    yield from _unusable(fit, "V53", "keys that can be paths", "copy the objects to other keys, or pack them")


@rule("V130")
def road_takes_no_clash(fit: RoadFit) -> Iterator[Finding]:
    """Roads that show files take no object whose key is also a folder."""
    allowed = "no object whose key is also the folder of others"
    yield from _unusable(fit, "V130", allowed, "copy it to another key, or pack the data")


@rule("V26")
def road_has_a_capacity(fit: RoadFit) -> Iterator[Finding]:
    """There is a Lustre capacity that the data set fills to nine tenths at most."""
    if fit.road.place is Place.LUSTRE and fit.size_bytes > LARGEST_GIB * MAX_FILL * _BYTES_PER_GIB:
        got = f"{fit.size_bytes / _BYTES_PER_GIB:,.0f} GiB"
        allowed = f"at most nine tenths of {LARGEST_GIB:,} GiB"
        yield finding_in_words("V26", "road", f"{fit.road.name} with {got}", allowed, "another road, or less data")


@rule("V180")
def pipe_reads_in_order(fit: RoadFit) -> Iterator[Finding]:
    """A FIFO is read from its beginning to its end."""
    if fit.reads_at_random and fit.road.input_mode is InputMode.PIPE:
        allowed = "reading from beginning to end"
        yield finding_in_words("V180", "road", f"{fit.road.name}, read at random", allowed, "a road that shows files")


@rule("V181")
def road_begins_where_the_data_lies(fit: RoadFit) -> Iterator[Finding]:
    """Roads from S3, and Lustre, which shows S3, do not bring what lies in EFS."""
    if fit.place is Place.EFS and fit.road.place is not Place.EFS:
        got = f"{fit.road.name} with data in EFS"
        fix = "copy it to S3 (AWS DataSync), and profile the prefix"
        yield finding_in_words("V181", "road", got, "data in S3", fix)


@rule("V182")
def copy_fits_the_instance(fit: RoadFit) -> Iterator[Finding]:
    """What File mode copies fits on the instance's NVMe, the volume that was asked for, or the largest volume."""
    room_gb = fit.nvme_gb or fit.volume_gb or LARGEST_VOLUME_GB
    # of NVMe EC2 tells GB, of a volume EBS counts GiB
    if fit.copied_bytes * _ROOM > room_gb * (_BYTES_PER_GB if fit.nvme_gb else _BYTES_PER_GIB):
        kind = f"NVMe of {fit.instance_type}" if fit.nvme_gb else "volume"
        got = f"{fit.road.name} with {fit.copied_bytes / _BYTES_PER_GIB:,.0f} GiB for each instance"
        allowed = f"{room_gb:,} GB of {kind}, with a tenth to spare"
        fix = "a road that copies nothing, ShardedByS3Key over more instances, or another instance type"
        yield finding_in_words("V182", "road", got, allowed, fix)


@rule("V183")
def jobs_end_in_time(fit: RoadFit) -> Iterator[Finding]:
    """SageMaker stops every training job after 28 days."""
    if fit.longest_job_seconds > LONGEST_JOB_SECONDS:
        got = f"{fit.road.name} with a job of {fit.longest_job_seconds / _DAY_SECONDS:,.0f} days"
        fix = "more instances, fewer epochs, or a job that goes on from checkpoints"
        yield finding_in_words("V183", "road", got, "at most 28 days", fix)


FIT_RULES: tuple[Rule[Any], ...] = (
    road_reads_no_archive,
    road_takes_keys_as_paths,
    road_takes_no_clash,
    road_begins_where_the_data_lies,
    pipe_reads_in_order,
    road_has_a_capacity,
    copy_fits_the_instance,
    jobs_end_in_time,
)
"""Rules of one :class:`RoadFit`."""


def fit_findings(fit: RoadFit) -> list[Finding]:
    """Why the road cannot bring the data; nothing where it can."""
    return run_rules(FIT_RULES, fit)
