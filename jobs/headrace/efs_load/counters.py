"""The numbers that a load prints, as metrics of its job and as progress, and the check that all is there."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final

from headrace.tally import CountsDiffer, Tally
from headrace.training import MetricDefinition

COUNTERS: Final = ("loaded_files", "loaded_bytes", "copied_files", "copied_bytes", "removed_files")
"""Counters that become metrics. Loaded is what is in its place, copied what this job brought there."""

METRICS: Final = tuple(MetricDefinition(name=name, regex=rf"\b{name}=([0-9]+)") for name in COUNTERS)


def arrived_bytes(numbers: Mapping[str, int]) -> int:
    """How far a load is: what was found in its place, and what was read so far, of unfinished files, too."""
    return numbers.get("loaded_bytes", 0) - numbers.get("copied_bytes", 0) + numbers.get("read_bytes", 0)


def check_counts(where: str, listed: Tally, metrics: Mapping[str, float]) -> None:
    """Compare what the job has loaded with what was listed. Raises CountsDiffer with both.

    Metrics of a training job are single-precision numbers (MetricData, Value): bytes beyond 16 MiB are compared as
    far as these reach, to seven digits. The script compares each file exactly.
    """
    loaded = (metrics.get("loaded_files"), metrics.get("loaded_bytes"))
    wanted = (listed.files, listed.size_bytes)
    if all(got is not None and _single(got) == _single(listed) for got, listed in zip(loaded, wanted, strict=True)):
        return
    files, size_bytes = ("an unknown number of" if each is None else f"{each:,.0f}" for each in loaded)
    raise CountsDiffer(
        f"{where} has {files} files with {size_bytes} bytes loaded; allowed: the {listed.files:,} files with "
        f"{listed.size_bytes:,} bytes that S3 listed; fix: load again, which copies what is missing"
    )


def _single(number: float) -> float:
    value: float = struct.unpack("f", struct.pack("f", number))[0]
    return value
