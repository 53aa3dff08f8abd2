"""A manifest of S3DataType ManifestFile: a JSON array of a prefix and the entries that SageMaker joins to it.

SageMaker joins them as text, nothing more: source, Amazon SageMaker API Reference, S3DataSource, S3Uri.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from headrace.manifests.json_array import Breaks, NotAnArray, TooLong, batches
from headrace.manifests.keys import S3_SCHEME, are_plain, mistakes_of_key, split_uri
from headrace.manifests.notes import Notes
from headrace.manifests.references import Batch
from headrace.manifests.text import pieces
from headrace.rules.manifest_mistakes import Mistake


@dataclass(frozen=True, slots=True)
class PlainManifest:
    """How to read a manifest of entries."""

    unit: str = "element"
    repeat: Mistake = Mistake.REPEATED_ENTRY

    def read(self, stream: BinaryIO, notes: Notes) -> Iterator[Batch]:
        """The references in order; what is wrong goes to ``notes``. Ends where the JSON breaks."""
        try:
            yield from _references(batches(pieces(stream, notes)), notes)
        except Breaks as error:
            kinds = {NotAnArray: Mistake.NOT_AN_ARRAY, TooLong: Mistake.TOO_LONG_TO_READ}
            mistake = kinds.get(type(error.cause), Mistake.MALFORMED)
            notes.add(mistake, error.number, str(error.cause), error.byte)


@dataclass(frozen=True, slots=True)
class _Prefix:
    """Where entries begin: ``key`` is the start of theirs; no ``bucket``: the prefix is unusable, or runs on."""

    bucket: str = ""
    key: str = ""
    runs_on: bool = False


def _references(arrays: Iterator[list[Any]], notes: Notes) -> Iterator[Batch]:
    prefix, number = _Prefix(), 0
    for values in arrays:
        entries: Sequence[Any] = values
        if number == 0:
            prefix = _prefix_of(values[0], notes)
            entries = values if isinstance(values[0], str) else values[1:]
        start = number + len(values) - len(entries)
        number += len(values)
        if batch := _batch(prefix, entries, start, notes):
            yield batch
    if number == 0:
        notes.add(Mistake.NO_PREFIX, 0)
    if number <= 1:
        notes.add(Mistake.NO_ENTRIES)


def _prefix_of(first: object, notes: Notes) -> _Prefix:
    if not isinstance(first, dict) or "prefix" not in first:
        notes.add(Mistake.NO_PREFIX, 0, _shown(first))
        return _Prefix()
    if len(first) > 1:
        notes.add(Mistake.FURTHER_MEMBERS, 0, ", ".join(sorted(each for each in first if each != "prefix")))
    uri = first["prefix"]
    place = split_uri(uri) if isinstance(uri, str) else None
    if place is None:
        notes.add(Mistake.PREFIX_IS_NO_URI, 0, _shown(uri))
        return _Prefix()
    if not uri.endswith("/") and "/" in uri.removeprefix(S3_SCHEME):
        notes.add(Mistake.PREFIX_WITHOUT_SLASH, 0, uri)
    return _Prefix(*place, runs_on="/" not in uri.removeprefix(S3_SCHEME))


def _batch(prefix: _Prefix, entries: Sequence[Any], start: int, notes: Notes) -> Batch | None:
    numbers: Sequence[int] = range(start, start + len(entries))
    if set(map(type, entries)) != {str}:
        numbers = _numbers_of_text(entries, start, notes)
        entries = [entry for entry in entries if isinstance(entry, str)]
    keys = [prefix.key + entry for entry in entries]
    if prefix.runs_on or "" in entries or not are_plain(keys):
        for number, entry in zip(numbers, entries, strict=True):
            for mistake in _mistakes(prefix, entry):
                notes.add(mistake, number, entry)
    if prefix.runs_on:
        keys = [entry.removeprefix("/") for entry in entries]
    return Batch(prefix.bucket, keys, numbers) if keys else None


def _numbers_of_text(entries: Sequence[Any], start: int, notes: Notes) -> list[int]:
    numbers: list[int] = []
    for number, entry in enumerate(entries, start):
        if isinstance(entry, str):
            numbers.append(number)
        else:
            notes.add(Mistake.NOT_TEXT, number, _shown(entry))
    return numbers


def _mistakes(prefix: _Prefix, entry: str) -> tuple[Mistake, ...]:
    if not entry:
        return (Mistake.EMPTY_ENTRY,)
    if entry.startswith(S3_SCHEME):
        return (Mistake.ENTRY_IS_URI,)
    if prefix.runs_on:
        return mistakes_of_key(entry[1:]) if entry.startswith("/") else (Mistake.PREFIX_RUNS_ON,)
    return mistakes_of_key(prefix.key + entry)


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
