"""What a rule gives to its target: the event, a part of it, a constant, or a text made of parts of it.

Source: Amazon EventBridge User Guide, "Amazon EventBridge input transformation" (a text in the place of a JSON value
gets quotation marks, one inside a text does not; a path that leads nowhere gives nothing).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

_PLACE: Final = re.compile(r'"(?:[^"\\]|\\.)*"|<([A-Za-z0-9_.-]+)>')
_INNER_PLACE: Final = re.compile(r"<([A-Za-z0-9_.-]+)>")


def input_of(target: Mapping[str, Any], event: Mapping[str, Any]) -> str:
    """The target's input, as text."""
    told = {**event, "time": _iso(event["time"])}
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        return json.dumps(at(told, target["InputPath"]))
    if "InputTransformer" in target:
        transformer = target["InputTransformer"]
        paths = transformer.get("InputPathsMap", {})
        return _filled(transformer["InputTemplate"], {name: at(told, path) for name, path in paths.items()}, told)
    return json.dumps(told)


def at(event: Mapping[str, Any], path: str) -> Any:
    """The value at a path as ``$.detail.status-details.status``; None where there is none."""
    value: Any = event
    for name in path.removeprefix("$").strip(".").split("."):
        if name and not isinstance(value, Mapping):
            return None
        value = value.get(name) if name else value
    return value


def _filled(template: str, values: Mapping[str, Any], event: Mapping[str, Any]) -> str:
    known = {**values, "aws.events.event.json": event, "aws.events.event": event}

    def in_place(found: re.Match[str]) -> str:
        if found[1] is None:  # a text: values go into it as they are
            return _INNER_PLACE.sub(lambda inner: _inner(known, inner), found[0])
        return json.dumps(known[found[1]]) if found[1] in known else found[0]

    return _PLACE.sub(in_place, template)


def _inner(known: Mapping[str, Any], found: re.Match[str]) -> str:
    if found[1] not in known:
        return found[0]
    value = known[found[1]]
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
    return json.dumps(text)[1:-1]


def _iso(seconds: Any) -> str:
    if isinstance(seconds, str):
        return seconds
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
