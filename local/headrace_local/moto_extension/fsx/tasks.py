"""Data repository tasks: an import of metadata from the linked buckets, the one kind that is here.

Sources: Amazon FSx API Reference, CreateDataRepositoryTask and DataRepositoryTask; FSx for Lustre User Guide, "Using
data repository tasks to import changes" (paths of an import are S3 URIs below a link; by default, everything).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headrace_local.moto_extension.fsx.errors import BadRequest, UnsupportedOperation
from headrace_local.runner.lustre import Imported, files_of
from headrace_local.settings import Settings

IMPORT_METADATA = "IMPORT_METADATA_FROM_REPOSITORY"


@dataclass(slots=True, kw_only=True)
class Task:
    """A task; ``request`` is CreateDataRepositoryTask's. What it does is done at once, what it says takes a while."""

    request: Mapping[str, Any]
    account: str
    region: str
    result: Imported
    executing_seconds: float
    created_at: float = field(default_factory=time.time)
    task_id: str = field(default_factory=lambda: f"task-0{secrets.token_hex(8)}")

    @property
    def file_system_id(self) -> str:
        """The file system that it works on."""
        return str(self.request["FileSystemId"])

    @property
    def arn(self) -> str:
        """The ARN, by which tags are kept."""
        return f"arn:aws:fsx:{self.region}:{self.account}:task/{self.task_id}"

    @property
    def lifecycle(self) -> str:
        """EXECUTING, then SUCCEEDED."""
        return "EXECUTING" if time.time() < self.created_at + self.executing_seconds else "SUCCEEDED"

    def describe(self, tags: list[dict[str, str]]) -> dict[str, Any]:
        """One element of DescribeDataRepositoryTasks."""
        ended_at = self.created_at + self.executing_seconds
        is_over = self.lifecycle == "SUCCEEDED"
        status = {"TotalCount": self.result.total, "LastUpdatedTime": ended_at if is_over else self.created_at}
        counts = {"SucceededCount": self.result.succeeded, "FailedCount": self.result.total - self.result.succeeded}
        return {
            "TaskId": self.task_id,
            "ResourceARN": self.arn,
            "Lifecycle": self.lifecycle,
            "Type": self.request["Type"],
            "CreationTime": self.created_at,
            "StartTime": self.created_at,
            **({"EndTime": ended_at} if is_over else {}),
            "FileSystemId": self.file_system_id,
            "Paths": self.request.get("Paths", []),
            "Report": self.request["Report"],
            "Status": status | (counts if is_over else {}),
            "Tags": tags,
        }


def make(request: Mapping[str, Any], *, account: str, region: str) -> Task:
    """A new task. Raises BadRequest and UnsupportedOperation for what the service, or the embedded AWS, refuses."""
    if request.get("Type") != IMPORT_METADATA:
        raise UnsupportedOperation(
            f"The embedded AWS has no tasks of type {request.get('Type')}; it has {IMPORT_METADATA}."
        )
    if request.get("Report", {}).get("Enabled"):
        raise UnsupportedOperation("The embedded AWS writes no completion reports: Report must be {Enabled: false}.")
    files = files_of(str(request["FileSystemId"]))
    paths = request.get("Paths", [])
    if not files.is_linked():
        raise BadRequest(f"File system {request['FileSystemId']} is not linked to a data repository.")
    for each in paths:
        if not files.is_linked(each):
            raise BadRequest(f"Path {each} is not below the data repository path of any association.")
    return Task(
        request=request,
        account=account,
        region=region,
        result=files.import_metadata(paths),
        executing_seconds=Settings.from_environment().fsx_task_seconds,
    )
