"""What Pipe mode streams: the records of a channel, in the order of an epoch.

An object of a prefix or of a manifest is one record of one part. A line of an augmented manifest is one record, and
each of its attributes one part: an attribute whose name ends in ``-ref`` is the object that it names, every other its
value as JSON. Parts follow each other without anything between, unless RecordIO frames each of them.

Source: Amazon SageMaker Developer Guide, "Augmented Manifest Files for Training Jobs". How a text is passed, it leaves
open: here as JSON, with its quotes.
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from headrace_local.runner.job import JobFailed, TrainingJob
from headrace_local.runner.recordio import framed
from headrace_local.runner.s3_objects import list_objects, read_text, split_uri
from headrace_local.runner.s3_storage import S3Storage

_CHUNK_BYTES = 1 << 20


class Reference(NamedTuple):
    """A part whose bytes are those of an object."""

    bucket: str
    key: str


Record = tuple[Reference | bytes, ...]


def records_of(job: TrainingJob, channel: Mapping[str, Any]) -> tuple[Record, ...]:
    """All records of a channel, in the order of its source. Raises JobFailed for what cannot be streamed."""
    source = channel["DataSource"]["S3DataSource"]
    if source["S3DataType"] == "AugmentedManifestFile":
        storage = S3Storage(job.region)
        uri, names = str(source["S3Uri"]), source["AttributeNames"]
        lines = read_text(uri, storage).split("\n")
        found = (_line(uri, number, line, names, storage) for number, line in enumerate(lines, 1) if line.strip())
        return tuple(found)
    listing = list_objects(job, source)
    return tuple((Reference(listing.bucket, each.key),) for each in listing.objects)


def _line(uri: str, number: int, line: str, names: Sequence[str], storage: S3Storage) -> Record:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise _bad_line(uri, number, "it is no JSON object")
    for name in names:
        if name not in value:
            raise _bad_line(uri, number, f"it has no attribute {name!r}, which AttributeNames asks for")
    return tuple(_part(uri, number, name, value[name], storage) for name in names)


def _part(uri: str, number: int, name: str, value: Any, storage: S3Storage) -> Reference | bytes:
    if not name.endswith("-ref"):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    if not (isinstance(value, str) and value.startswith("s3://")):
        raise _bad_line(uri, number, f"{name} is {value!r}; an attribute ending in -ref must be an S3 URI")
    reference = Reference(*split_uri(value))
    if storage.describe(*reference) is None:
        raise _bad_line(uri, number, f"{name} names {value}, which does not exist")
    return reference


def _bad_line(uri: str, number: int, why: str) -> JobFailed:
    return JobFailed(f"ClientError: Data download failed:line {number} of augmented manifest {uri}: {why}")


class Encoder:
    """The bytes of a channel's records: decompressed and framed as the channel asks."""

    def __init__(self, channel: Mapping[str, Any], storage: S3Storage) -> None:
        self._is_compressed = channel.get("CompressionType", "None") == "Gzip"
        self._is_framed = channel.get("RecordWrapperType", "None") == "RecordIO"
        self._storage = storage

    def encode(self, record: Record) -> Iterator[bytes]:
        """The bytes of one record, in pieces. Raises JobFailed for an object that is gone or not what it should be."""
        for part in record:
            pieces = self._pieces(part)
            if self._is_framed:
                yield self._frame(part, b"".join(pieces))
            else:
                yield from pieces

    def _frame(self, part: Reference | bytes, content: bytes) -> bytes:
        try:
            return framed(content)
        except ValueError as error:
            raise _unreadable(part, str(error)) from None

    def _pieces(self, part: Reference | bytes) -> Iterator[bytes]:
        if isinstance(part, bytes):
            yield part
            return
        content = self._storage.read(*part)
        if content is None:
            raise _unreadable(part, "NoSuchKey")
        if self._is_compressed:
            yield from _decompressed(part, content)
        else:
            yield content


def _decompressed(part: Reference, content: bytes) -> Iterator[bytes]:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            while piece := file.read(_CHUNK_BYTES):
                yield piece
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(part, f"CompressionType is Gzip, and the object is none: {error}") from None


def _unreadable(part: Reference | bytes, why: str) -> JobFailed:
    name = f"s3://{part.bucket}/{part.key}" if isinstance(part, Reference) else "an attribute"
    return JobFailed(f"ClientError: Data download failed:{name}: {why}")
