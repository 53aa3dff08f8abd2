"""An older snapshot, and what AWS tells now, made into a newer one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from headrace.figures.instance_types import InstanceType, from_description
from headrace.figures.prices import Prices
from headrace.figures.snapshot import Origin, Snapshot

SHAPES_SOURCE: Final = "Amazon EC2 DescribeInstanceTypes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What AWS told of a Region. ``descriptions``: of instance types, as DescribeInstanceTypes gives them."""

    prices: Prices
    descriptions: Sequence[Mapping[str, Any]]


def updated(older: Snapshot, told: Sequence[Told], date: str) -> Snapshot:
    """``older`` with the prices of these Regions in place of those it had, and these shapes in place of its own.

    A price that AWS no longer tells is gone. What AWS was not asked stays: other Regions, and types that none of these
    Regions has.
    """
    shapes: dict[str, InstanceType] = dict(older.instance_types)
    origins: dict[str, Origin] = dict(older.origins)
    prices = dict(older.prices)
    for each in told:
        region = each.prices.region
        prices[region] = each.prices
        for shape in map(from_description, each.descriptions):
            shapes[shape.name] = shape
            origins[shape.name] = Origin(source=f"{SHAPES_SOURCE}, {region}", date=date)
    return Snapshot(
        date=date,
        instance_types=dict(sorted(shapes.items())),
        origins=origins,
        prices=dict(sorted(prices.items())),
    )
