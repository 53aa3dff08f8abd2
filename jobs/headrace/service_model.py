"""Checks a request against the service's own model, in full.

botocore's validation looks at types, required members and minimal lengths; the service refuses more: maxima,
patterns and enums, after the network round trip and one at a time. The model that ships with botocore holds them
all, so this walks a request along it and reports everything that the service would refuse.

Reading that model takes longer than all the rest of a plan. So the part that CreateTrainingJob needs is recorded in
create_training_job.json: a request that it takes is a good one, and any other is judged by the installed botocore,
which may know newer instance types. ``python -m headrace.service_model`` writes the record anew; a test compares it.
Sources: botocore's service-2.json, whose patterns are in Java's dialect and match the whole string; Smithy, simple
types ("integer" has 32 bits, "long" 64).
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

_SHOWN_CHARACTERS = 80
_SHOWN_CHOICES = 6
_RECORDED_OPERATION = ("sagemaker", "CreateTrainingJob")
_RECORD = Path(__file__).parent / "create_training_job.json"


class Violation(NamedTuple):
    """A member of a request, what it is, and what is allowed."""

    member: str
    got: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.member} is {self.got}; allowed: {self.allowed}"


class Model(NamedTuple):
    """The shapes of a service by name, as its service-2.json has them, and the input of its operations."""

    shapes: Mapping[str, Mapping[str, Any]]
    inputs: Mapping[str, str]

    def shape(self, reference: Mapping[str, Any]) -> Mapping[str, Any]:
        """The shape that a member refers to."""
        return self.shapes[reference["shape"]]


def violations(service: str, operation: str, request: Mapping[str, Any]) -> list[Violation]:
    """Everything in ``request`` that the service's model forbids.

    ``service`` and ``operation`` as botocore names them: ``"sagemaker"``, ``"CreateTrainingJob"``.
    """
    if (service, operation) == _RECORDED_OPERATION and not _violations(_recorded(), operation, request):
        return []
    return _violations(installed(service), operation, request)


def recorded(service: str, operation: str) -> dict[str, Any]:
    """The part of the installed model that an operation's input needs, as the record holds it."""
    model = installed(service)
    shapes: dict[str, Any] = {}
    wanted = [model.inputs[operation]]
    while wanted:
        name = wanted.pop()
        if name not in shapes:
            shapes[name] = _without_documentation(model.shapes[name])
            wanted.extend(reference["shape"] for reference in _references(model.shapes[name]))
    return {"inputs": {operation: model.inputs[operation]}, "shapes": dict(sorted(shapes.items()))}


@cache
def installed(service: str) -> Model:
    """The model of a service that the installed botocore ships."""
    # botocore takes a quarter of a second to import
    from botocore.session import get_session

    plain = get_session().get_component("data_loader").load_service_model(service, "service-2")
    inputs = {name: each["input"]["shape"] for name, each in plain["operations"].items() if "input" in each}
    return Model(plain["shapes"], inputs)


@cache
def _recorded() -> Model:
    plain = json.loads(_RECORD.read_text(encoding="utf-8"))
    return Model(plain["shapes"], plain["inputs"])


