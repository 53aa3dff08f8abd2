"""The training job that reads a link: a pure function of what is asked for, the platform, and how much there is.

Its channels are the links, read-only; it brings no code in a channel and reads nothing in S3, so that the role for file
systems will do. The script travels in environment variables, since an element of ContainerEntrypoint holds 256
characters and a variable 512, and a line of shell puts it together again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from headrace.channels import Channel
from headrace.errors import InvalidInput
from headrace.platform import LustreLink, LustrePart, Platform
from headrace.preload.contents import Contents
from headrace.preload.counters import METRICS
from headrace.preload.estimate import estimate, max_runtime_seconds, stall_seconds
from headrace.preload.rates import MAX_READERS, instance_for, readers_for
from headrace.sources import LustreSource, S3Location
from headrace.training import TrainingJob
from headrace.training_request import build_request

BASE_JOB_NAME: Final = "preload"
SCRIPT: Final = Path(__file__).with_name("script") / "preload.sh"
PIECE_CHARACTERS: Final = 512
"""What a variable of Environment holds (CreateTrainingJob, TrainingEnvironmentValue)."""
PIECE: Final = "PRELOAD_SCRIPT_"
ENTRYPOINT: Final = (
    "sh",
    "-c",
    f'i=0 s=; while eval "p=\\${{{PIECE}$i-}}"; [ -n "$p" ]; do s=$s$p i=$((i+1)); done; exec sh -c "$s" preload.sh',
)
FAILURE_FILE: Final = "/opt/ml/output/failure"
PLACEHOLDER_FILE_SYSTEM: Final = "fs-00000000000000000"
"""Stands in a request for a file system that is yet to be made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preload:
    """What is asked for.

    ``link``: by its name; None: all links of the file system. ``path``: a directory below the link, to read only that.
    ``image``: any with ``sh``. ``instance_type`` and ``readers``: None: chosen by the file system's capacity.
    """

    link: str | None = None
    path: str = ""
    image: str | None = None
    instance_type: str | None = None
    readers: int | None = None

    def links_on(self, platform: Platform) -> tuple[LustreLink, ...]:
        """The links that are read. Raises InvalidInput when the platform has not what is asked for."""
        lustre = lustre_of(platform)
        return lustre.links if self.link is None else (LustreSource(link=self.link).link_on(platform),)

    def location_of(self, link: LustreLink) -> S3Location:
        """What of a link is read, in S3."""
        below = self.path.strip("/")
        return S3Location(bucket=link.bucket, prefix=f"{link.prefix}{below}/" if below else link.prefix)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """A job that reads links, wherever they are."""

    links: Sequence[LustreLink]
    path: str
    storage_capacity_gib: int
    contents: Contents
    image: str
    instance_type: str | None
    readers: int | None
    tags: Mapping[str, str] = field(default_factory=dict)


def lustre_of(platform: Platform) -> LustrePart:
    """The shared Lustre. Raises InvalidInput when the platform has none."""
    if platform.lustre is None:
        raise InvalidInput(
            f"platform {platform.foundation.platform!r} has no shared Lustre; allowed: one that has; "
            "fix: switch it on and deploy it, or name another platform"
        )
    return platform.lustre


def training_job(wanted: Preload, platform: Platform, contents: Contents, now: datetime) -> TrainingJob:
    """The job; ``now`` makes its name, ``contents`` its time limits.

    Raises InvalidInput with everything that is wrong in what was asked for.
    """
    if problems := list(_problems(wanted)):
        raise InvalidInput(*problems)
    assert wanted.image is not None
    name = f"{platform.foundation.job_name_prefix}{BASE_JOB_NAME}-{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03d}"
    reading = _Reading(
        links=wanted.links_on(platform),
        path=wanted.path,
        storage_capacity_gib=lustre_of(platform).storage_capacity_gib,
        contents=contents,
        image=wanted.image,
        instance_type=wanted.instance_type,
        readers=wanted.readers,
    )
    return _job(name, reading)


def preload_request(
    *,
    name: str,
    platform: Platform,
    links: Sequence[LustreLink],
    storage_capacity_gib: int,
    contents: Contents,
    image: str,
    instance_type: str | None = None,
    readers: int | None = None,
    tags: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The CreateTrainingJob request of a preload of all links of a file system that is yet to be made.

    It names PLACEHOLDER_FILE_SYSTEM, its directories lack the mount name, and it has no VpcConfig: whoever makes the
    file system fills these in. Raises InvalidInput when the platform has no role for it.
    """
    wanted = Preload(image=image, instance_type=instance_type, readers=readers)
    if problems := list(_problems(wanted)):
        raise InvalidInput(*problems)
    unmade = LustrePart(
        platform=platform.foundation.platform,
        file_system_id=PLACEHOLDER_FILE_SYSTEM,
        mount_name="",
        subnet_id="",
        az_id="",
        storage_capacity_gib=storage_capacity_gib,
        links=tuple(links),
    )
    reading = _Reading(
        links=links,
        path="",
        storage_capacity_gib=storage_capacity_gib,
        contents=contents,
        image=image,
        instance_type=instance_type,
        readers=readers,
        tags=tags or {},
    )
    return build_request(_job(name, reading), replace(platform, lustre=unmade))


def _job(name: str, reading: _Reading) -> TrainingJob:
    capacity, contents = reading.storage_capacity_gib, reading.contents
    readers = reading.readers or readers_for(capacity)
    instance_type = reading.instance_type or instance_for(capacity).instance_type
    stall = stall_seconds(contents, capacity, readers)
    return TrainingJob(
        name=name,
        image=reading.image,
        instance_type=instance_type,
        channels=tuple(
            Channel(name=each.name, source=LustreSource(link=each.name, path=reading.path)) for each in reading.links
        ),
        command=ENTRYPOINT,
        environment={
            **pieces(SCRIPT.read_text(encoding="ascii")),
            "PRELOAD_DIRECTORIES": " ".join(f"/opt/ml/input/data/{each.name}" for each in reading.links),
            "PRELOAD_READERS": str(readers),
            "PRELOAD_STALL_SECONDS": str(stall),
            "PRELOAD_FAILURE_FILE": FAILURE_FILE,
        },
        max_runtime_seconds=max_runtime_seconds(estimate(contents, capacity, readers, instance_type), stall),
        metric_definitions=METRICS,
        tags=reading.tags,
    )


def pieces(script: str) -> dict[str, str]:
    """The script in variables that each hold a piece of it, in the order of their numbers."""
    starts = range(0, len(script), PIECE_CHARACTERS)
    return {f"{PIECE}{number}": script[start : start + PIECE_CHARACTERS] for number, start in enumerate(starts)}


def _problems(wanted: Preload) -> Iterator[str]:
    if not wanted.image:
        yield (
            "image is missing; allowed: an image in ECR with a shell; "
            "fix: --image repository:tag, or its full URI (your training image will do)"
        )
    if wanted.path and wanted.link is None:
        yield f"path is {wanted.path!r}; allowed: a directory below one link; fix: name the link"
    if wanted.readers is not None and not 1 <= wanted.readers <= MAX_READERS:
        yield f"readers is {wanted.readers}; allowed: 1 to {MAX_READERS}; fix: leave it out"
