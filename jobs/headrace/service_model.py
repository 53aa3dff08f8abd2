"""Checks a request against the service's own model, in full.

botocore's validation looks at types, required members and minimal lengths; the service refuses more: maxima,
patterns and enums, after the network round trip and one at a time. The model that ships with botocore holds them
all, so this walks a request along it and reports everything that the service would refuse.
Source: botocore's service-2.json; patterns are in Java's dialect and match the whole string.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from functools import cache
from typing import Any, NamedTuple

import regex
from botocore.model import Shape
from botocore.session import get_session

_SHOWN_CHARACTERS = 80
_SHOWN_CHOICES = 6


@cache
def _model(service: str) -> Any:
    return get_session().get_service_model(service)


class Violation(NamedTuple):
    """A member of a request, what it is, and what is allowed."""

    member: str
    got: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.member} is {self.got}; allowed: {self.allowed}"


def violations(service: str, operation: str, request: Mapping[str, Any]) -> list[Violation]:
    """Everything in ``request`` that the service's model forbids.

    ``service`` and ``operation`` as botocore names them: ``"sagemaker"``, ``"CreateTrainingJob"``.
    """
    return list(_walk(_model(service).operation_model(operation).input_shape, request, ""))


def _walk(shape: Shape, value: Any, path: str) -> Iterator[Violation]:
    expected = _TYPES.get(shape.type_name)
    if expected is not None and (not isinstance(value, expected) or _is_bool_as_number(shape, value)):
        yield Violation(path, _shown(value), f"a value of type {shape.type_name}")
        return
    if shape.type_name == "structure":
        yield from _structure(shape, value, path)
    elif shape.type_name == "list":
        yield from _bounds(shape, len(value), path, "element(s) long")
        for index, item in enumerate(value):
            yield from _walk(shape.member, item, f"{path}[{index}]")
    elif shape.type_name == "map":
        yield from _bounds(shape, len(value), path, "entries long")
        for key, item in value.items():
            yield from _walk(shape.key, key, f"{path} key {key!r}")
            yield from _walk(shape.value, item, f"{path}.{key}")
    elif shape.type_name == "string":
        yield from _string(shape, value, path)
    elif shape.type_name in _NUMBERS:
        yield from _bounds(shape, value, path, "")


def _structure(shape: Shape, value: Mapping[str, Any], path: str) -> Iterator[Violation]:
    prefix = f"{path}." if path else ""
    for name in shape.metadata.get("required", ()):
        if name not in value:
            yield Violation(f"{prefix}{name}", "missing", "a value; it is required")
    for name, item in value.items():
        if name not in shape.members:
            yield Violation(f"{prefix}{name}", "unknown", ", ".join(shape.members))
        else:
            yield from _walk(shape.members[name], item, f"{prefix}{name}")


def _string(shape: Shape, value: str, path: str) -> Iterator[Violation]:
    yield from _bounds(shape, len(value), path, "character(s) long")
    enum = shape.metadata.get("enum")
    if enum and value not in enum:
        yield Violation(path, _shown(value), _nearest(value, enum))
    pattern = shape.metadata.get("pattern")
    if pattern and not regex.fullmatch(pattern.replace(*_BEYOND_16_BITS), value):
        yield Violation(path, _shown(value), f"the pattern {pattern}")


def _bounds(shape: Shape, size: float, path: str, unit: str) -> Iterator[Violation]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if (low is not None and size < low) or (high is not None and size > high):
        allowed = f"at least {low}" if high is None else f"at most {high}" if low is None else f"{low} to {high}"
        yield Violation(path, f"{size} {unit}".rstrip(), allowed)


def _nearest(value: str, enum: Sequence[str]) -> str:
    if len(enum) <= _SHOWN_CHOICES:
        return ", ".join(enum)
    near = get_close_matches(value, enum, n=_SHOWN_CHOICES, cutoff=0.5) or enum[:_SHOWN_CHOICES]
    return f"one of {len(enum)} values, such as {', '.join(near)} (a newer one: upgrade boto3)"


def _is_bool_as_number(shape: Shape, value: Any) -> bool:
    return shape.type_name in _NUMBERS and isinstance(value, bool)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"


# Java writes characters beyond 16 bits as pairs of surrogates
_BEYOND_16_BITS = (r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")
_NUMBERS = frozenset({"integer", "long", "float", "double"})
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "structure": Mapping,
    "map": Mapping,
    "list": (list, tuple),
    "string": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "timestamp": (datetime, int, float, str),
    "blob": (bytes, bytearray, str),
}
