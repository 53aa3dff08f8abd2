"""What a Retry or a Catch sees of an error, and what nothing can undo.

moto lets States.ALL catch what it does not on AWS, a branch of a Parallel hand on no error of the service's own, and an
error of a running state take the place of an abort or of a time-out.
Source: AWS Step Functions Developer Guide, "Handling errors in Step Functions workflows".
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import ErrorEqualsDecl
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import iteration_worker
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel import branches_decl
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped, ProgramTimedOut

_set_error = Environment.set_error


def is_met(error_equals: Collection[str], name: str) -> bool:
    """Whether a list of error names covers an error."""
    if name == "States.Runtime":
        return False
    if name in error_equals:
        return True
    if name == "States.DataLimitExceeded":
        return False
    return "States.ALL" in error_equals or ("States.TaskFailed" in error_equals and name != "States.Timeout")


def _match(declared: ErrorEqualsDecl, env: Environment) -> None:
    raised: ErrorName | None = env.stack.pop()
    name = "" if raised is None else str(raised.error_name)
    env.stack.append(is_met([str(each.error_name) for each in declared.error_names], name))


def error_name(error_name: str | None) -> ErrorName:
    """The error with which a branch or an item has ended."""
    if error_name is not None and error_name.startswith("States."):
        return StatesErrorName(typ=StatesErrorNameType.from_name(error_name))
    return CustomErrorName(error_name=error_name)


def set_error(env: Environment, error: Any) -> None:
    """End in an error, unless it has ended already from outside."""
    if not isinstance(env._program_state, ProgramStopped | ProgramTimedOut):
        _set_error(env, error)


def install() -> None:
    """Put these in the place of moto's."""
    ErrorEqualsDecl._eval_body = _match
    branches_decl.CustomErrorName = error_name
    iteration_worker.CustomErrorName = error_name
    Environment.set_error = set_error
