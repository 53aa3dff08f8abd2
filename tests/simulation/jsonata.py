"""JSONata as Step Functions evaluates it: an expression over variables and `$states`, never over a context value.

The engine is jsonatapy, which agrees with the reference implementation on every expression of the machines (a test
holds it against npm `jsonata`). Step Functions adds functions and takes `$eval` away (Developer Guide, "Transforming
data with JSONata in Step Functions"); an expression without a value is an error there, since JSON cannot say undefined.

Handing a value to the engine costs more than evaluating with it: an expression is given only what its text names, and
the parts of `$states` are made only when they are asked for.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import Any, Protocol
from uuid import UUID

import jsonatapy

from tests.simulation.state_errors import QUERY_EVALUATION_ERROR, StateError

HASHES = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
LONGEST_ARRAY = 1000  # of $range and $partition, as of the intrinsic functions that they replace

_NAME = re.compile(r"\$([A-Za-z_]\w*)")
_CALL = re.compile(r"\$(hash|partition|range|parse|uuid|now|millis|random|eval)\s*\(")
_PART = re.compile(r"\$states(?:\.(\w+))?(?:\.(\w+))?(?:\.(\w+))?")


def is_expression(value: object) -> bool:
    return isinstance(value, str) and value.startswith("{%") and value.endswith("%}")


def sha(text: str, algorithm: str) -> str:
    if algorithm not in HASHES:
        raise ValueError(f"$hash knows {', '.join(HASHES)}, not {algorithm!r}")
    return hashlib.new(HASHES[algorithm], text.encode(), usedforsecurity=False).hexdigest()


def partition(array: list[Any], size: float) -> list[list[Any]]:
    step = int(size)
    if step < 1:
        raise ValueError(f"$partition wants a size of at least 1, not {size}")
    return [array[start : start + step] for start in range(0, len(array), step)]


def sequence(first: float, last: float, step: float = 1) -> list[int]:
    """$range: both ends belong to it."""
    if int(step) == 0:
        raise ValueError("$range wants a step that is not 0")
    found = list(range(int(first), int(last) + (1 if step > 0 else -1), int(step)))
    if len(found) > LONGEST_ARRAY:
        raise ValueError(f"$range makes at most {LONGEST_ARRAY} items, not {len(found)}")
    return found


class States(Protocol):
    """`$states` of a state that is being visited. A part or member that there is not yet is KeyError."""

    def part(self, name: str) -> Any: ...

    def context(self, group: str, member: str) -> Any: ...


class Functions:
    """The functions that Step Functions adds, bound to one world's time and chance."""

    def __init__(self, now: Callable[[], float], chance: random.Random) -> None:
        self._now = now
        self._chance = chance

    def added(self) -> dict[str, Callable[..., Any]]:
        return {"hash": sha, "partition": partition, "range": sequence, "parse": json.loads, "uuid": self._uuid}

    def replaced(self) -> dict[str, Callable[..., Any]]:
        from tests.simulation.clock import timestamp

        return {
            "now": lambda: timestamp(self._now()),
            "millis": lambda: int(self._now() * 1000),
            "random": self._random,
            "eval": _no_eval,
        }

    def _uuid(self) -> str:
        return str(UUID(int=self._chance.getrandbits(128), version=4))

    def _random(self, seed: float | None = None) -> float:
        return (self._chance if seed is None else random.Random(seed)).random()  # noqa: S311 - a story, not a secret


def _no_eval(*_: object) -> None:
    raise ValueError("$eval is not supported by Step Functions: use $parse")


class Expression:
    """One expression, compiled once for all runs. The functions are those of the run that evaluates it."""

    def __init__(self, text: str) -> None:
        self.text = text
        names = set(_NAME.findall(text))
        self._functions = set(_CALL.findall(text))
        self._variables = tuple(sorted(names - {"states"} - self._functions))
        self._parts = tuple(sorted(set(_PART.findall(text)))) if "states" in names else ()
        self._running: Functions | None = None
        self._bare = text[1:] if _NAME.fullmatch(text) and text != "$states" else None
        try:
            self._compiled = jsonatapy.compile(text)
        except ValueError as error:
            raise ValueError(f"not JSONata: {text}: {error}") from None
        for name in self._functions:
            register = self._compiled.register_override if name in BUILT_IN else self._compiled.register
            register(name, self._calling(name))

    def _calling(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            assert self._running is not None
            return {**self._running.added(), **self._running.replaced()}[name](*arguments)

        return call

    @cached_property
    def _exists(self) -> Expression:
        return Expression(f"$exists(({self.text}))")

    def evaluate(self, variables: Mapping[str, Any], states: States, functions: Functions) -> Any:
        """Its value; States.QueryEvaluationError when it fails or has none."""
        if self._bare is not None and self._bare in variables:  # a variable alone is its value, whatever it is
            return variables[self._bare]
        value = self._value(variables, states, functions)
        if value is None and not self._exists._value(variables, states, functions):
            raise StateError(
                QUERY_EVALUATION_ERROR, f"The JSONata expression '{self.text}' returned nothing (undefined)."
            )
        return value

    def bindings(self, variables: Mapping[str, Any], states: States) -> dict[str, Any]:
        """What the engine is given: the variables and the parts of `$states` that the text names."""
        found = {name: variables[name] for name in self._variables if name in variables}
        if self._parts:
            found["states"] = _named(states, self._parts)
        return found

    def _value(self, variables: Mapping[str, Any], states: States, functions: Functions) -> Any:
        bindings = self.bindings(variables, states)
        self._running = functions
        try:
            return self._compiled.evaluate(None, bindings)
        except (ValueError, TypeError, RuntimeError) as error:
            cause = f"The JSONata expression '{self.text}' threw an error: {error}"
            raise StateError(QUERY_EVALUATION_ERROR, cause) from None


BUILT_IN = frozenset({"now", "millis", "random", "eval"})


def _named(states: States, parts: tuple[tuple[str, str, str], ...]) -> dict[str, Any]:
    """`$states` with the parts that the text names; of the context object, only the members that it names."""
    found: dict[str, Any] = {}
    for part, group, member in parts:
        try:
            if part == "context" and group and member:
                value = states.context(group, member)
                found.setdefault(part, {}).setdefault(group, {})[member] = value
            elif part == "context" or not part:
                raise NotImplementedError(f"$states.{part} as a whole: name the member of the context object")
            elif part not in found:
                found[part] = states.part(part)
        except KeyError:
            continue
    return found


@cache
def expression(text: str) -> Expression:
    return Expression(text)
