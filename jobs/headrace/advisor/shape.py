"""A data set as a road sees it: so many files of so many bytes; and what packing makes of it.

Packing puts small files into shards (TFRecord, tar, RecordIO …) of a size at which no road waits for each file. The
document that headrace comes from calls a file small below 50 MB and recommends shards of about 150 MB.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from headrace.advisor.question import Question
from headrace.advisor.speeds import Speeds
from headrace.dataset import Profile

SMALLEST_VOLUME_GB: Final = 30
"""What a job has where nobody asks for more."""
_BYTES_PER_MB: Final = 1e6
_BYTES_PER_GIB: Final = 1 << 30
_VOLUME_ROOM: Final = 1.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How much there is to read; ``requests``: reads that each begin anew, one for each file or for each sample."""

    files: float
    size_bytes: float
    requests: float

    def share(self, of: float) -> Shape:
        """What one of so many gets."""
        return Shape(files=self.files / of, size_bytes=self.size_bytes / of, requests=self.requests / of)


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """What is packed, and into how many shards; ``kept_files``: large enough as they are."""

    small_files: int
    small_bytes: int
    shards: int
    kept_files: int

    @property
    def files(self) -> int:
        """Files afterwards."""
        return self.shards + self.kept_files


def packing_of(profile: Profile, known: Speeds) -> Packing | None:
    """How the data set is packed; None where it would not be at most half as many files."""
    small_files = small_bytes = 0
    for each in profile.sizes:
        if each.size_bytes < known.small_file_mb.point * _BYTES_PER_MB * each.files:
            small_files += each.files
            small_bytes += each.size_bytes
    shards = math.ceil(small_bytes / (known.shard_mb.point * _BYTES_PER_MB))
    packing = Packing(
        small_files=small_files,
        small_bytes=small_bytes,
        shards=max(1, shards),
        kept_files=profile.files - small_files,
    )
    return packing if packing.files * 2 <= profile.files else None


def volume_gb(question: Question, copied_bytes: float) -> int:
    """VolumeSizeInGB of each instance, in GiB as SageMaker counts it: what is copied to it and a tenth to spare.

    As was asked for, where that is said; 0 where the instance has NVMe of its own, and no volume.
    """
    fleet = question.fleet
    if fleet.instance_type.nvme_gb:
        return 0
    return fleet.volume_gb or max(SMALLEST_VOLUME_GB, math.ceil(copied_bytes * _VOLUME_ROOM / _BYTES_PER_GIB))
