"""Items in lists, since ``json`` reads and writes a list at once far faster than its items one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, TypeVar

BATCH_SIZE: Final = 8192

Item = TypeVar("Item")


def in_batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """The items in order, in lists of :data:`BATCH_SIZE` but for the last."""
    rest = iter(items)
    while batch := list(islice(rest, BATCH_SIZE)):
        yield batch
