"""The training job that loads: a pure function of what was asked for and of the platform."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from headrace.channels import Channel
from headrace.efs_load.counters import METRICS
from headrace.errors import InvalidInput
from headrace.platform import FoundationPart
from headrace.roads import Access
from headrace.rules.s3_names import posix_rule_broken
from headrace.sources import EfsSource, S3FastFileSource, S3Location, parse_s3_location
from headrace.training import TrainingJob

# General purpose, the smallest: its network's baseline of 0.75 Gbit/s is about the 100 MiB/s that an EFS in bursting
# mode takes up to 1 TiB (Amazon EC2 instance types; Amazon EFS User Guide, "Amazon EFS performance")
DEFAULT_INSTANCE_TYPE: Final = "ml.m5.large"
DEFAULT_WORKERS: Final = 32
MAX_WORKERS: Final = 256
BASE_JOB_NAME: Final = "efs-load"
SOURCE_CHANNEL: Final = "source"
TARGET_CHANNEL: Final = "target"
LISTING: Final = "listing.jsonl.gz"
SCRIPT_FOLDER: Final = Path(__file__).with_name("script")
ENTRY_POINT: Final = "load.py"
# one element of ContainerArguments (CreateTrainingJob, TrainingContainerArgument)
_MAX_ARGUMENT_CHARACTERS: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class EfsLoad:
    """What is asked for.

    ``prefix``: ``s3://bucket/folder/``, or a folder in the platform's bucket. ``image``: any with Python 3.8 or later.
    ``directory``: of the EFS; by default the prefix's own path, so that ``data/digits/`` becomes ``/data/digits``.
    ``workers``: files that are copied at the same time. ``prune``: remove files from the directory that are not in S3.
    """

    prefix: str
    image: str | None = None
    directory: str | None = None
    instance_type: str = DEFAULT_INSTANCE_TYPE
    workers: int = DEFAULT_WORKERS
    prune: bool = False

    def source(self, default_bucket: str) -> S3Location:
        """The folder in S3. Raises InvalidInput."""
        location = parse_s3_location(self.prefix, default_bucket=default_bucket)
        # FastFile takes folders, and a prefix without its slash would be one more folder's beginning, too
        folder = location.prefix.rstrip("/")
        return S3Location(bucket=location.bucket, prefix=f"{folder}/" if folder else "")

    def target(self, source: S3Location) -> str:
        """The directory of the EFS that is filled, as an absolute path."""
        wanted = f"/{source.prefix}" if self.directory is None else self.directory
        return wanted.rstrip("/") or ("/" if wanted else "")


def training_job(wanted: EfsLoad, foundation: FoundationPart, now: datetime) -> TrainingJob:
    """The job; ``now`` makes its name. Raises InvalidInput with everything that is wrong in what was asked for.

    The listing, which the script reads beside itself, is not part of it yet.
    """
    if problems := list(_problems(wanted, foundation.bucket)):
        raise InvalidInput(*problems)
    assert wanted.image is not None
    source = wanted.source(foundation.bucket)
    return TrainingJob(
        name=f"{foundation.job_name_prefix}{BASE_JOB_NAME}-{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03d}",
        image=wanted.image,
        instance_type=wanted.instance_type,
        channels=(
            Channel(name=SOURCE_CHANNEL, source=S3FastFileSource(location=source)),
            Channel(name=TARGET_CHANNEL, source=EfsSource(path="/", access=Access.READ_WRITE)),
        ),
        source_dir=str(SCRIPT_FOLDER),
        entry_point=ENTRY_POINT,
        arguments=_arguments(wanted, wanted.target(source)),
        metric_definitions=METRICS,
    )


def _problems(wanted: EfsLoad, bucket: str) -> Iterator[str]:
    try:
        source = wanted.source(bucket)
    except InvalidInput as error:
        yield from (f"prefix: {each}" for each in error.problems)
    else:
        yield from _problems_of_directory(wanted, wanted.target(source))
    yield from _problems_of_the_rest(wanted)


def _arguments(wanted: EfsLoad, directory: str) -> tuple[str, ...]:
    options = {
        "--source": f"/opt/ml/input/data/{SOURCE_CHANNEL}",
        "--target": f"/opt/ml/input/data/{TARGET_CHANNEL}",
        "--directory": directory,
        "--listing": LISTING,
        "--workers": str(wanted.workers),
        "--failure-file": "/opt/ml/output/failure",
    }
    pairs = tuple(each for pair in options.items() for each in pair)
    return (*pairs, "--prune") if wanted.prune else pairs


def _problems_of_directory(wanted: EfsLoad, directory: str) -> Iterator[str]:
    allowed = None
    if not directory.startswith("/"):
        allowed = "a path that begins with '/'"
    elif "//" in directory:
        allowed = "one '/' between directories"
    elif len(directory) > _MAX_ARGUMENT_CHARACTERS:
        allowed = f"up to {_MAX_ARGUMENT_CHARACTERS} characters, as an argument of a container holds"
    if allowed := allowed or posix_rule_broken(directory):
        yield f"directory is {directory!r}; allowed: {allowed}; fix: --to /a/directory of the EFS"
    elif wanted.prune and directory == "/":
        yield (
            "prune is asked for in '/'; allowed: a directory below, since everything else on the EFS would be removed; "
            "fix: --to /a/directory, or load without --prune"
        )


def _problems_of_the_rest(wanted: EfsLoad) -> Iterator[str]:
    if not wanted.image:
        yield (
            "image is missing; allowed: an image in ECR with Python 3.8 or later; "
            "fix: --image repository:tag, or its full URI (your training image will do)"
        )
    if not 1 <= wanted.workers <= MAX_WORKERS:
        yield f"workers is {wanted.workers}; allowed: 1 to {MAX_WORKERS}; fix: --workers {DEFAULT_WORKERS}"
