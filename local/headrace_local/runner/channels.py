"""The ways by which data comes to a job, one row each.

A way is found by what a channel asks for: its kind of source and its input mode. It knows what it refuses when the
job is created, and how it brings the data when the job runs. A further way is a further row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from headrace_local.moto_extension.clients import client
from headrace_local.runner import s3_file
from headrace_local.runner.job import TrainingJob
from headrace_local.runner.layout import input_mode

Channel = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """``refusals`` gives what the service would say against a channel; ``bring`` fills the channel's folder."""

    refusals: Callable[[Channel], Iterator[str]]
    bring: Callable[[TrainingJob, Channel, Path], None]


def _refuse_s3_file(channel: Channel) -> Iterator[str]:
    kind = channel["DataSource"]["S3DataSource"]["S3DataType"]
    if kind == "AugmentedManifestFile":
        yield f"channel {channel['ChannelName']}: AugmentedManifestFile is supported in Pipe mode only"
    elif kind != "S3Prefix":
        yield f"channel {channel['ChannelName']}: the embedded AWS reads S3DataType S3Prefix, not {kind}"
    if channel.get("CompressionType", "None") != "None":
        yield f"channel {channel['ChannelName']}: CompressionType is supported in Pipe mode only"


def _bring_s3_file(job: TrainingJob, channel: Channel, folder: Path) -> None:
    # one instance: what ShardedByS3Key gives to it is everything
    source = channel["DataSource"]["S3DataSource"]
    s3_file.download(client("s3", job.region), source, folder, region=job.region, role_arn=job.request["RoleArn"])


WAYS: Final[Mapping[tuple[str, str], Way]] = {
    ("S3DataSource", "File"): Way(refusals=_refuse_s3_file, bring=_bring_s3_file),
}
"""(kind of source, input mode) -> way."""


def refusals(channel: Channel, request: Mapping[str, Any]) -> Iterator[str]:
    """What the service, or the embedded AWS, has against a channel."""
    name, mode = channel["ChannelName"], input_mode(channel, request)
    kind = next(iter(channel["DataSource"]), "nothing")
    if kind == "FileSystemDataSource" and mode != "File":
        yield f"channel {name}: InputMode {mode} is not supported with a file system; only File is"
    elif mode == "FastFile" and channel["DataSource"]["S3DataSource"]["S3DataType"] != "S3Prefix":
        yield f"channel {name}: FastFile mode supports S3DataType S3Prefix only"
    elif (kind, mode) not in WAYS:
        known = ", ".join(f"{mode} with {kind}" for kind, mode in WAYS)
        yield f"channel {name}: the embedded AWS does not run {mode} with {kind} yet; it runs {known}"
    else:
        yield from WAYS[kind, mode].refusals(channel)


def bring(job: TrainingJob, channel: Channel, folder: Path) -> None:
    """Bring the channel's data. Raises JobFailed."""
    kind = next(iter(channel["DataSource"]))
    WAYS[kind, input_mode(channel, job.request)].bring(job, channel, folder)
