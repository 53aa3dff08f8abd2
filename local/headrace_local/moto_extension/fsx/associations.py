"""Links between a path of a file system and a prefix of a bucket: data repository associations.

Source: Amazon FSx API Reference, CreateDataRepositoryAssociation and DataRepositoryAssociation.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from headrace_local.moto_extension.clients import client
from headrace_local.moto_extension.fsx.errors import BadRequest
from headrace_local.moto_extension.fsx.failures import failure_of
from headrace_local.moto_extension.fsx.file_systems import FileSystem, deployment_type
from headrace_local.moto_extension.fsx.life import Life
from headrace_local.runner.lustre import Link
from headrace_local.settings import Settings

MAX_PER_FILE_SYSTEM = 8


@dataclass(slots=True, kw_only=True)
class Association:
    """A link; ``request`` is CreateDataRepositoryAssociation's."""

    request: Mapping[str, Any]
    account: str
    region: str
    life: Life
    association_id: str = field(default_factory=lambda: f"dra-0{secrets.token_hex(8)}")

    @property
    def file_system_id(self) -> str:
        """The file system that it belongs to."""
        return str(self.request["FileSystemId"])

    @property
    def path(self) -> str:
        """Where in the file system the objects appear; the service's default is the root."""
        return str(self.request.get("FileSystemPath", "/"))

    @property
    def arn(self) -> str:
        """The ARN, by which tags are kept."""
        return f"arn:aws:fsx:{self.region}:{self.account}:association/{self.file_system_id}/{self.association_id}"

    @property
    def link(self) -> Link:
        """The link as the file system's content knows it."""
        bucket, _, prefix = str(self.request["DataRepositoryPath"]).removeprefix("s3://").partition("/")
        policy = self.request.get("S3", {}).get("AutoImportPolicy", {})
        return Link(
            association_id=self.association_id,
            region=self.region,
            bucket=bucket,
            prefix=f"{prefix.rstrip('/')}/" if prefix else "",
            path=PurePosixPath(self.path),
            auto_import=frozenset(policy.get("Events", ())),
        )

    def describe(self, tags: list[dict[str, str]]) -> dict[str, Any]:
        """One element of DescribeDataRepositoryAssociations."""
        return {
            "AssociationId": self.association_id,
            "ResourceARN": self.arn,
            "FileSystemId": self.file_system_id,
            "Lifecycle": self.life.lifecycle,
            **self.life.failure_details,
            "FileSystemPath": self.path,
            "DataRepositoryPath": self.request["DataRepositoryPath"],
            "BatchImportMetaDataOnCreate": self.request.get("BatchImportMetaDataOnCreate", False),
            "ImportedFileChunkSize": self.request.get("ImportedFileChunkSize", 1024),
            "S3": self.request.get("S3", {}),
            "Tags": tags,
            "CreationTime": self.life.created_at,
        }


def make(request: Mapping[str, Any], file_system: FileSystem, others: Iterable[Association]) -> Association:
    """A new link, CREATING. Raises BadRequest for what the service refuses."""
    if file_system.life.lifecycle != "AVAILABLE":
        raise BadRequest(f"File system {file_system.file_system_id} is {file_system.life.lifecycle}, not AVAILABLE.")
    if deployment_type(file_system.request) == "SCRATCH_1":
        raise BadRequest("Data repository associations are not supported on SCRATCH_1 file systems.")
    own = [each for each in others if each.file_system_id == file_system.file_system_id]
    _refuse_clashes(request, own)
    _refuse_missing_bucket(str(request["DataRepositoryPath"]), file_system.region)
    return Association(
        request=request,
        account=file_system.account,
        region=file_system.region,
        life=_queued(own),
    )


def _queued(others: list[Association]) -> Life:
    """The service makes one link of a file system after the other: the next one waits for those before it."""
    settings, now = Settings.from_environment(), time.time()
    start = max([now, *(each.life.made_at for each in others)])
    return Life(
        created_at=now,
        creating_seconds=start - now + settings.dra_creating_seconds,
        deleting_seconds=settings.fsx_deleting_seconds,
        failure=failure_of("association"),
    )


def _refuse_clashes(request: Mapping[str, Any], others: list[Association]) -> None:
    if len(others) >= MAX_PER_FILE_SYSTEM:
        raise BadRequest(f"A file system can have at most {MAX_PER_FILE_SYSTEM} data repository associations.")
    path = str(request.get("FileSystemPath", "/"))
    for other in others:
        if _overlap(path, other.path):
            raise BadRequest(f"FileSystemPath {path} overlaps with {other.path} of {other.association_id}.")
        repository, taken = str(request["DataRepositoryPath"]), str(other.request["DataRepositoryPath"])
        if _overlap(repository, taken):
            raise BadRequest(f"DataRepositoryPath {repository} overlaps with {taken} of {other.association_id}.")


def _overlap(one: str, other: str) -> bool:
    one, other = one.rstrip("/") + "/", other.rstrip("/") + "/"
    return one.startswith(other) or other.startswith(one)


def _refuse_missing_bucket(repository: str, region: str) -> None:
    bucket = repository.removeprefix("s3://").split("/", 1)[0]
    s3 = client("s3", region)
    try:
        s3.head_bucket(Bucket=bucket)
    except s3.exceptions.ClientError:
        raise BadRequest(
            f"Amazon FSx is unable to validate access to the S3 bucket {bucket}. Ensure the IAM role or user you are "
            "using has s3:Get*, s3:List* and s3:PutObject permissions."
        ) from None
