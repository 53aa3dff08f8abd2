"""Data repository tasks of FSx for Lustre: release content, follow tasks.

Source: Amazon FSx API Reference, CreateDataRepositoryTask and DescribeDataRepositoryTasks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from headrace.aws.connection import Connection, calls_aws, client_error, code_of, message_of
from headrace.errors import InvalidInput

IMPORT_METADATA = "IMPORT_METADATA_FROM_REPOSITORY"
RELEASE_DATA = "RELEASE_DATA_FROM_FILESYSTEM"
_AT_WORK = frozenset({"PENDING", "EXECUTING", "CANCELING"})
# the request is wrong, or does not go together with what there is
_REFUSALS = frozenset({"BadRequest", "DataRepositoryTaskExecuting", "IncompatibleParameterError"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRepositoryTask:
    """A task as FSx describes it. ``paths``: none means everything. Files are counted while it works."""

    task_id: str
    task_type: str
    lifecycle: str
    created: datetime
    paths: tuple[str, ...]
    total_files: int
    succeeded_files: int
    failed_files: int
    failure: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has ended, well or not."""
        return self.lifecycle not in _AT_WORK


@dataclass(frozen=True, slots=True)
class DataRepositoryTasks:
    """The requests on tasks."""

    connection: Connection

    @calls_aws
    def create(self, request: Mapping[str, Any]) -> DataRepositoryTask:
        """Create a task. Raises InvalidInput when the service refuses the request itself."""
        try:
            answer = self.connection.client("fsx").create_data_repository_task(**request)
        except client_error() as error:
            if code_of(error) in _REFUSALS:
                raise InvalidInput(f"CreateDataRepositoryTask: {code_of(error)}: {message_of(error)}") from None
            raise
        return _task(answer["DataRepositoryTask"])

    @calls_aws
    def describe(self, task_id: str) -> DataRepositoryTask:
        """The task as it stands."""
        answer = self.connection.client("fsx").describe_data_repository_tasks(TaskIds=[task_id])
        return _task(answer["DataRepositoryTasks"][0])

    @calls_aws
    def of_file_system(self, file_system_id: str) -> list[DataRepositoryTask]:
        """All tasks of a file system that FSx still knows."""
        fsx, found = self.connection.client("fsx"), list[DataRepositoryTask]()
        request: dict[str, Any] = {"Filters": [{"Name": "file-system-id", "Values": [file_system_id]}]}
        # botocore has no paginator for this operation
        while True:
            page = fsx.describe_data_repository_tasks(**request)
            found += [_task(each) for each in page["DataRepositoryTasks"]]
            if "NextToken" not in page:
                return found
            request["NextToken"] = page["NextToken"]


def _task(answer: Mapping[str, Any]) -> DataRepositoryTask:
    status = answer.get("Status", {})
    return DataRepositoryTask(
        task_id=answer["TaskId"],
        task_type=answer["Type"],
        lifecycle=answer["Lifecycle"],
        created=answer["CreationTime"],
        paths=tuple(answer.get("Paths", ())),
        total_files=status.get("TotalCount", 0),
        succeeded_files=status.get("SucceededCount", 0),
        failed_files=status.get("FailedCount", 0),
        failure=answer.get("FailureDetails", {}).get("Message"),
    )
