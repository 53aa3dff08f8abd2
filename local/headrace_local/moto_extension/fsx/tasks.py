"""Data repository tasks: imports of metadata from the linked buckets, and releases of content.

Sources: Amazon FSx API Reference, CreateDataRepositoryTask, CancelDataRepositoryTask and DataRepositoryTask; FSx for
Lustre User Guide, "Using data repository tasks to import changes" (paths are S3 URIs below a link; by default,
everything) and "Using data repository tasks to release files" (paths of the file system). DataRepositoryAssociation,
BatchImportMetaDataOnCreate: a task that runs after the link has been created.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from headrace_local.moto_extension.fsx.errors import BadRequest, DataRepositoryTaskEnded, UnsupportedOperation
from headrace_local.moto_extension.fsx.failures import failure_of
from headrace_local.runner.lustre import Counts, files_of
from headrace_local.settings import Settings

IMPORT_METADATA: Final = "IMPORT_METADATA_FROM_REPOSITORY"
RELEASE_DATA: Final = "RELEASE_DATA_FROM_FILESYSTEM"
BUSY: Final = ("PENDING", "EXECUTING", "CANCELING")
"""Where a task stands that keeps others waiting, and its file system from being deleted."""


@dataclass(slots=True, kw_only=True)
class Task:
    """A task; ``request`` is CreateDataRepositoryTask's. What it does is done at once, what it says takes a while."""

    request: Mapping[str, Any]
    account: str
    region: str
    result: Counts
    executing_seconds: float
    failure: str | None = None
    keeps_waiting: bool = True
    """Whether others, and deletion, have to wait for it."""
    canceled_at: float | None = None
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
    def ends_at(self) -> float:
        """When it is, or was, over; a task that is canceled takes as long to stop as one takes to be done."""
        return (self.created_at if self.canceled_at is None else self.canceled_at) + self.executing_seconds

    @property
    def lifecycle(self) -> str:
        """EXECUTING, then SUCCEEDED or FAILED; or CANCELING, then CANCELED."""
        is_over = time.time() >= self.ends_at
        if self.canceled_at is not None:
            return "CANCELED" if is_over else "CANCELING"
        if not is_over:
            return "EXECUTING"
        return "SUCCEEDED" if self.failure is None else "FAILED"

    def cancel(self) -> None:
        """Stop it; asking again changes nothing. Raises DataRepositoryTaskEnded when it is over."""
        lifecycle = self.lifecycle
        if lifecycle not in BUSY:
            raise DataRepositoryTaskEnded(f"Data repository task '{self.task_id}' has ended: it is {lifecycle}.")
        if lifecycle == "EXECUTING":
            self.canceled_at = time.time()

    def describe(self, tags: list[dict[str, str]]) -> dict[str, Any]:
        """One element of DescribeDataRepositoryTasks."""
        lifecycle = self.lifecycle
        is_over = lifecycle not in BUSY
        return {
            "TaskId": self.task_id,
            "ResourceARN": self.arn,
            "Lifecycle": lifecycle,
            "Type": self.request["Type"],
            "CreationTime": self.created_at,
            "StartTime": self.created_at,
            **({"EndTime": self.ends_at} if is_over else {}),
            **({"FailureDetails": {"Message": self.failure}} if lifecycle == "FAILED" else {}),
            "FileSystemId": self.file_system_id,
            "Paths": self.request.get("Paths", []),
            "Report": self.request["Report"],
            "Status": self._status(lifecycle),
            "Tags": tags,
        }

    def _status(self, lifecycle: str) -> dict[str, Any]:
        if lifecycle in BUSY:
            return {"TotalCount": self.result.total, "LastUpdatedTime": self.created_at}
        done = self.result.succeeded if lifecycle == "SUCCEEDED" else 0
        counts = {"SucceededCount": done, "FailedCount": self.result.total - done}
        return {"TotalCount": self.result.total, "LastUpdatedTime": self.ends_at, **counts}


def make(request: Mapping[str, Any], *, account: str, region: str) -> Task:
    """A new task. Raises BadRequest and UnsupportedOperation for what the service, or the embedded AWS, refuses."""
    work = _KINDS.get(str(request.get("Type")))
    if work is None:
        raise UnsupportedOperation(
            f"The embedded AWS has no tasks of type {request.get('Type')}; it has {' and '.join(_KINDS)}."
        )
    if request.get("Report", {}).get("Enabled"):
        raise UnsupportedOperation("The embedded AWS writes no completion reports: Report must be {Enabled: false}.")
    if not files_of(str(request["FileSystemId"])).is_linked():
        raise BadRequest(f"File system {request['FileSystemId']} is not linked to a data repository.")
    return Task(
        request=request,
        account=account,
        region=region,
        result=work(request),
        executing_seconds=Settings.from_environment().fsx_task_seconds,
        failure=failure_of("task"),
    )


def batch_import(request: Mapping[str, Any], *, account: str, region: str, linked_at: float) -> Task:
    """The task that imports a new link; ``request``: CreateDataRepositoryAssociation's.

    It keeps nobody waiting: on AWS it does, for as long as it runs after the link has been made.
    """
    paths = [request["DataRepositoryPath"]]
    asked = {"FileSystemId": request["FileSystemId"], "Type": IMPORT_METADATA, "Paths": paths}
    task = make({**asked, "Report": {"Enabled": False}}, account=account, region=region)
    task.executing_seconds += linked_at - task.created_at
    task.keeps_waiting = False
    return task


def _import(request: Mapping[str, Any]) -> Counts:
    files, paths = files_of(str(request["FileSystemId"])), request.get("Paths", [])
    for each in paths:
        if not files.is_linked(each):
            raise BadRequest(f"Path {each} is not below the data repository path of any association.")
    return files.import_metadata(paths)


def _release(request: Mapping[str, Any]) -> Counts:
    unused = request.get("ReleaseConfiguration", {}).get("DurationSinceLastAccess", {}).get("Value", 0)
    if unused:
        raise UnsupportedOperation(
            "The embedded AWS releases files whenever they were read: DurationSinceLastAccess must be 0 DAYS."
        )
    return files_of(str(request["FileSystemId"])).release(request.get("Paths", []) or ["/"])


_KINDS: Final[Mapping[str, Callable[[Mapping[str, Any]], Counts]]] = {
    IMPORT_METADATA: _import,
    RELEASE_DATA: _release,
}
"""Type -> what a task of it does."""
