"""The numbers that a preload prints, as metrics of its job and as progress, and the check that all is loaded.

FinalMetricDataList holds single-precision numbers, which are exact up to 16,777,216 (CreateTrainingJob, MetricData).
So the script prints each large number once more in groups of six digits, and these make up the exact one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from headrace.tally import CountsDiffer, Tally
from headrace.training import MetricDefinition

_GROUPS: Final = {"loaded_files": (6, 0), "loaded_bytes": (12, 6, 0)}
"""Number -> the powers of ten of its groups."""

COUNTERS: Final = (
    "loaded_files",
    "loaded_bytes",
    "found_files",
    "failed_files",
    *(f"{name}_e{power}" for name, powers in _GROUPS.items() for power in powers),
)
"""Counters that become metrics. Found is what was loaded before, and counts as loaded, too."""

METRICS: Final = tuple(MetricDefinition(name=name, regex=rf"\b{name}=([0-9]+)") for name in COUNTERS)


def arrived_bytes(numbers: Mapping[str, int]) -> int:
    """How far a preload is: bytes of loaded files, and what was read of others."""
    return numbers.get("loaded_bytes", 0) + numbers.get("reading_bytes", 0)


def exact(metrics: Mapping[str, float], name: str) -> int | None:
    """A number of the job's metrics to its last digit; None where a part of it is missing."""
    groups = [(metrics.get(f"{name}_e{power}"), power) for power in _GROUPS[name]]
    total = 0
    for value, power in groups:
        if value is None:
            return None
        total += int(value) * 10**power
    return total


def loaded_of(metrics: Mapping[str, float]) -> Tally | None:
    """What a job has loaded, as its metrics say; None where they do not."""
    files, size_bytes = exact(metrics, "loaded_files"), exact(metrics, "loaded_bytes")
    return None if files is None or size_bytes is None else Tally(files=files, size_bytes=size_bytes)


def check_counts(where: str, listed: Tally, metrics: Mapping[str, float], imported_files: int | None = None) -> Tally:
    """Compare what the job has loaded with what S3 listed; what it has loaded. Raises CountsDiffer with the figures.

    ``imported_files``: SucceededCount of the task that imported the metadata; None where none is to be compared.
    """
    loaded = loaded_of(metrics)
    told = (
        "an unknown number of files" if loaded is None else f"{loaded.files:,} files with {loaded.size_bytes:,} bytes"
    )
    if loaded != listed or loaded is None:
        raise CountsDiffer(
            f"{where} has {told} loaded; allowed: the {listed.files:,} files with {listed.size_bytes:,} bytes that S3 "
            "listed; fix: import what is missing (a data repository task, or an automatic import), and preload again"
        )
    if imported_files is not None and imported_files != loaded.files:
        raise CountsDiffer(
            f"{where} has {told} loaded; allowed: the {imported_files:,} files that its import task has imported; "
            "fix: look into the task's failures, import again, and preload again"
        )
    return loaded
