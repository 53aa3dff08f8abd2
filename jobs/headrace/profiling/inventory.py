"""The profile of a prefix from an S3 Inventory: for what is too much to be listed, as of the day it was written."""

from __future__ import annotations

import hashlib
import io
import tempfile
import threading
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from typing import IO, Any, Final

from headrace.aws.connection import AccessDenied, Connection
from headrace.aws.objects import Objects
from headrace.dataset.counts import Counts
from headrace.dataset.inventory import DataFile, Manifest, page_of_batch, pages_of_csv, parquet_columns, parse_manifest
from headrace.dataset.pages import Page
from headrace.dataset.profile import Profile, Where
from headrace.dataset.summary import Folders, profile_of
from headrace.errors import InvalidInput
from headrace.profiling.looking import first_bytes_in_s3, with_contents
from headrace.profiling.taking import Told, bucket_region, now, require_files
from headrace.sources import S3Location

MOST_FOLDERS: Final = 200_000
"""Folders that are remembered: rows come in no order, so that none is ever over."""
_THREADS: Final = 4
_MOST_MANIFEST_BYTES: Final = 64 << 20
_BATCH_ROWS: Final = 65_536
_CLASH_NOTE: Final = "objects that are also a folder were not looked for: rows of an inventory come in no order"


def profile_inventory(
    connection: Connection, location: S3Location, source: S3Location, told: Told, *, looks: bool = True
) -> Profile:
    """Read the inventory whose manifest is ``source``. Raises InvalidInput for what is none, or of another bucket."""
    reading = _Reading(connection, location, source)
    counts, folders = reading.all(told)
    require_files(counts.files, location)
    region = bucket_region(connection, location)
    profile = profile_of(counts, folders, location.uri, Where.S3)
    profile = replace(profile, region=region, taken=now(), notes=(*profile.notes, *reading.notes()))
    if not looks:
        return profile
    return with_contents(profile, counts.examples, first_bytes_in_s3(connection, location.bucket, region))


