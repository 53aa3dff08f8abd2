"""What a training script asks of SageMaker's data: where is my channel, which mode, and the next record, please.

The file stands alone: the standard library of Python 3.8 or newer and nothing else, so that it is copied into any
image and imported as ``ingest``. That is why it is one long file. ``python ingest.py`` lists what a job was given.

``channel``, ``channels``  where data lies: a folder (File, FastFile, Lustre, EFS), or a FIFO per epoch (Pipe)
``job``                    the hosts, which of them this one is, and the hyperparameters
``read_…``                 the records of a stream: RecordIO, TFRecord, lines; corrupt data is an error with its place
``grouped``, ``shuffled``  records put together, and put in another order

A pipe is read once, by one process. SageMaker asks that each epoch's FIFO is read to its end or closed early, and then
the next one opened. Sources: Amazon SageMaker Developer Guide, "How Amazon SageMaker AI Provides Training Information"
and "Augmented Manifest File Format for Pipe Mode Training"; dmlc-core ``recordio.cc``; TensorFlow, "TFRecords Format
Details".
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import logging
import os
import random
import select
import stat
import struct
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeVar

__all__ = [
    "Channel",
    "CorruptStream",
    "EpochTimeout",
    "IngestError",
    "Job",
    "channel",
    "channels",
    "grouped",
    "job",
    "read_lines",
    "read_recordio",
    "read_tfrecord",
    "shuffled",
]

Item = TypeVar("Item")

DEFAULT_MAX_RECORD_BYTES = 1 << 30
DEFAULT_EPOCH_TIMEOUT_SECONDS = 1800.0

_CHUNK_BYTES = 1 << 20
_POLL_SECONDS = 0.1
_SECONDS_UNTIL_NOTICE = 2.0
_RECORDIO_MAGIC = 0xCED7230A
_RECORDIO_HEADER = struct.Struct("<II")
_RECORDIO_LENGTH_BITS = 29
_RECORDIO_ALIGNMENT_BYTES = 4
_WHOLE, _FIRST, _MIDDLE, _LAST, _END = range(5)
_TFRECORD_HEADER = struct.Struct("<QI")
_TFRECORD_LENGTH = struct.Struct("<Q")
_TFRECORD_FOOTER = struct.Struct("<I")

_log = logging.getLogger("headrace.ingest")
_opened_pipes: set[str] = set()


class IngestError(Exception):
    """Base of what this module raises on purpose; the message is one line."""


class CorruptStream(IngestError, ValueError):
    """A stream is cut off, or is not what its reader expects. ``offset`` is the byte at which that shows."""

    def __init__(self, form: str, offset: int, problem: str) -> None:
        """``form``: the expected format."""
        super().__init__(f"{form} stream, byte {offset}: {problem}")
        self.form, self.offset, self.problem = form, offset, problem


class EpochTimeout(IngestError, TimeoutError):
    """No data came for an epoch within the time given."""


class Readable(Protocol):
    """Whatever gives bytes; fewer than asked for is fine, none is the end."""

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes."""
        ...


