"""How an execution begins and ends, and that EventBridge hears of both.

moto leaves its interpreter off, calls an execution without a name ``None``, shows that one has ended before it shows
how, and waits for ever for a branch that begins at the moment of an abort.
Source: AWS Step Functions API Reference, StartExecution; Developer Guide, "EventBridge events for execution status
changes".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from threading import Lock
from typing import Any, Final
from uuid import uuid4

from moto.core.config import default_user_config
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.program_state import (
    ProgramEnded,
    ProgramError,
    ProgramState,
    ProgramStopped,
    ProgramTimedOut,
)
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from headrace_local.moto_extension.events import bus

DETAIL_TYPE: Final = "Step Functions Execution Status Change"
_MAX_EVENT_BYTES: Final = 248 * 1024
_ENDS: Final[Mapping[type[ProgramState], ExecutionStatus]] = {
    ProgramEnded: ExecutionStatus.SUCCEEDED,
    ProgramError: ExecutionStatus.FAILED,
    ProgramStopped: ExecutionStatus.ABORTED,
    ProgramTimedOut: ExecutionStatus.TIMED_OUT,
}

_start_execution = StepFunctionsParserBackend.start_execution
_start = Execution.start
_run_program = Program.eval
_starting = Lock()


def start_execution(
    backend: StepFunctionsParserBackend, state_machine_arn: str, name: str | None = None, execution_input: Any = None
) -> Execution:
    """StartExecution: one without a name gets one; a name that is none is refused."""
    given = name or str(uuid4())
    backend._validate_name(given)
    with _starting:  # of two requests at once with the same name, one makes it
        return _start_execution(backend, state_machine_arn, given, execution_input)


def start(execution: Execution) -> None:
    """Say so, and run: a short one would have ended otherwise before anybody has said that it runs."""
    _tell(execution, ExecutionStatus.RUNNING)
    _start(execution)


def run_program(program: Program, env: Environment) -> None:
    """Run the states of a machine, a branch or an item, unless it has been ended from outside before it begins."""
    try:
        _run_program(program, env)
    except RuntimeError:
        if env.is_running():
            raise


def terminated(communication: BaseExecutionWorkerCommunication) -> None:
    """Keep how it has ended, and last of all that it has; and say so."""
    execution = communication.execution
    state = execution.exec_worker.env.program_state()
    execution.stop_date = datetime.now(UTC)
    if isinstance(state, ProgramEnded):
        execution.output = execution.exec_worker.env.states.get_input()
    elif isinstance(state, ProgramError):
        execution.error, execution.cause = state.error.get("error"), state.error.get("cause")
    elif isinstance(state, ProgramStopped):
        execution.error, execution.cause = state.error, state.cause
    execution.exec_status = _ENDS[type(state)]
    _tell(execution, execution.exec_status)


def _tell(execution: Execution, status: ExecutionStatus) -> None:
    bus.publish(
        region=execution.region_name,
        source="aws.states",
        detail_type=DETAIL_TYPE,
        resources=[execution.exec_arn],
        detail=_detail(execution, status.value),
    )


def _detail(execution: Execution, status: str) -> dict[str, Any]:
    has_output = status == ExecutionStatus.SUCCEEDED.value
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
    texts = {"input": execution.execution_input, "output": json.dumps(execution.output) if has_output else None}
    for name, text in texts.items():
        is_included = text is not None and len(text.encode()) <= _MAX_EVENT_BYTES
        detail[name] = text if is_included else None
        detail[f"{name}Details"] = None if text is None else {"included": is_included}
    return detail


def _milliseconds(instant: datetime | None) -> int | None:
    return None if instant is None else int(instant.timestamp() * 1000)


def install() -> None:
    """Switch the interpreter on, and put these in the place of moto's."""
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    StepFunctionsParserBackend.start_execution = start_execution
    Execution.start = start
    Program.eval = run_program
    BaseExecutionWorkerCommunication.terminated = terminated
