"""What the expressions of the machines yield: as npm's jsonata says, and as the embedded AWS does.

The rows (machine_rows_*.py) stand where JSONata surprises: nothing, one, many; null; what is missing; text and numbers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from headrace.future_lustre import PLACEHOLDER_ID
from headrace_local.moto_extension.stepfunctions.query_language import QueryFailed, evaluate

from tests import machine_rows_flow, machine_rows_preload, machine_rows_reaper, machine_rows_teardown
from tests.machine_definitions import inside, is_expression, machine, node, place
from tests.machine_rows import FAILS, Row
from tests.machine_samples import FUTURE

ROWS = [
    row
    for table in (machine_rows_flow, machine_rows_teardown, machine_rows_reaper, machine_rows_preload)
    for row in table.ROWS
]


def _value(row: Row) -> Any:
    found: Any = place(machine(row.machine), row.path).state
    for step in re.findall(r"\w+", row.value):
        found = found[int(step)] if step.isdecimal() else found[step]
    return found


def _bindings(row: Row) -> dict[str, Any]:
    of_states = ("input", "result", "errorOutput", "context")
    states = {name: row.sees[name] for name in of_states if name in row.sees}
    return {**{name: value for name, value in row.sees.items() if name not in of_states}, "states": states}


@pytest.fixture(scope="module")
def outcomes() -> list[dict[str, Any]]:
    """What npm's jsonata says of each row, by one process."""
    values = [{"value": _value(row), "bindings": _bindings(row)} for row in ROWS]
    found: list[dict[str, Any]] = node({"values": values})["outcomes"]
    return found


@pytest.mark.parametrize(
    "number", range(len(ROWS)), ids=[f"{row.machine}-{row.path}-{row.value}-{n}" for n, row in enumerate(ROWS)]
)
def test_a_value_is_what_it_should_be(outcomes: list[dict[str, Any]], number: int) -> None:
    """By the implementation that Step Functions names."""
    expected, found = ROWS[number].expected, outcomes[number]
    if expected is FAILS:
        assert "error" in found, found
    elif isinstance(expected, re.Pattern):
        assert expected.search(found["value"])
    else:
        assert found == {"value": expected}


def test_the_embedded_aws_says_the_same(outcomes: list[dict[str, Any]]) -> None:
    """Its engine is another one."""
    for row, found in zip(ROWS, outcomes, strict=True):
        try:
            here: Any = {"value": _here(_value(row), _bindings(row))}
        except QueryFailed:
            here = {"error": found.get("error", "an error here only")}
        assert here == found, row


def _here(value: Any, bindings: Mapping[str, Any]) -> Any:
    if is_expression(value):
        return evaluate(inside(value), bindings)
    if isinstance(value, dict):
        return {name: _here(each, bindings) for name, each in value.items()}
    return [_here(each, bindings) for each in value] if isinstance(value, list) else value


def test_a_job_for_a_file_system_to_come_is_known_by_its_id() -> None:
    """The id stands in the definition and in the launcher's requests."""
    assert PLACEHOLDER_ID == FUTURE
    assert FUTURE in _value(machine_rows_flow.LIMITS[0])
    assert FUTURE in _value(machine_rows_flow.JOBS[0])
