"""The requests on executions, in the place of moto's.

moto drops error and cause of StopExecution and fails when it comes in the first moment, forgets when an execution has
timed out, and gives a history always whole and from its beginning.
Source: AWS Step Functions API Reference, StopExecution, DescribeExecution, ListExecutions, GetExecutionHistory.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.stepfunctions.exceptions import ExecutionDoesNotExist, StateMachineDoesNotExist
from moto.stepfunctions.parser.backend.execution import Execution
from moto.stepfunctions.responses import StepFunctionResponse

_ENDS_WITHIN_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.01
_HISTORY_PAGE_EVENTS: Final = 100


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
        said = {each: response._get_param(each) for each in ("error", "cause")}
        execution.stop(stop_date=datetime.now(UTC), **said)
        _wait_for(lambda: execution.status != "RUNNING")
    return ActionResult({"stopDate": execution.stop_date})


def _wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + _ENDS_WITHIN_SECONDS
    while not condition() and time.monotonic() < end:
        time.sleep(_POLL_SECONDS)


def _describe(response: StepFunctionResponse) -> ActionResult:
    execution = _find(response)
    described = _summary(execution) | {
        "input": execution.execution_input,
        "inputDetails": {"included": True},
        "error": execution.error,
        "cause": execution.cause,
    }
    if described["status"] == "SUCCEEDED":
        described |= {"output": json.dumps(execution.output), "outputDetails": {"included": True}}
    return ActionResult({name: value for name, value in described.items() if value is not None})


def _list(response: StepFunctionResponse) -> ActionResult:
    found, token = response.stepfunction_backend.list_executions(
        response._get_param("stateMachineArn"),
        status_filter=response._get_param("statusFilter"),
        max_results=response._get_int_param("maxResults"),
        next_token=response._get_param("nextToken"),
    )
    return ActionResult({"executions": [_summary(each) for each in found], **({"nextToken": token} if token else {})})


def _summary(execution: Execution) -> dict[str, Any]:
    status = execution.status  # first: with it goes how it has ended
    return {
        "executionArn": execution.execution_arn,
        "stateMachineArn": execution.state_machine_arn,
        "name": execution.name,
        "status": status,
        "startDate": execution.start_date,
        **({} if status == "RUNNING" else {"stopDate": execution.stop_date}),
    }


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
    """moto dispatches a request to the method of its response class with the operation's name."""
    StepFunctionResponse.stop_execution = _stop
    StepFunctionResponse.describe_execution = _describe
    StepFunctionResponse.list_executions = _list
    StepFunctionResponse.get_execution_history = _history
