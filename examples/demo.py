"""The whole idea at work, without an AWS account: deploy, upload, train by each road, tear down. ``make demo``.

One more job gets a Lustre file system of its own: made, filled, used and gone, by the state machines of the platform.

Every step is what a user does on AWS, with the same commands: the real CDK CLI deploys the stacks, and the real
``headrace train`` launches the jobs. Only the account is on this machine, and nothing here can reach another.
"""

from __future__ import annotations

import csv
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
import yaml
from botocore.config import Config
from digits.write_digits import write_digits
from headrace.errors import HeadraceError
from headrace_local import process
from headrace_local.guard import close_this_process
from rich import box
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
CDK = ROOT / "node_modules" / ".bin" / "cdk"
DIGITS = ROOT / "examples" / "digits"
IMAGE_REPOSITORY, IMAGE_TAG = "headrace-digits", "1"
DATA_PREFIX = "data/digits/"
MANIFEST_KEY = "data/digits.manifest"
ENVIRONMENT_NAME = "dev"
LUSTRE_ROAD = "FSx for Lustre"
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
    """Upload the images below ``data/digits/``."""
    folder = demo.folder / "digits"
    s3, bucket = demo.client("s3"), bucket_of_the_platform(demo)
    paths = sorted(folder.rglob("*.png"))
    with ThreadPoolExecutor(UPLOAD_THREADS) as pool:
        keys = pool.map(lambda path: _upload(s3, bucket, folder, path), paths)
        for number, _ in enumerate(keys, start=1):
            if number % 600 == 0 or number == len(paths):
                narration.print(f"  {number:,} of {len(paths):,} files")


def _upload(s3: Any, bucket: str, folder: Path, path: Path) -> None:
    s3.put_object(Bucket=bucket, Key=DATA_PREFIX + path.relative_to(folder).as_posix(), Body=path.read_bytes())


def write_manifest(demo: Demo) -> None:
    """Make the augmented manifest for the Pipe road, from a table of images and labels as people have it."""
    bucket, table = bucket_of_the_platform(demo), demo.folder / "labels.csv"
    images = demo.folder / "digits"
    with table.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["source-ref", "label"])
        for path in sorted(images.rglob("*.png")):
            rows.writerow([f"s3://{bucket}/{DATA_PREFIX}{path.relative_to(images).as_posix()}", path.parent.name])
    headrace("manifest", "create", f"s3://{bucket}/{MANIFEST_KEY}", "--labels", str(table), "--numbers", "label")


def fill_efs() -> None:
    """Copy the images from S3 to the EFS, by a job."""
    image = f"{IMAGE_REPOSITORY}:{IMAGE_TAG}"
    headrace("efs", "load", DATA_PREFIX, "--image", image, "--platform", ENVIRONMENT_NAME)


def headrace(*arguments: str) -> str:
    """Run the command that everybody uses; its result."""
    code, output = run_to_end([sys.executable, "-m", "headrace.cli", *arguments])
    if code != 0:
        raise HeadraceError(f"headrace {arguments[0]} ended with {code}: {output}")
    return output


def job_files(demo: Demo) -> dict[str, Path]:
    """A job file for each road: the example's, with the road's channel in the place of its own."""
    job = yaml.safe_load((DIGITS / "job.yaml").read_text())
    job |= {
        "source_dir": str(DIGITS / job["source_dir"]),
        "dependencies": [str(DIGITS / each) for each in job["dependencies"]],
    }
    files = {}
    for road, channel in yaml.safe_load((DIGITS / "roads.yaml").read_text()).items():
        name = road.lower().replace(" ", "-")
        files[road] = demo.folder / f"{name}.yaml"
        files[road].write_text(yaml.safe_dump(job | {"base_job_name": name, "channels": {"train": channel}}))
    return files


def ask_for_a_road(demo: Demo, job_files: Mapping[str, Path]) -> dict[str, Any]:
    """Profile the images, ask which road a job with them wants, and write its job file; the advice."""
    location = f"s3://{bucket_of_the_platform(demo)}/{DATA_PREFIX}"
    profile = demo.folder / "profile.json"
    profile.write_text(headrace("profile", location, "--json"))
    asked = ["--instance", "ml.m5.large", "--samples-per-second", "1000", "--epochs", "5"]
    written = ["--write", str(demo.folder / "advised.yaml"), "--like", str(job_files["S3 File"])]
    advice: dict[str, Any] = json.loads(headrace("advise", "--profile", str(profile), *asked, *written, "--json"))
    return advice


def train(job_file: Path, *options: str) -> dict[str, Any]:
    """Launch a job and wait for its end; its result."""
    result: dict[str, Any] = json.loads(
        headrace("train", str(job_file), *options, "--platform", ENVIRONMENT_NAME, "--wait", "--json")
    )
    return result


def train_on_its_own_lustre(demo: Demo, job_files: Mapping[str, Path]) -> dict[str, Any]:
    """The job of the Lustre road on a file system that is made for it, with its content loaded first; the flow."""
    job_file = demo.folder / "ephemeral.yaml"
    job = yaml.safe_load(job_files[LUSTRE_ROAD].read_text())
    job_file.write_text(yaml.safe_dump(job | {"base_job_name": "ephemeral", "ephemeral": {"preload": True}}))
    flow = train(job_file, "--ephemeral")
    headrace("in-use", "--platform", ENVIRONMENT_NAME)  # ends with 1 where something is left
    return flow