@dataclass(frozen=True)
class Channel:
    """One input channel, in AWS's own words.

    ``mode`` is File or Pipe; SageMaker writes File for FastFile, Lustre and EFS, too, since a script reads them alike.
    ``distribution`` is FullyReplicated or ShardedByS3Key, ``record_wrapper`` None or RecordIO, as text. ``path`` is the
    folder; Pipe mode appends ``_<epoch>`` to it.
    """

    name: str
    path: Path
    mode: str = "File"
    distribution: str = "FullyReplicated"
    record_wrapper: str = "None"
    content_type: str | None = None

    def files(self, pattern: str = "*", *, hidden: bool = False) -> Iterator[Path]:
        """The files below the folder whose name matches ``pattern``: the same order everywhere, one folder at a time.

        Left out are files and folders whose name begins with a dot (``.snapshot``, ``.ipynb_checkpoints``), unless
        ``hidden``, and folders that are links, which could lead round in circles.
        Raises IngestError in Pipe mode and where there is no folder.
        """
        if self.mode == "Pipe":
            raise IngestError(f"channel {self.name} is in Pipe mode, which has no files: use epochs()")
        if not self.path.is_dir():
            raise IngestError(f"channel {self.name}: there is no folder {self.path}: is the channel part of this job?")
        return _files(self.path, pattern, hidden)

    def open_epoch(self, epoch: int, *, timeout_seconds: float = DEFAULT_EPOCH_TIMEOUT_SECONDS) -> BinaryIO:
        """The FIFO of an epoch, counted from 0 in each run of the script, once there is data (or its end) in it.

        Close it early if the rest is not wanted. Raises EpochTimeout where nothing comes, IngestError where this
        process has opened it before, another one reads it now, or the channel is not in Pipe mode.
        """
        if self.mode != "Pipe":
            raise IngestError(f"channel {self.name} is in {self.mode} mode, which has no epochs: use files()")
        path = f"{self.path}_{epoch}"
        if path in _opened_pipes:
            raise IngestError(f"{path} was opened before; a pipe is read once: open epoch {epoch + 1}")
        wait = _Wait(path, timeout_seconds)
        with _closed_on_error(_open_when_there(path, wait)) as descriptor:
            if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                _claim(descriptor, path)
                _await_data(descriptor, wait)
                _opened_pipes.add(path)
            os.set_blocking(descriptor, True)
        return os.fdopen(descriptor, "rb", buffering=_CHUNK_BYTES)

    def epochs(
        self, count: int | None = None, *, first: int = 0, timeout_seconds: float = DEFAULT_EPOCH_TIMEOUT_SECONDS
    ) -> Iterator[BinaryIO]:
        """The streams of ``count`` epochs (None: without end), each closed when the next one is asked for.

        Raises what ``open_epoch`` raises.
        """
        epoch = first
        while count is None or epoch < first + count:
            with self.open_epoch(epoch, timeout_seconds=timeout_seconds) as stream:
                yield stream
            epoch += 1


@dataclass(frozen=True)
class Job:
    """The job as this host sees it. Hyperparameters are decoded where they are JSON, as SageMaker's toolkit does."""

    hosts: tuple[str, ...]
    current_host: str
    hyperparameters: Mapping[str, Any]
    group_hosts: tuple[str, ...]
    name: str | None = None

    @property
    def rank(self) -> int:
        """The number of this host among all hosts, from 0."""
        return self.hosts.index(self.current_host)

    def share(self, given: Channel, items: Iterable[Item], *, hosts: Sequence[str] | None = None) -> Iterator[Item]:
        """This host's share of a channel's items: every n-th of n hosts, or all where SageMaker has sharded them.

        ``hosts`` are those that have the channel: all by default, ``group_hosts`` where it belongs to one instance
        group. Every host must give its items in the same order. Raises IngestError where this host is not among them.
        """
        if given.distribution == "ShardedByS3Key":
            return iter(items)
        among = self.hosts if hosts is None else hosts
        if self.current_host not in among:
            raise IngestError(
                f"host {self.current_host} is not one of {among}: hosts must name all that have the channel"
            )
        return islice(items, among.index(self.current_host), None, len(among))


def channel(name: str, root: str | os.PathLike[str] | None = None) -> Channel:
    """A channel of this job by its name. Raises IngestError when there is none of that name.

    ``root`` stands in for ``/opt/ml``; without it the variables of SageMaker's toolkit are honoured
    (SM_INPUT_DIR, SM_INPUT_CONFIG_DIR, SM_CHANNEL_<NAME>), so that a script also runs where there is no SageMaker.
    """
    settings = _configuration("inputdataconfig.json", root)
    folder = None if root is not None else os.environ.get(f"SM_CHANNEL_{name.upper()}")
    if name not in settings and not folder:
        known = ", ".join(sorted(settings)) or "none (outside SageMaker, SM_CHANNEL_<NAME> names the folder)"
        raise IngestError(f"channel {name!r} is not part of this job; its channels: {known}")
    given = settings.get(name, {})
    return Channel(
        name=name,
        path=Path(folder) if folder else _input_folder(root) / "data" / name,
        mode=given.get("TrainingInputMode", "File"),
        distribution=given.get("S3DistributionType", "FullyReplicated"),
        record_wrapper=given.get("RecordWrapperType", "None"),
        content_type=given.get("ContentType"),
    )


def channels(root: str | os.PathLike[str] | None = None) -> dict[str, Channel]:
    """All channels of this job by name. ``root`` as in ``channel``."""
    return {name: channel(name, root) for name in sorted(_configuration("inputdataconfig.json", root))}


