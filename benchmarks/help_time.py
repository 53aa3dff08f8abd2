"""Wall time of ``headrace --help`` against the import of typer alone, side by side; the target ratio is 2.5.

Run: ``python benchmarks/help_time.py``. The two alternate, and medians of the runs are compared.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 15
TARGET_RATIO = 2.5
COMMANDS = {
    "import typer": [sys.executable, "-c", "import typer"],
    "headrace --help": [sys.executable, "-m", "headrace.cli", "--help"],
}


def wall_seconds(command: list[str]) -> float:
    """Seconds of one run."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    """Print medians and their ratio."""
    for command in COMMANDS.values():
        wall_seconds(command)  # fills the caches of compiled modules
    rounds = [{name: wall_seconds(command) for name, command in COMMANDS.items()} for _ in range(RUNS)]
    medians = {name: statistics.median(each[name] for each in rounds) for name in COMMANDS}
    for name, seconds in medians.items():
        print(f"{name:20s} {seconds:.3f} s  (median of {RUNS})")
    print(f"ratio {medians['headrace --help'] / medians['import typer']:.2f}  (target: at most {TARGET_RATIO})")


if __name__ == "__main__":
    main()
