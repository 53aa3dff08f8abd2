"""What a process that lists and its helper tell each other."""

from __future__ import annotations

from dataclasses import dataclass

from headrace.aws.connection import Credentials
from headrace.dataset.counts import Counts
from headrace.dataset.key_ranges import KeyRange
from headrace.dataset.stretches import Stretch


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a helper lists, with how many streams. ``client_region``: of its connection."""

    client_region: str
    bucket: str
    prefix: str
    region: str
    streams: int
    credentials: Credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How a helper stands. ``received``: ranges that came so far; ``outstanding``: those not listed to their end."""

    received: int = 0
    idle: int = 0
    outstanding: int = 0
    objects: int = 0
    expected: float = 0.0
    furthest: str = ""


@dataclass(frozen=True, slots=True)
class Ranges:
    """Ranges for the other process, and the last key that was seen in this one."""

    ranges: tuple[KeyRange, ...]
    furthest: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many ranges the parent would take."""

    count: int


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the helper gave up. ``action``: the permission that is missing, if it is one."""

    message: str
    action: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """All that the helper counted."""

    counts: Counts
    stretches: list[Stretch]


class End:
    """There is nothing more to list."""
