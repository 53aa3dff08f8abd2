"""Amazon SageMaker's training jobs as the machines meet them: made once, started minutes later, stopped in two.

Written after the Amazon SageMaker API Reference (CreateTrainingJob, DescribeTrainingJob, StopTrainingJob,
ListTrainingJobs). A job mounts its file systems when its instances are there; one that finds its file system not
AVAILABLE fails. Billed is the time from then to its end.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.clock import Clock, Timer, timestamp
from tests.simulation.data_repositories import ACCOUNT, REGION
from tests.simulation.faults import Course, SageMakerFaults
from tests.simulation.state_errors import StateError

RUNNING = ("InProgress", "Stopping")
CAPACITY = (
    "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance type."
)


@dataclass
class Job:
    name: str
    serial: int
    request: Mapping[str, Any]
    created: float
    creator: str | None
    status: str = "InProgress"
    secondary: str = "Starting"
    reason: str | None = None
    billed_from: float | None = None
    ended: float | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    end: Timer | None = None

    @property
    def arn(self) -> str:
        return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/{self.name}"

    @property
    def runs(self) -> bool:
        return self.status in RUNNING

    def file_systems(self) -> list[str]:
        sources = [each["DataSource"].get("FileSystemDataSource") for each in self.request.get("InputDataConfig", [])]
        return [source["FileSystemId"] for source in sources if source is not None]


class SimulatedSageMaker:
    def __init__(
        self, clock: Clock, chance: random.Random, faults: SageMakerFaults, mountable: Callable[[Job], str | None]
    ) -> None:
        self._clock = clock
        self._chance = chance
        self._faults = faults
        self._mountable = mountable  # why its file systems cannot be mounted, or None
        self._capacity_failures = faults.capacity_failures
        self._limit_exceeded = faults.limit_exceeded
        self._stops_refused = faults.stop_is_refused
        self.imported_files = 0
        self.jobs: dict[str, Job] = {}
        self.on_created: Callable[[Job], None] = lambda _: None
        self.on_billed: Callable[[Job], None] = lambda _: None
        self.on_ended: Callable[[Job], None] = lambda _: None
        self.on_stopped: Callable[[Job, str], None] = lambda *_: None

    def create_training_job(self, arguments: Mapping[str, Any], caller: str | None) -> dict[str, Any]:
        name = arguments["TrainingJobName"]
        if name in self.jobs:
            cause = "Training job names must be unique within an AWS account and region, and this one exists."
            raise StateError("SageMaker.ResourceInUseException", cause)
        if self._limit_exceeded > 0:
            self._limit_exceeded -= 1
            raise StateError(
                "SageMaker.ResourceLimitExceededException", "The account-level service limit is 0 Instances."
            )
        preload = caller is not None and "-preload" in name
        course = self._faults.preload if preload else self._faults.training
        span = self._faults.preload_span if preload else self._faults.training_span
        job = self._start(name, arguments, caller, course, span.drawn(self._chance))
        if preload:
            loaded = max(0, self.imported_files - self._faults.files_not_loaded)
            job.metrics = {
                "loaded_files_e6": loaded // 1_000_000,
                "loaded_files_e0": loaded % 1_000_000,
                "failed_files": self._faults.unreadable_files,
            }
        return {"TrainingJobArn": job.arn}

    def start_other(self, name: str, file_system: str, seconds: float) -> Job:
        """A job of somebody else that mounts a file system."""
        source = {"FileSystemId": file_system, "FileSystemType": "FSxLustre", "FileSystemAccessMode": "ro"}
        channel = {"ChannelName": "data", "DataSource": {"FileSystemDataSource": {**source, "DirectoryPath": "/x"}}}
        request = {
            "AlgorithmSpecification": {"TrainingInputMode": "File"},
            "ResourceConfig": {"VolumeSizeInGB": 50},
            "StoppingCondition": {"MaxRuntimeInSeconds": 86_400},
            "InputDataConfig": [channel],
        }
        return self._start(name, request, None, Course.COMPLETES, seconds)

    def _start(self, name: str, request: Mapping[str, Any], caller: str | None, course: Course, seconds: float) -> Job:
        job = Job(name, len(self.jobs), request, self._clock.now, caller)
        self.jobs[name] = job
        self.on_created(job)
        if self._capacity_failures > 0 and caller is not None:
            self._capacity_failures -= 1
            self._clock.call_later(self._chance.uniform(60, 2400), lambda: self._ends(job, "Failed", CAPACITY, True))
            return job

        def starts() -> None:
            if job.status != "InProgress":
                return
            refusal = self._mountable(job)
            if refusal is not None:
                self._ends(job, "Failed", f"InternalServerError: Unable to mount the file system: {refusal}")
                return
            job.billed_from, job.secondary = self._clock.now, "Training"
            self.on_billed(job)
            longest = request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", 86_400)
            if course is Course.STALLS or seconds > longest:
                job.end = self._clock.call_later(longest, lambda: self._runs_out(job, Course.IS_STOPPED))
            else:
                job.end = self._clock.call_later(seconds, lambda: self._runs_out(job, course))

        self._clock.call_later(self._faults.start_span.drawn(self._chance), starts)
        return job

    def _runs_out(self, job: Job, course: Course) -> None:
        if job.status != "InProgress":
            return
        if course is Course.IS_STOPPED:
            self._stop(job)
        elif course is Course.FAILS:
            self._ends(job, "Failed", "AlgorithmError: ExecuteUserScriptError: exit code 1")
        else:
            self._ends(job, "Completed", None)

    def _ends(self, job: Job, status: str, reason: str | None, only_starting: bool = False) -> None:
        if not job.runs or (only_starting and job.status != "InProgress"):
            return
        job.status, job.secondary, job.reason, job.ended = status, status, reason, self._clock.now
        if job.end is not None:
            job.end.cancel()
        self.on_ended(job)

    def stop_training_job(self, arguments: Mapping[str, Any], caller: str | None) -> dict[str, Any]:
        job = self._known(arguments["TrainingJobName"])
        if job.status == "Stopping":
            return {}
        if job.status != "InProgress":
            cause = f"The request was rejected because the training job is in status {job.status}."
            raise StateError("SageMaker.SageMakerException", cause)
        if self._stops_refused > 0:
            self._stops_refused -= 1
            raise StateError("SageMaker.SageMakerException", "Internal failure (Status Code: 500)")
        self._stop(job)
        if caller is not None:
            self.on_stopped(job, caller)
        return {}

    def _stop(self, job: Job) -> None:
        job.status = job.secondary = "Stopping"
        self._clock.call_later(self._faults.stop_span.drawn(self._chance), lambda: self._ends(job, "Stopped", None))

    def describe_training_job(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        job = self._known(arguments["TrainingJobName"])
        described: dict[str, Any] = {
            "TrainingJobName": job.name,
            "TrainingJobArn": job.arn,
            "TrainingJobStatus": job.status,
            "SecondaryStatus": job.secondary,
            "ModelArtifacts": {"S3ModelArtifacts": f"s3://headrace-dev/output/{job.name}/model.tar.gz"},
            "CreationTime": timestamp(job.created + self._faults.skew_seconds),
        }
        for name in ("InputDataConfig", "VpcConfig", "AlgorithmSpecification", "ResourceConfig", "StoppingCondition"):
            if name in job.request:
                described[name] = job.request[name]
        if job.reason is not None:
            described["FailureReason"] = job.reason
        if job.ended is not None:
            described["TrainingEndTime"] = timestamp(job.ended + self._faults.skew_seconds)
            if job.metrics and job.status == "Completed":
                described["FinalMetricDataList"] = [
                    {"MetricName": name, "Value": value, "Timestamp": timestamp(job.ended)}
                    for name, value in job.metrics.items()
                ]
        return described

    def _known(self, name: str) -> Job:
        if name not in self.jobs:
            raise StateError("SageMaker.SageMakerException", "Requested resource not found. (ValidationException)")
        return self.jobs[name]

    def list_training_jobs(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        visible = self._clock.now - self._faults.list_delay_seconds
        after = arguments.get("CreationTimeAfter", "")
        found = [
            job
            for job in self.jobs.values()
            if job.status == arguments.get("StatusEquals", job.status)
            and arguments.get("NameContains", "") in job.name
            and job.created <= visible
            and self._created(job) > after
            and job.serial >= int(arguments.get("NextToken", "0"))
        ]
        size = arguments.get("MaxResults", 10)
        answer: dict[str, Any] = {"TrainingJobSummaries": [self._summary(job) for job in found[:size]]}
        if len(found) > size:
            answer["NextToken"] = str(found[size].serial)
        return answer

    def _summary(self, job: Job) -> dict[str, Any]:
        return {
            "TrainingJobName": job.name,
            "TrainingJobArn": job.arn,
            "CreationTime": self._created(job),
            "TrainingJobStatus": job.status,
        }

    def _created(self, job: Job) -> str:
        return timestamp(job.created + self._faults.skew_seconds)
