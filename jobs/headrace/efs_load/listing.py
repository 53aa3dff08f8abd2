"""What S3 holds below a prefix, as the files that the EFS shall have.

The whole listing is judged before anything is created, where the pre-flight looks at the first page: a key that cannot
be a file would fail the job after it was paid for.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from headrace.aws.objects import StoredObject
from headrace.errors import InvalidInput
from headrace.rules import Finding, run_rules
from headrace.rules.location_paths import keys_are_paths, no_object_is_also_a_folder
from headrace.rules.locations import LocationSpec, objects_can_be_read_at_once, spec_of_location
from headrace.sources import S3Location
from headrace.tally import Tally, Told

_RULES = (keys_are_paths, no_object_is_also_a_folder, objects_can_be_read_at_once)


def listed(objects: Iterable[StoredObject], told: Told) -> tuple[StoredObject, ...]:
    """The objects that become files; an empty one that only marks a folder becomes none."""
    files: list[StoredObject] = []
    for each in objects:
        if each.size_bytes or not each.key.endswith("/"):
            files.append(each)
            told("objects listed", len(files))
    return tuple(files)


def findings_of(location: S3Location, objects: tuple[StoredObject, ...], region: str) -> list[Finding]:
    """What the rules of keys say of all objects. Raises InvalidInput for a key that ends or begins with a slash."""
    for each in objects:
        if "" in (names := path_of(each, location).split("/")) and "//" not in each.key:
            end = "begins" if names[0] == "" else "ends"
            raise InvalidInput(
                f"prefix: key {each.key[:80]!r} {end} with '/'; allowed: keys that can be files; "
                "fix: copy the object to another key"
            )
    where = LocationSpec(
        field="prefix", bucket=location.bucket, prefix=location.prefix, is_readable=True, objects=objects, are_all=True
    )
    return run_rules(_RULES, spec_of_location(where, region))


def path_of(each: StoredObject, location: S3Location) -> str:
    """The object's path below the directory: its key without the prefix."""
    return each.key[len(location.prefix) :]


def tally_of(objects: Sequence[StoredObject]) -> Tally:
    """How much there is."""
    return Tally(files=len(objects), size_bytes=sum(each.size_bytes for each in objects))


def write_listing(path: Path, location: S3Location, objects: Iterable[StoredObject]) -> None:
    """Write what the script reads: gzip, a JSON array a line: path, bytes, modified in milliseconds."""
    with gzip.open(path, "wt", encoding="utf-8") as stream:
        for each in objects:
            entry = [path_of(each, location), each.size_bytes, round(each.modified.timestamp() * 1000)]
            stream.write(f"{json.dumps(entry)}\n")
