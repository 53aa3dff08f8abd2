"""What a machine asks of services, held against their models: operations, arguments, errors, results."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from headrace.service_model import installed, walk

from tests.machine_definitions import Place, places
from tests.machine_services import COMMON_ERRORS, Operation, members, operation, required
from tests.machine_types import (
    BOOLEAN,
    NULL,
    NUMBER,
    STRING,
    UNKNOWN,
    Either,
    Items,
    Literal,
    Many,
    Record,
    Shape,
    Type,
    is_list,
)
from tests.machine_typing import Typing

_KINDS = {
    "boolean": BOOLEAN,
    **dict.fromkeys(("integer", "long", "float", "double"), NUMBER),
    **dict.fromkeys(("string", "timestamp"), STRING),
}


def findings(typing: Typing) -> list[str]:
    """All that the services would refuse, or would never answer with."""
    found = [f"{at.path}: {text}" for at in places(typing.definition) for text in _of(at, typing)]
    return list(dict.fromkeys(typing.findings)) + found


def _of(at: Place, typing: Typing) -> Iterator[str]:
    if at.state["Type"] == "Map":
        items = typing.of(at, at.state["Items"])
        if not is_list(items):
            yield f"Items is {_shown(items)}; allowed: what is a list with one element, too: wrap it in [ ]"
    if at.state["Type"] != "Task":
        yield from _errors(at, COMMON_ERRORS)
        return
    called = operation(at.state["Resource"])
    if called is None:
        yield f"{at.state['Resource']} names no operation"
        return
    yield from _errors(at, called.errors)
    if called.input is not None:
        yield from _argument(called, called.input, typing.arguments(at), "Arguments")


def _errors(at: Place, allowed: frozenset[str]) -> Iterator[str]:
    for field in ("Retry", "Catch"):
        for index, each in enumerate(at.state.get(field, [])):
            for error in each["ErrorEquals"]:
                if error not in allowed:
                    yield f"{field}[{index}]: {error} is no error that can come here"


def _argument(called: Operation, shape: str, given: Type, path: str) -> Iterator[str]:
    """What an operation would refuse of an argument of a type."""
    if given == UNKNOWN:
        return
    if isinstance(given, Either):
        for each in sorted(given.options - {NULL}, key=repr):
            yield from _argument(called, shape, each, path)
        return
    if isinstance(given, Shape) and given == Shape(called.service, shape):
        return
    described = called.model.shapes[shape]
    kind = described["type"]
    if kind == "list":
        yield from _list(called, described, given, path)
    elif kind == "structure":
        yield from _structure(called, shape, given, path)
    elif kind != "map":
        yield from _plain(called, described, given, path)


def _list(called: Operation, described: Any, given: Type, path: str) -> Iterator[str]:
    if not isinstance(given, Items):
        yield f"{path} is {_shown(given)}; allowed: what is a list with one element, too: wrap it in [ ]"
        return
    yield from _argument(called, described["member"]["shape"], given.element, f"{path}[]")


def _structure(called: Operation, shape: str, given: Type, path: str) -> Iterator[str]:
    if not isinstance(given, Record):
        yield f"{path} is {_shown(given)}; allowed: an object"
        return
    known, present = members(called.service, shape), dict(given.members)
    for name, each in present.items():
        if name not in known:
            yield f"{path}.{name} is unknown to {called.name}; allowed: {', '.join(known)}"
        else:
            yield from _argument(called, known[name], each, f"{path}.{name}")
    if not given.is_open:
        for name in required(called.model, shape):
            if name not in present:
                yield f"{path}.{name} is missing"


def _plain(called: Operation, described: Any, given: Type, path: str) -> Iterator[str]:
    if isinstance(given, Literal):
        for violation in walk(called.model, described, given.value, path):
            yield str(violation)
        return
    wanted = _KINDS[described["type"]]
    if isinstance(given, Many):
        yield from _argument_of_many(given, path)
    elif isinstance(given, Shape):
        other = installed(given.service).shapes[given.name]["type"]
        if _KINDS.get(other) != wanted:
            yield f"{path} is of type {other}; allowed: {described['type']}"
    elif given != wanted:
        yield f"{path} is {_shown(given)}; allowed: {described['type']}"


def _argument_of_many(given: Many, path: str) -> Iterator[str]:
    yield f"{path} may be nothing or several {_shown(given.element)}; allowed: one value"


def _shown(given: Type) -> str:
    if isinstance(given, Shape):
        return given.name
    if isinstance(given, Many):
        return f"nothing, one or many {_shown(given.element)}"
    return type(given).__name__.lower() if not hasattr(given, "kind") else given.kind
