"""Expressions in a machine: what they see, and what becomes of one that fails.

moto calls an exception in JSONata States.Runtime, and a condition that is no boolean, too; it is
States.QueryEvaluationError, which a Catch sees. ``$states`` holds instants as the service writes them, and
``errorOutput`` only where there is one.
Source: Amazon States Language, "JSONata", "States.QueryEvaluationError"; AWS Step Functions Developer Guide, "Context".
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from moto.stepfunctions.parser.api import EvaluationFailedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringJSONata
from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison import ConditionStringJSONata
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.variable_store import VariableStore

from headrace_local.moto_extension.stepfunctions.instants import iso_text
from headrace_local.moto_extension.stepfunctions.query_language import QueryFailed, evaluate

_inner_frame = Environment.as_inner_frame_of.__func__


def evaluate_in(query: StringJSONata, env: Environment) -> None:
    """Put the value of an expression on the interpreter's stack."""
    store = env.variable_store
    variables = {**store._outer_scope, **store._inner_scope, "states": _states(env)}
    try:
        env.stack.append(evaluate(query.expression, variables))
    except QueryFailed as why:
        raise failure(env, f"The JSONata expression '{query.expression}' {why}") from None


def inner_frame(
    cls: type[Environment], env: Environment, variable_store: VariableStore, event_history_frame_cache: Any = None
) -> Environment:
    """The surroundings of a Task, a branch or an item: with the item that a Map works on, which moto forgets."""
    frame: Environment = _inner_frame(cls, env, variable_store, event_history_frame_cache)
    outer, inner = (each.states.context_object.context_object_data for each in (env, frame))
    if "Map" in outer:
        inner["Map"] = outer["Map"]
    return frame


def hold_condition(condition: ConditionStringJSONata, env: Environment) -> None:
    """A Choice's condition: true or false, and nothing else."""
    condition.string_jsonata.eval(env=env)
    if not isinstance(env.stack[-1], bool):
        expression = condition.string_jsonata.expression
        raise failure(env, f"The JSONata expression '{expression}' returned {env.stack[-1]!r}, which is no boolean.")


def failure(env: Environment, cause: str) -> FailureEventException:
    """States.QueryEvaluationError, as the interpreter hands failures on."""
    name = StatesErrorName(typ=StatesErrorNameType.StatesQueryEvaluationError)
    details = EvaluationFailedEventDetails(error=name.error_name, cause=cause)
    return FailureEventException(
        FailureEvent(
            env=env,
            error_name=name,
            event_type=HistoryEventType.EvaluationFailed,
            event_details=EventDetails(evaluationFailedEventDetails=details),
        )
    )


def _states(env: Environment) -> dict[str, Any]:
    data: dict[str, Any] = {
        name: value
        for name, value in env.states._states_data.items()
        if value is not None or name not in ("result", "errorOutput")
    }
    context = dict(data["context"])
    if context.get("State"):
        entered = datetime.fromisoformat(context["State"]["EnteredTime"])
        context["State"] = {**context["State"], "EnteredTime": iso_text(entered)}
    return {**data, "context": context}


def install() -> None:
    """Put this in the place of moto's."""
    StringJSONata._eval_body = evaluate_in
    ConditionStringJSONata._eval_body = hold_condition
    Environment.as_inner_frame_of = classmethod(inner_frame)