def job(root: str | os.PathLike[str] | None = None) -> Job:
    """The job, as ``resourceconfig.json`` and ``hyperparameters.json`` tell it; outside SageMaker, a job of one host.

    ``root`` as in ``channel``. The toolkit's own hyperparameters (``sagemaker_…``) are left out.
    """
    resources = _configuration("resourceconfig.json", root)
    hosts = tuple(resources.get("hosts") or ("algo-1",))
    current_host = resources.get("current_host", hosts[0])
    groups = [tuple(each["hosts"]) for each in resources.get("instance_groups", ()) if current_host in each["hosts"]]
    given = _configuration("hyperparameters.json", root)
    return Job(
        hosts=hosts,
        current_host=current_host,
        hyperparameters={key: _decoded(value) for key, value in given.items() if not key.startswith("sagemaker_")},
        group_hosts=groups[0] if groups else hosts,
        name=os.environ.get("TRAINING_JOB_NAME"),
    )


def read_recordio(
    stream: Readable, *, restore_magic: bool = True, max_record_bytes: int = DEFAULT_MAX_RECORD_BYTES
) -> Iterator[bytes]:
    """The records of a RecordIO stream, as RecordWrapperType RecordIO, MXNet and the SageMaker SDK write it.

    MXNet cuts a record where it holds the magic number at a multiple of 4 bytes, and leaves that number out: it is put
    back. ``restore_magic=False`` joins parts as they are, as AWS's TensorFlow extension does. Raises CorruptStream.
    """
    source = _Source("RecordIO", stream, max_record_bytes)
    joint = struct.pack("<I", _RECORDIO_MAGIC) if restore_magic else b""
    while True:
        flag, part = _recordio_part(source, (_WHOLE, _FIRST))
        if flag == _WHOLE:
            yield part
        elif flag == _FIRST:
            yield joint.join(_recordio_parts(source, part))
        else:
            return


def read_tfrecord(
    stream: Readable, *, check_data: bool = False, max_record_bytes: int = DEFAULT_MAX_RECORD_BYTES
) -> Iterator[bytes]:
    """The records of a TFRecord stream, mostly serialised ``tf.train.Example``. Raises CorruptStream.

    The checksum of each length is always checked, that of the data with ``check_data``: in pure Python this takes
    about 0.2 s a megabyte.
    """
    source = _Source("TFRecord", stream, max_record_bytes)
    while True:
        start = source.offset
        header = source.header(_TFRECORD_HEADER.size)
        if not header:
            return
        length, length_checksum = _TFRECORD_HEADER.unpack(header)
        if _masked_crc32c(header[: _TFRECORD_LENGTH.size]) != length_checksum:
            raise source.corrupt(start, "the length's checksum is wrong: is the stream TFRecord, and not compressed?")
        record = source.exactly(length, "a record")
        (data_checksum,) = _TFRECORD_FOOTER.unpack(source.exactly(_TFRECORD_FOOTER.size, "a checksum"))
        if check_data and _masked_crc32c(record) != data_checksum:
            raise source.corrupt(start + len(header), "the data's checksum is wrong")
        yield record


def read_lines(stream: Readable, *, max_record_bytes: int = DEFAULT_MAX_RECORD_BYTES) -> Iterator[bytes]:
    r"""The lines of a stream without their ends (``\n`` or ``\r\n``); the last one may lack its end.

    Pipe mode puts one object right after the other: an object without a last ``\n`` runs into the next one.
    Raises CorruptStream at a line above ``max_record_bytes``.
    """
    source = _Source("line", stream, max_record_bytes)
    begun: list[bytes] = []
    for chunk in source.chunks():
        lines = chunk.split(b"\n")
        begun.append(lines[0])
        if len(lines) > 1:
            lines[0] = b"".join(begun)
            begun = [lines.pop()]
            source.check_size(max(map(len, lines)), "a line")
            yield from map(_without_return, lines)
        source.check_size(sum(map(len, begun)), "a line")
    if any(begun):
        yield _without_return(b"".join(begun))


def grouped(records: Iterable[Item], size: int) -> Iterator[tuple[Item, ...]]:
    """Each ``size`` consecutive records as one tuple: the attributes of one line of an augmented manifest.

    They come in the order of the channel's AttributeNames. Raises IngestError when the last group is not whole.
    """
    if size < 1:
        raise IngestError(f"size of a group is {size}; it must be 1 or more: the number of AttributeNames")
    return _grouped(iter(records), size)


def shuffled(records: Iterable[Item], buffer_size: int, seed: int) -> Iterator[Item]:
    """The records in a random order, made with ``buffer_size`` of them in memory; the same seed gives the same order.

    A record comes at most ``buffer_size - 1`` places early. Give each epoch a seed of its own. Raises IngestError.
    """
    if buffer_size < 1:
        raise IngestError(f"buffer_size is {buffer_size}; it must be 1 or more records")
    return _shuffled(records, buffer_size, seed)


