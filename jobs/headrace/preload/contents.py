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
from headrace.rules.location_paths import keys_are_paths, no_object_is_also_a_folder
from headrace.rules.locations import DataSpec, LocationSpec, ObjectSpec, objects_can_be_read_at_once
from headrace.tally import Tally

BATCH_OBJECTS: Final = 10_000
_RULES_OF_KEYS: Final = (keys_are_paths, objects_can_be_read_at_once)

Told = Callable[[str, int], None]
"""Told what is counted, and how many there are by now."""


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
    contents, findings, clash = NOTHING, dict[str, Finding](), _Clash()
    remaining = iter(objects)
    while batch := tuple(islice(remaining, BATCH_OBJECTS)):
        files = tuple(each for each in batch if each.size_bytes or not each.key.endswith("/"))
        contents += Contents(
            files=len(files),
            size_bytes=sum(each.size_bytes for each in files),
            largest_bytes=max((each.size_bytes for each in files), default=0),
            objects=len(batch),
            newest=max((each.modified for each in files), default=None),
        )
        told("objects listed", contents.objects)
        # one example of each is enough
        rules = [each for each in _RULES_OF_KEYS if each.rule_id not in findings]
        findings |= {each.rule_id: each for each in judged(rules, where, files, region)}
        for each in files:
            clash.see(each)
    findings |= {each.rule_id: each for each in judged([no_object_is_also_a_folder], where, clash.witnesses, region)}
    return contents, list(findings.values())


def judged(
    rules: Sequence[Rule[DataSpec]], where: LocationSpec, objects: Sequence[ObjectSpec], region: str
) -> list[Finding]:
    """What the rules say of these objects of a location."""
    spec = DataSpec(
        region=region,
        locations=(replace(where, objects=tuple(objects)),),
        readable_locations=(),
        has_own_role=False,
        volume_size_gb=1,
        instance_types=(),
    )
    return run_rules(rules, spec)


class _Clash:
    """The first key that is also the folder of another; keys come in the order of their bytes.

    Between a key and what lies in the folder of its name other keys may come (``a``, ``a-b``, ``a/b``), but all of
    them begin with it: so those keys are kept that the present one begins with.
    """

    def __init__(self) -> None:
        self.witnesses: tuple[ObjectSpec, ...] = ()
        self._beginnings: list[ObjectSpec] = []

    def see(self, each: ObjectSpec) -> None:
        if self.witnesses:
            return
        while self._beginnings and not each.key.startswith(self._beginnings[-1].key):
            self._beginnings.pop()
        for other in self._beginnings:
            if each.key.startswith(f"{other.key}/"):
                self.witnesses = (other, each)
                return
        self._beginnings.append(each)
