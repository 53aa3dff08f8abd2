"""The simulation evaluates the machines' expressions as npm's jsonata does, which Step Functions names."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.machine_definitions import node
from tests.machine_rows import FAILS, Row
from tests.simulation import jsonata
from tests.simulation.definitions import MACHINES, definitions, machines
from tests.simulation.drawing import drawn
from tests.simulation.jsonata import Expression, Functions, is_expression
from tests.simulation.machine import Bindings, template
from tests.simulation.schedule import Schedule
from tests.simulation.state_errors import StateError
from tests.test_machines_expressions import ROWS, _bindings, _value

FUNCTIONS = Functions(lambda: 1_800_000_000.0, random.Random(1))  # noqa: S311 - no secret
SAMPLES_OF_EACH = 3


class Given:
    """`$states` as it is given."""

    def __init__(self, states: Mapping[str, Any]) -> None:
        self._states = states

    def part(self, name: str) -> Any:
        return self._states[name]

    def context(self, group: str, member: str) -> Any:
        return self._states["context"][group][member]


def _evaluated(value: Any, bindings: Mapping[str, Any]) -> Any:
    variables = {name: each for name, each in bindings.items() if name != "states"}
    return template(value)(Bindings(variables, Given(bindings["states"]), FUNCTIONS))


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.machine in MACHINES], ids=lambda row: f"{row.machine}-{row.path}-{row.value}"
)
def test_a_value_of_the_tables_is_what_it_should_be(row: Row) -> None:
    """The same rows that hold npm's jsonata and the embedded AWS hold the simulation."""
    if row.expected is FAILS:
        with pytest.raises(StateError):
            _evaluated(_value(row), _bindings(row))
    elif hasattr(row.expected, "search"):
        assert row.expected.search(_evaluated(_value(row), _bindings(row)))
    else:
        assert _evaluated(_value(row), _bindings(row)) == row.expected


def _texts(value: Any) -> Iterator[str]:
    if is_expression(value):
        yield value[2:-2].strip()
    elif isinstance(value, Mapping | list):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(each)


def test_every_expression_agrees_with_npms_jsonata_on_what_schedules_gave_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real inputs, variables and answers of some schedules, one node process for all of them."""
    samples: dict[str, list[dict[str, Any]]] = {}
    plain = Expression.evaluate

    def recorded(self: Expression, variables: Any, states: Any, functions: Any) -> Any:
        known = samples.setdefault(self.text, [])
        if len(known) >= SAMPLES_OF_EACH:
            return plain(self, variables, states, functions)
        bindings = json.loads(json.dumps(self.bindings(variables, states)))  # as it is now: variables will change
        try:
            value = plain(self, variables, states, functions)
        except StateError:
            known.append({"bindings": bindings, "error": True})
            raise
        known.append({"bindings": bindings, "value": json.loads(json.dumps(value))})
        return value

    monkeypatch.setattr(jsonata.Expression, "evaluate", recorded)
    for seed in range(120):
        Schedule(machines(), drawn(str(seed), machines()), str(seed)).run()
    rows = [(text, sample) for text, known in samples.items() for sample in known]
    asked = [{"value": "{% " + text + " %}", "bindings": sample["bindings"]} for text, sample in rows]
    for (text, sample), found in zip(rows, node({"values": asked})["outcomes"], strict=True):
        expected = {"error": True} if "error" in found else {"value": found["value"]}
        assert {key: sample[key] for key in sample if key != "bindings"} == expected, text
    every = set(_texts(dict(definitions())))
    assert len(samples.keys() & every) > 0.9 * len(every), sorted(every - samples.keys())