class _Source:
    """A stream that is read exactly, and that knows how far: short reads are joined, errors get their offset."""

    def __init__(self, form: str, stream: Readable, max_record_bytes: int) -> None:
        self.form, self.offset = form, 0
        self._read, self._max_record_bytes = stream.read, max_record_bytes

    def corrupt(self, offset: int, problem: str) -> CorruptStream:
        return CorruptStream(self.form, offset, problem)

    def chunks(self) -> Iterator[bytes]:
        for chunk in iter(lambda: self._read(_CHUNK_BYTES), b""):
            yield chunk
            self.offset += len(chunk)

    def header(self, size: int) -> bytes:
        """A record's header, or nothing at the end of the stream."""
        return self._taken(self._up_to(size), size, "a header", or_nothing=True)

    def exactly(self, size: int, what: str) -> bytes:
        self.check_size(size, what)
        return self._taken(self._up_to(size), size, what)

    def check_size(self, size: int, what: str) -> None:
        if size > self._max_record_bytes:
            limit = f"above max_record_bytes = {self._max_record_bytes}: raise it if that is no mistake"
            raise self.corrupt(self.offset, f"{what} of {size} bytes, {limit}")

    def _taken(self, taken: bytes, size: int, what: str, *, or_nothing: bool = False) -> bytes:
        if len(taken) < size and not (or_nothing and not taken):
            end = self.offset + len(taken)
            raise self.corrupt(end, f"the stream ends after {len(taken)} of {size} bytes of {what}")
        self.offset += len(taken)
        return taken

    def _up_to(self, size: int) -> bytes:
        # a length that lies must not reserve memory: no read asks for more than a chunk beyond what has come
        taken = self._read(min(size, _CHUNK_BYTES))
        if not taken or len(taken) == size:
            return taken
        pieces, missing = [taken], size - len(taken)
        while missing:
            piece = self._read(min(missing, _CHUNK_BYTES))
            if not piece:
                break
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)


def _recordio_part(source: _Source, expected: tuple[int, ...]) -> tuple[int, bytes]:
    """The next part's flag and data; ``_END`` where a record may begin and the stream ends."""
    start = source.offset
    header = source.header(_RECORDIO_HEADER.size)
    if not header:
        if _WHOLE in expected:
            return _END, b""
        raise source.corrupt(start, "the stream ends between the parts of a record")
    magic, word = _RECORDIO_HEADER.unpack(header)
    if magic != _RECORDIO_MAGIC:
        problem = f"magic number {magic:#010x}, must be {_RECORDIO_MAGIC:#010x}: is it RecordIO, and not compressed?"
        raise source.corrupt(start, problem)
    flag, length = word >> _RECORDIO_LENGTH_BITS, word & ((1 << _RECORDIO_LENGTH_BITS) - 1)
    if flag not in expected:
        raise source.corrupt(start, f"part flag {flag}, must be {' or '.join(map(str, expected))}")
    part = source.exactly(length, "a record")
    source.exactly(-length % _RECORDIO_ALIGNMENT_BYTES, "padding")
    return flag, part


def _recordio_parts(source: _Source, first: bytes) -> list[bytes]:
    parts, size, flag = [first], len(first), _FIRST
    while flag != _LAST:
        flag, part = _recordio_part(source, (_MIDDLE, _LAST))
        parts.append(part)
        size += _RECORDIO_ALIGNMENT_BYTES + len(part)
        source.check_size(size, "a record")
    return parts


def _crc32c_table() -> tuple[int, ...]:
    """CRC-32C (Castagnoli) by bytes, reflected, as RFC 3720 has it."""
    table = list(range(256))
    for _ in range(8):
        table = [each >> 1 ^ (0x82F63B78 if each & 1 else 0) for each in table]
    return tuple(table)


_CRC32C = _crc32c_table()


def _masked_crc32c(data: bytes) -> int:
    """The checksum as TFRecord writes it: rotated and shifted by a constant."""
    table, crc = _CRC32C, 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _without_return(line: bytes) -> bytes:
    return line[:-1] if line.endswith(b"\r") else line


def _grouped(records: Iterator[Item], size: int) -> Iterator[tuple[Item, ...]]:
    for group in iter(lambda: tuple(islice(records, size)), ()):
        if len(group) < size:
            raise IngestError(f"the last group has {len(group)} of {size} records: is {size} the number of attributes?")
        yield group


