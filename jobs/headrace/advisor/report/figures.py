"""Which figures the page has, what they show of the advice, and what their colours mean."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from headrace.advisor.report.bars import Bar, Part, stacked
from headrace.advisor.report.epochs import against_epochs
from headrace.advisor.report.lines import Line
from headrace.advisor.report.look import PHONE, WIDE, Look
from headrace.advisor.report.sharing import Sharing, of_sharing
from headrace.advisor.report.words import duration, duration_between, usd, usd_between

MOST_ROADS: Final = 8
NOT_KNOWN: Final = "price not known"
_UNITS: Final = (("days", 86_400, 2), ("hours", 3600, 2), ("minutes", 60, 3), ("seconds", 1, 0))
_BRINGING: Final = frozenset({"download and image", "listing", "mount", "walk"})
_TRAINING: Final = frozenset({"first epoch", "further epochs"})
_TIME_KINDS: Final = {
    "waiting": "before the job starts: not billed as the job",
    "bringing": "listing, downloading, mounting",
    "training": "training: the epochs",
    "other": "other: image, start, upload",
}
_COST_KINDS: Final = {
    "instances": "training instances",
    "storage": "file system",
    "requests": "S3 requests",
    "preparing": "packing, preloading, loading",
    "volume": "ML volume",
    "other": "other",
}
_KIND_OF_ITEM: Final = {
    "instances": "instances",
    "instances on Spot": "instances",
    "file system": "storage",
    "EFS storage": "storage",
    "storage of shards": "storage",
    "EFS throughput": "storage",
    "EFS reads": "storage",
    "EFS writes": "storage",
    "S3 requests": "requests",
    "S3 requests of packing": "requests",
    "packing": "preparing",
    "preload": "preparing",
    "load": "preparing",
    "ML volume": "volume",
}
_COLOUR_OF_ROAD: Final = {
    "S3 File": "file",
    "S3 FastFile": "fast-file",
    "S3 Pipe": "pipe",
    "FSx for Lustre": "lustre",
    "EFS": "efs",
}
_DASHES: Final[Sequence[tuple[int, ...]]] = ((), (6, 3), (2, 3), (9, 3, 2, 3), (1, 5), (12, 4))


class Key(NamedTuple):
    """What a colour means: of an area, or of a line with its dashes."""

    colour: str
    told: str
    dash: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """``drawings``: of the same chart, one for each look. ``told``: it, in words."""

    drawings: Sequence[str]
    legend: Sequence[Key]
    told: str


def figures_of(plain: Mapping[str, Any]) -> dict[str, Figure | None]:
    """The figures by name; None where there is nothing to show."""
    shown = plain["roads"][:MOST_ROADS]
    priced = [each for each in shown if each["usd"] is not None]
    return {
        "time": _bars(_time_bars(shown), _unit_of(shown)[0], _TIME_KINDS) if shown else None,
        "cost": _bars(_cost_bars(shown), "US dollars", _COST_KINDS) if priced else None,
        "epochs": _epochs(plain, shown),
        "sharing": _sharing(plain["sharing"]),
    }


def _drawings(draw: Callable[[Look], str]) -> list[str]:
    return [draw(look) for look in (PHONE, WIDE)]


def _bars(bars: Sequence[Bar], unit: str, kinds: Mapping[str, str]) -> Figure:
    seen = {each.kind for bar in bars for each in bar.parts}
    return Figure(
        drawings=_drawings(lambda look: stacked(bars, unit, look)),
        legend=[Key(kind, told) for kind, told in kinds.items() if kind in seen],
        told="; ".join(f"{bar.name}: {bar.told}{f' ({bar.interval})' if bar.interval else ''}" for bar in bars),
    )


def _unit_of(roads: Sequence[Mapping[str, Any]]) -> tuple[str, int]:
    """The unit of a time axis: the largest of which the longest bar has a few."""
    longest = max(each["elapsed_seconds"]["point"] for each in roads)
    return next((name, seconds) for name, seconds, few in _UNITS if longest >= few * seconds)


def _time_bars(roads: Sequence[Mapping[str, Any]]) -> list[Bar]:
    _, per_unit = _unit_of(roads)
    return [
        Bar(
            place=place,
            name=each["name"],
            told=duration(each["elapsed_seconds"]["point"]),
            interval=duration_between(each["elapsed_seconds"]),
            parts=[Part(kind, seconds / per_unit) for kind, seconds in _phases(each)],
            low=each["elapsed_seconds"]["low"] / per_unit,
            high=each["elapsed_seconds"]["high"] / per_unit,
        )
        for place, each in enumerate(roads, 1)
    ]


def _phases(road: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for span in road["waiting"].values():
        yield "waiting", span["point"]
    for name, span in road["billed"].items():
        yield "training" if name in _TRAINING else "bringing" if name in _BRINGING else "other", span["point"]


def _cost_bars(roads: Sequence[Mapping[str, Any]]) -> list[Bar]:
    return [
        Bar(
            place=place,
            name=each["name"],
            told=NOT_KNOWN if each["usd"] is None else usd(each["usd"]["point"]),
            interval="" if each["usd"] is None else usd_between(each["usd"]),
            parts=[] if each["usd"] is None else _items(each),
            low=0.0 if each["usd"] is None else each["usd"]["low"],
            high=0.0 if each["usd"] is None else each["usd"]["high"],
        )
        for place, each in enumerate(roads, 1)
    ]


def _items(road: Mapping[str, Any]) -> list[Part]:
    parts = [Part(_KIND_OF_ITEM.get(each["name"], "other"), each["usd"]["point"]) for each in road["costs"]]
    order = list(_COST_KINDS)
    return sorted((each for each in parts if each.amount), key=lambda each: order.index(each.kind))


def _epochs(plain: Mapping[str, Any], shown: Sequence[Mapping[str, Any]]) -> Figure | None:
    road_of = {each["name"]: (place, each["road"]) for place, each in enumerate(shown, 1)}
    lines: list[Line] = []
    seen: dict[str, int] = {}
    for curve in plain["curves"]:
        points = [(x, y / x) for x, y in zip(curve["epochs"], curve["usd"], strict=True) if y]
        if curve["name"] not in road_of or not points:
            continue
        place, road = road_of[curve["name"]]
        colour = _COLOUR_OF_ROAD.get(road, "other")
        dash = _DASHES[seen.setdefault(colour, 0) % len(_DASHES)]
        seen[colour] += 1
        x, y = zip(*points, strict=True)
        lines.append(Line(place=place, name=curve["name"], colour=colour, dash=dash, x=x, y=y))
    if not lines:
        return None
    told = "; ".join(
        f"{each.name}: {usd(each.y[0])} for one epoch, {usd(each.y[-1])} each of {each.x[-1]:g}" for each in lines
    )
    asked = plain["question"]["epochs"]
    return Figure(
        drawings=_drawings(lambda look: against_epochs(lines, asked, look)),
        legend=[Key(each.colour, f"{each.place}  {each.name}", each.dash) for each in lines],
        told=told,
    )


def _sharing(plain: Mapping[str, Any] | None) -> Figure | None:
    if plain is None or plain["jobs_per_month"] is None:
        return None
    sharing = Sharing(
        shared=plain["shared"],
        other=plain["other"],
        usd_per_month=plain["shared_usd_per_month"],
        shared_usd=plain["shared_usd_per_job"],
        other_usd=plain["other_usd_per_job"],
        jobs_per_month=plain["jobs_per_month"],
    )
    told = f"pays from {math.ceil(sharing.jobs_per_month):,} jobs a month"
    return Figure(drawings=_drawings(lambda look: of_sharing(sharing, told, look)), legend=[], told=told)
