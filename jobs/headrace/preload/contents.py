"""What a link shows, counted while it is listed: nothing of it is kept, however many objects there are.

The rules of keys look at every object, where the pre-flight looks at the first page: a key that cannot be a file would
make the counts differ after the job was paid for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Final

from headrace.aws.objects import StoredObject
from headrace.rules import Finding, Rule, run_rules
from headrace.rules.location_paths import keys_are_paths, no_object_is_also_a_folder, path_rule_broken
from headrace.rules.locations import (
    MAX_EXAMPLES,
    DataSpec,
    LocationSpec,
    ObjectSpec,
    is_archived,
    objects_can_be_read_at_once,
    spec_of_location,
)
from headrace.tally import Tally, Told

TOLD_OBJECTS: Final = 1000
_BYTES_PER_GIB: Final = 1 << 30
_RULES_OF_KEYS: Final[tuple[tuple[Rule[DataSpec], Callable[[ObjectSpec], bool]], ...]] = (
    (keys_are_paths, lambda each: path_rule_broken(each.key) is not None),
    (objects_can_be_read_at_once, is_archived),
)
"""Rule -> whether an object breaks it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """How much there is. ``newest``: when an object was written last (UTC); None where that is not known.

    ``objects``: with those that only mark a folder, which are no files.
    """

    files: int
    size_bytes: int
    largest_bytes: int
    objects: int = 0
    newest: datetime | None = None

    @property
    def tally(self) -> Tally:
        """Files and bytes."""
        return Tally(files=self.files, size_bytes=self.size_bytes)

    @property
    def size_gib(self) -> float:
        """The bytes in GiB."""
        return self.size_bytes / _BYTES_PER_GIB

    def __add__(self, other: Contents) -> Contents:
        times = [each for each in (self.newest, other.newest) if each is not None]
        return Contents(
            files=self.files + other.files,
            size_bytes=self.size_bytes + other.size_bytes,
            largest_bytes=max(self.largest_bytes, other.largest_bytes),
            objects=self.objects + other.objects,
            newest=max(times, default=None),
        )


NOTHING: Final = Contents(files=0, size_bytes=0, largest_bytes=0)


def look_through(
    where: LocationSpec, objects: Iterable[StoredObject], region: str, told: Told = lambda _what, _count: None
) -> tuple[Contents, list[Finding]]:
    """Count the objects, and what the rules say of their keys, each rule once. ``where``: without any object.

    They come in the order of their keys. An empty one whose key ends with a slash marks a folder, and is no file.
    ``told`` hears how many were listed.
    """
    contents, clash = NOTHING, _Clash()
    broken = [_Broken(each, breaks) for each, breaks in _RULES_OF_KEYS]
    remaining = iter(objects)
    while batch := tuple(islice(remaining, TOLD_OBJECTS)):
        files = tuple(each for each in batch if each.size_bytes or not each.key.endswith("/"))
        contents += Contents(
            files=len(files),
            size_bytes=sum(each.size_bytes for each in files),
            largest_bytes=max((each.size_bytes for each in files), default=0),
            objects=len(batch),
            newest=max((each.modified for each in files), default=None),
        )
        told("objects listed", contents.objects)
        for each in files:
            clash.see(each)
            for one in broken:
                one.see(each)
    findings = [finding for one in broken for finding in one.findings(where, region)]
    of_clashes = replace(where, further=clash.count - clash.shown)
    return contents, [*findings, *judged([no_object_is_also_a_folder], of_clashes, clash.witnesses, region)]


class _Broken:
    """Of the objects that break a rule, the first few, and how many there are."""

    def __init__(self, rule: Rule[DataSpec], breaks: Callable[[ObjectSpec], bool]) -> None:
        self._rule, self._breaks = rule, breaks
        self._examples: list[ObjectSpec] = []
        self._count = 0

    def see(self, each: ObjectSpec) -> None:
        if self._breaks(each):
            self._count += 1
            if len(self._examples) < MAX_EXAMPLES:
                self._examples.append(each)

    def findings(self, where: LocationSpec, region: str) -> list[Finding]:
        further = replace(where, further=self._count - len(self._examples))
        return judged([self._rule], further, self._examples, region)


def judged(
    rules: Sequence[Rule[DataSpec]], where: LocationSpec, objects: Sequence[ObjectSpec], region: str
) -> list[Finding]:
    """What the rules say of these objects of a location."""
    return run_rules(rules, spec_of_location(replace(where, objects=tuple(objects)), region))


class _Clash:
    """The keys that are also the folder of another, the first few of them; keys come in the order of their bytes.

    Between a key and what lies in the folder of its name other keys may come (``a``, ``a-b``, ``a/b``), but all of
    them begin with it: so those keys are kept that the present one begins with.
    """

    def __init__(self) -> None:
        self.witnesses: list[ObjectSpec] = []
        self.count = 0
        self._beginnings: list[ObjectSpec] = []
        self._counted: list[bool] = []

    def see(self, each: ObjectSpec) -> None:
        while self._beginnings and not each.key.startswith(self._beginnings[-1].key):
            self._beginnings.pop()
            self._counted.pop()
        for number, other in enumerate(self._beginnings):
            if not self._counted[number] and each.key.startswith(f"{other.key}/"):
                self._counted[number] = True
                self._found(other, each)
        self._beginnings.append(each)
        self._counted.append(False)

    @property
    def shown(self) -> int:
        """How many of them are among the witnesses."""
        keys = [each.key for each in self.witnesses]
        return sum(any(other.startswith(f"{key}/") for other in keys) for key in keys)

    def _found(self, folder: ObjectSpec, inside: ObjectSpec) -> None:
        self.count += 1
        if self.count <= MAX_EXAMPLES:
            self.witnesses += [each for each in (folder, inside) if each not in self.witnesses]