def _shuffled(records: Iterable[Item], buffer_size: int, seed: int) -> Iterator[Item]:
    # of all methods only random() gives the same numbers in every version of Python
    number = random.Random(seed).random  # noqa: S311  (an order, no secret)
    buffer: list[Item] = []
    for record in records:
        if len(buffer) < buffer_size:
            buffer.append(record)
        else:
            place = int(number() * buffer_size)
            yield buffer[place]
            buffer[place] = record
    while buffer:
        place = int(number() * len(buffer))
        buffer[place], buffer[-1] = buffer[-1], buffer[place]
        yield buffer.pop()


def _files(folder: Path, pattern: str, hidden: bool) -> Iterator[Path]:
    pending = [(str(folder), True)]
    while pending:
        path, is_folder = pending.pop()
        if not is_folder:
            yield Path(path)
            continue
        with os.scandir(path) as entries:
            wanted = [each for each in entries if _is_wanted(each, pattern, hidden)]
        pending.extend(sorted(((each.path, each.is_dir(follow_symlinks=False)) for each in wanted), reverse=True))


def _is_wanted(entry: os.DirEntry[str], pattern: str, hidden: bool) -> bool:
    if entry.name.startswith(".") and not hidden:
        return False
    return entry.is_dir(follow_symlinks=False) or (entry.is_file() and fnmatch.fnmatchcase(entry.name, pattern))


class _Wait:
    """Waiting for an epoch, until a deadline and not in silence."""

    def __init__(self, path: str, timeout_seconds: float) -> None:
        self._path, self._timeout_seconds = path, timeout_seconds
        self._begin, self._noticed = time.monotonic(), False

    def go_on(self, for_what: str) -> None:
        """Raises EpochTimeout past the deadline."""
        waited = time.monotonic() - self._begin
        if waited >= self._timeout_seconds:
            hint = "was the epoch before it read to its end or closed, and is the channel in Pipe mode?"
            raise EpochTimeout(f"{self._path}: waited {self._timeout_seconds:g} s for {for_what}; {hint}")
        if waited >= _SECONDS_UNTIL_NOTICE and not self._noticed:
            self._noticed = True
            _log.warning("%s: waiting for %s", self._path, for_what)


def _open_when_there(path: str, wait: _Wait) -> int:
    while True:
        try:
            # an open that blocks until somebody writes would have no deadline
            return os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        except FileNotFoundError:
            wait.go_on("the pipe")
        time.sleep(_POLL_SECONDS)


def _claim(descriptor: int, path: str) -> None:
    """Two readers of one pipe would each get some of the bytes. The lock ends with the descriptor."""
    import fcntl  # not on Windows, where everything but Pipe mode works

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise IngestError(f"{path} is being read already; a pipe has one reader, in one process") from error


def _await_data(descriptor: int, wait: _Wait) -> None:
    """Until there is data or a writer has come and gone: a read before that would take no writer for the end."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    while not poll.poll(_POLL_SECONDS * 1000):
        wait.go_on("data")


@contextmanager
def _closed_on_error(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    except BaseException:
        os.close(descriptor)
        raise


def _input_folder(root: str | os.PathLike[str] | None) -> Path:
    if root is not None:
        return Path(root) / "input"
    return Path(os.environ.get("SM_INPUT_DIR") or "/opt/ml/input")


def _configuration(name: str, root: str | os.PathLike[str] | None) -> dict[str, Any]:
    """One of SageMaker's files; nothing where there is none, as outside SageMaker."""
    folder = None if root is not None else os.environ.get("SM_INPUT_CONFIG_DIR")
    path = Path(folder) / name if folder else _input_folder(root) / "config" / name
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise IngestError(f"{path} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise IngestError(f"{path} holds a {type(content).__name__}, must be an object")
    return content


def _decoded(value: Any) -> Any:
    try:
        return json.loads(value)
    except (TypeError, ValueError):
        return value


def main() -> int:
    """List the job's hosts and channels: one line each."""
    parser = argparse.ArgumentParser(description="List what SageMaker gave to this training job.")
    parser.add_argument("--root", help="stands in for /opt/ml")
    root = parser.parse_args().root
    try:
        this = job(root)
        lines = [f"host {this.current_host}, number {this.rank} of {len(this.hosts)}"]
        lines += [
            f"channel {each.name}: {each.path}, {each.mode}, {each.distribution}, record wrapper {each.record_wrapper}"
            for each in channels(root).values()
        ]
    except IngestError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write("\n".join([*lines, ""]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
