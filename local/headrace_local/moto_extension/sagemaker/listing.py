"""ListTrainingJobs: filters, order and pages.

The service takes a page of all jobs and drops those of another status than StatusEquals then: such a page may be empty
with more to come. moto does so with every filter, knows no order, and gives everything where no MaxResults is given.

Source: Amazon SageMaker API Reference, ListTrainingJobs. It names no default of MaxResults; ten is what its neighbours
have, ListTrainingJobsForHyperParameterTuningJob for one. Its member SortOrder says Ascending by default, its note on
StatusEquals "from the most current to the oldest": here it is the former.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from headrace.service_model import violations

from headrace_local.runner.job import FINAL, TrainingJob

DEFAULT_PAGE: Final = 10
_Test = Callable[[TrainingJob, Any], bool]

_FILTERS: Final[Mapping[str, _Test]] = {
    "NameContains": lambda job, text: text in job.name,
    "CreationTimeAfter": lambda job, when: job.created > when,
    "CreationTimeBefore": lambda job, when: job.created < when,
    "LastModifiedTimeAfter": lambda job, when: job.changed > when,
    "LastModifiedTimeBefore": lambda job, when: job.changed < when,
    "WarmPoolStatusEquals": lambda job, status: _warm_pool(job).get("Status") == status,
    "TrainingPlanArnEquals": lambda _job, _arn: False,
}
"""Member of the request -> whether a job passes; all but StatusEquals, which is asked of a page."""
_TIMES: Final = frozenset(name for name in _FILTERS if "Time" in name)

_ORDERS: Final[Mapping[str, Callable[[TrainingJob], tuple[Any, ...]]]] = {
    "Name": lambda job: (job.name,),
    "CreationTime": lambda job: (job.created, job.name),
    "Status": lambda job: (job.status, job.name),
}


def page(body: Mapping[str, Any], jobs: Iterable[TrainingJob]) -> dict[str, Any]:
    """The answer of ListTrainingJobs. Raises ValueError for what the service refuses."""
    request: dict[str, Any] = {name: _time(value) if name in _TIMES else value for name, value in body.items()}
    wrong = violations("sagemaker", "ListTrainingJobs", request)
    if wrong:
        raise ValueError("; ".join(str(each) for each in wrong))
    order = _ORDERS[request.get("SortBy", "CreationTime")]
    ordered = sorted(jobs, key=order, reverse=request.get("SortOrder") == "Descending")
    rest = ordered[_after(ordered, request["NextToken"]) :] if "NextToken" in request else ordered
    found = [job for job in rest if all(test(job, request[name]) for name, test in _FILTERS.items() if name in request)]
    taken = found[: request.get("MaxResults", DEFAULT_PAGE)]
    more = {"NextToken": taken[-1].name} if len(taken) < len(found) else {}
    shown = [_summary(each) for each in taken if request.get("StatusEquals", each.status) == each.status]
    return {"TrainingJobSummaries": shown, **more}


def _time(value: float) -> datetime:
    return datetime.fromtimestamp(value, UTC)


def _after(ordered: list[TrainingJob], token: str) -> int:
    # the last job of the page before: neither jobs that have come meanwhile nor changes of status shift a page
    for place, job in enumerate(ordered, start=1):
        if job.name == token:
            return place
    raise ValueError("The pagination token is invalid.")


def _summary(job: TrainingJob) -> dict[str, Any]:
    ended: datetime | None = job.changed if job.status in FINAL.values() else None
    summary = {
        "TrainingJobName": job.name,
        "TrainingJobArn": job.arn,
        "CreationTime": job.created,
        "LastModifiedTime": job.changed,
        "TrainingJobStatus": job.status,
        "SecondaryStatus": job.secondary_status,
        "TrainingEndTime": ended,
        "WarmPoolStatus": _warm_pool(job) or None,
    }
    return {name: value for name, value in summary.items() if value is not None}


def _warm_pool(job: TrainingJob) -> Mapping[str, Any]:
    pool: Mapping[str, Any] = job.describe().get("WarmPoolStatus", {})
    return pool
