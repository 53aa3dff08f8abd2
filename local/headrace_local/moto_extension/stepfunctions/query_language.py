"""JSONata as Step Functions has it: an expression, what its variables are, and what it says.

moto evaluates in a Java virtual machine that it does not bring along, and writes the variables' values as text before
the expression, so that a quotation mark in one ends it. Here the values are bound.

Source: AWS Step Functions Developer Guide, "Transforming data with JSONata" (its functions; no ``$eval``).
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from jsonata import Jsonata
from jsonata.utils import Utils

from headrace_local.moto_extension.stepfunctions.instants import iso_text

_HASHES: Final[Mapping[str, str]] = {
    "MD5": "md5",
    "SHA-1": "sha1",
    "SHA-256": "sha256",
    "SHA-384": "sha384",
    "SHA-512": "sha512",
}


class QueryFailed(Exception):
    """Why an expression gives no value, as a clause that follows its text."""


def evaluate(expression: str, variables: Mapping[str, Any]) -> Any:
    """The value of an expression, as JSON has it. Raises QueryFailed."""
    bound = {name: _bound(value) for name, value in variables.items()}
    try:
        query = Jsonata.jsonata(expression)
        query.set_output_convert_nulls(False)
        result = query.evaluate(None, {**_functions(), **bound})
    except Exception as error:
        raise QueryFailed(f"threw an error: {error}") from error
    if result is None:
        raise QueryFailed("returned nothing (undefined).")
    return _plain(result)


def _bound(value: Any) -> Any:
    """A value as the library takes it: None is undefined there, and null a value of its own."""
    if value is None:
        return Utils.NULL_VALUE
    if isinstance(value, datetime):
        return iso_text(value)
    if isinstance(value, Mapping):
        return {name: _bound(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_bound(each) for each in value]
    return value


def _plain(value: Any) -> Any:
    if value is Utils.NULL_VALUE:
        return None
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(value[place]) for place in range(len(value))]
    raise QueryFailed("returned an unsupported result type.")


def _functions() -> dict[str, Any]:
    made: dict[str, Any] = {name: Jsonata.JLambda(each) for name, each in _FUNCTIONS.items()}
    return {**made, "eval": None}


def _hash(text: str | None = None, algorithm: str = "") -> str | None:
    if text is None:
        return None
    if algorithm not in _HASHES:
        raise ValueError(f"$hash: no algorithm {algorithm!r}; allowed: {', '.join(_HASHES)}")
    return hashlib.new(_HASHES[algorithm], text.encode()).hexdigest()


def _parse(text: str | None = None) -> Any:
    return None if text is None else _bound(json.loads(text))


def _partition(values: list[Any] | None = None, size: int = 1) -> list[list[Any]] | None:
    if values is None:
        return None
    return [values[start : start + size] for start in range(0, len(values), size)]


def _range(first: int, last: int, step: int) -> list[int]:
    return list(range(first, last + (1 if step > 0 else -1), step))


def _random(seed: float | None = None) -> float:
    return random.Random(seed).random()  # noqa: S311 - a state machine's dice, no secret


_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "hash": _hash,
    "parse": _parse,
    "partition": _partition,
    "random": _random,
    "range": _range,
    "uuid": lambda: str(uuid4()),
}
