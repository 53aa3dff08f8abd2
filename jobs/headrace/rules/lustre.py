"""Rules of a Lustre file system's shape: type, capacity, throughput, version, place.

Amazon FSx finds these mistakes after minutes of deployment, and its template checks find none of them. headrace
offers SCRATCH_2 and PERSISTENT_2 on SSD with Lustre 2.15; what else FSx knows is refused with the reason.
Rule of our own: V64, capacity or data-set size.

Sources: Amazon FSx API Reference, CreateFileSystem and CreateFileSystemLustreConfiguration (botocore 1.44.5 service
model, read 2026-11). Default quota: Amazon FSx for Lustre User Guide, "Quotas".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from headrace.rules.finding import Finding, Level, Rule, rule
from headrace.rules.lustre_refused import REFUSED_OPTIONS_RULES, RefusedOptions
from headrace.rules.lustre_sizing import (
    CAPACITIES,
    DATASET_SIZES,
    MAX_FILL,
    Sizing,
    is_dataset_size,
    is_legal_capacity,
    legal_capacity_gib,
    next_capacity_gib,
)
from headrace.rules.values import (
    Number,
    Switch,
    Text,
    WholeNumber,
    finding,
    is_one_of,
    is_switch,
    is_whole_number,
)

__all__ = ["DEPLOYMENT_TYPES", "LUSTRE_RULES", "LUSTRE_VERSION", "LustreSpec", "Sizing", "legal_capacity_gib"]

SCRATCH_2: Final = "SCRATCH_2"
PERSISTENT_2: Final = "PERSISTENT_2"
DEPLOYMENT_TYPES: Final = (SCRATCH_2, PERSISTENT_2)
LUSTRE_VERSION: Final = "2.15"
DEFAULT_QUOTA_GIB: Final = 100_800
PERSISTENT_2_THROUGHPUTS_MBPS_PER_TIB: Final = (125, 250, 500, 1000)
MAX_SECURITY_GROUPS: Final = 50

_WEEKLY_TIME: Final = re.compile(r"[1-7]:([01]\d|2[0-3]):[0-5]\d", re.ASCII)
_REFUSED_DEPLOYMENT_TYPES: Final = {
    "SCRATCH_1": "SCRATCH_1 takes no data repository association and does not encrypt in transit",
    "PERSISTENT_1": "PERSISTENT_2 does the same with more throughput for each TiB",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LustreSpec(RefusedOptions):
    """A Lustre file system as asked for; None: not given. Exactly one of capacity and data-set size is given.

    ``dataset_gib``: what will lie on it. The inherited options are never offered.
    """

    deployment_type: Text = None
    file_system_type_version: Text = None
    storage_capacity_gib: WholeNumber = None
    dataset_gib: Number = None
    per_unit_storage_throughput_mbps_per_tib: WholeNumber = None
    data_compression_type: Text = None
    kms_key_given: Switch = None
    subnet_count: WholeNumber = None
    security_group_count: WholeNumber = None
    weekly_maintenance_start_time: Text = None


@rule("V1", "deployment_type")
def deployment_type_is_offered(spec: LustreSpec) -> Iterator[Finding]:
    """The deployment type is SCRATCH_2 or PERSISTENT_2, and is stated: the API's own default is SCRATCH_1."""
    given = spec.deployment_type
    if is_one_of(given, DEPLOYMENT_TYPES):
        return
    reason = _REFUSED_DEPLOYMENT_TYPES.get(given) if isinstance(given, str) else None
    allowed = "SCRATCH_2 or PERSISTENT_2" + (f", since {reason}" if reason else "")
    yield finding("V1", "deployment_type", given, allowed, "SCRATCH_2, or PERSISTENT_2 for one that lives long")


@rule("V2", "storage_capacity_gib")
def capacity_is_legal(spec: LustreSpec) -> Iterator[Finding]:
    """A capacity is 1200 GiB or a multiple of 2400 GiB."""
    given = spec.storage_capacity_gib
    if given is not None and not is_legal_capacity(given):
        fix = f"{next_capacity_gib(given)}" if is_whole_number(given) else "a whole number of GiB"
        yield finding("V2", "storage_capacity_gib", given, f"{CAPACITIES} GiB", fix)


@rule("V3", "deployment_type", "per_unit_storage_throughput_mbps_per_tib")
def throughput_fits_deployment_type(spec: LustreSpec) -> Iterator[Finding]:
    """PERSISTENT_2 needs a throughput for each TiB; SCRATCH_2 has its own and takes none."""
    field, given = "per_unit_storage_throughput_mbps_per_tib", spec.per_unit_storage_throughput_mbps_per_tib
    if spec.deployment_type == PERSISTENT_2:
        if not is_one_of(given, PERSISTENT_2_THROUGHPUTS_MBPS_PER_TIB):
            yield finding("V3", field, given, "125, 250, 500 or 1000 for PERSISTENT_2", "choose one of them")
    elif spec.deployment_type == SCRATCH_2 and given is not None:
        allowed = "nothing for SCRATCH_2, which always has 200 MB/s per TiB"
        yield finding("V3", field, given, allowed, "leave it out, or choose PERSISTENT_2")


