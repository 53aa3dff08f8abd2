"""Wall time of ``headrace advise --profile``, beside Python's own start and the libraries that it cannot do without.

Run: ``python benchmarks/advise_time.py``. All alternate, and medians of the runs are compared. The profile is that of
1.5 million small images; the target is 0.5 s for the whole process.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from headrace.dataset import to_plain
from headrace.dataset.profile import Where, profile_of_sizes
from wall_time import medians

RUNS = 15
TARGET_SECONDS = 0.5
LIBRARIES = "import typer, rich.console, rich.table"
OPTIONS = ["--instance", "ml.g5.2xlarge", "--epochs", "10", "--samples-per-second", "330"]


def main() -> None:
    """Print medians, and the ratio to what cannot be done without."""
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "profile.json"
        profile.write_text(json.dumps(to_plain(profile_of_sizes("s3://lake/data/", Where.S3, {35_300: 1_530_350}))))
        commands = {
            "python": [sys.executable, "-c", "pass"],
            "its two libraries": [sys.executable, "-c", LIBRARIES],
            "headrace advise": [sys.executable, "-m", "headrace.cli", "advise", "--profile", str(profile), *OPTIONS],
        }
        taken = medians(commands, RUNS)
    for name, seconds in taken.items():
        print(f"{name:20s} {seconds:.3f} s (median of {RUNS})")
    ratio = taken["headrace advise"] / taken["its two libraries"]
    print(f"headrace advise takes {ratio:.2f} times its libraries (target: at most {TARGET_SECONDS} s)")


if __name__ == "__main__":
    main()
