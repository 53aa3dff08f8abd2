"""The roads: one row for each, with what it needs, allows and forbids.

Everything that asks "may this channel do that?", "which role reads it?", "which ports must be open?" reads the row;
nothing else in the package knows the roads by name. A further road is a further row here, and a further record in
:mod:`headrace.sources`.

Sources: Amazon SageMaker API Reference, Channel, S3DataSource and FileSystemDataSource (which data types, modes and
options go together); FSx for Lustre User Guide, "File system access control with Amazon VPC" and Amazon EFS User
Guide, "Using VPC security groups" (ports).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class InputMode(StrEnum):
    """How SageMaker hands the data over: copied first, streamed on read, or through a FIFO."""

    FILE = "File"
    FAST_FILE = "FastFile"
    PIPE = "Pipe"


class S3DataType(StrEnum):
    """S3DataType: what S3Uri names."""

    S3_PREFIX = "S3Prefix"
    MANIFEST_FILE = "ManifestFile"
    AUGMENTED_MANIFEST_FILE = "AugmentedManifestFile"


class Distribution(StrEnum):
    """S3DataDistributionType: every instance gets all objects, or each its share."""

    FULLY_REPLICATED = "FullyReplicated"
    SHARDED_BY_S3_KEY = "ShardedByS3Key"


class Compression(StrEnum):
    """CompressionType of the objects."""

    NONE = "None"
    GZIP = "Gzip"


class RecordWrapper(StrEnum):
    """RecordWrapperType: whether SageMaker puts each object into a record of a RecordIO stream."""

    NONE = "None"
    RECORD_IO = "RecordIO"


class Access(StrEnum):
    """FileSystemAccessMode: read-only, or read and write."""

    READ_ONLY = "ro"
    READ_WRITE = "rw"


class Reach(StrEnum):
    """What a job's execution role must be able to read; the names of the platform's roles."""

    S3 = "s3"
    FILE_SYSTEMS = "file_systems"
    BOTH = "both"


class Place(StrEnum):
    """Where data lies: the field of a channel in a job file that names it."""

    S3 = "s3"
    LUSTRE = "lustre"
    EFS = "efs"


class PortRange(NamedTuple):
    """TCP ports, both ends included."""

    first: int
    last: int

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """One road.

    ``options``: what else a channel on this road may say, as fields of a job file's channel. ``data_types``: none on
    a file system. ``ports``: which the job's group must reach on the file system; without any the road needs no VPC.
    ``answers``: whether the file system opens the same ports towards the job, too.
    """

    name: str
    place: Place
    input_mode: InputMode
    reach: Reach
    data_types: tuple[S3DataType, ...] = ()
    options: frozenset[str]
    file_system_type: str | None = None
    ports: tuple[PortRange, ...] = ()
    answers: bool = False

    @property
    def needs_vpc(self) -> bool:
        """Whether a job on this road must be attached to the platform's subnets."""
        return bool(self.ports)


_EVERY_ROAD = frozenset({"content_type"})
_S3 = _EVERY_ROAD | {"data_type", "distribution", "shuffle_seed", "instance_groups"}
_PIPE_ONLY = frozenset({"compression", "record_wrapper", "attribute_names"})
_FILE_SYSTEM = _EVERY_ROAD | {"access"}

S3_FILE = Road(
    name="S3 File",
    place=Place.S3,
    input_mode=InputMode.FILE,
    reach=Reach.S3,
    data_types=(S3DataType.S3_PREFIX, S3DataType.MANIFEST_FILE),
    options=_S3,
)
S3_FAST_FILE = Road(
    name="S3 FastFile",
    place=Place.S3,
    input_mode=InputMode.FAST_FILE,
    reach=Reach.S3,
    data_types=(S3DataType.S3_PREFIX,),
    options=_S3,
)
S3_PIPE = Road(
    name="S3 Pipe",
    place=Place.S3,
    input_mode=InputMode.PIPE,
    reach=Reach.S3,
    data_types=(S3DataType.S3_PREFIX, S3DataType.MANIFEST_FILE, S3DataType.AUGMENTED_MANIFEST_FILE),
    options=_S3 | _PIPE_ONLY,
)
LUSTRE = Road(
    name="FSx for Lustre",
    place=Place.LUSTRE,
    input_mode=InputMode.FILE,
    reach=Reach.FILE_SYSTEMS,
    options=_FILE_SYSTEM | {"path"},
    file_system_type="FSxLustre",
    ports=(PortRange(988, 988), PortRange(1018, 1023)),
    answers=True,
)
EFS = Road(
    name="EFS",
    place=Place.EFS,
    input_mode=InputMode.FILE,
    reach=Reach.FILE_SYSTEMS,
    options=_FILE_SYSTEM,
    file_system_type="EFS",
    ports=(PortRange(2049, 2049),),
)

ROADS: tuple[Road, ...] = (S3_FILE, S3_FAST_FILE, S3_PIPE, LUSTRE, EFS)
OPTIONS: frozenset[str] = frozenset().union(*(road.options for road in ROADS))
"""Everything that a channel may say on some road, beside its source and its mode."""


def roads_from(place: Place) -> Iterator[Road]:
    """The roads that begin at this place, the default one first."""
    return (road for road in ROADS if road.place is place)


def road_for(place: Place, input_mode: InputMode | None) -> Road | None:
    """The road from a place in this mode (None: the place's first road); None where there is none."""
    return next((road for road in roads_from(place) if input_mode in (None, road.input_mode)), None)


def roads_that_take(option: str) -> tuple[Road, ...]:
    """The roads on which a channel may say this."""
    return tuple(road for road in ROADS if option in road.options)
