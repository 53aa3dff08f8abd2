"""A manifest of S3DataType AugmentedManifestFile: JSON Lines whose ``-ref`` attributes name objects.

SageMaker passes the attributes of AttributeNames to the algorithm, and ignores all others: with names given, only
those are checked. Source: SageMaker Developer Guide, "Augmented Manifest Files for Training Jobs".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from headrace.errors import InvalidInput
from headrace.manifests import json_lines
from headrace.manifests.keys import S3_SCHEME, are_plain, mistakes_of_key, split_uri
from headrace.manifests.notes import Notes
from headrace.manifests.references import Batch
from headrace.manifests.text import pieces
from headrace.rules.channels import MAX_ATTRIBUTE_NAMES
from headrace.rules.manifest_mistakes import MAX_ATTRIBUTE_CHARACTERS, MAX_LINE_CHARACTERS, Mistake

REFERENCE_SUFFIX: Final = "-ref"


@dataclass(frozen=True, slots=True)
class AugmentedManifest:
    """How to read an augmented manifest; ``attribute_names``: those of the job, or none for whatever is there."""

    attribute_names: tuple[str, ...] = ()
    unit: str = "line"
    repeat: Mistake = Mistake.REPEATED_REFERENCE

    def __post_init__(self) -> None:
        """Raises InvalidInput for names that no job takes."""
        names = self.attribute_names
        if len(names) > MAX_ATTRIBUTE_NAMES or len(set(names)) < len(names) or "" in names:
            raise InvalidInput(
                f"attribute names are {', '.join(names)!r}; allowed: at most {MAX_ATTRIBUTE_NAMES}, each once, none "
                "empty; fix: give the job's AttributeNames"
            )

    def read(self, stream: BinaryIO, notes: Notes) -> Iterator[Batch]:
        """The references in order; what is wrong goes to ``notes``. A broken line hides no other."""
        count = 0
        for lines in json_lines.lines(pieces(stream, notes)):
            named: dict[str, tuple[list[str], list[int]]] = {}
            for number, line in enumerate(lines, count + 1):
                for bucket, key in self._references(line, number, notes):
                    keys, numbers = named.setdefault(bucket, ([], []))
                    keys.append(key)
                    numbers.append(number)
            count += len(lines)
            for bucket, (keys, numbers) in named.items():
                _note_keys(bucket, keys, numbers, notes)
                yield Batch(bucket, keys, numbers)
        if count == 0:
            notes.add(Mistake.NO_ENTRIES)

    def _references(self, line: str, number: int, notes: Notes) -> Iterator[tuple[str, str]]:
        record = _record(line, number, notes)
        if record is None:
            return
        for name in self.attribute_names or record:
            if name not in record:
                notes.add(Mistake.MISSING_ATTRIBUTE, number, name)
            elif name.endswith(REFERENCE_SUFFIX):
                yield from _reference(record[name], number, notes)


def _record(line: str, number: int, notes: Notes) -> Mapping[str, Any] | None:
    if line == json_lines.TOO_LONG:
        notes.add(Mistake.TOO_LONG_TO_READ, number)
        return None
    try:
        record = json_lines.decode(line)
    except ValueError as error:
        notes.add(Mistake.NOT_AN_OBJECT, number, str(error) if line else "an empty line")
        return None
    if not isinstance(record, dict):
        notes.add(Mistake.NOT_AN_OBJECT, number, line)
        return None
    if len(line) > MAX_ATTRIBUTE_CHARACTERS:
        _note_lengths(line, record, number, notes)
    return record


def _note_lengths(line: str, record: Mapping[str, Any], number: int, notes: Notes) -> None:
    if len(line) > MAX_LINE_CHARACTERS:
        notes.add(Mistake.LONG_LINE, number, f"{len(line):,}")
    for name, value in record.items():
        length = len(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        if length > MAX_ATTRIBUTE_CHARACTERS:
            notes.add(Mistake.LONG_ATTRIBUTE, number, f"{name}: {length:,}")


def _reference(value: object, number: int, notes: Notes) -> Sequence[tuple[str, str]]:
    place = split_uri(value) if isinstance(value, str) else None
    if place is None or not place[1]:
        notes.add(Mistake.REFERENCE_IS_NO_URI, number, json.dumps(value, ensure_ascii=False))
        return ()
    return (place,)


def _note_keys(bucket: str, keys: Sequence[str], numbers: Sequence[int], notes: Notes) -> None:
    if are_plain(keys):
        return
    for key, number in zip(keys, numbers, strict=True):
        for mistake in mistakes_of_key(key):
            notes.add(mistake, number, f"{S3_SCHEME}{bucket}/{key}")
