"""How long `python app.py` takes for all stacks, against a CDK app with one empty stack, in the same run.

Both are fresh processes and take turns; the built-in template validation is off. The target is at most 2.5 times.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 7
TARGET_RATIO = 2.5
ROOT = Path(__file__).parent.parent
EMPTY_APP = "from aws_cdk import App, Stack\napp = App()\nStack(app, 'Empty')\napp.synth()\n"
OURS = [sys.executable, "app.py"]
EMPTY = [sys.executable, "-c", EMPTY_APP]


def seconds(command: list[str]) -> float:
    """Wall time of one run, in a fresh output folder."""
    with tempfile.TemporaryDirectory() as out:
        environment = {
            **os.environ,
            "CDK_OUTDIR": out,
            "CDK_VALIDATION": "false",
            "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
        }
        started = time.perf_counter()
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
        return time.perf_counter() - started


def main() -> int:
    """Print both times and their ratio; 1 where the target is missed."""
    for command in (OURS, EMPTY):
        seconds(command)  # the first run unpacks jsii and compiles modules
    rounds = [(seconds(OURS), seconds(EMPTY)) for _ in range(ROUNDS)]
    ours, empty = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratio = ours / empty
    print(f"python app.py, all stacks   {ours:6.2f} s   median of {ROUNDS}")
    print(f"an empty CDK app            {empty:6.2f} s")
    print(f"ratio                       {ratio:6.2f}     target: at most {TARGET_RATIO}")
    return 0 if ratio <= TARGET_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
