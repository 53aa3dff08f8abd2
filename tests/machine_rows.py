"""Rows of the tables of expressions: a value of a state, what it sees, and what it must yield."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.machine_samples import (
    LUSTRE_ID,
    OWNER,
    Record,
    file_system,
    flow_input,
    lustre_channel,
    tags,
)

FAILS = object()
"""The expression ends the state with States.QueryEvaluationError."""
AT_START, LATER = "2026-11-26T10:15:00Z", "2026-11-27T10:15:00.001Z"


class Row(NamedTuple):
    """A value of a state, what it sees, what it yields. ``sees``: variables, and the members of ``$states``."""

    machine: str
    path: str
    value: str
    sees: Mapping[str, Any]
    expected: Any


def flow(path: str, value: str, expected: Any, **sees: Any) -> Row:
    """A row of the flow."""
    return Row("ephemeral", path, value, sees, expected)


def teardown(path: str, value: str, expected: Any, **sees: Any) -> Row:
    """A row of the teardown."""
    return Row("teardown", path, value, sees, expected)


def reaper(path: str, value: str, expected: Any, **sees: Any) -> Row:
    """A row of the reaper."""
    return Row("reaper", path, value, sees, expected)


def preload(path: str, value: str, expected: Any, **sees: Any) -> Row:
    """A row of the preload."""
    return Row("preload", path, value, sees, expected)


def execution(input_: Any = None, start: str = AT_START, entered: str = AT_START) -> Record:
    """The context object."""
    return {
        "Execution": {"Id": OWNER, "StartTime": start, "Input": flow_input() if input_ is None else input_},
        "State": {"EnteredTime": entered},
    }


OF_OTHERS = [
    file_system(Lifecycle="DELETING"),
    file_system(Tags=None),
    file_system(Tags=[]),
    file_system(Tags=tags(platform="dev", part="lustre")),
    file_system(Tags=tags(platform="prod", owner=OWNER)),
    file_system(Tags=[*tags(owner=OWNER), {"Key": "project", "Value": "dev"}]),
]

MOUNTED = lustre_channel("/abcdefgh/data", LUSTRE_ID)
SHARED = lustre_channel("/shared01/data", "fs-0fffffffffffffff0", "shared")
