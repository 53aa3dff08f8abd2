"""docs/settings.md: every setting of an environment with its type and default, from the records themselves.

Run: ``python -m stacks.settings_reference > docs/settings.md``.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import typing
from collections.abc import Mapping
from typing import Any

from headrace.typed import in_words

from stacks.settings import EnvironmentSettings

_INTRODUCTION = """\
# The settings

An environment is a key below `headrace` in the context of [`cdk.json`](../cdk.json); `env=NAME` chooses it.
A key that is left out has its default; an unknown key, a wrong type and a broken [rule](rules.md) are errors,
all reported at once.

This page is made by `python -m stacks.settings_reference`.
"""


def render() -> str:
    """The page as Markdown: the environment first, then each record that it is made of, where it first appears."""
    pending: list[type] = [EnvironmentSettings]
    seen: set[type] = set()
    parts = [_INTRODUCTION]
    while pending:
        record = pending.pop(0)
        if record not in seen:
            seen.add(record)
            parts.append(_section(record))
            pending.extend(_records_in(record))
    return "\n".join(parts)


def _section(record: type) -> str:
    hints = typing.get_type_hints(record)
    rows = ["| setting | type | default |", "|---|---|---|"]
    for field in dataclasses.fields(record):
        rows.append(f"| `{field.name}` | {_type(hints[field.name])} | {_default(field)} |")
    text = " ".join((record.__doc__ or "").replace("``", "`").split())
    return f"## {record.__name__}\n\n{text}\n\n" + "\n".join(rows) + "\n"


def _type(hint: Any) -> str:
    records = _records_of(hint)
    if not records:
        return in_words(hint)
    link = f"[{records[0].__name__}](#{records[0].__name__.lower()})"
    origin = typing.get_origin(hint)
    if origin is tuple:
        return f"a list [ ] of {link}"
    return f"an object {{ }} of {link}" if origin is Mapping else link


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
        return "required"
    value = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
    if dataclasses.is_dataclass(value):
        return "as below"
    if isinstance(value, tuple | dict):
        return "as above" if value else "empty"
    return f"`{json.dumps(value)}`"


def _records_in(record: type) -> list[type]:
    return [each for hint in typing.get_type_hints(record).values() for each in _records_of(hint)]


def _records_of(hint: Any) -> list[type]:
    if dataclasses.is_dataclass(hint):
        return [typing.cast(type, hint)]
    return [each for inner in typing.get_args(hint) for each in _records_of(inner)]


if __name__ == "__main__":
    sys.stdout.write(render())
