"""Rules of a shared EFS file system: modes, zones, encryption, lifecycle, or an existing one as it is.

Rules of our own: V86 lifecycle, V87 backup.

Sources: Amazon EFS API Reference, CreateFileSystem and LifecyclePolicy (botocore 1.44.5 service model, read
2026-11); Amazon EFS User Guide, "Performance modes" (maxIO and elastic).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from headrace.rules.finding import Finding, Rule, rule
from headrace.rules.places import ZONE_NAME
from headrace.rules.values import (
    Number,
    Switch,
    Text,
    WholeNumber,
    finding,
    is_number,
    is_one_of,
    is_switch,
    is_whole_number,
)

THROUGHPUT_MODES: Final = ("bursting", "provisioned", "elastic")
LARGEST_PROVISIONED_MIBPS: Final = 3414
LIFECYCLE_DAYS: Final = (1, 7, 14, 30, 60, 90, 180, 270, 365)

_FILE_SYSTEM_ID: Final = re.compile(r"fs-([0-9a-f]{8}|[0-9a-f]{17})")


@dataclass(frozen=True, slots=True, kw_only=True)
class EfsSpec:
    """A shared EFS file system as asked for; None: not given.

    ``one_zone_az``: the zone's name of a One Zone file system. ``az_count``: how many zones get a mount target.
    ``lifecycle_days``: after how many days without access a file moves to Infrequent Access.
    """

    performance_mode: Text = None
    throughput_mode: Text = None
    provisioned_throughput_mibps: Number = None
    one_zone_az: Text = None
    az_count: WholeNumber = None
    encrypted: Switch = None
    kms_key_given: Switch = None
    lifecycle_days: WholeNumber = None
    backup: Switch = None
    existing_file_system_id: Text = None


@rule("V39", "performance_mode", "throughput_mode", "one_zone_az")
def performance_mode_fits(spec: EfsSpec) -> Iterator[Finding]:
    """Performance mode is generalPurpose or maxIO; maxIO goes neither with elastic throughput nor with One Zone."""
    given = spec.performance_mode
    if given not in (None, "generalPurpose", "maxIO"):
        yield finding("V39", "performance_mode", given, "generalPurpose or maxIO", "generalPurpose")
    if given == "maxIO" and spec.throughput_mode == "elastic":
        allowed = "generalPurpose with elastic throughput"
        yield finding("V39", "performance_mode", given, allowed, "generalPurpose, or another throughput_mode")
    if given == "maxIO" and spec.one_zone_az is not None:
        allowed = "generalPurpose on a One Zone file system"
        yield finding("V39", "performance_mode", given, allowed, "generalPurpose, or leave one_zone_az out")


@rule("V40", "throughput_mode", "provisioned_throughput_mibps")
def throughput_mode_fits(spec: EfsSpec) -> Iterator[Finding]:
    """Throughput is bursting, provisioned or elastic; provisioned, and nothing else, has a value, 1 to 3414 MiB/s."""
    mode, value, field = spec.throughput_mode, spec.provisioned_throughput_mibps, "provisioned_throughput_mibps"
    if mode is not None and not is_one_of(mode, THROUGHPUT_MODES):
        yield finding("V40", "throughput_mode", mode, ", ".join(THROUGHPUT_MODES), "elastic")
    elif mode == "provisioned":
        if not is_number(value) or not 1 <= value <= LARGEST_PROVISIONED_MIBPS:
            allowed = f"1 to {LARGEST_PROVISIONED_MIBPS} MiB/s with throughput_mode provisioned"
            yield finding("V40", field, value, allowed, "give the MiB/s, or choose elastic")
    elif value is not None:
        allowed = "nothing, unless throughput_mode is provisioned"
        yield finding("V40", field, value, allowed, "leave it out, or choose provisioned")


@rule("V41", "encrypted", "kms_key_given")
def key_needs_encryption(spec: EfsSpec) -> Iterator[Finding]:
    """A KMS key encrypts only a file system that is to be encrypted."""
    for field, value in (("encrypted", spec.encrypted), ("kms_key", spec.kms_key_given)):
        if not is_switch(value):
            yield finding("V41", field, value, "true or false", "give true or false, without quotes")
    if spec.kms_key_given is True and spec.encrypted is not True:
        allowed = "true, since a KMS key is given"
        yield finding("V41", "encrypted", spec.encrypted, allowed, "true, or leave the key out")


@rule(
    "V43",
    "existing_file_system_id",
    "performance_mode",
    "throughput_mode",
    "provisioned_throughput_mibps",
    "one_zone_az",
    "encrypted",
    "kms_key_given",
    "lifecycle_days",
    "backup",
)
def existing_takes_no_settings(spec: EfsSpec) -> Iterator[Finding]:
    """An existing file system stays as it is: its settings cannot be given as well."""
    if spec.existing_file_system_id is None:
        return
    given = {
        "performance_mode": spec.performance_mode,
        "throughput_mode": spec.throughput_mode,
        "provisioned_throughput_mibps": spec.provisioned_throughput_mibps,
        "one_zone_az": spec.one_zone_az,
        "encrypted": spec.encrypted,
        "kms_key": spec.kms_key_given or None,
        "lifecycle_days": spec.lifecycle_days,
        "backup": spec.backup,
    }
    for field, value in given.items():
        if value is not None:
            allowed = "nothing beside existing_file_system_id: headrace does not change what it did not make"
            yield finding("V43", field, value, allowed, "leave it out, or leave existing_file_system_id out")


@rule("V44", "one_zone_az", "az_count")
def zones_fit(spec: EfsSpec) -> Iterator[Finding]:
    """A One Zone file system has its mount target in one zone, its own; a Regional one has one or more."""
    zone, count = spec.one_zone_az, spec.az_count
    if zone is not None and not (isinstance(zone, str) and ZONE_NAME.fullmatch(zone)):
        yield finding("V44", "one_zone_az", zone, "a zone's name, such as us-east-1a", "give the name, not the id")
    if not is_whole_number(count) or count < 1:
        yield finding("V44", "az_count", count, "at least 1 zone with a mount target", "choose the zones of jobs")
    elif zone is not None and count != 1:
        allowed = "1 for a One Zone file system"
        yield finding("V44", "az_count", count, allowed, "choose one zone, or leave one_zone_az out")


@rule("V86", "lifecycle_days")
def lifecycle_is_offered(spec: EfsSpec) -> Iterator[Finding]:
    """Files move to Infrequent Access after one of the numbers of days that EFS offers."""
    given = spec.lifecycle_days
    if given is not None and not is_one_of(given, LIFECYCLE_DAYS):
        allowed = ", ".join(map(str, LIFECYCLE_DAYS))
        yield finding("V86", "lifecycle_days", given, allowed, "30, or leave it out to move nothing")


@rule("V87", "backup")
def backup_is_switch(spec: EfsSpec) -> Iterator[Finding]:
    """Automatic backup is on or off."""
    if not is_switch(spec.backup):
        yield finding("V87", "backup", spec.backup, "true or false", "give true or false, without quotes")


@rule("V11", "existing_file_system_id")
def existing_id_is_legal(spec: EfsSpec) -> Iterator[Finding]:
    """An existing file system is named by its id."""
    given = spec.existing_file_system_id
    if given is not None and not (isinstance(given, str) and _FILE_SYSTEM_ID.fullmatch(given)):
        allowed = "fs- and 8 or 17 digits of 0-9 a-f"
        yield finding("V11", "existing_file_system_id", given, allowed, "look it up in the EFS console")


EFS_RULES: tuple[Rule[Any], ...] = (
    existing_id_is_legal,
    existing_takes_no_settings,
    performance_mode_fits,
    throughput_mode_fits,
    zones_fit,
    key_needs_encryption,
    lifecycle_is_offered,
    backup_is_switch,
)
"""Rules of one :class:`EfsSpec`."""
