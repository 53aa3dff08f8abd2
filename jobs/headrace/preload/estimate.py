"""How long a preload takes, before it costs anything; and from when on a job that does not get on is given up.

Three things bound it: what the file system's disks take, the wait for each file, and the network of the instance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from headrace.figures.lustre_content import file_seconds, network_of, one_file_mb_per_second
from headrace.preload.contents import Contents

_BYTES_PER_MB: Final = 1_000_000
# estimates are of what is usual
_MARGIN: Final = 5
_STALL_MARGIN: Final = 3
_PATIENCE_SECONDS: Final = 600
_START_SECONDS: Final = 1800
# CreateTrainingJob, StoppingCondition: 28 days
_LONGEST_SECONDS: Final = 28 * 86_400


class Bound(StrEnum):
    """What a preload takes its time for."""

    CONTENT = "the file system takes its content from S3"
    FILES = "each file is waited for"
    NETWORK = "the instance's network"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Seconds of reading, and what bounds them. Not counted: until the job has its instance and image."""

    seconds: float
    bound: Bound


def estimate(contents: Contents, mb_per_second: float, readers: int, instance_type: str) -> Estimate:
    """The longest of the three; an instance type whose network is not known bounds nothing.

    ``mb_per_second``: what the file system takes, as :func:`headrace.preload.content_mb_per_second` has it.
    """
    megabytes = contents.size_bytes / _BYTES_PER_MB
    network = network_of(instance_type)
    seconds = {
        Bound.CONTENT: megabytes / mb_per_second,
        Bound.FILES: contents.files * file_seconds() / readers,
        Bound.NETWORK: 0.0 if network is None else megabytes / network,
    }
    bound = max(seconds, key=lambda each: seconds[each])
    return Estimate(seconds=seconds[bound], bound=bound)


def stall_seconds(contents: Contents, mb_per_second: float, readers: int) -> int:
    """How long nothing may happen. Lustre lets a reader have a file when all its content is there.

    So it may take the time of the largest file by itself, or of as many such files at once as there are readers.
    """
    alone = contents.largest_bytes / _BYTES_PER_MB / one_file_mb_per_second()
    together_bytes = min(contents.size_bytes, readers * contents.largest_bytes)
    together = together_bytes / _BYTES_PER_MB / mb_per_second
    return _PATIENCE_SECONDS + math.ceil(_STALL_MARGIN * max(alone, together))


def max_runtime_seconds(expected: Estimate, stall: int) -> int:
    """After which SageMaker ends the job whatever it does; the script itself gives up long before, if it stalls."""
    return min(_LONGEST_SECONDS, _START_SECONDS + stall + math.ceil(_MARGIN * expected.seconds))
