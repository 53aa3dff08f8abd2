"""Roads that do not fit: those of one road that are refused for the same reasons are told once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """``names``: of the ways to take ``road`` that ``findings`` refuse."""

    road: str
    names: Sequence[str]
    findings: Sequence[Mapping[str, str]]

    @property
    def heading(self) -> str:
        """The name of the only way, or the road of many."""
        return self.names[0] if len(self.names) == 1 else self.road


def refusals_of(rejected: Iterable[Mapping[str, Any]]) -> list[Refusal]:
    """In the order of the first of each."""
    groups: dict[tuple[object, ...], list[Mapping[str, Any]]] = {}
    for each in rejected:
        reasons = tuple(tuple(sorted(finding.items())) for finding in each["findings"])
        groups.setdefault((each["road"], reasons), []).append(each)
    return [
        Refusal(road=group[0]["road"], names=[each["name"] for each in group], findings=group[0]["findings"])
        for group in groups.values()
    ]
