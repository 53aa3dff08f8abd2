"""The statuses of a training job; apart from its description, since the command line needs them at its start."""

from __future__ import annotations

from enum import StrEnum


class JobStatus(StrEnum):
    """TrainingJobStatus."""

    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    DELETING = "Deleting"
