"""A training job as the service describes it: its status, its phases with their times, its result, its log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One secondary status of a training job, with its times (UTC); ``ended`` is None while it lasts."""

    status: str
    message: str
    started: datetime
    ended: datetime | None

    @property
    def seconds(self) -> float | None:
        """How long it lasted, once it has ended."""
        return None if self.ended is None else (self.ended - self.started).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDescription:
    """What DescribeTrainingJob says of a job."""

    name: str
    arn: str
    status: str
    secondary_status: str
    transitions: tuple[Transition, ...]
    failure_reason: str | None
    model_artifact_uri: str | None
    metrics: Mapping[str, float]
    training_seconds: int | None
    billable_seconds: int | None
    instance_count: int

    @property
    def is_over(self) -> bool:
        """Whether the job has ended, well or not."""
        return self.status in ("Completed", "Failed", "Stopped")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A line of a job's log and the stream (one per instance) that it came from."""

    stream: str
    text: str


def description_of(answer: Mapping[str, Any]) -> JobDescription:
    """The record of DescribeTrainingJob's answer, as boto3 gives it."""
    return JobDescription(
        name=answer["TrainingJobName"],
        arn=answer["TrainingJobArn"],
        status=answer["TrainingJobStatus"],
        secondary_status=answer["SecondaryStatus"],
        transitions=tuple(
            Transition(
                status=each["Status"],
                message=each.get("StatusMessage", ""),
                started=each["StartTime"],
                ended=each.get("EndTime"),
            )
            for each in answer.get("SecondaryStatusTransitions", ())
        ),
        failure_reason=answer.get("FailureReason"),
        model_artifact_uri=answer.get("ModelArtifacts", {}).get("S3ModelArtifacts"),
        metrics={each["MetricName"]: each["Value"] for each in answer.get("FinalMetricDataList", ())},
        training_seconds=answer.get("TrainingTimeInSeconds"),
        billable_seconds=answer.get("BillableTimeInSeconds"),
        instance_count=answer["ResourceConfig"].get("InstanceCount", 1),
    )
