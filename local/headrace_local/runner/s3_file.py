"""File mode from S3: the objects below a prefix become files of the channel's folder before the script starts.

Keys are whatever somebody once wrote; none may name a place outside the channel's folder. Those that cannot be a
path end the job as they do in SageMaker ("illegal char sub-sequence '//'").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from headrace_local.runner.job import JobFailed
from headrace_local.state import ACCOUNT


class S3Object(NamedTuple):
    """An object of a listing; ``size`` in bytes."""

    key: str
    size: int


def download(s3: Any, source: Mapping[str, Any], folder: Path, *, region: str, role_arn: str) -> None:
    """Bring what lies below the source's S3Uri into the folder. Raises JobFailed, in SageMaker's words."""
    uri = str(source["S3Uri"])
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    try:
        objects = list(_listing(s3, bucket, prefix))
    except s3.exceptions.ClientError:
        objects = []
    if not objects:
        raise JobFailed(
            f'ClientError: Data download failed:No S3 objects found under S3 URL "{uri}" given in input data source. '
            f"Please ensure that the bucket exists in the selected region ({region}), that objects exist under that "
            f'S3 prefix, and that the role "{role_arn}" has "s3:ListBucket" permissions on bucket "{bucket}".'
        )
    files = dict(plan(objects, prefix))
    refuse_clashes(files.values())
    folder.mkdir(parents=True, exist_ok=True)
    try:
        for parent in {path.parent for path in files.values()}:
            (folder / parent).mkdir(parents=True, exist_ok=True)
        _read_all(bucket, region, {key: folder / path for key, path in files.items()})
    except OSError as error:
        raise JobFailed(f"ClientError: Data download failed:{error.strerror}: {error.filename}") from None


def plan(objects: Iterable[S3Object], prefix: str) -> Iterator[tuple[str, PurePosixPath]]:
    """Key and relative path of each object that becomes a file. Raises JobFailed for a key that is no path.

    An empty object whose key ends in a slash only marks a folder.
    """
    for each in objects:
        if each.key.endswith("/") and each.size == 0:
            continue
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


def _listing(s3: Any, bucket: str, prefix: str) -> Iterator[S3Object]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for each in page.get("Contents", ()):
            yield S3Object(each["Key"], each["Size"])


def _read_all(bucket: str, region: str, files: Mapping[str, Path]) -> None:
    # out of moto's own storage: over HTTP, client and server would share this interpreter and take 5 ms an object
    from moto.s3.models import s3_backends
    from moto.utilities.utils import get_partition

    storage = s3_backends[ACCOUNT][get_partition(region)]
    for key, path in files.items():
        path.write_bytes(storage.get_object(bucket, key).value)
