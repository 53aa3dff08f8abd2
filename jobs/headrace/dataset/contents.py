"""What a file is, by its first bytes; and whether one file of the kind holds many samples.

A TFRecord file has no mark of its own: its first record begins with the record's length and a checksum of that, which
is as good. WebDataset shards are tar files.

Sources: the formats' own specifications; TFRecord: TensorFlow, "TFRecord and tf.train.Example" (masked CRC-32C of the
length); RecordIO: MXNet's ``kMagic``, as SageMaker's RecordIO-protobuf has it; tar: POSIX.1-2017, pax, ``ustar``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

FIRST_BYTES: Final = 512
"""How much of a file is looked at."""

_CRC_32C: Final = 0x82F63B78
_MASK_DELTA: Final = 0xA282EAD8


@dataclass(frozen=True, slots=True)
class Content:
    """A kind of file. ``is_container``: whether one holds many samples; None where it may be either."""

    name: str
    is_container: bool | None


@dataclass(frozen=True, slots=True)
class _Mark:
    content: Content
    offset: int
    mark: bytes


def _mark(name: str, mark: bytes, is_container: bool | None, offset: int = 0) -> _Mark:
    return _Mark(Content(name, is_container), offset, mark)


_MARKS: Final = (
    _mark("JPEG", b"\xff\xd8\xff", False),
    _mark("PNG", b"\x89PNG\r\n\x1a\n", False),
    _mark("GIF", b"GIF8", False),
    _mark("TIFF", b"II*\0", False),
    _mark("TIFF", b"MM\0*", False),
    _mark("WebP", b"WEBP", False, 8),
    _mark("WAV", b"WAVE", False, 8),
    _mark("AVI", b"AVI ", False, 8),
    _mark("FLAC", b"fLaC", False),
    _mark("Ogg", b"OggS", False),
    _mark("MP3", b"ID3", False),
    _mark("MP4", b"ftyp", False, 4),
    _mark("Matroska", b"\x1aE\xdf\xa3", False),
    _mark("PDF", b"%PDF-", False),
    _mark("DICOM", b"DICM", False, 128),
    _mark("tar", b"ustar", True, 257),
    _mark("Parquet", b"PAR1", True),
    _mark("ORC", b"ORC", True),
    _mark("Avro", b"Obj\x01", True),
    _mark("Arrow file", b"ARROW1\0\0", True),
    _mark("Arrow stream", b"\xff\xff\xff\xff", True),
    _mark("Feather", b"FEA1", True),
    _mark("RecordIO", b"\x0a\x23\xd7\xce", True),
    _mark("HDF5", b"\x89HDF\r\n\x1a\n", None),
    _mark("NPY", b"\x93NUMPY", None),
    _mark("zip", b"PK\x03\x04", None),
    _mark("gzip", b"\x1f\x8b", None),
    _mark("zstd", b"\x28\xb5\x2f\xfd", None),
    _mark("bzip2", b"BZh", None),
    _mark("xz", b"\xfd7zXZ\0", None),
    _mark("LZ4", b"\x04\x22\x4d\x18", None),
    _mark("pickle", b"\x80\x04\x95", None),
)
_TFRECORD: Final = Content("TFRecord", True)
_BY_SUFFIX: Final = {
    **dict.fromkeys((".csv", ".tsv", ".jsonl", ".ndjson", ".libsvm", ".svmlight"), True),
    **dict.fromkeys((".csv.gz", ".tsv.gz", ".jsonl.gz", ".ndjson.gz", ".tar.gz", ".tgz", ".tar.bz2", ".tar.zst"), True),
    **dict.fromkeys((".jsonl.zst", ".csv.zst", ".tar.xz", ".tar.lz4", ".npz"), True),
    **dict.fromkeys((".nii.gz", ".nii", ".dcm", ".txt", ".xml"), False),
}


def content_of(first: bytes) -> Content | None:
    """What these first bytes of a file say; None where they say nothing known."""
    for each in _MARKS:
        if first[each.offset : each.offset + len(each.mark)] == each.mark:
            return each.content
    return _TFRECORD if _begins_with_tfrecord(first) else None


def agreed(contents: Iterable[Content | None]) -> Content | None:
    """What several files of one suffix are: all names, and whether they are containers where they agree."""
    known = sorted({each for each in contents if each is not None}, key=lambda each: each.name)
    if not known:
        return None
    kinds = {each.is_container for each in known}
    return Content(", ".join(each.name for each in known), kinds.pop() if len(kinds) == 1 else None)


def is_container_suffix(suffix: str) -> bool | None:
    """What a suffix says where first bytes say nothing, as of text; None where it says nothing either."""
    return _BY_SUFFIX.get(suffix)


def _begins_with_tfrecord(first: bytes) -> bool:
    return len(first) >= 12 and int.from_bytes(first[8:12], "little") == _masked_crc(first[:8])


def _masked_crc(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (_CRC_32C & -(crc & 1))
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF
