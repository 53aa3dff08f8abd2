"""A Lustre file system that does not exist yet: what a job asks of it, and how requests name it.

The ephemeral flow makes the file system after the request of its job was worked out and checked. So planning is
given a platform whose Lustre has a placeholder for an id: zones, roles, links and the network come out as they do for
a shared one. In the requests that the machine gets, the placeholder stays, and paths begin at the file system's root:
the machine puts in the id, the mount name, the subnet and the groups when it knows them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from headrace.platform import LustreLink, LustrePart, Platform, Subnet

PLACEHOLDER_ID: Final = "fs-00000000000000000"
_PLACEHOLDER_MOUNT_NAME: Final = "-mount--"  # eight characters, as FSx's have, and none of those that FSx takes
_DEFAULT_ATTEMPTS: Final = 3
MAX_CAPACITY_ATTEMPTS: Final = 10


class DataCompressionType(StrEnum):
    """DataCompressionType of a Lustre file system."""

    NONE = "NONE"
    LZ4 = "LZ4"


@dataclass(frozen=True, slots=True, kw_only=True)
class EphemeralLustre:
    """What a job asks of the file system that is made for it; None: worked out.

    ``preload``: read every file once before the job starts, by a small job, and compare the counts.
    ``capacity_attempts``: how often the job is created while AWS has no capacity for it. ``lifetime_hours``: from the
    start of the flow; afterwards the file system goes, whatever reads it.
    """

    storage_capacity_gib: int | None = None
    preload: bool = True
    data_compression_type: DataCompressionType = DataCompressionType.NONE
    availability_zone_id: str | None = None
    capacity_attempts: int = _DEFAULT_ATTEMPTS
    lifetime_hours: float | None = None


def with_future_lustre(platform: Platform, subnet: Subnet, links: Sequence[LustreLink]) -> Platform:
    """The platform with a Lustre to come in this subnet, with these links, in place of its shared one."""
    part = LustrePart(
        platform=platform.foundation.platform,
        file_system_id=PLACEHOLDER_ID,
        mount_name=_PLACEHOLDER_MOUNT_NAME,
        subnet_id=subnet.subnet_id,
        az_id=subnet.az_id,
        storage_capacity_gib=0,
        links=tuple(links),
    )
    return replace(platform, lustre=part)


def is_to_come(lustre: LustrePart) -> bool:
    """Whether the file system is one that does not exist yet."""
    return lustre.file_system_id == PLACEHOLDER_ID


def for_the_machine(request: Mapping[str, Any]) -> dict[str, Any]:
    """A CreateTrainingJob request for a Lustre to come, as the machine takes it.

    Directories on it begin at the file system's root, and VpcConfig is left to the machine.
    """
    kept = {name: value for name, value in request.items() if name != "VpcConfig"}
    if "InputDataConfig" in kept:
        kept["InputDataConfig"] = [_rooted(channel) for channel in kept["InputDataConfig"]]
    return kept


def _rooted(channel: Mapping[str, Any]) -> dict[str, Any]:
    source = channel["DataSource"].get("FileSystemDataSource")
    if source is None or source["FileSystemId"] != PLACEHOLDER_ID:
        return dict(channel)
    directory = source["DirectoryPath"].removeprefix(f"/{_PLACEHOLDER_MOUNT_NAME}") or "/"
    return {**channel, "DataSource": {"FileSystemDataSource": {**source, "DirectoryPath": directory}}}
