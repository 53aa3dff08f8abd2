"""Wall time and calls of the pre-flight of a job with 20 channels over all five roads, on the embedded AWS.

Run: ``python benchmarks/preflight_time.py``. Deploys the platform into an embedded AWS of its own, which is gone
afterwards. The first run makes the clients, as ``headrace check`` does; the second has them. The target is 2 s and one
call of each kind, apart from one for each bucket and prefix.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections import Counter
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from headrace import launch
from headrace.aws import Aws
from headrace.channels import Channel
from headrace.planning import LaunchPlan, draft
from headrace.platform import Platform
from headrace.preflight import check
from headrace.sources import EfsSource, LustreSource, S3FastFileSource, S3FileSource, S3Location, S3PipeSource
from headrace.training import TrainingJob
from headrace_local import process
from headrace_local.guard import closed_environment

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT_NAME = "dev"
CHANNELS = 20
TARGET_SECONDS = 2.0
SERVICES = ("ec2", "ecr", "efs", "fsx", "iam", "s3", "sagemaker")


def deploy(environment: dict[str, str], output: Path) -> None:
    """Deploy the platform as ``make deploy`` does."""
    command = [str(ROOT / "node_modules" / ".bin" / "cdk"), "deploy", "--all", "-c", f"env={ENVIRONMENT_NAME}"]
    options = ["--require-approval", "never", "--no-notices", "--output", str(output)]
    subprocess.run([*command, *options], cwd=ROOT, env=environment, check=True, capture_output=True)


def planned(platform: Platform) -> LaunchPlan:
    """A job whose channels take the five roads in turn, each at a prefix of its own."""
    bucket = platform.foundation.bucket
    channels = []
    for index, road in enumerate(islice(cycle(range(5)), CHANNELS)):
        s3 = S3Location(bucket=bucket, prefix=f"data/{index}/")
        sources = (
            S3FileSource(location=s3),
            S3FastFileSource(location=s3),
            S3PipeSource(location=s3),
            LustreSource(link="data", path=str(index)),
            EfsSource(path=f"/{index}"),
        )
        channels.append(Channel(name=f"c{index}", source=sources[road]))
    job = TrainingJob(
        name=f"{platform.foundation.job_name_prefix}preflight",
        image="preflight:1",
        instance_type="ml.m5.large",
        channels=tuple(channels),
    )
    return draft(job, platform)


def fill(aws: Aws, platform: Platform) -> None:
    """An object for each channel, and the image."""
    for index in range(CHANNELS):
        aws.s3.put_object(platform.foundation.bucket, f"data/{index}/1.bin", b"x")
    ecr = aws.connection.client("ecr")
    ecr.create_repository(repositoryName="preflight")
    media_type = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = json.dumps({"schemaVersion": 2, "mediaType": media_type, "layers": []})
    ecr.put_image(repositoryName="preflight", imageTag="1", imageManifest=manifest)


def measured(plan: LaunchPlan, aws: Aws) -> tuple[float, Counter[str]]:
    """Seconds of one pre-flight, and its calls by kind."""
    calls: Counter[str] = Counter()

    def count(model: Any, **_: Any) -> None:
        calls[f"{model.service_model.service_name}.{model.name}"] += 1

    began = time.perf_counter()
    for service in SERVICES:
        aws.connection.client(service).meta.events.register("before-call", count)
    findings = check(plan, aws)
    seconds = time.perf_counter() - began
    for service in SERVICES:
        aws.connection.client(service).meta.events.unregister("before-call", count)
    for finding in findings:
        print(finding)
    return seconds, calls


def main() -> None:
    """Print the seconds of two runs, and the calls of the second."""
    with tempfile.TemporaryDirectory() as folder, process.running(Path(folder)) as server:
        environment = closed_environment(server.environment())
        deploy(environment, Path(folder) / "cdk.out")
        os.environ.update(environment)
        platform = launch.read_platform(Aws(), ENVIRONMENT_NAME)
        fill(Aws(), platform)
        plan, aws = planned(platform), Aws()
        first, _ = measured(plan, aws)
        second, calls = measured(plan, aws)
    print(f"pre-flight of {len(plan.job.channels)} channels: {first:.2f} s with new clients, {second:.2f} s with them")
    print(f"target: at most {TARGET_SECONDS:.0f} s")
    for name, times in sorted(calls.items()):
        print(f"{times:3d}  {name}")


if __name__ == "__main__":
    main()
