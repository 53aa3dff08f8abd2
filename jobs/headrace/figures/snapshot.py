"""A snapshot: shapes of instance types, and prices by Region, each with source and date, in one file of JSON.

One is shipped (snapshot.json); ``headrace prices update`` writes another, to be committed beside the settings. Figures
that come from one place stand in one block, which says where they are from and as of when:

    {"format_version": 1, "date": "2026-11-26",
     "instance_types": [{"source": …, "date": …, "types": {"ml.m5.large": {"vcpus": 2, …}}}],
     "prices": [{"region": "us-east-1", "source": …, "date": …, "usd_per": {"s3_get_1000": 0.0004,
                 "training_hour": {"ml.m5.large": 0.115}}}]}

The keys of ``usd_per`` are items, whose names end with their unit; items of several kinds have a price for each.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from headrace.figures.instance_types import InstanceType
from headrace.figures.prices import Prices
from headrace.json_file import read_object

FORMAT_VERSION: Final = 1
_SHIPPED: Final = Path(__file__).with_name("snapshot.json")
_MAKE: Final = "make it with: headrace prices update"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a figure is from, and as of when (ISO 8601)."""

    source: str
    date: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """``date``: when it was put together. ``origins``: of the shape of each instance type, by its name."""

    date: str
    instance_types: Mapping[str, InstanceType]
    origins: Mapping[str, Origin]
    prices: Mapping[str, Prices]


def read_snapshot(path: Path | None = None) -> Snapshot:
    """The snapshot of a file, default the one that is shipped.

    Raises InvalidInput with one line for each thing that is wrong with it.
    """
    return _shipped() if path is None else _read(path)


@cache
def _shipped() -> Snapshot:
    return _read(_SHIPPED)


def _read(path: Path) -> Snapshot:
    from headrace.figures.snapshot_reading import from_plain

    return from_plain(read_object(path, "a snapshot of prices", f"{_MAKE} --output {path}"), str(path))


def to_plain(snapshot: Snapshot) -> dict[str, Any]:
    """The snapshot for JSON, as :func:`read_snapshot` takes it: figures of the same origin in one block."""
    shapes: dict[Origin, dict[str, Any]] = {}
    for name, each in sorted(snapshot.instance_types.items()):
        shapes.setdefault(snapshot.origins[name], {})[name] = {
            member: getattr(each, member) for member in InstanceType.__dataclass_fields__ if member != "name"
        }
    return {
        "format_version": FORMAT_VERSION,
        "date": snapshot.date,
        "instance_types": [
            {"source": origin.source, "date": origin.date, "types": types} for origin, types in shapes.items()
        ],
        "prices": [block for each in snapshot.prices.values() for block in _blocks(each)],
    }


def to_text(plain: Mapping[str, Any]) -> str:
    """The snapshot as text that can be reviewed: a shape and a price a line."""
    return f"{_text(plain)}\n"


def _text(value: object, indent: str = "\n") -> str:
    if not isinstance(value, dict | list) or not value or "vcpus" in value:
        return json.dumps(value)
    deeper = f"{indent} "
    if isinstance(value, list):
        return f"[{deeper}{f',{deeper}'.join(_text(each, deeper) for each in value)}{indent}]"
    members = (f"{_text(name)}: {_text(each, deeper)}" for name, each in value.items())
    return f"{{{deeper}{f',{deeper}'.join(members)}{indent}}}"


def _blocks(prices: Prices) -> list[dict[str, Any]]:
    found: dict[Origin, dict[str, Any]] = {}
    for (item, detail), price in sorted(prices.of.items()):
        usd_per = found.setdefault(Origin(source=price.source, date=price.date), {})
        if detail:
            usd_per.setdefault(item.value, {})[detail] = price.usd
        else:
            usd_per[item.value] = price.usd
    return [
        {"region": prices.region, "source": origin.source, "date": origin.date, "usd_per": usd_per}
        for origin, usd_per in found.items()
    ]
