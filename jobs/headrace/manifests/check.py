"""The check of a manifest: one pass over its text, one listing of what it names, and everything wrong in one report.

Memory stays flat: the text is read in pieces, references lie on disk as hashes, mistakes are counted. Values of
mistakes that only the end reveals (repeats, missing objects) are read from the file again, a few at most.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from headrace.errors import InvalidInput
from headrace.manifests.notes import Notes
from headrace.manifests.objects import ObjectStore, Progress, Search, regions_of
from headrace.manifests.references import Batch, References
from headrace.rules import Finding, Level, run_rules
from headrace.rules.manifest import MANIFEST_RULES, ManifestSpec
from headrace.rules.manifest_mistakes import Mistake, Tally


class ManifestForm(Protocol):
    """One of the two forms: PlainManifest or AugmentedManifest."""

    @property
    def unit(self) -> str:
        """What is counted: ``element`` or ``line``."""

    @property
    def repeat(self) -> Mistake:
        """What it is when an object is named twice."""

    def read(self, stream: BinaryIO, notes: Notes) -> Iterator[Batch]:
        """The references in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """Where to look the objects up: the job's ``region``, and the manifest's own bucket if it lies in S3."""

    store: ObjectStore
    region: str
    manifest_bucket: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestReport:
    """What a check found. ``reference_count``: objects named; ``looked_up``: whether S3 was asked for them."""

    name: str
    unit: str
    reference_count: int
    size_bytes: int
    looked_up: bool
    findings: tuple[tuple[Finding, Tally], ...]

    @property
    def has_errors(self) -> bool:
        """Whether SageMaker would choke on it."""
        return any(finding.level is Level.ERROR for finding, _ in self.findings)

    def to_json(self) -> dict[str, Any]:
        """The report as ``--json`` prints it: findings in order, each with its first places."""
        return {
            "manifest": self.name,
            "references": self.reference_count,
            "bytes": self.size_bytes,
            "objects_looked_up": self.looked_up,
            "errors": self.has_errors,
            "findings": [
                asdict(finding)
                | {"mistake": tally.mistake, "total": tally.total, "unit": self.unit}
                | {"places": [asdict(place) for place in tally.places]}
                for finding, tally in self.findings
            ],
        }


def check_manifest(
    path: Path, form: ManifestForm, *, name: str, lookup: Lookup | None = None, progress: Progress = lambda *_: None
) -> ManifestReport:
    """Check the manifest in ``path``, which is called ``name`` in the report; without ``lookup`` no call to AWS.

    Raises InvalidInput for a file that cannot be read, and AwsError when AWS refuses to answer.
    """
    try:
        with closing(_Check(path, form, progress)) as check:
            check.read()
            if lookup is not None:
                check.look_up(lookup)
            return check.report(name, looked_up=lookup is not None)
    except OSError as error:
        raise InvalidInput(
            f"manifest is {name!r}: {error.strerror or error}; fix: give a file that can be read"
        ) from None


class _Check:
    def __init__(self, path: Path, form: ManifestForm, progress: Progress) -> None:
        self._path = path
        self._form = form
        self._progress = progress
        self._notes = Notes()
        self._references = References()
        self._count = 0

    def read(self) -> None:
        for batch in self._batches(self._notes):
            self._references.add(batch)
            self._count += len(batch.keys)
            self._progress(f"{self._form.unit}s read", self._count)
        self._name_values(
            self._form.repeat, self._notes.add_numbers(self._form.repeat, self._references.hashes.repeats())
        )

    def look_up(self, lookup: Lookup) -> None:
        named = sorted(bucket for bucket in self._references.extents if bucket)
        buckets = sorted({*named, lookup.manifest_bucket or ""} - {""})
        regions = regions_of(buckets, lookup.store, lookup.region, self._notes)
        search = Search(
            references=self._references,
            regions={bucket: regions[bucket] for bucket in named if bucket in regions},
            read_again=lambda: self._batches(Notes()),
            store=lookup.store,
            progress=self._progress,
        )
        self._name_values(Mistake.MISSING_OBJECT, search.note_missing(self._notes))
        self._references.note_left_out(self._notes)

    def report(self, name: str, *, looked_up: bool) -> ManifestReport:
        findings = (
            (finding, tally)
            for tally in self._notes.tallies()
            for finding in run_rules(MANIFEST_RULES, ManifestSpec(name=name, unit=self._form.unit, tallies=(tally,)))
        )
        return ManifestReport(
            name=name,
            unit=self._form.unit,
            reference_count=self._count,
            size_bytes=self._path.stat().st_size,
            looked_up=looked_up,
            findings=tuple(findings),
        )

    def close(self) -> None:
        self._references.hashes.close()

    def _batches(self, notes: Notes) -> Iterator[Batch]:
        with self._path.open("rb") as stream:
            yield from self._form.read(stream, notes)

    def _name_values(self, mistake: Mistake, numbers: tuple[int, ...]) -> None:
        """Read the file again for what stands at these numbers."""
        wanted, values = set(numbers), dict[int, str]()
        for batch in self._batches(Notes()) if wanted else ():
            if wanted.isdisjoint(batch.numbers):
                continue
            for key, number in zip(batch.keys, batch.numbers, strict=True):
                if number in wanted:
                    values[number] = f"s3://{batch.bucket}/{key}" if batch.bucket else key
            if len(values) == len(wanted):
                break
        self._notes.name_values(mistake, values)
