"""Which members of a CreateTrainingJob request a state machine may name, as data: step_functions_members.json.

Step Functions fails an execution, past every Catch, for a member that its SDK integration does not know, and AWS does
not publish which it knows. The file says since when it stands, and on what; what is not in it is refused beforehand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).parent / "step_functions_members.json"


def known() -> frozenset[str]:
    """Every member that may be named, by its path: ``StoppingCondition.MaxRuntimeInSeconds``."""
    structures = _data()["members"]
    return frozenset(_path(structure, each) for structure in structures for each in structures[structure])


def read_on() -> str:
    """The date of the list."""
    return str(_data()["read"])


def named_in(request: Mapping[str, Any]) -> frozenset[str]:
    """The members that a request names, by their paths. What lies in maps is the user's, and is not looked at."""
    return frozenset(_named(request, "", _data()["members"]))


def _named(value: Any, structure: str, structures: Mapping[str, Any]) -> Iterator[str]:
    for each in value if isinstance(value, list | tuple) else (value,):
        for name, inner in each.items() if isinstance(each, Mapping) else ():
            path = _path(structure, name)
            yield path
            if path in structures:
                yield from _named(inner, path, structures)


def _path(structure: str, name: str) -> str:
    return f"{structure}.{name}" if structure else name


@cache
def _data() -> Any:
    return json.loads(_FILE.read_text(encoding="utf-8"))
