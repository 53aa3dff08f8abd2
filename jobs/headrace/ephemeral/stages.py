"""What an execution of the flow is about, read from its history.

``MARKS`` is the one place that knows states of ephemeral.asl.yaml by name: entering one of them begins a stage. The
two kinds of jobs pass through the same states; the name of the job that is created tells them apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from headrace.execution_history import Execution, HistoryEvent


class Stage(StrEnum):
    """Where a flow is."""

    CHECKING = "checking"
    CREATING = "creating"
    LINKING = "linking"
    IMPORTING = "importing"
    PRELOADING = "preloading"
    TRAINING = "training"
    HOLDING = "holding"
    TEARING_DOWN = "tearing down"


MARKS: Final[Mapping[str, Stage]] = {
    "Begin": Stage.CHECKING,
    "CreateFileSystem": Stage.CREATING,
    "CreateLink": Stage.LINKING,
    "StartImport": Stage.IMPORTING,
    "Hold": Stage.HOLDING,
    "StartTeardown": Stage.TEARING_DOWN,
}
"""State that is entered -> stage that begins."""
WAIT_FOR_CAPACITY: Final = "WaitForCapacity"
PRELOAD_SUFFIX: Final = "-preload"


def is_preload(flow: str, job: str) -> bool:
    """Whether the job of a flow is its preload, by both names; further attempts are numbered."""
    return job.startswith(f"{flow}{PRELOAD_SUFFIX}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSpan:
    """A stage with its times (UTC); ``ended`` is None while it lasts. ``detail``: what of it, such as a job's name."""

    stage: Stage
    started: datetime
    ended: datetime | None = None
    detail: str = ""

    def seconds(self, now: datetime) -> float:
        """How long it took, or takes by now."""
        return ((self.ended or now) - self.started).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What the history tells so far.

    ``jobs``: names of the training jobs that were created, the preload's as well. ``billed_from``: when FSx had made
    the file system. ``imported_files``: as the import task counts them.
    """

    job_name: str
    last_event_id: int = 0
    stages: tuple[StageSpan, ...] = ()
    file_system_id: str | None = None
    billed_from: datetime | None = None
    imported_files: int | None = None
    asked_for: str | None = None
    jobs: tuple[str, ...] = ()

    @property
    def stage(self) -> StageSpan | None:
        """The stage that the flow is in, or was in last."""
        return self.stages[-1] if self.stages else None

    def after(self, events: Iterable[HistoryEvent]) -> Progress:
        """The progress when these have happened, too."""
        progress = self
        for event in events:
            progress = replace(_after(progress, event), last_event_id=event.event_id)
        return progress

    def closed(self, ended: datetime | None) -> Progress:
        """The progress of a flow that has ended then: its last stage is over."""
        if ended is None or not self.stages or self.stages[-1].ended is not None:
            return self
        return replace(self, stages=(*self.stages[:-1], replace(self.stages[-1], ended=ended)))


def _after(progress: Progress, event: HistoryEvent) -> Progress:
    if event.state is not None and event.state in MARKS:
        return _begun(progress, MARKS[event.state], event.at)
    if event.state == WAIT_FOR_CAPACITY and progress.stage is not None:
        return _begun(progress, progress.stage.stage, event.at, "waiting for capacity")
    # the answer to its creation may have been lost, and the machine then looks whether it is there
    if event.state == "DescribeJob":
        return _job_is_there(progress)
    if event.call == "createTrainingJob" and event.given:
        name = str(event.given.get("TrainingJobName", ""))
        return _begun(replace(progress, asked_for=name), _stage_of_job(progress.job_name, name), event.at, name)
    if event.call == "createTrainingJob":
        return _job_is_there(progress)
    if event.call == "createFileSystem" and event.answer:
        file_system_id = event.answer.get("FileSystem", {}).get("FileSystemId")
        return replace(progress, file_system_id=file_system_id, billed_from=event.at)
    if event.call == "describeDataRepositoryTasks" and event.answer:
        return replace(progress, imported_files=_imported(event.answer))
    return progress


def _begun(progress: Progress, stage: Stage, at: datetime, detail: str = "") -> Progress:
    last = progress.stage
    if last is not None and (last.stage, last.detail) == (stage, detail):
        return progress
    span = StageSpan(stage=stage, started=at, detail=detail)
    return replace(progress, stages=(*progress.closed(at).stages, span))


def _job_is_there(progress: Progress) -> Progress:
    name = progress.asked_for
    return progress if name is None or name in progress.jobs else replace(progress, jobs=(*progress.jobs, name))


def _stage_of_job(flow: str, job: str) -> Stage:
    return Stage.PRELOADING if is_preload(flow, job) else Stage.TRAINING


def _imported(answer: Mapping[str, Any]) -> int | None:
    tasks = answer.get("DataRepositoryTasks") or [{}]
    count: int | None = tasks[0].get("Status", {}).get("SucceededCount")
    return count


def expires(execution: Execution) -> datetime | None:
    """When the file system's lifetime is over, as the machine works it out; None for an input that is none of ours."""
    seconds = execution.input.get("Lustre", {}).get("LifetimeSeconds")
    return None if seconds is None else execution.started + timedelta(seconds=seconds)


def capacity_gib(execution: Execution) -> int:
    """What the file system provisions."""
    return int(execution.input.get("Lustre", {}).get("StorageCapacity", 0))
