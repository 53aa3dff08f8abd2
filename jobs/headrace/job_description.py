"""A training job as the service describes it: its status, its phases with their times, its data, its result, its log.

Sources: Amazon SageMaker API Reference, DescribeTrainingJob and ListTrainingJobs; CloudWatch Logs stream names are
from the Amazon SageMaker Developer Guide, "Amazon SageMaker AI logs".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from headrace.errors import JobFailed
from headrace.job_status import JobStatus
from headrace.roads import ROADS, InputMode, Place, Road, road_for

_INSTANCE = re.compile(r"algo-\d+")


def _is_over(status: str) -> bool:
    return status not in (JobStatus.IN_PROGRESS, JobStatus.STOPPING)


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
class ChannelDescription:
    """A channel as a job has it. ``road`` is None for a kind of source that headrace does not know.

    ``location``: the S3 URI, or the file system's id and the directory in it. ``file_system_id``: where it is one.
    """

    name: str
    road: Road | None
    location: str
    file_system_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instances:
    """Equal instances of a job; a heterogeneous cluster has several such groups."""

    instance_type: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDescription:
    """What DescribeTrainingJob says of a job. Times are UTC; ``ended`` is None while the job lasts.

    ``billable_seconds`` and ``warm_pool_billable_seconds`` (kept warm after the job) are wall time: what is billed is
    these times the number of instances. ``metrics``: the last value of each.
    """

    name: str
    arn: str
    status: str
    secondary_status: str
    created: datetime
    ended: datetime | None = None
    transitions: tuple[Transition, ...] = ()
    failure_reason: str | None = None
    model_artifact_uri: str | None = None
    metrics: Mapping[str, float]
    training_seconds: int | None = None
    billable_seconds: int | None = None
    warm_pool_billable_seconds: int | None = None
    instances: tuple[Instances, ...] = ()
    channels: tuple[ChannelDescription, ...] = ()
    is_spot: bool = False

    @property
    def is_over(self) -> bool:
        """Whether the job has ended, well or not."""
        return _is_over(self.status)

    def require_completed(self) -> None:
        """Raises JobFailed, with the service's reason, when the job did not complete."""
        if self.status != "Completed":
            reason = " ".join((self.failure_reason or "no reason given").split())
            raise JobFailed(f"{self.name}: {self.status}: {reason}")

    @property
    def file_system_ids(self) -> frozenset[str]:
        """The file systems that the job mounts."""
        return frozenset(each.file_system_id for each in self.channels if each.file_system_id is not None)

    @property
    def instance_count(self) -> int:
        """How many instances the job has, over all its groups."""
        return sum(each.count for each in self.instances)

    @property
    def billed_instance_seconds(self) -> int | None:
        """What SageMaker bills: BillableTimeInSeconds x InstanceCount; None before the job's end."""
        return None if self.billable_seconds is None else self.billable_seconds * self.instance_count

    @property
    def spot_savings_percent(self) -> float | None:
        """What Spot saved: (1 - BillableTimeInSeconds / TrainingTimeInSeconds) x 100; None where nothing is known."""
        if not self.is_spot or self.billable_seconds is None or not self.training_seconds:
            return None
        return 100 * (1 - self.billable_seconds / self.training_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSummary:
    """A training job in a list. Times are UTC; ``ended`` is None while the job lasts."""

    name: str
    status: str
    created: datetime
    ended: datetime | None

    def seconds(self, now: datetime) -> float:
        """From its creation to its end, or until now."""
        return max(0.0, ((self.ended or now) - self.created).total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A line of a job's log, when it was written (UTC), and the stream (one per instance) that it came from."""

    stream: str
    written: datetime
    text: str

    @property
    def instance(self) -> str:
        """The instance that printed it, such as ``algo-1``."""
        name = self.stream.split("/", 1)[-1]
        found = _INSTANCE.match(name)
        return found.group() if found else name


def description_of(answer: Mapping[str, Any]) -> JobDescription:
    """The record of DescribeTrainingJob's answer, as boto3 gives it."""
    return JobDescription(
        name=answer["TrainingJobName"],
        arn=answer["TrainingJobArn"],
        status=answer["TrainingJobStatus"],
        secondary_status=answer["SecondaryStatus"],
        created=answer["CreationTime"],
        ended=_end(answer),
        transitions=tuple(_transition(each) for each in answer.get("SecondaryStatusTransitions", ())),
        failure_reason=answer.get("FailureReason"),
        model_artifact_uri=answer.get("ModelArtifacts", {}).get("S3ModelArtifacts"),
        metrics={each["MetricName"]: each["Value"] for each in answer.get("FinalMetricDataList", ())},
        training_seconds=answer.get("TrainingTimeInSeconds"),
        billable_seconds=answer.get("BillableTimeInSeconds"),
        warm_pool_billable_seconds=answer.get("WarmPoolStatus", {}).get("ResourceRetainedBillableTimeInSeconds"),
        instances=_instances(answer.get("ResourceConfig", {})),
        channels=tuple(
            _channel(each, answer["AlgorithmSpecification"]["TrainingInputMode"])
            for each in answer.get("InputDataConfig", ())
        ),
        is_spot=answer.get("EnableManagedSpotTraining", False),
    )


def summary_of(entry: Mapping[str, Any]) -> JobSummary:
    """The record of one of ListTrainingJobs' summaries, as boto3 gives it."""
    return JobSummary(
        name=entry["TrainingJobName"],
        status=entry["TrainingJobStatus"],
        created=entry["CreationTime"],
        ended=_end(entry),
    )


def _end(answer: Mapping[str, Any]) -> datetime | None:
    if not _is_over(answer["TrainingJobStatus"]):
        return None
    # a job that never got an instance has no TrainingEndTime
    end: datetime | None = answer.get("TrainingEndTime", answer.get("LastModifiedTime"))
    return end


def _transition(each: Mapping[str, Any]) -> Transition:
    return Transition(
        status=each["Status"],
        message=each.get("StatusMessage", ""),
        started=each["StartTime"],
        ended=each.get("EndTime"),
    )


def _instances(resources: Mapping[str, Any]) -> tuple[Instances, ...]:
    if groups := resources.get("InstanceGroups"):
        return tuple(Instances(instance_type=each["InstanceType"], count=each["InstanceCount"]) for each in groups)
    # where the request lists several types that will do, the service says which it took
    instance_type = resources.get("SelectedInstanceType", resources.get("InstanceType"))
    count = resources.get("SelectedInstanceCount", resources.get("InstanceCount", 1))
    return () if instance_type is None else (Instances(instance_type=instance_type, count=count),)


def _channel(each: Mapping[str, Any], default_mode: str) -> ChannelDescription:
    source = each["DataSource"]
    road, location, file_system_id = None, ", ".join(source), None
    if "S3DataSource" in source:
        mode = each.get("InputMode", default_mode)
        road = road_for(Place.S3, InputMode(mode)) if mode in tuple(InputMode) else None
        location = source["S3DataSource"]["S3Uri"]
    elif "FileSystemDataSource" in source:
        system = source["FileSystemDataSource"]
        road = next((road for road in ROADS if road.file_system_type == system["FileSystemType"]), None)
        file_system_id = system["FileSystemId"]
        location = f"{file_system_id}:{system['DirectoryPath']}"
    return ChannelDescription(name=each["ChannelName"], road=road, location=location, file_system_id=file_system_id)
