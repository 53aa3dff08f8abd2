"""Waiting: for seconds, between retries, and until an instant.

What waits for a number of seconds waits for something that takes its time on AWS and takes a moment here: it is cut
short. An instant is kept. Whoever waits looks up when the execution is stopped; moto sleeps through it between retries,
and takes an instant for one of the local time zone, without its fraction.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final

from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
from moto.stepfunctions.parser.asl.component.common.retry.jitter_strategy_decl import JitterStrategyDecl
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.timestamp import Timestamp
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.environment import Environment

from headrace_local.settings import Settings

_LOOK_UP_SECONDS: Final = 0.1
_jitter = JitterStrategyDecl._eval_body


def wait(env: Environment, seconds: float) -> None:
    """Wait, or until the execution has ended from outside."""
    end = time.monotonic() + seconds
    while env.is_running() and (left := end - time.monotonic()) > 0:
        # moto's event is set for a moment only, which may pass unseen
        env.program_state_event.wait(min(left, _LOOK_UP_SECONDS))


def shortened(seconds: float) -> float:
    """How long something waits here that waits for so long on AWS."""
    return min(seconds, Settings.from_environment().wait_seconds)


def _wait_seconds(function: WaitFunction, env: Environment) -> None:
    wait(env, shortened(function._get_wait_seconds(env=env)))


def _wait_until(instant: Timestamp, env: Environment) -> None:
    instant.string.eval(env=env)
    text = env.stack.pop()
    if not isinstance(text, str) or not Timestamp._is_valid_timestamp_pattern(text):
        raise FailureEventException(instant._create_failure_event(env, str(text)))
    wait(env, (datetime.fromisoformat(text) - datetime.now(UTC)).total_seconds())


def _jitter_and_wait(strategy: JitterStrategyDecl, env: Environment) -> None:
    """The last step before moto sleeps until the next attempt: wait here, and leave it nothing to sleep."""
    _jitter(strategy, env)
    wait(env, shortened(env.stack.pop()))
    env.stack.append(0)


def install() -> None:
    """Put these in the place of moto's."""
    WaitFunction._eval_body = _wait_seconds
    Timestamp._eval_body = _wait_until
    JitterStrategyDecl._eval_body = _jitter_and_wait
