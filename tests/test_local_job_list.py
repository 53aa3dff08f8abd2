"""ListTrainingJobs of the embedded AWS: filters, order and pages."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from headrace_local.moto_extension.sagemaker import listing

from tests.training_jobs import StartJob, a_job, end

JOBS = [a_job(f"job-{number:03}", ("Starting", "Completed")[number % 2], age_seconds=number) for number in range(250)]


def _pages(request: Mapping[str, Any]) -> list[list[str]]:
    pages, token = [], {}
    while True:
        page = listing.page({**request, **token}, JOBS)
        pages.append([each["TrainingJobName"] for each in page["TrainingJobSummaries"]])
        if "NextToken" not in page:
            return pages
        token = {"NextToken": page["NextToken"]}


NAMES = [job.name for job in JOBS]
LISTS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, NAMES[::-1]),
    ({"SortOrder": "Descending"}, NAMES),
    ({"SortBy": "Name"}, NAMES),
    ({"SortBy": "Name", "SortOrder": "Descending"}, NAMES[::-1]),
    ({"SortBy": "Status"}, NAMES[1::2] + NAMES[::2]),
    ({"StatusEquals": "InProgress", "SortBy": "Name"}, NAMES[::2]),
    ({"NameContains": "-24", "SortBy": "Name"}, NAMES[240:]),
    ({"CreationTimeAfter": time.time() - 100.5, "SortBy": "Name"}, NAMES[:101]),
    ({"CreationTimeBefore": time.time() - 100.5, "SortBy": "Name"}, NAMES[101:]),
    ({"LastModifiedTimeBefore": 0}, []),
]


@pytest.mark.parametrize(("request_members", "names"), LISTS)
@pytest.mark.parametrize("size", [None, 1, 7, 100])
def test_jobs_are_listed_in_order_and_in_full_pages(
    request_members: Mapping[str, Any], names: list[str], size: int | None
) -> None:
    """moto filters a page after taking it, knows no order, and has no pages unless asked."""
    pages = _pages({**request_members, **({"MaxResults": size} if size else {})})
    assert [name for page in pages for name in page] == names
    if "StatusEquals" not in request_members:
        assert {len(page) for page in pages[:-1]} <= {size or 10}


def test_a_page_may_have_nothing_of_a_status_and_more_to_come() -> None:
    """As the API Reference warns: MaxResults jobs are taken first, and then those of another status dropped."""
    jobs = [a_job("old", "Completed", age_seconds=3), a_job("new", age_seconds=1)]
    first = listing.page({"StatusEquals": "InProgress", "MaxResults": 1}, jobs)
    assert (first["TrainingJobSummaries"], first["NextToken"]) == ([], "old")
    rest = listing.page({"StatusEquals": "InProgress", "MaxResults": 1, "NextToken": "old"}, jobs)
    assert [each["TrainingJobName"] for each in rest["TrainingJobSummaries"]] == ["new"]
    assert "NextToken" not in rest


def test_a_page_is_not_shifted_by_jobs_that_come_meanwhile() -> None:
    """Newest first, the next page begins where the last one ended."""
    jobs = [a_job("b", age_seconds=2), a_job("a", age_seconds=1)]
    first = listing.page({"SortOrder": "Descending", "MaxResults": 1}, jobs)
    rest = listing.page({"SortOrder": "Descending", "NextToken": first["NextToken"]}, [*jobs, a_job("new")])
    assert [each["TrainingJobName"] for each in rest["TrainingJobSummaries"]] == ["b"]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"NextToken": "never-made"}, "pagination token is invalid"),
        ({"MaxResults": 101}, "MaxResults is 101"),
        ({"SortBy": "Age"}, "SortBy is 'Age'"),
    ],
)
def test_what_cannot_be_listed_is_refused(sagemaker: Any, members: Mapping[str, Any], message: str) -> None:
    """As the service does."""
    with pytest.raises(ClientError) as refused:
        sagemaker.list_training_jobs(**members)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert message in refused.value.response["Error"]["Message"]


def test_real_jobs_are_listed(aws_session: boto3.Session, sagemaker: Any, start_job: StartJob) -> None:
    """By name, with their status and times as Describe gives them."""
    name = start_job(aws_session, ["true"])
    job = end(sagemaker, name)
    (summary,) = sagemaker.list_training_jobs(NameContains=name, StatusEquals="Completed")["TrainingJobSummaries"]
    assert not sagemaker.list_training_jobs(NameContains=name, StatusEquals="Failed")["TrainingJobSummaries"]
    told = ("TrainingJobArn", "CreationTime", "TrainingEndTime", "LastModifiedTime", "SecondaryStatus")
    assert {each: summary[each] for each in told} == {each: job[each] for each in told}
    started = datetime.now(UTC) - timedelta(minutes=10)
    assert sagemaker.list_training_jobs(NameContains=name, CreationTimeAfter=started)["TrainingJobSummaries"]
    assert not sagemaker.list_training_jobs(NameContains=name, CreationTimeBefore=started)["TrainingJobSummaries"]
