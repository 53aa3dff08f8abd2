"""The ways by which data comes to a job, one row each.

A way is found by what a channel asks for: its kind of source and its input mode. It knows what it refuses when the
job is created, and how it brings the data when the job runs. A further way is a further row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from headrace_local.runner import fast_file, file_systems, pipe, s3_file
from headrace_local.runner.instance import Instance
from headrace_local.runner.job import TrainingJob
from headrace_local.runner.layout import input_mode
from headrace_local.runner.supply import Supply

Channel = Mapping[str, Any]
Request = Mapping[str, Any]

S3_DATA_TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "File": ("S3Prefix", "ManifestFile"),
    "FastFile": ("S3Prefix",),
    "Pipe": ("S3Prefix", "ManifestFile", "AugmentedManifestFile"),
}
"""Input mode -> the S3DataTypes that it takes. Source: API Reference, S3DataSource; Developer Guide, FastFile mode."""

_PIPE_ONLY: Final = ("CompressionType", "RecordWrapperType")


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """``refusals`` gives what the service would say against a channel; ``bring`` brings its data to an instance."""

    refusals: Callable[[Channel, Request], Iterator[str]]
    bring: Callable[[TrainingJob, Channel, Instance], Supply]


def _refuse_s3(channel: Channel, request: Request) -> Iterator[str]:
    mode, source = input_mode(channel, request), channel["DataSource"]["S3DataSource"]
    kind, has_names = source["S3DataType"], bool(source.get("AttributeNames"))
    if kind not in S3_DATA_TYPES[mode]:
        takers = " or ".join(each for each, kinds in S3_DATA_TYPES.items() if kind in kinds) or "no"
        allowed = " and ".join(S3_DATA_TYPES[mode])
        yield f"{mode} mode supports S3DataType {allowed} only; {kind} is supported in {takers} mode only"
    if kind == "AugmentedManifestFile" and not has_names:
        yield "S3DataType AugmentedManifestFile needs AttributeNames"
    if kind != "AugmentedManifestFile" and has_names:
        yield f"AttributeNames is supported with S3DataType AugmentedManifestFile only, not with {kind}"


WAYS: Final[Mapping[tuple[str, str], Way]] = {
    ("S3DataSource", "File"): Way(refusals=_refuse_s3, bring=s3_file.bring),
    ("S3DataSource", "FastFile"): Way(refusals=_refuse_s3, bring=fast_file.bring),
    ("S3DataSource", "Pipe"): Way(refusals=_refuse_s3, bring=pipe.bring),
    ("FileSystemDataSource", "File"): Way(refusals=file_systems.refusals, bring=file_systems.bring),
}
"""(kind of source, input mode) -> way."""


def refusals(channel: Channel, request: Request) -> Iterator[str]:
    """What the service, or the embedded AWS, has against a channel."""
    for each in _refusals(channel, request):
        yield f"channel {channel['ChannelName']}: {each}"


def _refusals(channel: Channel, request: Request) -> Iterator[str]:
    mode = input_mode(channel, request)
    kind = next(iter(channel["DataSource"]), "nothing")
    for member in _PIPE_ONLY:
        if mode != "Pipe" and channel.get(member, "None") != "None":
            yield f"{member} {channel[member]} is supported in Pipe mode only, not in {mode} mode"
    if (kind, mode) in WAYS:
        yield from WAYS[kind, mode].refusals(channel, request)
    elif kind == "FileSystemDataSource":
        yield f"InputMode {mode} is not supported with a file system; only File is"
    else:
        known = ", ".join(f"{mode} with {kind}" for kind, mode in WAYS)
        yield f"the embedded AWS does not run {mode} with {kind}; it runs {known}"


def bring(job: TrainingJob, channel: Channel, instance: Instance) -> Supply:
    """Bring the channel's data to one instance, before its command starts. Raises JobFailed."""
    kind = next(iter(channel["DataSource"]))
    return WAYS[kind, input_mode(channel, job.request)].bring(job, channel, instance)