@rule("V4", "deployment_type", "kms_key_given")
def kms_key_only_persistent(spec: LustreSpec) -> Iterator[Finding]:
    """A scratch file system is encrypted with a key of FSx and takes no other."""
    given = spec.kms_key_given
    if not is_switch(given):
        yield finding("V4", "kms_key", given, "a KMS key or nothing", "give the key, or leave it out")
    elif given and spec.deployment_type == SCRATCH_2:
        allowed = "no key for SCRATCH_2, which FSx encrypts with a key of its own"
        yield finding("V4", "kms_key", "given", allowed, "leave it out, or choose PERSISTENT_2")


@rule("V6", "data_compression_type")
def compression_is_known(spec: LustreSpec) -> Iterator[Finding]:
    """Compression is NONE or LZ4."""
    if spec.data_compression_type not in (None, "NONE", "LZ4"):
        yield finding("V6", "data_compression_type", spec.data_compression_type, "NONE or LZ4", "LZ4")


@rule("V8", "weekly_maintenance_start_time")
def weekly_time_is_legal(spec: LustreSpec) -> Iterator[Finding]:
    """Weekly maintenance starts at d:HH:MM, UTC, 1 is Monday."""
    given = spec.weekly_maintenance_start_time
    if given is not None and not (isinstance(given, str) and _WEEKLY_TIME.fullmatch(given)):
        allowed = "d:HH:MM in UTC, d from 1 (Monday) to 7"
        yield finding("V8", "weekly_maintenance_start_time", given, allowed, "for instance 7:03:00")


@rule("V9", "file_system_type_version")
def version_is_offered(spec: LustreSpec) -> Iterator[Finding]:
    """Lustre is 2.15, and is stated: the API's own default is 2.10, which takes no data repository association."""
    given = spec.file_system_type_version
    if given != LUSTRE_VERSION:
        allowed = "2.15, since 2.10 takes no links and 2.12 is superseded"
        yield finding("V9", "file_system_type_version", given, allowed, 'the text "2.15"')


@rule("V10", "subnet_count", "security_group_count")
def place_is_one_subnet(spec: LustreSpec) -> Iterator[Finding]:
    """A Lustre file system lies in exactly one subnet, behind 1 to 50 security groups."""
    if not is_one_of(spec.subnet_count, (1,)):
        yield finding("V10", "subnet_count", spec.subnet_count, "exactly 1", "choose the subnet of one zone")
    groups = spec.security_group_count
    if not is_whole_number(groups) or not 1 <= groups <= MAX_SECURITY_GROUPS:
        allowed = f"1 to {MAX_SECURITY_GROUPS}; without one, FSx takes the VPC's default group, which lets no job in"
        yield finding("V10", "security_group_count", groups, allowed, "give the file system's security group")


@rule("V26", "dataset_gib", "storage_capacity_gib")
def dataset_fits(spec: LustreSpec) -> Iterator[Finding]:
    """The data set is a size above 0 and fills at most nine tenths of the capacity, if one is given as well."""
    dataset, capacity = spec.dataset_gib, spec.storage_capacity_gib
    if dataset is None:
        return
    if not is_dataset_size(dataset):
        yield finding("V26", "dataset_gib", dataset, DATASET_SIZES, "give the size in GiB")
    elif is_whole_number(capacity) and Fraction(dataset) > capacity * MAX_FILL:
        sizing = legal_capacity_gib(dataset)
        allowed = f"at most nine tenths of the capacity: {sizing.arithmetic}"
        yield finding("V26", "storage_capacity_gib", capacity, allowed, f"{sizing.storage_capacity_gib}")


@rule("V38", "storage_capacity_gib", "dataset_gib")
def capacity_within_quota(spec: LustreSpec) -> Iterator[Finding]:
    """More than 100,800 GiB needs a higher quota than an account starts with."""
    capacity = spec.storage_capacity_gib
    if capacity is None and is_dataset_size(spec.dataset_gib):
        capacity = legal_capacity_gib(spec.dataset_gib).storage_capacity_gib
    if is_whole_number(capacity) and capacity > DEFAULT_QUOTA_GIB:
        allowed = f"{DEFAULT_QUOTA_GIB:,} GiB in all by an account's default quota"
        fix = "make sure that the quota was raised (Service Quotas, Amazon FSx)"
        yield finding("V38", "storage_capacity_gib", capacity, allowed, fix, Level.WARNING)


@rule("V64", "storage_capacity_gib", "dataset_gib")
def capacity_or_dataset(spec: LustreSpec) -> Iterator[Finding]:
    """Either the capacity or the size of the data set is given."""
    given = [spec.storage_capacity_gib is not None, spec.dataset_gib is not None]
    if sum(given) != 1:
        got = [spec.storage_capacity_gib, spec.dataset_gib] if all(given) else None
        allowed, fix = "exactly one of the two", "give storage_capacity_gib, or dataset_gib to have it computed"
        yield finding("V64", "storage_capacity_gib or dataset_gib", got, allowed, fix)


LUSTRE_RULES: tuple[Rule[Any], ...] = (
    deployment_type_is_offered,
    capacity_or_dataset,
    capacity_is_legal,
    dataset_fits,
    capacity_within_quota,
    throughput_fits_deployment_type,
    kms_key_only_persistent,
    compression_is_known,
    weekly_time_is_legal,
    version_is_offered,
    place_is_one_subnet,
    *REFUSED_OPTIONS_RULES,
)
"""Rules of one :class:`LustreSpec`."""
