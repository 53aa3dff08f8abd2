"""Executions of Step Functions' state machines: start, describe, stop, list, and what happened in them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headrace.aws.connection import Connection, calls_aws, client_error, code_of, message_of
from headrace.errors import InvalidInput
from headrace.execution_history import Execution, ExecutionStatus, HistoryEvent, event_of, execution_of

_MOST_EVENTS = 1000
# between two looks little happens, and events carry what went in and came out
_NEW_EVENTS = 50
_REFUSALS = frozenset({"ExecutionAlreadyExists", "InvalidExecutionInput", "InvalidName", "StateMachineDoesNotExist"})
# the second: what was asked for can be no execution's ARN
_NO_EXECUTION = frozenset({"ExecutionDoesNotExist", "InvalidArn"})


@dataclass(frozen=True, slots=True)
class Executions:
    """Questions and requests to Step Functions."""

    connection: Connection

    @calls_aws
    def start(self, machine_arn: str, name: str, given: Mapping[str, Any]) -> str:
        """Start an execution; its ARN. The same name with the same input again is the same execution while it runs.

        Raises InvalidInput when the service refuses name or input, or the machine is not there.
        """
        try:
            answer = self._client.start_execution(stateMachineArn=machine_arn, name=name, input=json.dumps(given))
        except client_error() as error:
            if code_of(error) in _REFUSALS:
                raise InvalidInput(f"StartExecution: {code_of(error)}: {message_of(error)}") from None
            raise
        return str(answer["executionArn"])

    @calls_aws
    def describe(self, arn: str) -> Execution | None:
        """The execution as it stands; None when there is none of this ARN."""
        try:
            return execution_of(self._client.describe_execution(executionArn=arn))
        except client_error() as error:
            if code_of(error) in _NO_EXECUTION:
                return None
            raise

    @calls_aws
    def stop(self, arn: str, error: str, cause: str) -> None:
        """Abort the execution; one that has ended already stays as it is."""
        self._client.stop_execution(executionArn=arn, error=error, cause=cause)

    @calls_aws
    def newest(self, machine_arn: str, most: int = 100) -> list[str]:
        """ARNs of up to ``most`` executions of a machine, newest first; none where there is no such machine."""
        try:
            answer = self._client.list_executions(stateMachineArn=machine_arn, maxResults=most)
            return [each["executionArn"] for each in answer["executions"]]
        except client_error() as error:
            if code_of(error) == "StateMachineDoesNotExist":
                return []
            raise

    @calls_aws
    def running(self, machine_arn: str) -> list[str]:
        """ARNs of all executions of a machine that run; none where there is no such machine."""
        pages = self._client.get_paginator("list_executions")
        try:
            return [
                each["executionArn"]
                for page in pages.paginate(stateMachineArn=machine_arn, statusFilter=ExecutionStatus.RUNNING.value)
                for each in page["executions"]
            ]
        except client_error() as error:
            if code_of(error) == "StateMachineDoesNotExist":
                return []
            raise

    @calls_aws
    def events_after(self, arn: str, event_id: int = 0) -> Sequence[HistoryEvent]:
        """What happened after this event, in order; everything by default.

        Read from the end, so that who follows an execution reads what is new and no more.
        """
        newer: list[HistoryEvent] = []
        for event in self._newest_events_first(arn, _NEW_EVENTS if event_id else _MOST_EVENTS):
            if event.event_id <= event_id:
                break
            newer.append(event)
        return newer[::-1]

    def _newest_events_first(self, arn: str, page_size: int) -> Iterator[HistoryEvent]:
        pages = self._client.get_paginator("get_execution_history").paginate(
            executionArn=arn,
            reverseOrder=True,
            includeExecutionData=True,
            PaginationConfig={"PageSize": page_size},
        )
        for page in pages:
            yield from map(event_of, page["events"])

    @property
    def _client(self) -> Any:
        return self.connection.client("stepfunctions")
