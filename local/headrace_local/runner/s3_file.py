"""File mode from S3: the objects of a channel become files of its folder before the script starts.

A file lies at its key without the prefix: of a manifest the manifest's own, else the folder that the prefix names or
in which it ends. Keys are whatever somebody once wrote; none may name a place outside the channel's folder. Those that
cannot be a path end the job as they do in SageMaker ("illegal char sub-sequence '//'").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from headrace_local.runner.instance import Instance
from headrace_local.runner.job import JobFailed, TrainingJob
from headrace_local.runner.s3_objects import Listing, S3Object, list_objects, share, shuffled
from headrace_local.runner.s3_storage import S3Storage
from headrace_local.runner.supply import Supply


def bring(job: TrainingJob, channel: Mapping[str, Any], instance: Instance) -> Supply:
    """Bring this instance's share of the channel into its folder. Raises JobFailed, in SageMaker's words."""
    source = channel["DataSource"]["S3DataSource"]
    listing = list_objects(job, source)
    mine = share(shuffled(listing.objects, channel, epoch=0), source, instance)
    copy(listing, paths_of(listing, mine), instance.workspace.channel(channel["ChannelName"]), job.region)
    return Supply()


def paths_of(listing: Listing, objects: Iterable[S3Object]) -> dict[str, PurePosixPath]:
    """Key -> relative path of the objects. Raises JobFailed for keys that cannot be files of one folder."""
    files = dict(plan(objects, listing.prefix))
    refuse_clashes(files.values())
    return files


def copy(listing: Listing, files: Mapping[str, PurePosixPath], folder: Path, region: str) -> None:
    """Write the files. Raises JobFailed when one cannot be written or is gone since it was listed."""
    storage = S3Storage(region)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for parent in {path.parent for path in files.values()}:
            (folder / parent).mkdir(parents=True, exist_ok=True)
        for key, path in files.items():
            content = storage.read(listing.bucket, key)
            if content is None:
                raise JobFailed(f"ClientError: Data download failed:NoSuchKey: s3://{listing.bucket}/{key}")
            (folder / path).write_bytes(content)
    except OSError as error:
        raise JobFailed(f"ClientError: Data download failed:{error.strerror}: {error.filename}") from None


def plan(objects: Iterable[S3Object], prefix: str) -> Iterator[tuple[str, PurePosixPath]]:
    """Key and relative path of each object that becomes a file. Raises JobFailed for a key that is no path."""
    for each in objects:
        if not each.is_folder_marker:
            yield each.key, _relative_path(each.key, prefix)


def _relative_path(key: str, prefix: str) -> PurePosixPath:
    relative = _below(key, prefix)
    parts = relative.split("/")
    if "" in parts:
        raise _illegal(key, "//" if "//" in key else "/")
    for part in parts:
        if part in (".", "..") or "\0" in part:
            raise _illegal(key, part)
    return PurePosixPath(*parts)


def _below(key: str, prefix: str) -> str:
    """What is left of the key: below the prefix where that is a folder, else below the folder that it stands in."""
    if prefix.endswith("/") or key.startswith(f"{prefix}/"):
        return key[len(prefix) :] if prefix.endswith("/") or not prefix else key[len(prefix) + 1 :]
    return key[prefix.rfind("/") + 1 :]


def _illegal(key: str, part: str) -> JobFailed:
    return JobFailed(f"ClientError: Data download failed:S3 key {key!r} has an illegal char sub-sequence '{part}'")


def refuse_clashes(paths: Iterable[PurePosixPath]) -> None:
    """Raises JobFailed where one object's path is the folder of another's: a file system has only one of them."""
    files = set(paths)
    for path in files:
        for parent in path.parents:
            if parent in files:
                raise JobFailed(
                    f"ClientError: Data download failed:'{parent}' is an object and also the folder of '{path}'"
                )
