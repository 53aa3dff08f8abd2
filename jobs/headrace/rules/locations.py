"""Rules of the places in S3 that a job's channels show: they exist, may be read, and can be brought to the job.

What a prefix holds is judged by its first page of keys, up to 1,000: enough for what is wrong everywhere, and cheap
however much there is. A fact that was not looked up is UNKNOWN.
How keys become paths is judged in :mod:`headrace.rules.location_paths`.
Sources: Amazon SageMaker API Reference, S3DataSource; Amazon S3 User Guide, "Restoring an archived object".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from headrace.figures.instance_types import has_local_storage
from headrace.rules.finding import UNKNOWN, Finding, Rule, Unknown, rule
from headrace.rules.values import finding_in_words

BYTES_PER_GB: Final = 1 << 30
_COLD_CLASSES: Final = frozenset({"GLACIER", "DEEP_ARCHIVE"})
_SHOWN_CHARACTERS: Final = 80
MAX_EXAMPLES: Final = 3
"""How many of the objects that break a rule a finding names."""
_ROOM: Final = 1.1


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectSpec:
    """An object of S3. ``storage_class`` as S3 names it."""

    key: str
    size_bytes: int
    storage_class: str = "STANDARD"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationSpec:
    """A place in S3 that a channel shows, and what is known of it.

    ``is_one_object``: it is a manifest's key. ``is_copied``: what lies there is copied to the volume. ``is_mounted``:
    FastFile shows it as a folder. ``is_piped``: Pipe mode makes no files of it. ``is_linked``: it is shown by a Lustre
    link. ``shares``: instances among which the objects are divided. ``is_readable``: it lies
    below one of the platform's data locations. ``bucket_region`` is None when there is no such bucket. ``objects``:
    the first of them; ``are_all``: there are no more. ``further``: of a listing of which nothing was kept but what
    breaks a rule, how many objects more break it.
    """

    field: str
    bucket: str
    prefix: str
    is_readable: bool
    is_one_object: bool = False
    is_copied: bool = False
    is_mounted: bool = False
    is_piped: bool = False
    is_linked: bool = False
    shares: int = 1
    bucket_region: str | Unknown | None = UNKNOWN
    objects: tuple[ObjectSpec, ...] | Unknown = UNKNOWN
    are_all: bool = False
    further: int = 0

    @property
    def uri(self) -> str:
        """``s3://bucket/prefix``."""
        return f"s3://{self.bucket}/{self.prefix}"

    @property
    def makes_files(self) -> bool:
        """Whether keys become paths in a file system."""
        return not (self.is_one_object or self.is_piped)

    @property
    def known_objects(self) -> tuple[ObjectSpec, ...]:
        """The objects that were looked up; an empty one that only marks a folder is none."""
        if self.objects is UNKNOWN:
            return ()
        return tuple(each for each in self.objects if each.size_bytes or not each.key.endswith("/"))

    def and_more(self, found: int) -> str:
        """What follows the examples of a finding: how many more objects there are of the same kind."""
        if not found + self.further:
            return ""
        return f" and {found + self.further:,} more{'' if self.are_all else ' among the first that are listed'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSpec:
    """All that a job reads from S3. ``readable_locations``: the platform's data locations as URIs.

    ``has_own_role``: the job brings a role of its own. ``volume_size_gb``: of each instance.
    """

    region: str
    locations: tuple[LocationSpec, ...]
    readable_locations: tuple[str, ...]
    has_own_role: bool
    volume_size_gb: int
    instance_types: tuple[str, ...]


def spec_of_location(location: LocationSpec, region: str) -> DataSpec:
    """One location with no job around it, for the rules that look at objects alone."""
    return DataSpec(
        region=region,
        locations=(location,),
        readable_locations=(),
        has_own_role=False,
        volume_size_gb=1,
        instance_types=(),
    )


@rule("V19")
def bucket_exists(spec: DataSpec) -> Iterator[Finding]:
    """Every bucket that the job reads exists."""
    for location in spec.locations:
        if location.bucket_region is None:
            fix = f"create bucket {location.bucket!r}, or correct its name"
            yield finding_in_words("V19", location.field, location.uri, "a bucket that exists", fix)


@rule("V54")
def same_region(spec: DataSpec) -> Iterator[Finding]:
    """Every bucket that a channel reads is in the job's Region."""
    for location in spec.locations:
        region = location.bucket_region
        if isinstance(region, str) and region != spec.region and not location.is_linked:
            yield finding_in_words(
                "V54",
                location.field,
                f"{location.uri} in {region}",
                f"a bucket in the job's Region, {spec.region}",
                f"copy the data to a bucket in {spec.region}, or launch in {region}",
            )


