"""Where manifests come from and go to, and what they are made from: files, streams and S3.

The commands import this module when they run, so that ``headrace --help`` does not.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, TextIO

from headrace.aws import Connection
from headrace.aws.objects import Objects
from headrace.cli.progress import Progress
from headrace.delivery import copy_to, handed_to, into_file
from headrace.errors import InvalidInput
from headrace.manifests import Lookup
from headrace.manifests.entries import entries_below, entries_of_list, parse_prefix, without_markers
from headrace.manifests.key_list import KeyList
from headrace.manifests.keys import S3_SCHEME, split_uri
from headrace.manifests.labels import LabelOptions, augmented_lines
from headrace.manifests.problems import Problems
from headrace.manifests.writing import write_entries, write_lines

_STANDARD: Final = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a new manifest is made from: a table of labels, a list, or a listing of the prefix.

    ``prefix``: an S3 URI. ``list_file`` and ``labels``: a path, or - for standard input. ``separator``: what ends the
    items of the list. Raises InvalidInput when none or too much of it is given.
    """

    prefix: str | None
    suffixes: tuple[str, ...]
    list_file: str | None
    separator: bytes
    labels: str | None
    reference_column: str
    number_columns: tuple[str, ...]
    region: str | None

    def __post_init__(self) -> None:
        """Check what goes together."""
        if self.labels is not None and self.list_file is not None:
            raise InvalidInput("--labels and --from are both given; allowed: one of them; fix: make two manifests")
        if self.prefix is None and self.labels is None and self.list_file is None:
            raise InvalidInput("no objects are named; allowed: --prefix, --from or --labels; fix: give one of them")
        if self.suffixes and (self.labels is not None or self.list_file is not None):
            raise InvalidInput("--suffix is given; allowed: with a listing of --prefix only; fix: filter the list")
        if self.prefix is not None:
            parse_prefix(self.prefix)

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """The file or stream to read; an empty one for a listing."""
        name = self.labels if self.labels is not None else self.list_file
        if name is None:
            yield io.BytesIO()
        elif name == _STANDARD:
            yield sys.stdin.buffer
        else:
            with _opened_file(name) as stream:
                yield stream

    def write(self, target: BinaryIO, source: BinaryIO, progress: Progress) -> int:
        """Write the manifest; how many objects it names. Raises InvalidInput with what is wrong in the source."""
        if self.labels is not None:
            return write_lines(target, augmented_lines(_text_of(source), self._label_options()), progress)
        problems = Problems()
        if self.list_file is None:
            bucket, prefix = parse_prefix(self.prefix or "")
            return write_entries(
                target, entries_below(bucket, prefix, self._listing(bucket, prefix), problems), progress
            )
        if self.prefix is not None:
            base = parse_prefix(self.prefix)
            keys = KeyList(source, separator=self.separator, base=base).keys(problems)
            return write_entries(target, entries_below(*base, keys, problems), progress)
        with entries_of_list(KeyList(source, separator=self.separator), problems) as entries:
            return write_entries(target, entries, progress)

    def _label_options(self) -> LabelOptions:
        return LabelOptions(
            reference_column=self.reference_column, number_columns=self.number_columns, base_uri=self.prefix
        )

    def _listing(self, bucket: str, prefix: str) -> Iterator[tuple[int, str]]:
        store, _ = _objects(self.region)
        return without_markers(store.list_keys(bucket, prefix, _region_of(bucket, store)), self.suffixes)


def opened_output(output: str, region: str | None) -> AbstractContextManager[BinaryIO]:
    """Where a manifest is written: to a path, s3://bucket/key, or - for standard output."""
    if output == _STANDARD:
        return handed_to(copy_to(sys.stdout.buffer))
    if not output.startswith(S3_SCHEME):
        return into_file(Path(output))
    bucket, key = _object_place(output)
    store, _ = _objects(region)
    bucket_region = _region_of(bucket, store)
    return handed_to(lambda source: store.upload(bucket, key, bucket_region, source))


@contextmanager
def local_copy(manifest: str, region: str | None) -> Iterator[Path]:
    """The manifest as a file: one that lies in S3 is fetched first, since it is read more than once."""
    if not manifest.startswith(S3_SCHEME):
        yield Path(manifest)
        return
    bucket, key = _object_place(manifest)
    store, _ = _objects(region)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "manifest"
        with path.open("wb") as target:
            store.download(bucket, key, _region_of(bucket, store), target)
        yield path


def lookup_for(manifest: str, region: str | None) -> Lookup:
    """Where the objects of the manifest, a path or URI, are looked up."""
    store, job_region = _objects(region)
    bucket = _object_place(manifest)[0] if manifest.startswith(S3_SCHEME) else None
    return Lookup(store=store, region=job_region, manifest_bucket=bucket)


def _objects(region: str | None) -> tuple[Objects, str]:
    connection = Connection(region)
    return Objects(connection), connection.region


def _region_of(bucket: str, store: Objects) -> str:
    region = store.bucket_region(bucket)
    if region is None:
        raise InvalidInput(f"bucket is {bucket!r}; allowed: a bucket that exists; fix: correct the name")
    return region


def _object_place(uri: str) -> tuple[str, str]:
    place = split_uri(uri)
    if place is None or not place[1]:
        raise InvalidInput(f"manifest is {uri!r}; allowed: a path, or s3://bucket/key; fix: correct the URI")
    return place


def _opened_file(name: str) -> BinaryIO:
    try:
        return Path(name).open("rb")
    except OSError as error:
        raise InvalidInput(f"input is {name!r}: {error.strerror}; fix: give a file that can be read") from None


def _text_of(source: BinaryIO) -> TextIO:
    return io.TextIOWrapper(source, encoding="utf-8-sig", newline="")
