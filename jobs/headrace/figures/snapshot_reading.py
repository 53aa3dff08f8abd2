"""What a snapshot's file holds, made into records. It may come from anywhere: every mistake is told, all at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final, TypeGuard

from headrace.errors import InvalidInput
from headrace.figures.instance_types import InstanceType
from headrace.figures.prices import Item, Price, Prices
from headrace.figures.snapshot import FORMAT_VERSION, Origin, Snapshot

_MAKE: Final = "write the file with: headrace prices update"
_COUNTS: Final = ("vcpus", "accelerators", "nvme_gb")
_AMOUNTS: Final = ("memory_gib",)
_MAYBE_AMOUNTS: Final = (
    "network_gbit_per_second",
    "network_burst_gbit_per_second",
    "ebs_mb_per_second",
    "ebs_burst_mb_per_second",
)
_MEMBERS: Final = frozenset({*_COUNTS, *_AMOUNTS, *_MAYBE_AMOUNTS, "accelerator"})
_TYPE_NAME: Final = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9]+")
# what the kinds of an item look like, and how that is told
_KINDS: Final = {
    Item.TRAINING_HOUR: (_TYPE_NAME, "kinds such as ml.m5.large"),
    Item.LUSTRE_PERSISTENT_2_GB_MONTH: (re.compile("125|250|500|1000"), "the kinds 125, 250, 500, 1000"),
}
_DATE: Final = re.compile(r"\d{4}(-\d\d){0,2}", re.ASCII)
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_MOST_PROBLEMS: Final = 20
# characters of a name or a value that a line repeats
_MOST_SHOWN: Final = 60
# far above any price and any shape; NaN and the infinities are not below it
_MOST: Final = 1e9


def from_plain(plain: Mapping[str, Any], name: str) -> Snapshot:
    """The snapshot that a file holds. Raises InvalidInput, each line beginning with ``name``."""
    version = plain.get("format_version")
    if version != FORMAT_VERSION:
        raise InvalidInput(f"{name}: format_version is {_cut(repr(version))}; allowed: {FORMAT_VERSION}; fix: {_MAKE}")
    reading = _Reading(name)
    found = Snapshot(
        date=reading.date(plain.get("date"), "date"),
        instance_types=(types := reading.instance_types(plain.get("instance_types"))),
        origins={each: reading.origins[each] for each in types},
        prices=reading.prices(plain.get("prices")),
    )
    if problems := reading.problems:
        more = len(problems) - _MOST_PROBLEMS
        rest = [f"{name}: {more} further mistakes; fix: {_MAKE}"] if more > 0 else []
        raise InvalidInput(*problems[:_MOST_PROBLEMS], *rest)
    return found


class _Reading:
    """One file being read: what is wrong with it so far."""

    def __init__(self, name: str) -> None:
        self.problems: list[str] = []
        self.origins: dict[str, Origin] = {}
        self._name = name

    def date(self, value: object, where: str) -> str:
        if not isinstance(value, str) or not _is_date(value):
            self._problem(where, value, "a date such as 2026-11-26, a month or a year")
        return str(value)

    def instance_types(self, blocks: object) -> dict[str, InstanceType]:
        found: dict[str, InstanceType] = {}
        for where, block, origin in self._blocks(blocks, "instance_types"):
            for name, plain in self._members(block, f"{where}.types"):
                here = f"{where}.types.{_cut(name)}"
                if name in found or not _TYPE_NAME.fullmatch(name):
                    self._problem(here, name, "names such as ml.m5.large, each once")
                elif (shape := self._shape(name, plain, here)) is not None:
                    found[name], self.origins[name] = shape, origin
        return found

    def prices(self, blocks: object) -> dict[str, Prices]:
        found: dict[str, dict[tuple[Item, str], Price]] = {}
        for where, block, origin in self._blocks(blocks, "prices"):
            region = block.get("region")
            if not isinstance(region, str) or not _REGION.fullmatch(region):
                self._problem(f"{where}.region", region, "a Region such as us-east-1")
                continue
            known = found.setdefault(region, {})
            for item, detail, usd, here in self._amounts(block, f"{where}.usd_per"):
                if (item, detail) in known:
                    self._problem(here, usd, f"one price for it in {region}; there is another above")
                known[item, detail] = Price(usd=usd, source=origin.source, date=origin.date)
        return {region: Prices(region=region, of=of) for region, of in found.items()}

    def _blocks(self, blocks: object, where: str) -> Iterator[tuple[str, Mapping[str, Any], Origin]]:
        if not isinstance(blocks, list):
            self._problem(where, blocks, "a list of blocks")
            return
        for number, block in enumerate(blocks):
            here = f"{where}.{number}"
            if not isinstance(block, dict):
                self._problem(here, block, "a block with its source and date")
                continue
            source = block.get("source")
            if not isinstance(source, str) or not source.strip():
                self._problem(f"{here}.source", source, "where the figures are from")
            yield here, block, Origin(source=str(source), date=self.date(block.get("date"), f"{here}.date"))

    def _members(self, block: Mapping[str, Any], where: str) -> Iterator[tuple[str, object]]:
        members = block.get(where.rsplit(".", 1)[-1])
        if not isinstance(members, dict):
            self._problem(where, members, "an object")
            return
        yield from members.items()

    def _amounts(self, block: Mapping[str, Any], where: str) -> Iterator[tuple[Item, str, float, str]]:
        for name, value in self._members(block, where):
            here = f"{where}.{_cut(name)}"
            if name not in Item.__members__.values():
                self._problem(here, value, f"one of {', '.join(Item)}")
                continue
            item = Item(name)
            if (item in _KINDS) != isinstance(value, dict):
                allowed = "a price for each kind of it" if item in _KINDS else "one price"
                self._problem(here, value, allowed)
                continue
            for detail, usd in value.items() if isinstance(value, dict) else (("", value),):
                place = f"{here}.{_cut(detail)}" if item in _KINDS else here
                if item in _KINDS and not _KINDS[item][0].fullmatch(detail):
                    self._problem(place, detail, _KINDS[item][1])
                elif _is_amount(usd):
                    yield item, detail, float(usd), place
                else:
                    self._problem(place, usd, "US dollars, 0 or more")

    def _shape(self, name: str, plain: object, where: str) -> InstanceType | None:
        if not isinstance(plain, dict) or set(plain) != _MEMBERS:
            self._problem(where, plain, f"an object with {', '.join(sorted(_MEMBERS))}")
            return None
        wrong = [each for each in _COUNTS if not _is_amount(plain[each]) or not isinstance(plain[each], int)]
        wrong += [each for each in _AMOUNTS if not _is_amount(plain[each])]
        wrong += [each for each in _MAYBE_AMOUNTS if plain[each] is not None and not _is_amount(plain[each])]
        if not isinstance(plain["accelerator"], str | None):
            wrong.append("accelerator")
        for member in wrong:
            allowed = "a text or null" if member == "accelerator" else "a number, 0 or more"
            self._problem(f"{where}.{member}", plain[member], allowed)
        return None if wrong else InstanceType(name=name, **plain)

    def _problem(self, where: str, value: object, allowed: str) -> None:
        self.problems.append(
            f"{self._name}: {where} is {_cut(repr(value))}; allowed: {allowed}; fix: correct it, or {_MAKE}"
        )


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


def _is_date(value: str) -> bool:
    if not _DATE.fullmatch(value):
        return False
    try:
        date.fromisoformat(f"{value}-01-01"[:10])
    except ValueError:
        return False
    return True


def _is_amount(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _MOST
