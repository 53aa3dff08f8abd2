"""Errors as Step Functions names them, and which of them a state may answer.

Source: AWS Step Functions Developer Guide, "Handling errors in Step Functions workflows": States.ALL matches neither
States.DataLimitExceeded nor States.Runtime; States.TaskFailed matches every known error but States.Timeout; a Choice
without a match is reported as States.Runtime. The guide leaves open whether States.DataLimitExceeded may be caught by
its own name: here nothing catches it, so that no machine can rely on it.
"""

from __future__ import annotations

from collections.abc import Sequence

QUERY_EVALUATION_ERROR = "States.QueryEvaluationError"
DATA_LIMIT_EXCEEDED = "States.DataLimitExceeded"
RUNTIME = "States.Runtime"
TIMEOUT = "States.Timeout"

UNCATCHABLE = frozenset({DATA_LIMIT_EXCEEDED, RUNTIME})


class StateError(Exception):
    """What a state fails with: the error's name and its cause."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause

    def output(self) -> dict[str, str]:
        return {"Error": self.error, "Cause": self.cause}


def matches(names: Sequence[str], error: str) -> bool:
    """Whether ErrorEquals with these names is about this error."""
    if error in UNCATCHABLE:
        return False
    return error in names or "States.ALL" in names or ("States.TaskFailed" in names and error != TIMEOUT)
