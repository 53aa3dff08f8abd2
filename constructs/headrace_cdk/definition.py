"""The definitions of the state machines: one readable YAML file each in ``machines/``, and the one way to load them.

YAML lets a definition have comments, anchors for what many states share (below keys that begin with ``x-``) and
expressions of several lines; what CloudFormation gets is the shortest JSON of it, each expression on one line.
``${Name}`` is a value that the deployment fills in (DefinitionSubstitutions). A machine that works on more than texts
has ``given: {}`` among what its first state assigns, whose place the construct's values take.

CDK's own chains of states cannot express requests that are merged in JSONata, and hide the definition from the linters.
Sources: Amazon States Language specification; AWS Step Functions Developer Guide, "Transforming data with JSONata".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

import yaml
from headrace.errors import InvalidInput

MACHINES: Final = ("ephemeral", "teardown", "reaper", "preload")
GIVEN: Final = "given"
"""The variable that holds what the construct gives to a machine."""
_PLACEHOLDER: Final = re.compile(r"\$\{(\w+)\}")
_SHARED: Final = "x-"
_EXPRESSION: Final = "{%"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A definition as CloudFormation takes it. ``substitutions``: the names that need a value, no others may be given.

    Source: AWS::StepFunctions::StateMachine, DefinitionSubstitutions.
    """

    name: str
    plain: dict[str, Any]

    @property
    def text(self) -> str:
        """The definition as the shortest JSON."""
        return _shortest(self.plain)

    def text_with_given(self, values: Mapping[str, Any]) -> str:
        """The same with ``values`` as the variable ``given``; texts among them may hold tokens of ids and ARNs.

        Nothing in them is evaluated: not by Step Functions, and not by CloudFormation, which takes ``${Name}`` for a
        substitution only where any are given. So a machine has values or substitutions. Raises InvalidInput for a text
        that Step Functions would take for an expression.
        """
        start = self.plain["States"][self.plain["StartAt"]]
        if start.get("Assign", {}).get(GIVEN) != {} or self.substitutions:
            raise AssertionError(f"machine {self.name} has no place for values, or has substitutions")
        for text in _texts(values):
            if text.startswith(_EXPRESSION):
                raise InvalidInput(
                    f"machine {self.name} is given {text!r}; allowed: texts that do not begin with {_EXPRESSION}, "
                    "since those are evaluated; fix: another value"
                )
        filled = {**start, "Assign": {**start["Assign"], GIVEN: dict(values)}}
        return _shortest({**self.plain, "States": {**self.plain["States"], self.plain["StartAt"]: filled}})

    @property
    def substitutions(self) -> frozenset[str]:
        """The names in ``${Name}``."""
        return frozenset(_PLACEHOLDER.findall(self.text))

    def substituted(self, values: dict[str, str]) -> dict[str, Any]:
        """The definition with values in their places, as the deployment makes it; for the linters and the simulation.

        Raises InvalidInput when ``values`` are not those of ``substitutions``.
        """
        if values.keys() != self.substitutions:
            raise InvalidInput(
                f"substitutions of {self.name} are {sorted(values)}; allowed: {sorted(self.substitutions)}; "
                "fix: give exactly these"
            )
        text = _PLACEHOLDER.sub(lambda found: values[found[1]], self.text)
        plain: dict[str, Any] = json.loads(text)
        return plain


def load(name: str) -> Definition:
    """The definition of a machine of ``MACHINES``. Raises InvalidInput for another name."""
    if name not in MACHINES:
        raise InvalidInput(f"state machine is {name!r}; allowed: {', '.join(MACHINES)}; fix: name one of them")
    text = files("headrace_cdk").joinpath("machines", f"{name}.asl.yaml").read_text(encoding="utf-8")
    plain = yaml.safe_load(text)
    return Definition(
        name=name, plain={key: _flat(value) for key, value in plain.items() if not key.startswith(_SHARED)}
    )


def _shortest(plain: Mapping[str, Any]) -> str:
    return json.dumps(plain, separators=(",", ":"), ensure_ascii=False)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str):
        yield value


def _flat(value: Any) -> Any:
    """The value with each text on one line, as Step Functions wants expressions."""
    if isinstance(value, dict):
        return {key: _flat(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_flat(item) for item in value]
    return " ".join(value.split()) if isinstance(value, str) else value
