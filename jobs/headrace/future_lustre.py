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

from headrace.errors import InvalidInput
from headrace.platform import LustreLink, LustrePart, Platform, Subnet
from headrace.rules.ephemeral_platform import LONGEST_HOURS
from headrace.rules.values import is_whole_number, shown

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

    ``preload``: read every file once before the job starts, by a small job, and compare the counts; ``preload_image``:
    with a shell, by default the job's own; ``preload_instance_type``: by default, by the file system's throughput.
    ``capacity_attempts``: how often the job is created while AWS has no capacity for it. ``lifetime_hours``: from the
    start of the flow; afterwards the file system goes, whatever reads it. Raises InvalidInput for what is no number.
    """

    storage_capacity_gib: int | None = None
    preload: bool = True
    preload_image: str | None = None
    preload_instance_type: str | None = None
    data_compression_type: DataCompressionType = DataCompressionType.NONE
    availability_zone_id: str | None = None
    capacity_attempts: int = _DEFAULT_ATTEMPTS
    lifetime_hours: float | None = None

    def __post_init__(self) -> None:
        problems: list[str] = []
        if self.lifetime_hours is not None:
            problems += hours_problems("lifetime_hours", self.lifetime_hours)
        attempts = self.capacity_attempts
        if not is_whole_number(attempts) or not 1 <= attempts <= MAX_CAPACITY_ATTEMPTS:
            problems.append(
                f"capacity_attempts is {shown(attempts)}; allowed: 1 to {MAX_CAPACITY_ATTEMPTS}; fix: leave it out"
            )
        if problems:
            raise InvalidInput(*problems)


def hours_problems(field: str, hours: object) -> list[str]:
    """What is wrong with a lifetime, whatever the platform allows: one line, or none."""
    is_number = isinstance(hours, int | float) and not isinstance(hours, bool)
    if is_number and 0 < hours <= LONGEST_HOURS:  # type: ignore[operator]
        return []
    return [f"{field} is {shown(hours)}; allowed: hours, more than 0 and up to {LONGEST_HOURS}; fix: such as 4"]


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
