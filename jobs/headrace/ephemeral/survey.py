"""What lies below the links of an ephemeral file system: how much there is, and what of it cannot become a file.

All of it is listed before anything is paid for: the number of objects decides how long the import may take, their
bytes how large the file system is. So the whole listing is judged, page by page, where the pre-flight looks at the
first page. Nothing is kept of it but the counts: a prefix may hold a hundred million objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from headrace.aws import Aws
from headrace.aws.objects import Objects
from headrace.ephemeral.associations import Association
from headrace.rules import Finding, Rule, run_rules
from headrace.rules.location_paths import keys_are_paths, no_object_is_also_a_folder
from headrace.rules.locations import (
    DataSpec,
    LocationSpec,
    ObjectSpec,
    linked_path_has_objects,
    objects_can_be_read_at_once,
)

_BATCH_OBJECTS = 10_000
_RULES_OF_KEYS = (keys_are_paths, objects_can_be_read_at_once)
BYTES_PER_GIB = 1 << 30

Told = Callable[[str, int], None]
"""Told what is counted, and how many there are by now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """How much there is, and what the rules say of it. ``is_whole`` False: the listing was broken off.

    ``files``: the objects without those that only mark a folder.
    """

    objects: int
    size_bytes: int
    files: int = 0
    largest_bytes: int = 0
    findings: tuple[Finding, ...] = ()
    is_whole: bool = True

    @property
    def size_gib(self) -> float:
        """The bytes in GiB."""
        return self.size_bytes / BYTES_PER_GIB


def survey(associations: Sequence[Association], aws: Aws, told: Told, most: int | None = None) -> Survey:
    """List all that the associations show, or the first ``most`` objects of each. Raises AwsError.

    A bucket that does not exist is the pre-flight's to tell.
    """
    store = Objects(aws.connection)
    total = Survey(objects=0, size_bytes=0)
    for each in associations:
        region = store.bucket_region(each.bucket)
        if region is None:
            continue
        found = _counted(store.list_objects(each.bucket, each.prefix, region), total.objects, told)
        one = judged(each, islice(found, most), aws.region)
        total = Survey(
            objects=total.objects + one.objects,
            size_bytes=total.size_bytes + one.size_bytes,
            files=total.files + one.files,
            largest_bytes=max(total.largest_bytes, one.largest_bytes),
            findings=(*total.findings, *one.findings),
            is_whole=total.is_whole and one.objects != most,
        )
    return total


def _counted(objects: Iterable[ObjectSpec], before: int, told: Told) -> Iterator[ObjectSpec]:
    for number, each in enumerate(objects, start=before + 1):
        told("objects listed", number)
        yield each


def judged(association: Association, objects: Iterable[ObjectSpec], region: str) -> Survey:
    """Count the objects, which come in the order of their keys, and hold them against the rules of keys."""
    where = LocationSpec(
        field=association.field,
        bucket=association.bucket,
        prefix=association.prefix,
        is_readable=True,
        is_linked=True,
        objects=(),
        are_all=True,
    )
    total, findings = Survey(objects=0, size_bytes=0), dict[str, Finding]()
    clash = _Clash()
    sample: tuple[ObjectSpec, ...] = ()
    remaining = iter(objects)
    while batch := tuple(islice(remaining, _BATCH_OBJECTS)):
        files = tuple(each for each in batch if each.size_bytes or not each.key.endswith("/"))
        total = Survey(
            objects=total.objects + len(batch),
            size_bytes=total.size_bytes + sum(each.size_bytes for each in files),
            files=total.files + len(files),
            largest_bytes=max(total.largest_bytes, *(each.size_bytes for each in files), 0),
        )
        sample = sample or files[:1]
        # one example of each is enough
        rules = [each for each in _RULES_OF_KEYS if each.rule_id not in findings]
        findings |= {each.rule_id: each for each in _run(rules, where, batch, region)}
        for each in files:
            clash.see(each)
    findings |= {each.rule_id: each for each in _run([linked_path_has_objects], where, sample, region)}
    findings |= {each.rule_id: each for each in _run([no_object_is_also_a_folder], where, clash.witnesses, region)}
    return replace(total, findings=tuple(findings.values()))


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


def _run(
    rules: Sequence[Rule[DataSpec]], where: LocationSpec, objects: Sequence[ObjectSpec], region: str
) -> list[Finding]:
    spec = DataSpec(
        region=region,
        locations=(replace(where, objects=tuple(objects)),),
        readable_locations=(),
        has_own_role=False,
        volume_size_gb=1,
        instance_types=(),
    )
    return run_rules(rules, spec)
