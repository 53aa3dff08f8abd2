"""Where the data of a channel lies: one frozen record for each road of :mod:`headrace.roads`.

A record holds what its road allows, and nothing else. It knows how CreateTrainingJob names it, which channel members
beside the source it needs, and in which zones a job can reach it; both of these need the platform, since a file
system's id and mount name are known to the platform alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from headrace import roads
from headrace.errors import InvalidInput
from headrace.platform import Efs, LustreLink, LustrePart, Platform
from headrace.roads import Access, Compression, Distribution, RecordWrapper, Road, S3DataType
from headrace.rules.s3_location import location_rule_broken
from headrace.rules.values import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Location:
    """A bucket and a key prefix in it, or one key."""

    bucket: str
    prefix: str

    @property
    def uri(self) -> str:
        """The location as ``s3://bucket/prefix``."""
        return f"s3://{self.bucket}/{self.prefix}"

    def lies_in(self, bucket: str, prefix: str) -> bool:
        """Whether everything below this location is also below ``prefix`` of ``bucket``."""
        return self.bucket == bucket and self.prefix.startswith(prefix)


def parse_s3_location(text: str, *, default_bucket: str) -> S3Location:
    """Read ``s3://bucket/prefix``, or a bare ``prefix`` that lies in the platform's own bucket.

    Raises InvalidInput for another scheme, an illegal bucket name, or a prefix that begins with a slash.
    """
    if broken := location_rule_broken(text):
        allowed, fix = broken
        raise InvalidInput(f"S3 location is {shown(text)}; allowed: {allowed}; fix: {fix}")
    if "://" not in text:
        return S3Location(bucket=default_bucket, prefix=text)
    bucket, _, prefix = text.removeprefix("s3://").partition("/")
    return S3Location(bucket=bucket, prefix=prefix)


@dataclass(frozen=True, slots=True, kw_only=True)
class _S3Source:
    """What the S3 roads share. S3 matches a prefix as text: ``data/cat`` also takes ``data/cats/1.png``.

    ``shuffle_seed``: S3 objects (or lines of a manifest) in another order, in Pipe mode anew in each epoch.
    ``instance_groups``: only these groups of a heterogeneous cluster get the channel; none means all.
    """

    road: ClassVar[Road]

    location: S3Location
    data_type: S3DataType = S3DataType.S3_PREFIX
    distribution: Distribution = Distribution.FULLY_REPLICATED
    content_type: str | None = None
    shuffle_seed: int | None = None
    instance_groups: tuple[str, ...] = ()

    def data_source(self, platform: Platform) -> dict[str, Any]:
        """DataSource of the channel."""
        del platform  # a bucket has the same name everywhere
        source: dict[str, Any] = {
            "S3DataType": self.data_type.value,
            "S3Uri": self.location.uri,
            "S3DataDistributionType": self.distribution.value,
            "InstanceGroupNames": list(self.instance_groups),
        }
        return {"S3DataSource": {key: value for key, value in source.items() if value != []}}

    def channel_members(self) -> dict[str, Any]:
        """Members of the channel beside its DataSource."""
        shuffle = None if self.shuffle_seed is None else {"Seed": self.shuffle_seed}
        members = {"InputMode": self.road.input_mode.value, "ContentType": self.content_type, "ShuffleConfig": shuffle}
        return {key: value for key, value in members.items() if value is not None}

    def az_ids(self, platform: Platform) -> frozenset[str] | None:
        """The zones from which the data can be reached; None: from all of the Region."""
        del platform
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class S3FileSource(_S3Source):
    """S3 objects, copied to the instance's volume before the script starts (File mode). A prefix or a manifest."""

    road: ClassVar[Road] = roads.S3_FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class S3FastFileSource(_S3Source):
    """S3 objects that look like files and are streamed when they are read (FastFile mode). A prefix only."""

    road: ClassVar[Road] = roads.S3_FAST_FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class S3PipeSource(_S3Source):
    """S3 objects one after the other through a FIFO for each epoch (Pipe mode).

    ``attribute_names``: which members of an augmented manifest's lines are sent, in this order.
    """

    road: ClassVar[Road] = roads.S3_PIPE

    compression: Compression = Compression.NONE
    record_wrapper: RecordWrapper = RecordWrapper.NONE
    attribute_names: tuple[str, ...] = ()

    def data_source(self, platform: Platform) -> dict[str, Any]:
        """DataSource of the channel."""
        # zero-argument super() does not work in dataclasses with slots before Python 3.14
        source = _S3Source.data_source(self, platform)
        if self.attribute_names:
            source["S3DataSource"]["AttributeNames"] = list(self.attribute_names)
        return source

    def channel_members(self) -> dict[str, Any]:
        """Members of the channel beside its DataSource."""
        members = _S3Source.channel_members(self)
        if self.compression is not Compression.NONE:
            members["CompressionType"] = self.compression.value
        if self.record_wrapper is not RecordWrapper.NONE:
            members["RecordWrapperType"] = self.record_wrapper.value
        return members


