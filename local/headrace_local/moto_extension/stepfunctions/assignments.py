"""Assign and Output of a state look at the variables as they were before the state.

moto assigns first, so that Output sees the new values. Here what a state assigns is kept until its output is made. An
error in Output is an error of the state, as one in Assign is: Retry and Catch see it. And a text that is assigned as it
stands is read as JSON: moto keeps its backslashes.
Source: AWS Step Functions Developer Guide, "Passing data between states with variables" (evaluation order).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto.stepfunctions.parser.asl.antlr.runtime.ASLParser import ASLParser
from moto.stepfunctions.parser.asl.component.common.assign.assign_decl import AssignDecl
from moto.stepfunctions.parser.asl.component.common.assign.assign_template_value_terminal import (
    AssignTemplateValueTerminalLit,
)
from moto.stepfunctions.parser.asl.component.state.choice.state_choice import StateChoice
from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
from moto.stepfunctions.parser.asl.component.state.state import CommonStateField
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor

_evaluate_with_timeout = ExecutionState._evaluate_with_timeout
_eval_output_of_execution = ExecutionState._eval_state_output
_OutputStep = Callable[[CommonStateField, Environment], None]


def assign(declaration: AssignDecl, env: Environment) -> None:
    """Work out what is to be assigned, and keep it."""
    values: dict[str, Any] = {}
    for binding in declaration.declaration_bindings:
        binding.eval(env=env)
        values.update(env.stack.pop())
    env.headrace_assigned = values


def _then_assign(make_output: _OutputStep) -> _OutputStep:
    def step(state: CommonStateField, env: Environment) -> None:
        make_output(state, env)
        for name, value in _taken(env).items():
            env.variable_store.set(variable_identifier=name, variable_value=value)

    return step


def _taken(env: Environment) -> dict[str, Any]:
    taken: dict[str, Any] = env.__dict__.pop("headrace_assigned", {})
    return taken


def evaluate_with_output(state: ExecutionState, env: Environment) -> None:
    """One attempt of a Task, Parallel or Map, with its Output."""
    try:
        _evaluate_with_timeout(state, env)
        if state.output:
            state.output.eval(env=env)
            env.stack.append(_OUTPUT_MADE)
    except Exception:
        _taken(env)
        raise


_OUTPUT_MADE = object()


def _output_of_execution(state: ExecutionState, env: Environment) -> None:
    if env.stack[-1] is not _OUTPUT_MADE:
        _eval_output_of_execution(state, env)


def literal_text(
    _preprocessor: Preprocessor, ctx: ASLParser.Assign_template_value_terminal_string_literalContext
) -> AssignTemplateValueTerminalLit:
    """A text that is no expression."""
    return AssignTemplateValueTerminalLit(value=json.loads(ctx.string_literal().getText(), strict=False))


def install() -> None:
    """Put these in the place of moto's."""
    AssignDecl._eval_body = assign
    Preprocessor.visitAssign_template_value_terminal_string_literal = literal_text
    ExecutionState._evaluate_with_timeout = evaluate_with_output
    ExecutionState._eval_state_output = _then_assign(_output_of_execution)
    StateChoice._eval_state_output = _then_assign(StateChoice._eval_state_output)
    CommonStateField._eval_state_output = _then_assign(CommonStateField._eval_state_output)
