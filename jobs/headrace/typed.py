"""Plain JSON into frozen dataclasses, with every mistake reported at once.

A small reader instead of a library: reading settings is part of every synth, reading a profile of every advice, and
both have to be quick. It knows the types that these are made of: str, int, float, bool, Literal, enums of text, None,
tuples and mappings of these, and dataclasses.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Any, Literal, TypeVar, get_args, get_origin

from headrace.errors import InvalidInput
from headrace.rules.values import shown

Settings = TypeVar("Settings")
_WORDS: Mapping[type, str] = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


class _Wrong:
    """What a value that cannot be read becomes; its problem is on the list."""


_WRONG = _Wrong()


def read(record: type[Settings], plain: object, path: str) -> Settings:
    """Read ``plain`` as the dataclass ``record``; ``path`` is where it stands, such as ``headrace.dev``.

    Raises InvalidInput with one line for each unknown key, missing key and wrong type, each with its full path.
    """
    problems: list[str] = []
    value = _read_record(record, plain, path, problems)
    if problems:
        raise InvalidInput(*problems)
    return typing.cast(Settings, value)


def _read_value(hint: Any, plain: object, path: str, problems: list[str]) -> Any:
    origin = get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _read_optional(hint, plain, path, problems)
    if dataclasses.is_dataclass(hint):
        return _read_record(typing.cast(type, hint), plain, path, problems)
    if origin is tuple:
        return _read_list(get_args(hint)[0], plain, path, problems)
    if origin is not None and issubclass_of_mapping(origin):
        return _read_mapping(get_args(hint)[1], plain, path, problems)
    if _is_enum(hint):
        known = {each.value: each for each in hint}
        return (
            known[plain]
            if isinstance(plain, str) and plain in known
            else _problem(problems, path, plain, in_words(hint))
        )
    if _fits(hint, plain):
        return plain
    return _problem(problems, path, plain, in_words(hint))


def _read_optional(hint: Any, plain: object, path: str, problems: list[str]) -> Any:
    if plain is None:
        return None
    (inner,) = (each for each in get_args(hint) if each is not type(None))
    return _read_value(inner, plain, path, problems)


def _read_record(record: type, plain: object, path: str, problems: list[str]) -> Any:
    if not isinstance(plain, Mapping):
        return _problem(problems, path, plain, "an object { }")
    fields, hints = _members(record)
    for key in plain:
        if key not in fields:
            allowed = ", ".join(sorted(fields))
            problems.append(f"{path}.{key} is not known; allowed: {allowed}; fix: correct the key or leave it out")
    for name, field in fields.items():
        if name not in plain and not _has_default(field):
            problems.append(f"{path}.{name} is missing; allowed: {in_words(hints[name])}; fix: give it")
    values = {
        name: _read_value(hints[name], plain[name], f"{path}.{name}", problems) for name in fields if name in plain
    }
    return _WRONG if problems else record(**values)


@cache
def _members(record: type) -> tuple[dict[str, dataclasses.Field[Any]], dict[str, Any]]:
    fields = {field.name: field for field in dataclasses.fields(record)}
    return fields, typing.get_type_hints(record)


def _read_list(hint: Any, plain: object, path: str, problems: list[str]) -> Any:
    if not isinstance(plain, list | tuple):
        return _problem(problems, path, plain, f"a list [ ] of {in_words(hint)}")
    return tuple(_read_value(hint, item, f"{path}[{index}]", problems) for index, item in enumerate(plain))


def _read_mapping(hint: Any, plain: object, path: str, problems: list[str]) -> Any:
    if not isinstance(plain, Mapping):
        return _problem(problems, path, plain, f"an object {{ }} of {in_words(hint)}")
    return {key: _read_value(hint, item, f"{path}.{key}", problems) for key, item in plain.items()}


def issubclass_of_mapping(origin: Any) -> bool:
    """Whether a generic type is a mapping."""
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _is_enum(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, StrEnum)


def _fits(hint: Any, plain: object) -> bool:
    if get_origin(hint) is Literal:
        return any(type(plain) is type(choice) and plain == choice for choice in get_args(hint))
    if hint is float:
        return isinstance(plain, int | float) and not isinstance(plain, bool) and math.isfinite(plain)
    return type(plain) is hint


def in_words(hint: Any) -> str:
    """A type as people write it: "a whole number", "a list [ ] of text"."""
    origin = get_origin(hint)
    if origin is Literal:
        return ", ".join(str(choice) for choice in get_args(hint))
    if _is_enum(hint):
        return ", ".join(each.value for each in hint)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(in_words(each) for each in get_args(hint) if each is not type(None)) + " or null"
    if origin is tuple:
        return f"a list [ ] of {in_words(get_args(hint)[0])}"
    return _WORDS.get(hint, "an object { }")


def _has_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def _problem(problems: list[str], path: str, plain: object, allowed: str) -> _Wrong:
    problems.append(f"{path} is {shown(plain)}; allowed: {allowed}; fix: correct the value")
    return _WRONG