@dataclass(frozen=True, slots=True, kw_only=True)
class LustreSource:
    """The platform's FSx for Lustre: what a link (by its name) shows, or what lies at ``path`` below it."""

    road: ClassVar[Road] = roads.LUSTRE

    link: str
    path: str = ""
    access: Access = Access.READ_ONLY
    content_type: str | None = None

    def data_source(self, platform: Platform) -> dict[str, Any]:
        """DataSource of the channel. Raises InvalidInput when the platform has no such link."""
        lustre, link = self._lustre(platform), self.link_on(platform)
        directory = "/".join(part for part in (lustre.mount_name, link.path.strip("/"), self.path.strip("/")) if part)
        return {
            "FileSystemDataSource": _file_system(self.road, lustre.file_system_id, self.access, f"/{directory}"),
        }

    def channel_members(self) -> dict[str, Any]:
        """Members of the channel beside its DataSource."""
        return _file_system_members(self.road, self.content_type)

    def az_ids(self, platform: Platform) -> frozenset[str]:
        """The one zone that the file system is in."""
        return frozenset({self._lustre(platform).az_id})

    def link_on(self, platform: Platform) -> LustreLink:
        """The link that the channel names. Raises InvalidInput when the platform has no such link."""
        links = () if platform.lustre is None else platform.lustre.links
        for each in links:
            if each.name == self.link:
                return each
        raise InvalidInput(
            f"Lustre link is {self.link!r}; allowed: {', '.join(each.name for each in links) or 'none'} of platform "
            f"{platform.foundation.platform!r}; fix: name one of its links, or deploy a Lustre with this one"
        )

    def _lustre(self, platform: Platform) -> LustrePart:
        self.link_on(platform)
        assert platform.lustre is not None
        return platform.lustre


@dataclass(frozen=True, slots=True, kw_only=True)
class EfsSource:
    """A directory of the platform's EFS, as an absolute path."""

    road: ClassVar[Road] = roads.EFS

    path: str = "/"
    access: Access = Access.READ_ONLY
    content_type: str | None = None

    def data_source(self, platform: Platform) -> dict[str, Any]:
        """DataSource of the channel. Raises InvalidInput when the platform has no EFS."""
        directory = self.path.rstrip("/") or "/"
        return {
            "FileSystemDataSource": _file_system(self.road, _efs(platform).file_system_id, self.access, directory),
        }

    def channel_members(self) -> dict[str, Any]:
        """Members of the channel beside its DataSource."""
        return _file_system_members(self.road, self.content_type)

    def az_ids(self, platform: Platform) -> frozenset[str]:
        """The zones that hold a mount target."""
        return frozenset(_efs(platform).az_ids)


Source = S3FileSource | S3FastFileSource | S3PipeSource | LustreSource | EfsSource
S3Source = S3FileSource | S3FastFileSource | S3PipeSource
SOURCES: tuple[type[Source], ...] = (S3FileSource, S3FastFileSource, S3PipeSource, LustreSource, EfsSource)


def source_type(road: Road) -> type[Source]:
    """The record of a road."""
    return next(each for each in SOURCES if each.road is road)


def _efs(platform: Platform) -> Efs:
    if platform.foundation.efs is None:
        raise InvalidInput(f"platform {platform.foundation.platform!r} has no EFS; switch it on and deploy")
    return platform.foundation.efs


def _file_system(road: Road, file_system_id: str, access: Access, directory: str) -> dict[str, str]:
    return {
        "FileSystemId": file_system_id,
        "FileSystemAccessMode": access.value,
        "FileSystemType": str(road.file_system_type),
        "DirectoryPath": directory,
    }


def _file_system_members(road: Road, content_type: str | None) -> dict[str, Any]:
    content = {} if content_type is None else {"ContentType": content_type}
    return {"InputMode": road.input_mode.value, **content}
