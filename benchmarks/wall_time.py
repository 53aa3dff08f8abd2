"""Wall time of whole commands, in turn: what the benchmarks of commands share."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence


def wall_seconds(command: Sequence[str]) -> float:
    """Seconds of one run."""
    began = time.perf_counter()
    subprocess.run(list(command), check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def medians(commands: Mapping[str, Sequence[str]], runs: int) -> dict[str, float]:
    """The median seconds of each command: they alternate, and their first runs, which fill caches, are left out."""
    for command in commands.values():
        wall_seconds(command)
    rounds = [{name: wall_seconds(command) for name, command in commands.items()} for _ in range(runs)]
    return {name: statistics.median(each[name] for each in rounds) for name in commands}
