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
from headrace.figures.lustre_content import MAX_READERS, content_mb_per_second, instance_for, readers_for
from headrace.future_lustre import PLACEHOLDER_ID
from headrace.platform import LustreLink, LustrePart, Platform, Subnet
from headrace.preload.contents import Contents
from headrace.preload.counters import METRICS
from headrace.preload.estimate import estimate, max_runtime_seconds, stall_seconds
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

UNLISTED_STALL_SECONDS: Final = 6 * 3600
"""How long nothing may happen where nobody knows how large the files are: one of 1.5 TB, by itself, comes in less."""
UNLISTED_RUNTIME_SECONDS: Final = 86_400


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
    """A job that reads links, wherever they are. ``contents``: None where nobody has listed them.

    ``mb_per_second``: what the file system takes from S3.
    """

    links: Sequence[LustreLink]
    path: str
    mb_per_second: float
    contents: Contents | None
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


def mb_per_second_of(lustre: LustrePart) -> float:
    """How fast it takes content from S3."""
    return content_mb_per_second(lustre.storage_capacity_gib, lustre.per_unit_storage_throughput_mbps_per_tib)


def training_job(wanted: Preload, platform: Platform, contents: Contents, now: datetime) -> TrainingJob:
    """The job; ``now`` makes its name, ``contents`` its time limits.

    Raises InvalidInput with everything that is wrong in what was asked for.
    """
    name = f"{platform.foundation.job_name_prefix}{BASE_JOB_NAME}-{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03d}"
    return _job(name, _reading(wanted, platform, contents))


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
    """The CreateTrainingJob request of a preload of all links of a SCRATCH_2 file system that is yet to be made.

    It names PLACEHOLDER_ID, its directories lack the mount name, and it has no VpcConfig: whoever makes the
    file system fills these in. Raises InvalidInput when the platform has no role for it.
    """
    wanted = Preload(image=image, instance_type=instance_type, readers=readers)
    if problems := list(_problems(wanted)):
        raise InvalidInput(*problems)
    unmade = LustrePart(
        platform=platform.foundation.platform,
        file_system_id=PLACEHOLDER_ID,
        mount_name="",
        subnet_id="",
        az_id="",
        storage_capacity_gib=storage_capacity_gib,
        links=tuple(links),
    )
    reading = _Reading(
        links=links,
        path="",
        mb_per_second=content_mb_per_second(storage_capacity_gib),
        contents=contents,
        image=image,
        instance_type=instance_type,
        readers=readers,
        tags=tags or {},
    )
    return build_request(_job(name, reading), replace(platform, lustre=unmade))


def standing_request(wanted: Preload, platform: Platform) -> dict[str, Any]:
    """The CreateTrainingJob request of a preload that a state machine starts when it is time to.

    Nobody has listed then what there is, so that its limits are those of large files and many. It has all of the
    platform's own network; its name is the beginning of a name. Raises InvalidInput with everything that is wrong.
    """
    lustre, foundation = lustre_of(platform), platform.foundation
    reading = _reading(wanted, platform, None)
    subnet = Subnet(subnet_id=lustre.subnet_id, az_id=lustre.az_id)
    return build_request(_job(f"{foundation.job_name_prefix}{BASE_JOB_NAME}", reading), platform, [subnet])


def _reading(wanted: Preload, platform: Platform, contents: Contents | None) -> _Reading:
    if problems := list(_problems(wanted)):
        raise InvalidInput(*problems)
    assert wanted.image is not None
    return _Reading(
        links=wanted.links_on(platform),
        path=wanted.path,
        mb_per_second=mb_per_second_of(lustre_of(platform)),
        contents=contents,
        image=wanted.image,
        instance_type=wanted.instance_type,
        readers=wanted.readers,
    )


def _job(name: str, reading: _Reading) -> TrainingJob:
    content = reading.mb_per_second
    readers = reading.readers or readers_for(content)
    instance_type = reading.instance_type or instance_for(content).name
    stall, longest = _limits(reading.contents, content, readers, instance_type)
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
        max_runtime_seconds=longest,
        metric_definitions=METRICS,
        tags=reading.tags,
    )


def _limits(contents: Contents | None, mb_per_second: float, readers: int, instance_type: str) -> tuple[int, int]:
    """How long nothing may happen, and how long the job may take, in seconds."""
    if contents is None:
        return UNLISTED_STALL_SECONDS, UNLISTED_RUNTIME_SECONDS
    stall = stall_seconds(contents, mb_per_second, readers)
    return stall, max_runtime_seconds(estimate(contents, mb_per_second, readers, instance_type), stall)


def pieces(script: str) -> dict[str, str]:
    """The script in variables that each hold a piece of it, in the order of their numbers."""
    script = squeezed(script)
    starts = range(0, len(script), PIECE_CHARACTERS)
    return {f"{PIECE}{number}": script[start : start + PIECE_CHARACTERS] for number, start in enumerate(starts)}


def squeezed(script: str) -> str:
    """The script without indentation and lines of comment: a template has 50 KiB for it and for all else."""
    lines = (line.strip() for line in script.splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.startswith("#"))


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
