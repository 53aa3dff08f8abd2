"""How Lustre takes its content from S3: bound by what its disks write, and by the wait for each file.

MB are 10^6 bytes, TiB and GiB are powers of two, as FSx uses them.
"""

from __future__ import annotations

import math
from typing import Final

from headrace.figures.rates import rates

GIB_PER_TIB: Final = 1024
MIN_READERS: Final = 16
MAX_READERS: Final = 256


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