@rule("V80")
def prefix_has_objects(spec: DataSpec) -> Iterator[Finding]:
    """A channel without objects fails the job after its start."""
    for location in spec.locations:
        if location.objects is UNKNOWN or location.is_linked:
            continue
        if location.is_one_object and location.prefix not in (each.key for each in location.known_objects):
            fix = "upload the manifest (headrace manifest create), or correct its key"
            yield finding_in_words("V80", location.field, location.uri, "a manifest that exists", fix)
        elif not location.known_objects:
            fix = "upload the data, or correct the prefix (it is matched letter by letter)"
            yield finding_in_words("V80", location.field, location.uri, "a prefix with at least one object", fix)


@rule("V48")
def linked_path_has_objects(spec: DataSpec) -> Iterator[Finding]:
    """What a Lustre channel names is there: a directory shows what lies below its prefix in S3."""
    for location in spec.locations:
        if location.is_linked and location.objects is not UNKNOWN and not location.known_objects:
            allowed = "a directory with at least one file; the link shows what lies there in S3"
            fix = "upload the data, or correct the path"
            yield finding_in_words("V48", location.field, location.uri, allowed, fix)


@rule("V126")
def shares_have_objects(spec: DataSpec) -> Iterator[Finding]:
    """With ShardedByS3Key, every instance gets at least one object."""
    for location in spec.locations:
        count = len(location.known_objects)
        # lines of a manifest are not counted here
        if location.are_all and not location.is_one_object and 0 < count < location.shares:
            yield finding_in_words(
                "V126",
                location.field,
                f"{location.uri} with {count} object(s) for {location.shares} instances",
                "at least one object for each instance with ShardedByS3Key",
                "distribution: FullyReplicated, fewer instances, or the data in more objects",
            )


def is_archived(each: ObjectSpec) -> bool:
    """Whether the object cannot be read until it is restored."""
    return is_archived_class(each.storage_class)


def is_archived_class(storage_class: str) -> bool:
    """Whether objects of this storage class cannot be read until they are restored."""
    return storage_class in _COLD_CLASSES


@rule("V27")
def objects_can_be_read_at_once(spec: DataSpec) -> Iterator[Finding]:
    """Objects in an archive cannot be read until they are restored."""
    for location in spec.locations:
        cold = [each for each in location.known_objects if is_archived(each)]
        if cold:
            told = [f"{each.key[:_SHOWN_CHARACTERS]!r} in {each.storage_class}" for each in cold[:MAX_EXAMPLES]]
            yield finding_in_words(
                "V27",
                location.field,
                f"{', '.join(told)}{location.and_more(len(cold) - len(told))}",
                "objects that can be read at once",
                "restore them (aws s3api restore-object), or copy them to another class",
            )


@rule("V52")
def volume_holds_the_data(spec: DataSpec) -> Iterator[Finding]:
    """File mode copies the data to the volume; instances with NVMe of their own use that instead."""
    # whichever of the types the job runs on
    if spec.instance_types and all(has_local_storage(each) for each in spec.instance_types):
        return
    total = sum(
        each.size_bytes // max(1, location.shares)
        for location in spec.locations
        if location.is_copied
        for each in location.known_objects
    )
    if total * _ROOM > spec.volume_size_gb * BYTES_PER_GB:
        least = -(-int(total * _ROOM) // BYTES_PER_GB)
        is_all = all(each.are_all for each in spec.locations if each.is_copied)
        more = "" if is_all else " or more: only the first objects were counted"
        allowed = f"at least {least} GB{more}, a tenth above what File mode copies"
        yield finding_in_words(
            "V52", "volume_size_gb", str(spec.volume_size_gb), allowed, f"volume_size_gb: {least}, or FastFile"
        )


@rule("V81")
def location_is_readable(spec: DataSpec) -> Iterator[Finding]:
    """The role reads the platform's data locations and nothing else."""
    for location in spec.locations:
        if not spec.has_own_role and not location.is_readable:
            yield finding_in_words(
                "V81",
                location.field,
                location.uri,
                f"below {', '.join(spec.readable_locations)}",
                "move the data there, or declare it as a data location in the platform's settings and deploy",
            )


DATA_RULES: tuple[Rule[Any], ...] = (
    location_is_readable,
    bucket_exists,
    same_region,
    prefix_has_objects,
    linked_path_has_objects,
    shares_have_objects,
    objects_can_be_read_at_once,
    volume_holds_the_data,
)
"""Rules of one :class:`DataSpec`."""
