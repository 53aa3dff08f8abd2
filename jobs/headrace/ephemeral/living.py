"""What counts against the platform's spending cap: its ephemeral file systems that are there, as the machine counts."""

from __future__ import annotations

from headrace.aws import Aws
from headrace.aws.connection import AccessDenied
from headrace.execution_history import name_of
from headrace.platform import OWNER_TAG, PLATFORM_TAG
from headrace.rules.ephemeral import LivingFileSystem


def living(aws: Aws, platform_name: str) -> tuple[LivingFileSystem, ...]:
    """Each of them but those that FSx deletes already. None where these rights may not look: the machine looks too."""
    try:
        found = aws.file_systems.lustres({PLATFORM_TAG: platform_name, OWNER_TAG: ""})
    except AccessDenied:
        return ()
    return tuple(
        LivingFileSystem(
            file_system_id=each.file_system_id,
            flow=name_of(each.tags[OWNER_TAG]),
            capacity_gib=each.storage_capacity_gib,
        )
        for each in found
        if each.lifecycle != "DELETING"
    )
