"""Rules of a manifest, which judge what a check has counted.

A manifest may have millions of entries, so no rule reads it: the check streams it once, counts each kind of mistake
with its first places, and the rules turn the counts into findings, one for each kind. The kinds, with their sources,
stand in :mod:`headrace.rules.manifest_mistakes`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from headrace.rules.finding import Finding, Rule, rule
from headrace.rules.manifest_mistakes import KINDS, Place, Tally
from headrace.rules.values import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestSpec:
    """What was seen in a manifest. ``name``: its path or URI; ``unit``: ``element``, or ``line`` if augmented."""

    name: str
    unit: str
    tallies: tuple[Tally, ...]


@rule("V60", "tallies")
def manifest_has_its_form(spec: ManifestSpec) -> Iterator[Finding]:
    """A manifest is a JSON array that begins with its prefix; an augmented one has a JSON object on each line."""
    yield from _of_rule("V60", spec)


@rule("V92", "tallies")
def manifest_is_utf_8(spec: ManifestSpec) -> Iterator[Finding]:
    """A manifest is UTF-8 without a byte order mark."""
    yield from _of_rule("V92", spec)


@rule("V93", "tallies")
def prefix_makes_keys(spec: ManifestSpec) -> Iterator[Finding]:
    """The prefix is an S3 URI which makes a key when an entry is joined to it."""
    yield from _of_rule("V93", spec)


@rule("V94", "tallies")
def entries_are_keys(spec: ManifestSpec) -> Iterator[Finding]:
    """Each entry gives a key of S3 that is legal as a file's path."""
    yield from _of_rule("V94", spec)


@rule("V95", "tallies")
def entries_are_named_once(spec: ManifestSpec) -> Iterator[Finding]:
    """No object is named twice."""
    yield from _of_rule("V95", spec)


@rule("V96", "tallies")
def objects_exist(spec: ManifestSpec) -> Iterator[Finding]:
    """The objects that are named exist."""
    yield from _of_rule("V96", spec)


@rule("V97", "tallies")
def manifest_stays_in_region(spec: ManifestSpec) -> Iterator[Finding]:
    """The manifest and its objects lie in buckets of the job's Region."""
    yield from _of_rule("V97", spec)


@rule("V98", "tallies")
def attributes_are_there(spec: ManifestSpec) -> Iterator[Finding]:
    """Each line has the attributes that the job asks for, and a reference is an object's URI."""
    yield from _of_rule("V98", spec)


@rule("V99", "tallies")
def manifest_keeps_limits(spec: ManifestSpec) -> Iterator[Finding]:
    """Elements, lines and attributes are not too long."""
    yield from _of_rule("V99", spec)


def _of_rule(rule_id: str, spec: ManifestSpec) -> Iterator[Finding]:
    for tally in spec.tallies:
        kind = KINDS[tally.mistake]
        if kind.rule_id == rule_id:
            first = tally.places[0]
            count = "" if tally.total == 1 else f", and {tally.total - 1:,} more such"
            got = kind.what if first.value is None else f"{shown(first.value)}, {kind.what}"
            field = f"{spec.name} {place_text(first, spec.unit)}".rstrip()
            yield Finding(rule_id, kind.level, field, got + count, kind.allowed, kind.fix)


def place_text(place: Place, unit: str) -> str:
    """A place in words, such as ``element 7, byte 912``; empty for the whole file."""
    number = None if place.number is None else f"{unit} {place.number:,}"
    byte = None if place.byte is None else f"byte {place.byte:,}"
    return ", ".join(each for each in (number, byte) if each is not None)


MANIFEST_RULES: tuple[Rule[Any], ...] = (
    manifest_is_utf_8,
    manifest_has_its_form,
    prefix_makes_keys,
    entries_are_keys,
    entries_are_named_once,
    objects_exist,
    manifest_stays_in_region,
    attributes_are_there,
    manifest_keeps_limits,
)
"""Rules of one :class:`ManifestSpec`."""
