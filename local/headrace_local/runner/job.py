"""A training job: the request it came from, and what has become of it, as DescribeTrainingJob tells it.

Source: Amazon SageMaker API Reference, DescribeTrainingJob and SecondaryStatusTransition.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

STATUS_MESSAGES: Final[Mapping[str, str]] = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading input data",
    "Training": "Training in-progress",
    "Uploading": "Uploading generated training model",
    "Stopping": "Stopping the training job",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Resources are being stopped: the job ran longer than MaxRuntimeInSeconds",
}
FINAL: Final[Mapping[str, str]] = {
    "Completed": "Completed",
    "Failed": "Failed",
    "Stopped": "Stopped",
    "MaxRuntimeExceeded": "Stopped",
}
"""Secondary status that ends a job -> its status."""


class JobFailed(Exception):
    """A reason for which a job fails, as its FailureReason says it."""


@dataclass(slots=True, kw_only=True)
class Transition:
    """One secondary status with its times."""

    status: str
    started: datetime
    message: str
    ended: datetime | None = None

    def describe(self) -> dict[str, Any]:
        """One element of SecondaryStatusTransitions."""
        end = {} if self.ended is None else {"EndTime": self.ended}
        return {"Status": self.status, "StartTime": self.started, **end, "StatusMessage": self.message}


@dataclass(slots=True, kw_only=True, eq=False)
class TrainingJob:
    """One job. Its own thread changes it, requests read it and may ask it to stop."""

    request: Mapping[str, Any]
    arn: str
    region: str
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    transitions: list[Transition] = field(default_factory=list)
    failure_reason: str | None = None
    model_artifact_uri: str | None = None
    metrics: dict[str, tuple[float, datetime]] = field(default_factory=dict)
    stop_asked: threading.Event = field(default_factory=threading.Event)
    _changing: threading.RLock = field(default_factory=threading.RLock)

    @property
    def name(self) -> str:
        """TrainingJobName."""
        return str(self.request["TrainingJobName"])

    @property
    def secondary_status(self) -> str:
        """Where it stands; Starting before its thread has said anything."""
        return self.transitions[-1].status if self.transitions else "Starting"

    @property
    def status(self) -> str:
        """InProgress, Stopping, or one of the three ends."""
        if self.secondary_status in FINAL:
            return FINAL[self.secondary_status]
        return "Stopping" if self.stop_asked.is_set() else "InProgress"

    @property
    def changed(self) -> datetime:
        """When it last went on."""
        return self.transitions[-1].started if self.transitions else self.created

    def enter(self, status: str, message: str | None = None) -> None:
        """Go on to the next secondary status; the one before ends at the same moment."""
        with self._changing:
            now = datetime.now(UTC)
            if self.transitions:
                self.transitions[-1].ended = now
            text = message or STATUS_MESSAGES[status]
            end = now if status in FINAL else None
            self.transitions.append(Transition(status=status, started=now, message=text, ended=end))

    def fail(self, reason: str) -> None:
        """End as Failed."""
        with self._changing:
            self.failure_reason = reason
            self.enter("Failed", reason)

    def started(self, status: str) -> datetime | None:
        """When it entered a secondary status; None when it never did."""
        with self._changing:
            return next((each.started for each in self.transitions if each.status == status), None)

    def describe(self) -> dict[str, Any]:
        """What DescribeTrainingJob adds to the request's own members, all of one moment."""
        with self._changing:
            return self._describe()

    def _describe(self) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "TrainingJobArn": self.arn,
            "TrainingJobStatus": self.status,
            "SecondaryStatus": self.secondary_status,
            "CreationTime": self.created,
            "LastModifiedTime": self.changed,
            "SecondaryStatusTransitions": [each.describe() for each in list(self.transitions)],
            "FailureReason": self.failure_reason,
            "WarmPoolStatus": self._warm_pool(),
            **self._times(),
        }
        if self.model_artifact_uri is not None:
            answer["ModelArtifacts"] = {"S3ModelArtifacts": self.model_artifact_uri}
        if self.metrics:
            answer["FinalMetricDataList"] = [
                {"MetricName": name, "Value": value, "Timestamp": when}
                for name, (value, when) in list(self.metrics.items())
            ]
        return {name: value for name, value in answer.items() if value is not None}

    def _warm_pool(self) -> dict[str, Any] | None:
        """What becomes of instances that are kept after the job; none is taken up by another job here."""
        kept_seconds = self.request["ResourceConfig"].get("KeepAlivePeriodInSeconds", 0)
        if not kept_seconds:
            return None
        if self.status not in FINAL.values():
            return {"Status": "InUse"}
        idle_seconds = int((datetime.now(UTC) - self.changed).total_seconds())
        if self.status == "Completed" and idle_seconds < kept_seconds:
            return {"Status": "Available", "ResourceRetainedBillableTimeInSeconds": idle_seconds}
        billed = kept_seconds if self.status == "Completed" else 0
        return {"Status": "Terminated", "ResourceRetainedBillableTimeInSeconds": billed}

    def _times(self) -> dict[str, Any]:
        start = self.started("Downloading")
        if start is None:
            return {}
        if self.status not in FINAL.values():
            return {"TrainingStartTime": start}
        seconds = max(1, round((self.changed - start).total_seconds()))
        return {
            "TrainingStartTime": start,
            "TrainingEndTime": self.changed,
            "TrainingTimeInSeconds": seconds,
            "BillableTimeInSeconds": seconds,
        }
