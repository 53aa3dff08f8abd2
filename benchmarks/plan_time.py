"""Wall time of ``headrace plan`` beyond Python's own start, beside ``import botocore.session`` and its own libraries.

Run: ``python benchmarks/plan_time.py``. All alternate, and medians of the runs are compared. The plan is that of
examples/digits on a platform with every road; the target is 0.35 s beyond Python's own start.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from wall_time import medians

RUNS = 15
TARGET_SECONDS = 0.35
# typer reads the command line, yaml the job file, and pydantic checks it: a plan cannot take less than they do
LIBRARIES = "import typer, yaml; from pydantic import BaseModel; type('Model', (BaseModel,), {})"
JOB = Path(__file__).resolve().parent.parent / "examples" / "digits" / "job.yaml"
ARN = "arn:aws:iam::123456789012:role/headrace-dev"
RECORD = {
    "foundation": {
        "platform": "dev",
        "region": "us-east-1",
        "account": "123456789012",
        "vpc_id": "vpc-0123456789abcdef0",
        "subnets": [{"subnet_id": f"subnet-0123456789abcde{zone}", "az_id": f"use1-az{zone}"} for zone in (1, 2)],
        "job_security_group_id": "sg-0123456789abcdef0",
        "bucket": "lake",
        "data_locations": [{"bucket": "lake", "prefix": "data/"}],
        "roles": {"s3": f"{ARN}-s3", "file_systems": f"{ARN}-file-systems", "both": f"{ARN}-both"},
        "job_name_prefix": "dev-",
        "efs": {"file_system_id": "fs-0123456789abcdef0", "az_ids": ["use1-az1", "use1-az2"]},
    },
    "lustre": {
        "platform": "dev",
        "file_system_id": "fs-0fedcba9876543210",
        "mount_name": "abcd1234",
        "subnet_id": "subnet-0123456789abcde1",
        "az_id": "use1-az1",
        "storage_capacity_gib": 1200,
        "links": [{"name": "data", "path": "/data", "bucket": "lake", "prefix": "data/"}],
    },
}


def main() -> None:
    """Print medians, and how much each takes beyond Python's own start."""
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "record.json"
        record.write_text(json.dumps(RECORD), encoding="utf-8")
        plan = [sys.executable, "-m", "headrace.cli", "plan", str(JOB), "--platform", str(record)]
        commands = {
            "python": [sys.executable, "-c", "pass"],
            "import botocore.session": [sys.executable, "-c", "import botocore.session"],
            "its three libraries": [sys.executable, "-c", LIBRARIES],
            "headrace plan": plan,
        }
        taken = medians(commands, RUNS)
    for name, seconds in taken.items():
        print(f"{name:24s} {seconds:.3f} s, {seconds - taken['python']:.3f} s beyond Python's start (median of {RUNS})")
    beyond = taken["headrace plan"] - taken["python"]
    ratio = beyond / (taken["import botocore.session"] - taken["python"])
    print(f"headrace plan takes {beyond:.3f} s (target: at most {TARGET_SECONDS} s), {ratio:.2f} times the import")


if __name__ == "__main__":
    main()
