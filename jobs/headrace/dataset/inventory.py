"""S3 Inventory: what a bucket held on a day, as S3 wrote it down: a manifest, and files of rows.

Only what can be read now counts: the latest version of an object, and no delete marker.

Source: Amazon S3 User Guide, "Amazon S3 Inventory list" and "Locating your inventory list" (keys of CSV files are
URL-encoded, those of Parquet files are not).
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_to_bytes

import numpy as np

from headrace.dataset.pages import Page, page_of
from headrace.errors import InvalidInput
from headrace.rules.values import shown

if TYPE_CHECKING:
    from pyarrow import RecordBatch

BATCH_ROWS: Final = 8192
FORMATS: Final = ("CSV", "Parquet")
_NAMES: Final = {
    "key": "key",
    "size": "size",
    "storageclass": "storage_class",
    "islatest": "is_latest",
    "isdeletemarker": "is_delete_marker",
}
_MOST_SIZE_BYTES: Final = 1 << 46
"""More than the largest object of S3, 50 TB; so many of them as a batch has rows do not overflow."""
_NEEDED: Final = ("key", "size")
_PARQUET_FIELD: Final = re.compile(r"(?:required|optional)\s+\w+\s+(\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile:
    """A file of rows. ``md5``: of its bytes, in hexadecimal."""

    key: str
    md5: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A manifest. ``columns``: what we read -> the number of the column. ``taken``: when, ISO 8601; None: not told."""

    source_bucket: str
    file_format: str
    columns: dict[str, int]
    files: tuple[DataFile, ...]
    taken: str | None


def parse_manifest(text: bytes, name: str) -> Manifest:
    """Read manifest.json. Raises InvalidInput, each line beginning with ``name``, with all that is wrong with it."""
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(
            f"{name}: no manifest of S3 Inventory: {error}; fix: give the URI of manifest.json"
        ) from None
    if not isinstance(plain, dict) or not isinstance(plain.get("files"), list):
        raise InvalidInput(f"{name}: no manifest of S3 Inventory; fix: give the URI of manifest.json")
    problems = []
    file_format = plain.get("fileFormat")
    if file_format not in FORMATS:
        why = "; ORC is not read, since pyarrow's reader of it needs a library that pip does not bring everywhere"
        problems.append(
            f"{name}: fileFormat is {shown(file_format)}; allowed: CSV, Parquet{why if file_format == 'ORC' else ''}; "
            "fix: configure the inventory with one of them"
        )
    columns = _columns(str(plain.get("fileSchema", "")))
    problems += [
        f"{name}: fileSchema has no column {each!r}; allowed: Key and Size at least; fix: add it to the inventory"
        for each in _NEEDED
        if each not in columns
    ]
    files = [_data_file(each) for each in plain["files"]]
    if None in files:
        problems.append(f"{name}: files.{files.index(None)} has no key and MD5checksum; fix: fetch the manifest anew")
    if problems:
        raise InvalidInput(*problems)
    return Manifest(
        source_bucket=str(plain.get("sourceBucket", "")),
        file_format=str(file_format),
        columns=columns,
        files=tuple(each for each in files if each is not None),
        taken=_taken(plain.get("creationTimestamp")),
    )


def pages_of_csv(lines: Iterable[str], manifest: Manifest, prefix: bytes) -> Iterator[Page]:
    """The objects of a CSV file below a prefix. Raises ValueError for rows that are none of an inventory."""
    rows = csv.reader(lines, strict=True)
    columns = manifest.columns
    most = max(columns.values())
    while batch := _batch(rows):
        keys, sizes, classes = [], [], []
        for row in batch:
            if len(row) <= most:
                raise ValueError("a row has too few columns")
            if not _is_now(row, columns):
                continue
            key = unquote_to_bytes(row[columns["key"]].replace("+", " "))
            if key.startswith(prefix):
                keys.append(key)
                sizes.append(_size(row[columns["size"]]))
                classes.append(row[columns["storage_class"]] if "storage_class" in columns else "")
        yield _page(keys, sizes, classes)


def _batch(rows: Iterator[list[str]]) -> list[list[str]]:
    try:
        return list(islice(rows, BATCH_ROWS))
    except csv.Error as error:
        raise ValueError(str(error)) from None


