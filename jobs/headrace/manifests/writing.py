"""Manifests written to a stream, in pieces; what is written is what ``json.loads`` gives back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import BinaryIO, Final

from headrace.manifests.batching import in_batches
from headrace.manifests.entries import Entries

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",\n", ": "))


def write_entries(target: BinaryIO, entries: Entries, progress: Callable[[str, int], None]) -> int:
    """Write a ManifestFile, an element a line; how many entries it has."""
    target.write(f"[\n{_ENCODER.encode({'prefix': entries.prefix})}".encode())
    count = 0
    for batch in in_batches(entries.relative_keys):
        # the elements without the brackets of their list
        target.write(f",\n{_ENCODER.encode(batch)[1:-1]}".encode())
        count += len(batch)
        progress("entries written", count)
    target.write(b"\n]\n")
    return count


def write_lines(target: BinaryIO, lines: Iterable[str], progress: Callable[[str, int], None]) -> int:
    """Write an AugmentedManifestFile; how many lines it has."""
    count = 0
    for batch in in_batches(lines):
        target.write("".join(f"{each}\n" for each in batch).encode())
        count += len(batch)
        progress("lines written", count)
    return count
