"""What a link shows, counted while it is listed: nothing of it is kept, however many objects there are.

The rules of keys look at every page, where the pre-flight looks at the first: a key that cannot be a file would make
the counts differ after the job was paid for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from headrace.aws.objects import StoredObject
from headrace.rules import Finding, run_rules
from headrace.rules.location_paths import keys_are_paths, no_object_is_also_a_folder
from headrace.rules.locations import DataSpec, LocationSpec, objects_can_be_read_at_once
from headrace.sources import S3Location
from headrace.tally import Tally

_RULES: Final = (keys_are_paths, no_object_is_also_a_folder, objects_can_be_read_at_once)
_PAGE_OBJECTS: Final = 10_000

Told = Callable[[str, int], None]
"""Told what is counted, and how many there are by now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """How much there is. ``newest``: when an object was written last (UTC); None where that is not known."""

    files: int
    size_bytes: int
    largest_bytes: int
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
            newest=max(times, default=None),
        )


NOTHING: Final = Contents(files=0, size_bytes=0, largest_bytes=0)


def look_through(
    location: S3Location, objects: Iterable[StoredObject], told: Told = lambda _what, _count: None
) -> tuple[Contents, list[Finding]]:
    """Count the objects that are files, and what the rules say of their keys, each rule once.

    An empty object whose key ends with a slash marks a folder, and is no file. ``told`` hears how many were listed.
    """
    contents, findings = NOTHING, dict[str, Finding]()
    for page in _pages(each for each in objects if each.size_bytes or not each.key.endswith("/")):
        contents += Contents(
            files=len(page),
            size_bytes=sum(each.size_bytes for each in page),
            largest_bytes=max(each.size_bytes for each in page),
            newest=max(each.modified for each in page),
        )
        told("objects listed", contents.files)
        for finding in _judged(location, page):
            findings.setdefault(finding.rule_id, finding)
    return contents, list(findings.values())


def _pages(objects: Iterator[StoredObject]) -> Iterator[tuple[StoredObject, ...]]:
    return iter(lambda: tuple(islice(objects, _PAGE_OBJECTS)), ())


def _judged(location: S3Location, page: Sequence[StoredObject]) -> list[Finding]:
    where = LocationSpec(
        field="link", bucket=location.bucket, prefix=location.prefix, is_readable=True, objects=tuple(page)
    )
    spec = DataSpec(
        region="",
        locations=(where,),
        readable_locations=(),
        has_own_role=False,
        volume_size_gb=1,
        instance_types=(),
    )
    return run_rules(_RULES, spec)
