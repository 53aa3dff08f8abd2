"""Training jobs of SageMaker: create, describe, stop, list."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from os.path import commonprefix
from typing import Any

from headrace.aws.connection import Connection, calls_aws, client_error, code_of, message_of
from headrace.errors import InvalidInput, NoCapacity
from headrace.job_description import JobDescription, JobSummary, description_of, summary_of
from headrace.job_status import JobStatus

# CreateTrainingJob, TrainingJobName
_JOB_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_LARGEST_PAGE = 100
_NOT_FOUND = ("not found", "could not find")
_REFUSALS: Mapping[str, type[InvalidInput]] = {
    "ValidationException": InvalidInput,
    "ResourceInUse": InvalidInput,
    "ResourceLimitExceeded": NoCapacity,
}


@dataclass(frozen=True, slots=True)
class TrainingJobs:
    """The requests on training jobs."""

    connection: Connection

    @calls_aws
    def create(self, request: Mapping[str, Any]) -> str:
        """Create the job; its ARN.

        Raises InvalidInput when the service refuses the request itself, NoCapacity when a quota leaves no room for it.
        """
        try:
            return str(self.connection.client("sagemaker").create_training_job(**request)["TrainingJobArn"])
        except client_error() as error:
            if refusal := _REFUSALS.get(code_of(error)):
                raise refusal(f"CreateTrainingJob: {code_of(error)}: {message_of(error)}") from None
            raise

    @calls_aws
    def exists(self, name: str) -> bool:
        """Whether a training job of this name exists, or ever did: names are never free again."""
        if not _JOB_NAME.fullmatch(name):
            return False
        try:
            self.connection.client("sagemaker").describe_training_job(TrainingJobName=name)
        except client_error() as error:
            if _is_unknown_job(error):
                return False
            raise
        return True

    @calls_aws
    def names_in_use(self, names: Sequence[str]) -> tuple[str, ...]:
        """Those of the names that a training job has or ever had. One is described, several are listed together."""
        shared = commonprefix(names).rstrip("-")  # noqa: RUF071  (names, not paths)
        if len(names) == 1 or not _JOB_NAME.fullmatch(shared):
            return tuple(name for name in names if self.exists(name))
        pages = self.connection.client("sagemaker").get_paginator("list_training_jobs")
        found: set[str] = set()
        for page in pages.paginate(NameContains=shared, PaginationConfig={"PageSize": _LARGEST_PAGE}):
            found.update(each["TrainingJobName"] for each in page["TrainingJobSummaries"])
        return tuple(name for name in names if name in found)

    @calls_aws
    def describe(self, name: str) -> JobDescription:
        """The job as it stands. Raises InvalidInput when there is none of this name."""
        if not _JOB_NAME.fullmatch(name):
            raise self._unknown(name)
        try:
            answer = self.connection.client("sagemaker").describe_training_job(TrainingJobName=name)
        except client_error() as error:
            if _is_unknown_job(error):
                raise self._unknown(name) from None
            raise
        return description_of(answer)

    @calls_aws
    def stop(self, name: str) -> bool:
        """Ask the job to stop; False when it has ended already, or is stopping. Raises InvalidInput if it is unknown.

        The script gets SIGTERM and 120 seconds before it is killed. Source: Amazon SageMaker API Reference,
        StopTrainingJob.
        """
        try:
            self.connection.client("sagemaker").stop_training_job(TrainingJobName=name)
        except client_error() as error:
            if _is_unknown_job(error):
                raise self._unknown(name) from None
            # the service refuses to stop what does not run, with the code that it has for everything
            if code_of(error) == "ValidationException" and self.describe(name).status != JobStatus.IN_PROGRESS:
                return False
            raise
        return True

    @calls_aws
    def newest(self, prefix: str, status: JobStatus | None, most: int) -> list[JobSummary]:
        """Up to ``most`` jobs whose name begins with ``prefix``, newest first. Reads only as many pages as it needs."""
        conditions = {"NameContains": prefix, "SortBy": "CreationTime", "SortOrder": "Descending"}
        if status is not None:
            conditions["StatusEquals"] = status
        pages = self.connection.client("sagemaker").get_paginator("list_training_jobs")
        found: list[JobSummary] = []
        for page in pages.paginate(**conditions, PaginationConfig={"PageSize": _LARGEST_PAGE}):
            summaries = map(summary_of, page["TrainingJobSummaries"])
            found.extend(each for each in summaries if each.name.startswith(prefix))
            if len(found) >= most:
                break
        return sorted(found, key=lambda each: each.created, reverse=True)[:most]

    @calls_aws
    def active_names(self, created_after: datetime | None = None) -> tuple[str, ...]:
        """Every job of the account and Region that runs or is stopping; only those that were created after a time."""
        since = {} if created_after is None else {"CreationTimeAfter": created_after}
        pages = self.connection.client("sagemaker").get_paginator("list_training_jobs")
        # in this order, so that one that begins to stop in between is in one of the lists
        names = dict.fromkeys(
            each["TrainingJobName"]
            for status in (JobStatus.IN_PROGRESS, JobStatus.STOPPING)
            for page in pages.paginate(StatusEquals=status.value, PaginationConfig={"PageSize": _LARGEST_PAGE}, **since)
            for each in page["TrainingJobSummaries"]
        )
        return tuple(names)

    @calls_aws
    def tags(self, arn: str) -> dict[str, str]:
        """The job's tags."""
        pages = self.connection.client("sagemaker").get_paginator("list_tags")
        return {each["Key"]: each["Value"] for page in pages.paginate(ResourceArn=arn) for each in page["Tags"]}

    def _unknown(self, name: str) -> InvalidInput:
        return InvalidInput(f"no training job {name!r} in {self.connection.region}; check the name and the Region")


def _is_unknown_job(error: Any) -> bool:
    # the service has no code of its own for it
    message = message_of(error).lower()
    return code_of(error) in ("ValidationException", "ResourceNotFound") and any(each in message for each in _NOT_FOUND)