def tear_down(demo: Demo) -> None:
    """Take the stacks down as ``make destroy`` does."""
    demo.cdk("destroy", "--all", "--app", demo.assembly, "--force")


def show(jobs: Mapping[str, Mapping[str, Any]], demo: Demo) -> None:
    """The roads side by side, and what each step of the demo took."""
    table = Table(
        title="The same images by five roads",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
    )
    for column in ("road", "first byte", "MB/s", "load", "mount", "train", "upload", "accuracy"):
        table.add_column(column, justify="left" if column == "road" else "right", no_wrap=True)
    for road, job in jobs.items():
        seconds, metrics = job["phase_seconds"], job["metrics"]
        table.add_row(
            road,
            f"{seconds['downloading'] + seconds['image'] + metrics['first_byte_seconds']:.2f} s",
            f"{metrics['read_mb_per_second']:.2f}",
            *(f"{seconds[phase]:.1f} s" for phase in ("downloading", "image", "training", "uploading")),
            f"{metrics['accuracy']:.4f}",
        )
    output = Console()
    output.print(table)
    output.print(
        "first byte: from the beginning of the job's preparation (load: File mode's download; mount) until the script "
        "holds the first image. MB/s: from the script's first look at the channel to the last image. Times of this "
        "machine, where S3 and the file systems are folders: AWS has another order."
    )
    steps = Table("step", "seconds", title="The demo", title_justify="left", box=box.SIMPLE_HEAD)
    for title, taken in demo.seconds.items():
        steps.add_row(title, f"{taken:.1f}")
    output.print(steps)


def show_flow(flow: Mapping[str, Any]) -> None:
    """The stages of the file system that one job had to itself."""
    file_system = flow["file_system"]
    table = Table(
        title=f"A Lustre for one job: {file_system['file_system_id']}, {flow['imported_files']:,} files",
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    for column in ("stage", "seconds", "what"):
        table.add_column(column, justify="right" if column == "seconds" else "left", no_wrap=True)
    for stage in flow["stages"]:
        table.add_row(stage["stage"], f"{stage['seconds']:.1f}", stage["detail"] or "")
    output = Console()
    output.print(table)
    output.print(
        f"accuracy {flow['job']['metrics']['accuracy']:.4f}; the file system is gone: {flow['file_system']['is_gone']}"
    )


def show_advice(advice: Mapping[str, Any]) -> None:
    """What the advisor says of the same images on AWS."""
    table = Table(title="On AWS, by the advisor", title_justify="left", box=box.SIMPLE_HEAD)
    for column in ("road", "dollars", "seconds billed"):
        table.add_column(column, justify="left" if column == "road" else "right", no_wrap=True)
    for road in advice["roads"]:
        usd = "not known" if road["usd"] is None else f"{road['usd']['point']:.3f}"
        name, seconds = f"{road['name']}{' ~' if road['is_too_close'] else ''}", road["billed_seconds"]["point"]
        table.add_row(name, usd, f"{seconds:,.0f}")
    output = Console()
    output.print(table)
    output.print(advice["why"])


def refuse_different_models(jobs: Mapping[str, Mapping[str, Any]]) -> None:
    """The data is the same on every road, so the model must be. Raises HeadraceError if it is not."""
    accuracies = {road: job["metrics"]["accuracy"] for road, job in jobs.items()}
    if len(set(accuracies.values())) != 1:
        raise HeadraceError(f"the roads brought different data: accuracy by road {accuracies}")


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
            with demo.step("deploy all stacks with the CDK CLI"), ThreadPoolExecutor(1) as pool:
                written = pool.submit(write_digits, folder / "digits")
                deploy(demo)
                written.result()
            with demo.step("upload 1,797 images"):
                push_image(demo)
                upload_digits(demo)
            with demo.step("write the manifest for Pipe"):
                write_manifest(demo)
            with demo.step("fill the EFS from S3"):
                fill_efs()
            jobs, files = {}, job_files(demo)
            for road, job_file in files.items():
                with demo.step(f"train by {road}"):
                    jobs[road] = train(job_file)
            with demo.step("ask which road the images want"):
                advice = ask_for_a_road(demo, files)
            with demo.step(f"train as advised: {advice['winner']}"):
                advised = train(demo.folder / "advised.yaml")
            with demo.step("train on a Lustre of its own"):
                flow = train_on_its_own_lustre(demo, files)
            with demo.step("tear everything down"):
                tear_down(demo)
    show(jobs, demo)
    show_flow(flow)
    show_advice(advice)
    refuse_different_models({**jobs, "as advised": advised, "a Lustre of its own": flow["job"]})
    narration.print(f"{time.perf_counter() - started:.1f} s in all; nothing is left running")


if __name__ == "__main__":
    try:
        main()
    except HeadraceError as error:
        narration.print(f"error: {error}", markup=False)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
