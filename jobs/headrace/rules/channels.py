"""Rules of one channel: which source, mode and options go together.

What goes with what stands in the table :mod:`headrace.roads`; the rules only compare with it, so that a further road
needs none of its own. A finding names the roads on which the thing would be allowed.

Sources: Amazon SageMaker API Reference, Channel, S3DataSource, FileSystemDataSource and ShuffleConfig; Developer
Guide, "Provide dataset metadata to training jobs with an augmented manifest file". The post that headrace comes from
says that File mode takes augmented manifests; the API takes them in Pipe mode only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from headrace.roads import (
    InputMode,
    Place,
    RecordWrapper,
    Road,
    S3DataType,
    road_for,
    roads_from,
    roads_that_take,
)
from headrace.rules.finding import Finding, Level, Rule, rule
from headrace.rules.s3_names import posix_rule_broken
from headrace.rules.values import finding

MAX_ATTRIBUTE_NAMES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSpec:
    """A channel as it was written. ``places``: the sources that it names. ``options``: all else that was said.

    ``directory``: the path in EFS, or below the Lustre's link.
    """

    name: str
    places: tuple[Place, ...]
    input_mode: InputMode | None = None
    directory: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def road(self) -> Road | None:
        """The road that it takes; None where place and mode do not go together."""
        return road_for(self.places[0], self.input_mode) if len(self.places) == 1 else None

    @property
    def data_type(self) -> S3DataType:
        """S3DataType, with its default."""
        return S3DataType(self.options.get("data_type", S3DataType.S3_PREFIX))

    def field(self, name: str) -> str:
        """The place of a field in the job file."""
        return f"channels.{self.name}.{name}"


@rule("V107")
def one_source(spec: ChannelSpec) -> Iterator[Finding]:
    """A channel names exactly one source: s3, lustre or efs."""
    if len(spec.places) != 1:
        given = ", ".join(spec.places) or None
        allowed = f"exactly one of {', '.join(Place)}"
        yield finding(
            "V107", f"channels.{spec.name}", given, allowed, "name one source; further data is a further channel"
        )


@rule("V108")
def mode_goes_with_source(spec: ChannelSpec) -> Iterator[Finding]:
    """The input mode is one that the source has."""
    if len(spec.places) == 1 and spec.road is None:
        place = spec.places[0]
        modes = ", ".join(road.input_mode for road in roads_from(place))
        fix = f"leave input_mode out: {next(roads_from(place)).name} is the road from {place}"
        yield finding("V108", spec.field("input_mode"), _said(spec.input_mode), f"{modes} with {place}", fix)


@rule("V109")
def data_type_goes_with_road(spec: ChannelSpec) -> Iterator[Finding]:
    """FastFile takes prefixes only, an augmented manifest wants Pipe."""
    road, data_type = spec.road, spec.data_type
    if road is None or "data_type" not in road.options or data_type in road.data_types:
        return
    takers = [each.input_mode for each in roads_from(road.place) if data_type in each.data_types]
    allowed = f"{', '.join(road.data_types)} in {road.input_mode} mode"
    yield finding("V109", spec.field("data_type"), _said(data_type), allowed, f"input_mode: {' or '.join(takers)}")


@rule("V110")
def options_go_with_road(spec: ChannelSpec) -> Iterator[Finding]:
    """A channel says only what its road takes: compression is for Pipe, access for file systems, and so on."""
    if spec.road is None:
        return
    for option, value in spec.options.items():
        if option not in spec.road.options:
            takers = ", ".join(each.name for each in roads_that_take(option)) or "no road"
            allowed = f"{option} on {takers}; this channel takes {spec.road.name}"
            yield finding("V110", spec.field(option), _said(value), allowed, f"leave {option} out, or take that road")


@rule("V111")
def attributes_are_named(spec: ChannelSpec) -> Iterator[Finding]:
    """An augmented manifest needs 1 to 16 attribute names, and nothing else takes any."""
    if spec.road is None or "attribute_names" not in spec.road.options:
        return
    names, where = tuple(spec.options.get("attribute_names", ())), spec.field("attribute_names")
    if spec.data_type is not S3DataType.AUGMENTED_MANIFEST_FILE:
        if names:
            allowed = f"attribute names with data_type {S3DataType.AUGMENTED_MANIFEST_FILE}"
            yield finding("V111", where, names, allowed, f"data_type: {S3DataType.AUGMENTED_MANIFEST_FILE}, or none")
    elif not 1 <= len(names) <= MAX_ATTRIBUTE_NAMES or len(set(names)) < len(names):
        allowed = f"1 to {MAX_ATTRIBUTE_NAMES} different members of the manifest's lines, in the order they are sent"
        yield finding("V111", where, names or None, allowed, "attribute_names: [source-ref, label]")


@rule("V112")
def attributes_are_kept_apart(spec: ChannelSpec) -> Iterator[Finding]:
    """Without records, the attributes of an augmented manifest run together."""
    is_augmented = spec.data_type is S3DataType.AUGMENTED_MANIFEST_FILE
    if spec.road is None or not is_augmented or S3DataType.AUGMENTED_MANIFEST_FILE not in spec.road.data_types:
        return
    if spec.options.get("record_wrapper", RecordWrapper.NONE) == RecordWrapper.NONE:
        allowed = "RecordIO, since without it one attribute's bytes follow the other's and nothing tells where it ends"
        where = spec.field("record_wrapper")
        yield finding("V112", where, RecordWrapper.NONE.value, allowed, "record_wrapper: RecordIO", Level.WARNING)


@rule("V113")
def shuffling_has_an_effect(spec: ChannelSpec) -> Iterator[Finding]:
    """Shuffling orders a stream; files in a folder have no order."""
    if spec.options.get("shuffle_seed") is None or spec.road is None or "shuffle_seed" not in spec.road.options:
        return
    if spec.road.input_mode is not InputMode.PIPE:
        allowed = "shuffled objects in Pipe mode; in other modes the script reads files, in an order of its own"
        where = spec.field("shuffle_seed")
        yield finding("V113", where, spec.options["shuffle_seed"], allowed, "shuffle in the script", Level.INFO)


@rule("V114")
def path_is_legal(spec: ChannelSpec) -> Iterator[Finding]:
    """A path in a file system is one: EFS's begins with a slash, Lustre's goes on from its link."""
    path = spec.directory
    if path is None or len(spec.places) != 1:
        return
    where = spec.field("efs" if spec.places[0] is Place.EFS else "path")
    if spec.places[0] is Place.EFS and not path.startswith("/"):
        yield finding("V114", where, path, "a path that begins with '/'", f"/{path}")
    elif spec.places[0] is Place.LUSTRE and path.startswith("/"):
        yield finding("V114", where, path, "a path below the link, without '/' at its start", path.lstrip("/"))
    elif "//" in path:
        yield finding("V114", where, path, "no '//'", "one '/' between directories")
    elif allowed := posix_rule_broken(path):
        yield finding("V114", where, path, allowed, "give the directory as it is named in the file system")


def _said(value: Any) -> Any:
    # an enumeration's member is shown as the user wrote it
    return getattr(value, "value", value)


CHANNEL_RULES: tuple[Rule[Any], ...] = (
    one_source,
    mode_goes_with_source,
    data_type_goes_with_road,
    options_go_with_road,
    attributes_are_named,
    attributes_are_kept_apart,
    shuffling_has_an_effect,
    path_is_legal,
)
"""Rules of one :class:`ChannelSpec`."""