def _references(shape: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from shape.get("members", {}).values()
    yield from (shape[name] for name in ("member", "key", "value") if name in shape)


def _without_documentation(plain: Any) -> Any:
    if isinstance(plain, Mapping):
        return {key: _without_documentation(value) for key, value in plain.items() if key != "documentation"}
    return plain


def _violations(model: Model, operation: str, request: Mapping[str, Any]) -> list[Violation]:
    return list(walk(model, model.shapes[model.inputs[operation]], request, ""))


def walk(model: Model, shape: Mapping[str, Any], value: Any, path: str) -> Iterator[Violation]:
    """What a shape of the model forbids of a value at ``path`` of a request."""
    kind = shape["type"]
    expected = _TYPES.get(kind)
    if expected is not None and (not isinstance(value, expected) or _is_bool_as_number(kind, value)):
        yield Violation(path, _shown(value), f"a value of type {kind}")
        return
    if kind == "structure":
        yield from _structure(model, shape, value, path)
    elif kind == "list":
        yield from _bounds(shape, len(value), path, "element(s) long")
        for index, item in enumerate(value):
            yield from walk(model, model.shape(shape["member"]), item, f"{path}[{index}]")
    elif kind == "map":
        yield from _bounds(shape, len(value), path, "entries long")
        for key, item in value.items():
            yield from walk(model, model.shape(shape["key"]), key, f"{path} key {_shown(key)}")
            yield from walk(model, model.shape(shape["value"]), item, f"{path}.{key}")
    elif kind == "string":
        yield from _string(shape, value, path)
    elif kind in _NUMBERS:
        yield from _bounds(shape, value, path, "")


def _structure(model: Model, shape: Mapping[str, Any], value: Mapping[str, Any], path: str) -> Iterator[Violation]:
    prefix = f"{path}." if path else ""
    for name in shape.get("required", ()):
        if name not in value:
            yield Violation(f"{prefix}{name}", "missing", "a value; it is required")
    for name, item in value.items():
        if name not in shape["members"]:
            yield Violation(f"{prefix}{name}", "unknown", ", ".join(shape["members"]))
        else:
            yield from walk(model, model.shape(shape["members"][name]), item, f"{prefix}{name}")


def _string(shape: Mapping[str, Any], value: str, path: str) -> Iterator[Violation]:
    yield from _bounds(shape, len(value), path, "character(s) long")
    enum = shape.get("enum")
    if enum and value not in enum:
        yield Violation(path, _shown(value), _nearest(value, enum))
    pattern = shape.get("pattern")
    if pattern and not _matches(pattern, value):
        yield Violation(path, _shown(value), f"the pattern {pattern}")


def _matches(pattern: str, value: str) -> bool:
    python = pattern.replace(*_BEYOND_16_BITS)
    if value.isascii():
        for of_java, of_ascii in _CLASSES:
            python = python.replace(of_java, of_ascii)
    try:
        return re.fullmatch(python, value) is not None
    except re.error:  # Java's dialect; the library that reads it takes its time to import
        import regex

        return regex.fullmatch(python, value) is not None


def _bounds(shape: Mapping[str, Any], size: float, path: str, unit: str) -> Iterator[Violation]:
    low, high = shape.get("min"), shape.get("max")
    if shape["type"] in _WIRE_BITS:
        # botocore takes any int; what does not fit is refused before it is looked at
        most = (1 << _WIRE_BITS[shape["type"]] - 1) - 1
        low, high = -most - 1 if low is None else low, most if high is None else high
    if (low is not None and size < low) or (high is not None and size > high):
        allowed = f"at least {low}" if high is None else f"at most {high}" if low is None else f"{low} to {high}"
        yield Violation(path, f"{size} {unit}".rstrip(), allowed)


def _nearest(value: str, enum: Sequence[str]) -> str:
    if len(enum) <= _SHOWN_CHOICES:
        return ", ".join(enum)
    near = get_close_matches(value, enum, n=_SHOWN_CHOICES, cutoff=0.5) or enum[:_SHOWN_CHOICES]
    return f"one of {len(enum)} values, such as {', '.join(near)} (a newer one: upgrade boto3)"


def _is_bool_as_number(kind: str, value: Any) -> bool:
    return kind in _NUMBERS and isinstance(value, bool)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"


# what Java's classes hold of ASCII
_CLASSES = ((r"\p{L}", "A-Za-z"), (r"\p{Z}", " "), (r"\p{N}", "0-9"), (r"\p{Alnum}", "A-Za-z0-9"))
# Java writes characters beyond 16 bits as pairs of surrogates
_BEYOND_16_BITS = (r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")
_WIRE_BITS = {"integer": 32, "long": 64}
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


if __name__ == "__main__":
    sys.stdout.write(json.dumps(recorded(*_RECORDED_OPERATION), indent=1) + "\n")
