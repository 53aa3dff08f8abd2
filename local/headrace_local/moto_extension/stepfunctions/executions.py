"""Executions: switched on, named, stopped with a reason, described to the end, and told of to EventBridge.

moto leaves its interpreter off, calls an execution without a name ``None``, drops error and cause of StopExecution and
fails when it comes in the first moment, forgets when an execution has timed out, and gives a history always whole and
from its beginning.
Source: AWS Step Functions API Reference, StartExecution, StopExecution, DescribeExecution, GetExecutionHistory;
Developer Guide, "EventBridge events for execution status changes".
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from moto.core.config import default_user_config
from moto.core.responses import ActionResult
from moto.stepfunctions.exceptions import ExecutionDoesNotExist, StateMachineDoesNotExist
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from moto.stepfunctions.responses import StepFunctionResponse

from headrace_local.moto_extension.events import bus

DETAIL_TYPE: Final = "Step Functions Execution Status Change"
_MAX_EVENT_BYTES: Final = 248 * 1024
_ENDS_WITHIN_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.01
_HISTORY_PAGE_EVENTS: Final = 100

_start_execution = StepFunctionsParserBackend.start_execution
_start = Execution.start
_terminated = BaseExecutionWorkerCommunication.terminated


def start_execution(
    backend: StepFunctionsParserBackend, state_machine_arn: str, name: str | None = None, execution_input: Any = None
) -> Execution:
    """StartExecution: one without a name gets one; a name that is none is refused."""
    given = name or str(uuid4())
    backend._validate_name(given)
    return _start_execution(backend, state_machine_arn, given, execution_input)


def start(execution: Execution) -> None:
    """Say so, and run: a short one would have ended otherwise before anybody has said that it runs."""
    _tell(execution, "RUNNING")
    _start(execution)


def terminated(communication: BaseExecutionWorkerCommunication) -> None:
    """End as the interpreter has ended, and say so."""
    _terminated(communication)
    execution, stopped = communication.execution, getattr(communication.execution, "headrace_stopped", None)
    if execution.status == "ABORTED" and stopped is not None:
        execution.error, execution.cause = stopped
    _tell(execution, execution.status)


def _tell(execution: Execution, status: str) -> None:
    bus.publish(
        region=execution.region_name,
        source="aws.states",
        detail_type=DETAIL_TYPE,
        resources=[execution.exec_arn],
        detail=_detail(execution, status),
    )


def _detail(execution: Execution, status: str) -> dict[str, Any]:
    output = None if execution.output is None else json.dumps(execution.output)
    detail: dict[str, Any] = {
        "executionArn": execution.exec_arn,
        "stateMachineArn": execution.state_machine_arn,
        "name": execution.name,
        "status": status,
        "startDate": _milliseconds(execution.start_date),
        "stopDate": _milliseconds(execution.stop_date),
        "error": execution.error,
        "cause": execution.cause,
    }
    for name, text in (("input", execution.execution_input), ("output", output)):
        is_included = text is not None and len(text.encode()) <= _MAX_EVENT_BYTES
        detail |= {name: text if is_included else None}
        detail |= {f"{name}Details": None if text is None else {"included": is_included}}
    return detail


def _milliseconds(instant: datetime | None) -> int | None:
    return None if instant is None else int(instant.timestamp() * 1000)


def _find(response: StepFunctionResponse) -> Execution:
    arn = response._get_param("executionArn")
    try:
        return response.stepfunction_backend.describe_execution(arn)
    except StateMachineDoesNotExist:  # moto looks for the machine first
        raise ExecutionDoesNotExist(f"Execution Does Not Exist: '{arn}'") from None


def _stop(response: StepFunctionResponse) -> ActionResult:
    execution = _find(response)
    _wait_for(lambda: execution.exec_worker.env is not None)  # its thread reads the definition first
    if execution.status == "RUNNING":
        execution.headrace_stopped = response._get_param("error"), response._get_param("cause")
        execution.stop(stop_date=datetime.now(UTC), error=None, cause=None)
        _wait_for(lambda: execution.status != "RUNNING")
    return ActionResult({"stopDate": execution.stop_date})


def _wait_for(condition: Any) -> None:
    end = time.monotonic() + _ENDS_WITHIN_SECONDS
    while not condition() and time.monotonic() < end:
        time.sleep(_POLL_SECONDS)


def _describe(response: StepFunctionResponse) -> ActionResult:
    execution = _find(response)
    described = {
        "executionArn": execution.execution_arn,
        "stateMachineArn": execution.state_machine_arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": execution.start_date,
        "stopDate": execution.stop_date,
        "input": execution.execution_input,
        "inputDetails": {"included": True},
        "error": execution.error,
        "cause": execution.cause,
    }
    if execution.status == "SUCCEEDED":
        described |= {"output": json.dumps(execution.output), "outputDetails": {"included": True}}
    return ActionResult({name: value for name, value in described.items() if value is not None})


def _history(response: StepFunctionResponse) -> ActionResult:
    execution = _find(response)
    events = list(execution.to_history_output()["events"])
    if response._get_param("reverseOrder"):
        events.reverse()
    begin = int(response._get_param("nextToken") or 0)
    end = begin + (response._get_int_param("maxResults") or _HISTORY_PAGE_EVENTS)
    more = {"nextToken": str(end)} if end < len(events) else {}
    return ActionResult({"events": events[begin:end], **more})


def install() -> None:
    """Switch the interpreter on, and put these in the place of moto's."""
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    StepFunctionsParserBackend.start_execution = start_execution
    Execution.start = start
    BaseExecutionWorkerCommunication.terminated = terminated
    StepFunctionResponse.stop_execution = _stop
    StepFunctionResponse.describe_execution = _describe
    StepFunctionResponse.get_execution_history = _history
