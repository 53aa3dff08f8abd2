"""An execution of a state machine as Step Functions describes it: how it stands, and what happened in it.

Only what we need of an event is kept: the state that was entered, and the service calls with what went in and came out.
Sources: AWS Step Functions API Reference, DescribeExecution, GetExecutionHistory and HistoryEvent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final


class ExecutionStatus(StrEnum):
    """Status of an execution."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """An execution. ``ended`` is None while it runs; ``error`` and ``cause`` where it did not succeed."""

    arn: str
    name: str
    machine_arn: str
    status: str
    started: datetime
    ended: datetime | None = None
    input: Mapping[str, Any] = field(default_factory=dict)
    output: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None
    cause: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has ended, well or not."""
        return self.status not in (ExecutionStatus.RUNNING, "PENDING_REDRIVE")


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEvent:
    """Something that happened, in the order of ``event_id``.

    ``state``: the state that was entered. ``call``: a service call, such as ``createFileSystem``, that was scheduled
    (``given`` are its arguments) or has succeeded (``answer``).
    """

    event_id: int
    kind: str
    at: datetime
    state: str | None = None
    call: str | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    answer: Mapping[str, Any] = field(default_factory=dict)


_SCHEDULED: Final = "TaskScheduled"
_SUCCEEDED: Final = "TaskSucceeded"


def execution_of(answer: Mapping[str, Any]) -> Execution:
    """The record of DescribeExecution's answer, as boto3 gives it."""
    return Execution(
        arn=answer["executionArn"],
        name=answer["name"],
        machine_arn=answer["stateMachineArn"],
        status=answer["status"],
        started=answer["startDate"],
        ended=answer.get("stopDate"),
        input=_members(answer.get("input")),
        output=_members(answer.get("output")),
        error=answer.get("error"),
        cause=answer.get("cause"),
    )


def event_of(raw: Mapping[str, Any]) -> HistoryEvent:
    """The record of one of GetExecutionHistory's events, as boto3 gives it."""
    kind = raw["type"]
    scheduled = raw.get("taskScheduledEventDetails", {}) if kind == _SCHEDULED else {}
    succeeded = raw.get("taskSucceededEventDetails", {}) if kind == _SUCCEEDED else {}
    return HistoryEvent(
        event_id=raw["id"],
        kind=kind,
        at=raw["timestamp"],
        state=raw.get("stateEnteredEventDetails", {}).get("name"),
        call=scheduled.get("resource") or succeeded.get("resource"),
        given=_members(scheduled.get("parameters")),
        answer=_members(succeeded.get("output")),
    )


def execution_arn(machine_arn: str, name: str) -> str:
    """The ARN of a machine's execution of this name."""
    return f"{machine_arn.replace(':stateMachine:', ':execution:', 1)}:{name}"


def name_of(an_execution_arn: str) -> str:
    """The name of the execution with this ARN; of text that is none, what follows its last colon."""
    return an_execution_arn.rpartition(":")[2]


def machine_arn_of(an_execution_arn: str) -> str:
    """The ARN of the machine that an execution belongs to."""
    return an_execution_arn.rpartition(":")[0].replace(":execution:", ":stateMachine:", 1)


def _members(text: str | None) -> Mapping[str, Any]:
    """A JSON object; nothing where the text is none, or was cut."""
    try:
        plain = json.loads(text or "{}")
    except ValueError:
        return {}
    return plain if isinstance(plain, dict) else {}
