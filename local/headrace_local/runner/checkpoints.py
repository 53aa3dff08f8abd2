"""Checkpoints: what lies below the job's S3Uri is there when the script starts, and what it saves goes there.

Source: Amazon SageMaker Developer Guide, "Checkpoints in Amazon SageMaker AI": restored to the local path of each
instance, and synchronised while the script runs, so that a job that is interrupted loses little.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, Final

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError

from headrace_local.runner.job import JobFailed
from headrace_local.runner.workspace import Workspace

DEFAULT_PATH: Final = "/opt/ml/checkpoints"
_SYNC_SECONDS = 1.0
_State = tuple[int, int]  # size in bytes and time of change of a file


def refusals(request: Mapping[str, Any]) -> Iterator[str]:
    """What the embedded AWS has against the request's CheckpointConfig."""
    path = request.get("CheckpointConfig", {}).get("LocalPath", DEFAULT_PATH)
    if _below_opt_ml(path) is None:
        yield (
            f"CheckpointConfig.LocalPath {path!r}: the embedded AWS keeps checkpoints below /opt/ml only, "
            f"by default in {DEFAULT_PATH}"
        )


def _below_opt_ml(path: str) -> PurePosixPath | None:
    inside = path.removeprefix("/opt/ml/")
    parts = inside.strip("/").split("/")
    if inside == path or not {"", ".", ".."}.isdisjoint(parts):
        return None
    return PurePosixPath(*parts)


class Checkpoints:
    """The checkpoints of a job, between its S3Uri and the folders of its instances. Without a S3Uri it does nothing."""

    def __init__(self, s3: Any, request: Mapping[str, Any], workspaces: Sequence[Workspace]) -> None:
        given = request.get("CheckpointConfig", {})
        self._s3 = s3
        self._bucket, _, prefix = given.get("S3Uri", "").removeprefix("s3://").partition("/")
        self._prefix = f"{prefix.rstrip('/')}/" if prefix.strip("/") else ""
        inside = _below_opt_ml(given.get("LocalPath", DEFAULT_PATH))
        self._folders = [each.opt_ml / inside for each in workspaces] if inside is not None and self._bucket else []
        self._known: dict[Path, _State] = {}

    def restore(self) -> None:
        """Bring what was saved before to every instance. Raises JobFailed."""
        for folder in self._folders:
            folder.mkdir(parents=True, exist_ok=True)
        try:
            keys = list(self._keys()) if self._folders else []
            for folder in self._folders:
                for key, path in keys:
                    target = folder / path
                    target.parent.mkdir(parents=True, exist_ok=True)
                    self._s3.download_file(self._bucket, key, str(target))
                    self._known[target] = _state(target)
        except (ClientError, OSError) as error:
            raise JobFailed(f"ClientError: Checkpoint download failed:{error}") from None

    def _keys(self) -> Iterator[tuple[str, PurePosixPath]]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
        for page in pages:
            for each in page.get("Contents", ()):
                parts = each["Key"].removeprefix(self._prefix).split("/")
                # a key is whatever somebody once wrote: none may name a place outside the folder
                if {"", ".", ".."}.isdisjoint(parts) and "\0" not in each["Key"]:
                    yield each["Key"], PurePosixPath(*parts)

    def save(self) -> None:
        """Upload every file that is new or has changed since. Raises ClientError, S3UploadFailedError or OSError."""
        for folder in self._folders:
            for path in sorted(folder.rglob("*")):
                if path.is_file() and self._known.get(path) != (state := _state(path)):
                    self._s3.upload_file(str(path), self._bucket, self._prefix + path.relative_to(folder).as_posix())
                    self._known[path] = state

    @contextmanager
    def saved_meanwhile(self) -> Iterator[None]:
        """Save from time to time while the block runs. What does not work then is tried again at the job's end."""
        ended = threading.Event()
        saver = threading.Thread(target=self._save_until, args=(ended,), daemon=True)
        if self._folders:
            saver.start()
        try:
            yield
        finally:
            ended.set()
            if self._folders:
                saver.join()

    def _save_until(self, ended: threading.Event) -> None:
        while not ended.wait(_SYNC_SECONDS):
            try:
                self.save()
            except (ClientError, S3UploadFailedError, OSError) as error:  # a file may go while it is read
                print(f"checkpoints are saved later: {error}", file=sys.stderr)  # noqa: T201 - the server's log


def _state(path: Path) -> _State:
    found = path.stat()
    return found.st_size, found.st_mtime_ns
