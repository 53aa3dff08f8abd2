"""Metrics that a job prints: MetricDefinitions are regular expressions over its log; the last value counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from headrace_local.runner.job import TrainingJob


def reader(job: TrainingJob, definitions: Sequence[Mapping[str, str]]) -> Callable[[str], None]:
    """A function that takes a line of the log and notes the values it holds in the job."""
    patterns = [(each["Name"], re.compile(each["Regex"])) for each in definitions]

    def read(line: str) -> None:
        for name, pattern in patterns:
            for match in pattern.finditer(line):
                value = _number(match)
                if value is not None:
                    job.metrics[name] = (value, datetime.now(UTC))

    return read


def _number(match: re.Match[str]) -> float | None:
    try:
        return float(match.group(1))
    except (IndexError, TypeError, ValueError):
        return None