def _size(text: str) -> int:
    if text and not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= _MOST_SIZE_BYTES):
        raise ValueError(f"{shown(text)} is no size")
    return int(text or 0)


def parquet_columns(manifest: Manifest) -> list[str]:
    """The columns to read of a Parquet file."""
    return list(manifest.columns)


def page_of_batch(batch: RecordBatch, prefix: bytes) -> Page:
    """The objects of a batch of rows below a prefix. Raises ValueError for rows that are none of an inventory."""
    from pyarrow import ArrowException

    if missing := [each for each in _NEEDED if each not in batch.schema.names]:
        raise ValueError(f"it has no column {' and '.join(missing)}")
    try:
        return _page_of_batch(batch, prefix)
    except ArrowException as error:
        raise ValueError(" ".join(str(error).split())) from None


def _page_of_batch(batch: RecordBatch, prefix: bytes) -> Page:
    import pyarrow as pa
    import pyarrow.compute as pc

    table: Any = pa.table(batch.columns, names=batch.schema.names)
    # by way of text, so that what is no UTF-8 is seen
    keys = table["key"].cast(pa.large_utf8()).cast(pa.large_binary())
    mask = pc.starts_with(keys, prefix)
    if "is_latest" in table.column_names:
        mask = pc.and_(mask, pc.fill_null(table["is_latest"], True))
    if "is_delete_marker" in table.column_names:
        mask = pc.and_(mask, pc.invert(pc.fill_null(table["is_delete_marker"], False)))
    keys = pa.concat_arrays(keys.filter(mask).chunks) if len(table) else pa.array([], pa.large_binary())
    classes = table["storage_class"].filter(mask) if "storage_class" in table.column_names else None
    encoded = None if classes is None else pc.fill_null(classes, "").combine_chunks().dictionary_encode()
    sizes = pc.fill_null(table["size"].filter(mask).cast(pa.int64()), 0).to_numpy()
    if len(sizes) and not 0 <= sizes.min() <= sizes.max() <= _MOST_SIZE_BYTES:
        raise ValueError(f"{sizes.min()} or {sizes.max()} is no size")
    _, offsets, text = keys.buffers()
    places = np.frombuffer(offsets, dtype=np.int64)[keys.offset : keys.offset + len(keys) + 1]
    return Page(
        text=np.frombuffer(text or b"", dtype=np.uint8),
        starts=places[:-1],
        stops=places[1:],
        sizes=sizes,
        classes=np.zeros(len(keys), dtype=np.int64) if encoded is None else encoded.indices.to_numpy().astype(np.int64),
        class_names=() if encoded is None else tuple(each or "STANDARD" for each in encoded.dictionary.to_pylist()),
    )


def _columns(schema: str) -> dict[str, int]:
    fields = _PARQUET_FIELD.findall(schema) if schema.lstrip().startswith("message") else schema.split(",")
    plain = [each.strip().replace("_", "").lower() for each in fields]
    return {_NAMES[each]: number for number, each in enumerate(plain) if each in _NAMES}


def _data_file(plain: object) -> DataFile | None:
    if not isinstance(plain, dict):
        return None
    key, md5 = plain.get("key"), plain.get("MD5checksum")
    return DataFile(key=key, md5=md5.lower()) if isinstance(key, str) and isinstance(md5, str) else None


def _taken(milliseconds: object) -> str | None:
    try:
        return datetime.fromtimestamp(int(str(milliseconds)) / 1000, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return None


def _is_now(row: list[str], columns: dict[str, int]) -> bool:
    is_latest = "is_latest" not in columns or row[columns["is_latest"]].lower() != "false"
    is_marker = "is_delete_marker" in columns and row[columns["is_delete_marker"]].lower() == "true"
    return is_latest and not is_marker


def _page(keys: list[bytes], sizes: list[int], classes: list[str]) -> Page:
    # one by one: what follows may complete a letter that is cut short
    b"\n".join(keys).decode()
    names = {name: number for number, name in enumerate(dict.fromkeys(classes))}
    shown_names = [] if set(names) == {""} else [name or "STANDARD" for name in names]
    return page_of(keys, sizes, [names[each] for each in classes], shown_names)