class _Reading:
    def __init__(self, connection: Connection, location: S3Location, source: S3Location) -> None:
        self._source = source
        self._prefix = location.prefix.encode()
        self._objects = Objects(connection)
        self._region = bucket_region(connection, source)
        self._manifest = self._read_manifest()
        if self._manifest.source_bucket != location.bucket:
            raise InvalidInput(
                f"--inventory is {source.uri!r}, of bucket {self._manifest.source_bucket!r}; "
                f"allowed: an inventory of {location.bucket!r}; fix: give its manifest"
            )
        self._counts = Counts(self._prefix)
        self._folders: Counter[bytes] | None = Counter()
        self._counting = threading.Lock()

    def all(self, told: Told) -> tuple[Counts, Folders | None]:
        """Count what all its files hold."""
        if self._manifest.file_format == "Parquet":
            _require_pyarrow()
        with ThreadPoolExecutor(_THREADS) as threads:
            running = [threads.submit(self._read, each, told) for each in self._manifest.files]
            try:
                for each in as_completed(running):
                    each.result()
            except BaseException:
                threads.shutdown(wait=False, cancel_futures=True)
                raise
        if self._folders is None:
            return self._counts, None
        return self._counts, Folders(folders=len(self._folders), most_files=max(self._folders.values(), default=0))

    def notes(self) -> tuple[str, ...]:
        """What the figures do not say."""
        day = self._manifest.taken or "an unknown day"
        notes = [f"from an S3 Inventory of {day}: what changed since is not in it", _CLASH_NOTE]
        if self._folders is None:
            notes.append(f"folders were not counted: there are more than {MOST_FOLDERS:,}")
        return tuple(notes)

    def _read_manifest(self) -> Manifest:
        text = b""
        for chunk in self._chunks(self._source.prefix):
            text += chunk
            if len(text) > _MOST_MANIFEST_BYTES:
                raise InvalidInput(
                    f"{self._source.uri}: no manifest of S3 Inventory; fix: give the URI of manifest.json"
                )
        return parse_manifest(text, self._source.uri)

    def _chunks(self, key: str) -> Iterator[bytes]:
        try:
            yield from self._objects.chunks(self._source.bucket, key, self._region)
        except AccessDenied as error:
            raise InvalidInput(
                f"s3://{self._source.bucket}/{key}: {error.action} on it is missing; fix: have it allowed ({error})"
            ) from None

    def _read(self, file: DataFile, told: Told) -> None:
        pages = self._parquet_pages(file) if self._manifest.file_format == "Parquet" else self._csv_pages(file)
        try:
            for page in pages:
                self._count(page)
                told(self._counts.files, 0.0)
        except (ValueError, zlib.error, UnicodeDecodeError) as error:
            uri = f"s3://{self._source.bucket}/{file.key}"
            raise InvalidInput(
                f"{uri}: no file of an S3 Inventory: {error}; fix: wait for the next inventory"
            ) from None

    def _csv_pages(self, file: DataFile) -> Iterator[Page]:
        lines = io.TextIOWrapper(io.BufferedReader(_Unzipped(self._checked(file))), encoding="utf-8", newline="")
        yield from pages_of_csv(lines, self._manifest, self._prefix)

    def _parquet_pages(self, file: DataFile) -> Iterator[Page]:
        import pyarrow.parquet as pq

        # its index is at the end, so that it must lie somewhere whole
        with tempfile.TemporaryFile() as target:
            for chunk in self._checked(file):
                target.write(chunk)
            for batch in _batches(pq, target, parquet_columns(self._manifest)):
                yield page_of_batch(batch, self._prefix)

    def _checked(self, file: DataFile) -> Iterator[bytes]:
        """The bytes of a file. Raises ValueError at their end if they are not those that S3 wrote."""
        digest = hashlib.md5(usedforsecurity=False)
        for chunk in self._chunks(file.key):
            digest.update(chunk)
            yield chunk
        if digest.hexdigest() != file.md5:
            raise ValueError(f"its MD5 is {digest.hexdigest()}, not {file.md5} as in the manifest")

    def _count(self, page: Page) -> None:
        with self._counting:
            files, stops = self._counts.add(page)
            if self._folders is not None:
                text = files.text.tobytes()
                places = zip(files.starts.tolist(), stops.tolist(), strict=True)
                self._folders.update(text[start:stop] for start, stop in places)
                if len(self._folders) > MOST_FOLDERS:
                    self._folders = None


class _Unzipped(io.RawIOBase):
    """What a gzip stream holds, as it comes in."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._inflate = zlib.decompressobj(wbits=31)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        data = b""
        while not data:
            if self._inflate.eof and (self._inflate.unused_data or self._rest):
                # a file may be several streams, one after another
                self._rest, self._inflate = self._inflate.unused_data + self._rest, zlib.decompressobj(wbits=31)
            if not self._rest:
                chunk = next(self._chunks, None)
                if chunk is None:
                    if not self._inflate.eof:
                        raise ValueError("it is cut short")
                    return 0
                self._rest = chunk
                continue
            data = self._inflate.decompress(self._rest, len(target))
            self._rest = self._inflate.unconsumed_tail
        target[: len(data)] = data
        return len(data)


def _batches(pq: Any, target: IO[bytes], columns: list[str]) -> Iterator[Any]:
    from pyarrow import ArrowException

    try:
        file = pq.ParquetFile(target)
        yield from file.iter_batches(batch_size=_BATCH_ROWS, columns=columns)
    except ArrowException as error:
        raise ValueError(" ".join(str(error).split())) from None


def _require_pyarrow() -> None:
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise InvalidInput(
            "--inventory names a Parquet inventory, which pyarrow reads; fix: pip install 'headrace[inventory]', "
            "or configure the inventory as CSV"
        ) from None
