"""The definitions of the state machines: one readable YAML file each in ``machines/``, and the one way to load them.

YAML lets a definition have comments, anchors for what many states share (below keys that begin with ``x-``) and
expressions of several lines; what CloudFormation gets is the shortest JSON of it, each expression on one line.
``${Name}`` is a value that the deployment fills in (DefinitionSubstitutions).

CDK's own chains of states cannot express requests that are merged in JSONata, and hide the definition from the linters.
Sources: Amazon States Language specification; AWS Step Functions Developer Guide, "Transforming data with JSONata".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

import yaml
from headrace.errors import InvalidInput

MACHINES: Final = ("ephemeral", "teardown", "reaper", "preload")
_PLACEHOLDER: Final = re.compile(r"\$\{(\w+)\}")
_SHARED: Final = "x-"


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
        return json.dumps(self.plain, separators=(",", ":"), ensure_ascii=False)

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


def _flat(value: Any) -> Any:
    """The value with each text on one line, as Step Functions wants expressions."""
    if isinstance(value, dict):
        return {key: _flat(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_flat(item) for item in value]
    return " ".join(value.split()) if isinstance(value, str) else value
