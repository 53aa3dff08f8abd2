"""The whole idea at work, without an AWS account: deploy, upload, train, tear down. ``make demo`` runs it.

Every step is what a user does on AWS, with the same commands: the real CDK CLI deploys the stacks, and the real
``headrace train`` launches the job. Only the account is on this machine, and nothing here can reach another.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from digits.write_digits import write_digits
from headrace.errors import HeadraceError
from headrace_local import process
from headrace_local.guard import close_this_process
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
CDK = ROOT / "node_modules" / ".bin" / "cdk"
JOB_FILE = ROOT / "examples" / "digits" / "job.yaml"
IMAGE_REPOSITORY, IMAGE_TAG = "headrace-digits", "1"
DATA_PREFIX = "data/digits/"
ENVIRONMENT_NAME = "dev"
UPLOAD_THREADS = 8

narration = Console(stderr=True, highlight=False)


@dataclass
class Demo:
    """What the steps share: a folder of its own, and how long each step took."""

    folder: Path
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Tell that a step begins, and how long it took."""
        narration.print(f"[bold]{title}[/bold]")
        started = time.perf_counter()
        yield
        self.seconds[title] = time.perf_counter() - started
        narration.print(f"  {self.seconds[title]:.1f} s")

    def client(self, service: str) -> Any:
        """A boto3 client of the embedded AWS: this process's environment leads nowhere else."""
        return boto3.client(service, config=Config(max_pool_connections=UPLOAD_THREADS))

    @property
    def assembly(self) -> str:
        """The folder of the synthesised templates, made once and used for deploying and destroying."""
        return str(self.folder / "cdk.out")

    def cdk(self, *arguments: str) -> None:
        """Run the CDK CLI; its output is shown when it fails."""
        code, output = run_to_end([str(CDK), *arguments, "--no-notices"], stderr=subprocess.STDOUT)
        if code != 0:
            raise HeadraceError(f"cdk {arguments[0]} failed:\n{output}")


def run_to_end(command: list[str], stderr: int | None = None) -> tuple[int, str]:
    """Run a command; its exit code and what it printed. If the demo is ended meanwhile, so is all that it started."""
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        start_new_session=True,
    ) as child:
        try:
            output, _ = child.communicate()
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)
            raise
    return child.returncode, output


def deploy(demo: Demo) -> None:
    """Synthesise and deploy the stacks, in one go without change sets: nobody is there to review them."""
    demo.cdk("synth", "--quiet", "-c", f"env={ENVIRONMENT_NAME}", "--output", demo.assembly)
    demo.cdk("deploy", "--all", "--app", demo.assembly, "--require-approval", "never", "--method", "direct")


def push_image(demo: Demo) -> None:
    """Register an image in ECR. No container runs here: the script runs in this Python, and the image is a name."""
    ecr = demo.client("ecr")
    ecr.create_repository(repositoryName=IMAGE_REPOSITORY)
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json", "layers": []}
    ecr.put_image(repositoryName=IMAGE_REPOSITORY, imageTag=IMAGE_TAG, imageManifest=json.dumps(manifest))


def bucket_of_the_platform(demo: Demo) -> str:
    """The bucket's name, from the platform's record, where a job would look."""
    record = demo.client("ssm").get_parameter(Name=f"/headrace/{ENVIRONMENT_NAME}/foundation")
    return str(json.loads(record["Parameter"]["Value"])["bucket"])


def upload_digits(demo: Demo) -> None:
    """Write the images and upload them below ``data/digits/``."""
    folder = demo.folder / "digits"
    write_digits(folder)
    s3, bucket = demo.client("s3"), bucket_of_the_platform(demo)
    paths = sorted(folder.rglob("*.png"))
    with ThreadPoolExecutor(UPLOAD_THREADS) as pool:
        keys = pool.map(lambda path: _upload(s3, bucket, folder, path), paths)
        for number, _ in enumerate(keys, start=1):
            if number % 600 == 0 or number == len(paths):
                narration.print(f"  {number:,} of {len(paths):,} files")


def _upload(s3: Any, bucket: str, folder: Path, path: Path) -> None:
    s3.put_object(Bucket=bucket, Key=DATA_PREFIX + path.relative_to(folder).as_posix(), Body=path.read_bytes())


def train() -> dict[str, Any]:
    """Launch the job with the command that everybody uses; its result."""
    command = [sys.executable, "-m", "headrace.cli", "train", str(JOB_FILE), "--platform", ENVIRONMENT_NAME]
    code, output = run_to_end([*command, "--wait", "--json"])
    if code != 0:
        raise HeadraceError(f"headrace train ended with {code}")
    result: dict[str, Any] = json.loads(output)
    return result


def tear_down(demo: Demo) -> None:
    """Take the stacks down as ``make destroy`` does."""
    demo.cdk("destroy", "--all", "--app", demo.assembly, "--force")


def show(job: Mapping[str, Any], demo: Demo) -> None:
    """The result: the job's phases and metrics, and what each step of the demo took."""
    table = Table("what", "", title=job["name"], title_justify="left")
    for phase in job["phases"]:
        table.add_row(phase["status"], "" if phase["seconds"] is None else f"{phase['seconds']:.1f} s")
    table.add_section()
    for metric, value in job["metrics"].items():
        table.add_row(metric, f"{value:.4g}")
    table.add_section()
    for title, seconds in demo.seconds.items():
        table.add_row(title, f"{seconds:.1f} s")
    Console().print(table)


def main() -> None:
    """Run all steps; the embedded AWS and its state are gone at the end, however it ends."""
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda number, _: sys.exit(128 + number))
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="headrace-demo-") as name:
        folder = Path(name)
        narration.print("[bold]start the embedded AWS[/bold]")
        with process.running(folder / "local") as server:
            close_this_process(server.environment())
            demo = Demo(folder)
            with demo.step("deploy all stacks with the CDK CLI"):
                deploy(demo)
            with demo.step("upload 1,797 images"):
                push_image(demo)
                upload_digits(demo)
            with demo.step("train"):
                job = train()
            with demo.step("tear everything down"):
                tear_down(demo)
    show(job, demo)
    narration.print(f"{time.perf_counter() - started:.1f} s in all; nothing is left running")


if __name__ == "__main__":
    try:
        main()
    except HeadraceError as error:
        narration.print(f"error: {error}", markup=False)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
