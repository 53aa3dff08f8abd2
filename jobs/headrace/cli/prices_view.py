"""Prices and shapes, as tables and as JSON. Sources are long: each is a number, told below the table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from headrace.cli.plain_text import without_controls
from headrace.cli.screen import result_console
from headrace.figures.prices import Item, Price
from headrace.figures.snapshot import Snapshot

_SHAPE = {
    "vcpus": "vCPUs",
    "memory_gib": "GiB",
    "accelerators": "accelerators",
    "accelerator": "make",
    "network_gbit_per_second": "Gbit/s",
    "network_burst_gbit_per_second": "burst",
    "nvme_gb": "NVMe GB",
    "ebs_mb_per_second": "EBS MB/s",
    "ebs_burst_mb_per_second": "burst",
}


def as_json(snapshot: Snapshot, region: str | None, names: Sequence[str]) -> str:
    """All of it; of the named types only, where some are named."""
    prices = [
        {"region": where, "item": item.value, "kind": kind or None, **asdict(price)}
        for where, item, kind, price in _prices(snapshot, region, names)
    ]
    shapes = [
        {**asdict(snapshot.instance_types[name]), **asdict(snapshot.origins[name])}
        for name in names or snapshot.instance_types
    ]
    return json.dumps({"date": snapshot.date, "prices": prices, "instance_types": shapes})


def print_tables(snapshot: Snapshot, region: str | None, names: Sequence[str]) -> None:
    """The prices; of named types their shapes before."""
    sources: dict[str, int] = {}
    if names:
        table = _table("instance type", *_SHAPE.values(), "as of", "source")
        for name in names:
            shape, origin = asdict(snapshot.instance_types[name]), snapshot.origins[name]
            if not shape["accelerators"]:
                shape["accelerator"] = ""
            cells = (_shown(shape[each]) for each in _SHAPE)
            _add(table, name, *cells, origin.date, _number(sources, origin.source))
        result_console().print(table)
    table = _table("Region", "item", "kind", "US dollars", "as of", "source")
    for where, item, kind, price in _prices(snapshot, region, names):
        _add(table, where, item.value, kind, f"{price.usd:g}", price.date, _number(sources, price.source))
    if table.row_count:
        result_console().print(table)
    for source, number in sources.items():
        result_console().print(Text(without_controls(f"[{number}] {source}")))


def _prices(snapshot: Snapshot, region: str | None, names: Sequence[str]) -> list[tuple[str, Item, str, Price]]:
    """In the order of the items; of the named types only, where some are named."""
    order = {item: number for number, item in enumerate(Item)}
    found = [
        (where, item, kind, price)
        for where, prices in snapshot.prices.items()
        for (item, kind), price in prices.of.items()
        if region in (None, where) and (not names or (item is Item.TRAINING_HOUR and kind in names))
    ]
    return sorted(found, key=lambda each: (each[0], order[each[1]], each[2]))


def _table(*columns: str) -> Table:
    return Table(*columns, box=SIMPLE, pad_edge=False)


def _add(table: Table, *cells: Any) -> None:
    table.add_row(*(Text(without_controls(str(each))) for each in cells))


def _number(sources: dict[str, int], source: str) -> str:
    return f"[{sources.setdefault(source, len(sources) + 1)}]"


def _shown(value: object) -> str:
    return "unknown" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
