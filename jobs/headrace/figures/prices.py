"""What AWS asks for things, by Region: list prices on demand, with their source and date.

A price that is not known is None, never a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from headrace.figures.snapshot import Snapshot

HOURS_PER_MONTH: Final = 730
"""How AWS's calculator counts a month: a year's hours by twelve."""


class Item(StrEnum):
    """What is paid for, and in which unit; a GB-month is 730 hours of a GB. FSx and EFS bill a GiB as a GB."""

    TRAINING_HOUR = "training_hour"  # by instance type
    ML_VOLUME_GB_MONTH = "ml_volume_gb_month"
    S3_STANDARD_GB_MONTH = "s3_standard_gb_month"
    S3_GET_1000 = "s3_get_1000"
    S3_PUT_LIST_1000 = "s3_put_list_1000"
    LUSTRE_SCRATCH_2_GB_MONTH = "lustre_scratch_2_gb_month"
    LUSTRE_PERSISTENT_2_GB_MONTH = "lustre_persistent_2_gb_month"  # by MB/s per TiB
    EFS_STANDARD_GB_MONTH = "efs_standard_gb_month"
    EFS_ONE_ZONE_GB_MONTH = "efs_one_zone_gb_month"
    EFS_ELASTIC_READ_GB = "efs_elastic_read_gb"
    EFS_ELASTIC_WRITE_GB = "efs_elastic_write_gb"
    EFS_PROVISIONED_MBPS_MONTH = "efs_provisioned_mbps_month"
    CROSS_AZ_GB = "cross_az_gb"  # each way
    INTERFACE_ENDPOINT_HOUR = "interface_endpoint_hour"  # in one zone
    KMS_KEY_MONTH = "kms_key_month"
    ALARM_MONTH = "alarm_month"  # of one metric
    FLOW_LOGS_GB = "flow_logs_gb"  # taken in by CloudWatch Logs


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """US dollars for one unit of an item. ``source``: where it is from; ``date``: as of when, ISO 8601."""

    usd: float
    source: str
    date: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """The list prices of one Region. ``of``: (item, detail) -> price; ``detail`` is empty where an item has none."""

    region: str
    of: dict[tuple[Item, str], Price]

    def price(self, item: Item, detail: str = "") -> Price | None:
        """The price, or None where it is not known. ``detail``: instance type, or MB/s per TiB of PERSISTENT_2."""
        return self.of.get((item, detail))

    def usd(self, item: Item, detail: str = "") -> float | None:
        """The US dollars of it."""
        found = self.price(item, detail)
        return None if found is None else found.usd


def prices(region: str, snapshot: Snapshot | None = None) -> Prices:
    """The prices of a Region; none where it is not known. ``snapshot``: default is the one that is shipped."""
    from headrace.figures.snapshot import read_snapshot

    found = (read_snapshot() if snapshot is None else snapshot).prices
    return found.get(region) or Prices(region=region, of={})
