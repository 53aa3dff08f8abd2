"""Wall time of ``headrace --help`` against the import of typer alone, side by side; the target ratio is 2.5.

Run: ``python benchmarks/help_time.py``. The two alternate, and medians of the runs are compared.
"""

from __future__ import annotations

import sys

from wall_time import medians

RUNS = 15
TARGET_RATIO = 2.5
COMMANDS = {
    "import typer": [sys.executable, "-c", "import typer"],
    "headrace --help": [sys.executable, "-m", "headrace.cli", "--help"],
}


def main() -> None:
    """Print medians and their ratio."""
    taken = medians(COMMANDS, RUNS)
    for name, seconds in taken.items():
        print(f"{name:20s} {seconds:.3f} s  (median of {RUNS})")
    print(f"ratio {taken['headrace --help'] / taken['import typer']:.2f}  (target: at most {TARGET_RATIO})")


if __name__ == "__main__":
    main()
