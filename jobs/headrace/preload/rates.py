"""How fast content comes from S3, and which instance takes it: rates.json, which says where each number is from.

The networks of instances are those of :mod:`headrace.figures`. MB are 10^6 bytes, TiB and GiB are powers of two, as
FSx and EC2 use them.
"""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path
from typing import Any, Final

from headrace.figures.instance_types import InstanceType, all_instance_types

_DATA: Final = Path(__file__).with_name("rates.json")
_GIB_PER_TIB: Final = 1024
MAX_READERS: Final = 256
_INSTANCE_TYPES: Final = (
    *("ml.m5.large", "ml.m5.xlarge", "ml.m5.2xlarge"),
    *("ml.c5n.xlarge", "ml.c5n.2xlarge", "ml.c5n.4xlarge", "ml.c5n.9xlarge", "ml.c5n.18xlarge"),
)
"""From the smallest network to the largest: reading wants nothing else of an instance."""


@cache
def rates() -> dict[str, Any]:
    """The file, as it is."""
    plain: dict[str, Any] = json.loads(_DATA.read_text(encoding="utf-8"))
    return plain


@cache
def instances() -> tuple[InstanceType, ...]:
    """The instance types that a preload chooses from, the smallest network first."""
    known = all_instance_types()
    return tuple(known[each] for each in _INSTANCE_TYPES)


def content_mb_per_second(storage_capacity_gib: int, throughput_mbps_per_tib: int | None = None) -> float:
    """How fast a file system takes content from S3; ``throughput_mbps_per_tib``: 0 or None for SCRATCH_2."""
    scratch = float(rates()["content"]["mb_per_second_per_tib"])
    return (throughput_mbps_per_tib or scratch) * storage_capacity_gib / _GIB_PER_TIB


def one_file_mb_per_second() -> float:
    """How fast the content of one file comes."""
    return float(rates()["one_file"]["mb_per_second"])


def file_seconds() -> float:
    """How long a reader waits for a file, however small."""
    measured = rates()["small_files"]
    return float(measured["readers"] / measured["files_per_second"])


def instance_for(content: float) -> InstanceType:
    """The smallest whose network brings the MB/s that the file system takes; the largest there is where none does.

    What counts is the network that an instance has for as long as it takes: its baseline, not its burst.
    """
    return next((each for each in instances() if (each.network_mb_per_second or 0) >= content), instances()[-1])


def network_of(instance_type: str) -> float | None:
    """The network of an instance type in MB/s; None where it is not known."""
    known = all_instance_types().get(instance_type)
    return None if known is None else known.network_mb_per_second


def readers_for(content: float) -> int:
    """As many as were measured, and more where so many single streams would not fill the file system (in MB/s)."""
    streams = math.ceil(content / one_file_mb_per_second())
    return min(MAX_READERS, max(int(rates()["small_files"]["readers"]), streams))
