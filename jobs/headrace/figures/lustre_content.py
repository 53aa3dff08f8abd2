"""How Lustre takes its content from S3, and which instance reads it: bound by disks, by network, and by each file.

MB are 10^6 bytes, TiB and GiB are powers of two, as FSx and EC2 use them.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Final

from headrace.figures.instance_types import InstanceType, all_instance_types
from headrace.figures.rates import rates

GIB_PER_TIB: Final = 1024
MIN_READERS: Final = 16
MAX_READERS: Final = 256
_INSTANCE_TYPES: Final = (
    *("ml.m5.large", "ml.m5.xlarge", "ml.m5.2xlarge"),
    *("ml.c5n.xlarge", "ml.c5n.2xlarge", "ml.c5n.4xlarge", "ml.c5n.9xlarge", "ml.c5n.18xlarge"),
)
"""From the smallest network to the largest: reading wants nothing else of an instance."""


def content_mb_per_second(storage_capacity_gib: int, throughput_mbps_per_tib: int | None = None) -> float:
    """How fast a file system takes content from S3; ``throughput_mbps_per_tib``: 0 or None for SCRATCH_2.

    What comes from S3 is written; of a persistent file system, PerUnitStorageThroughput is what it writes.
    """
    scratch = rates()["lustre_content_mb_per_second_per_tib"].value
    return (throughput_mbps_per_tib or scratch) * storage_capacity_gib / GIB_PER_TIB


def one_file_mb_per_second() -> float:
    """How fast the content of one file comes."""
    return rates()["lustre_cold_stream_mb_per_second"].value


def file_seconds() -> float:
    """How long a reader waits for a file, however small."""
    return rates()["lustre_cold_file_seconds"].value


def readers_for(content: float) -> int:
    """As many as were measured, and more where so many single streams would not fill the file system (in MB/s)."""
    return min(MAX_READERS, max(MIN_READERS, math.ceil(content / one_file_mb_per_second())))


@cache
def instances() -> tuple[InstanceType, ...]:
    """The instance types that a preload chooses from, the smallest network first."""
    known = all_instance_types()
    return tuple(known[each] for each in _INSTANCE_TYPES)


def instance_for(content: float) -> InstanceType:
    """The smallest whose network brings the MB/s that the file system takes; the largest there is where none does.

    What counts is the network that an instance has for as long as it takes: its baseline, not its burst.
    """
    return next((each for each in instances() if (each.network_mb_per_second or 0) >= content), instances()[-1])


def network_of(instance_type: str) -> float | None:
    """The network of an instance type in MB/s; None where it is not known."""
    known = all_instance_types().get(instance_type)
    return None if known is None else known.network_mb_per_second
