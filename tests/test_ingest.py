"""The file that training scripts copy: where data is, and the records of its streams."""

from __future__ import annotations

import ast
import io
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from headrace import ingest
from headrace.ingest import Channel, CorruptStream, EpochTimeout, IngestError
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "jobs" / "headrace" / "ingest.py"
GUIDE = ROOT / "docs" / "ingest.md"
MAGIC = struct.pack("<I", 0xCED7230A)
# no timing decides a test
PATIENT = settings(deadline=None)
# bytes in which the magic number is no rarity, at every alignment
RECORDS = st.lists(st.lists(st.one_of(st.just(MAGIC), st.binary(max_size=5)), max_size=6).map(b"".join), max_size=8)
LINES = st.lists(st.binary(max_size=9).map(lambda each: each.replace(b"\n", b"").rstrip(b"\r")), max_size=9)


@dataclass
class Trickle:
    """A stream that gives a few bytes at a time, as sockets do."""

    content: bytes
    sizes: Sequence[int] = (1,)
    reads: int = 0

    def read(self, size: int, /) -> bytes:
        """Never more than it likes."""
        count = min(size, self.sizes[self.reads % len(self.sizes)])
        self.reads += 1
        given, self.content = self.content[:count], self.content[count:]
        return given


def recordio_part(data: bytes, flag: int = 0) -> bytes:
    """One part with its header and padding."""
    return MAGIC + struct.pack("<I", flag << 29 | len(data)) + data + bytes(-len(data) % 4)


def recordio(record: bytes) -> bytes:
    """As MXNet writes it: cut where the magic number stands at a multiple of 4 bytes."""
    parts, begin = [], 0
    for place in range(0, len(record) // 4 * 4, 4):
        if record[place : place + 4] == MAGIC:
            parts.append(record[begin:place])
            begin = place + 4
    parts.append(record[begin:])
    if len(parts) == 1:
        return recordio_part(record)
    flags = [1, *[2] * (len(parts) - 2), 3]
    return b"".join(recordio_part(part, flag) for part, flag in zip(parts, flags, strict=True))


def crc32c(data: bytes) -> int:
    """Bit by bit, from the definition: x^32 + x^28 + … + 1, reflected."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x82F63B78 * (crc & 1)
    return crc ^ 0xFFFFFFFF


def masked(crc: int) -> bytes:
    """As TensorFlow masks it."""
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def tfrecord(record: bytes) -> bytes:
    """As TensorFlow writes it."""
    length = struct.pack("<Q", len(record))
    return length + masked(crc32c(length)) + record + masked(crc32c(record))


def line(record: bytes) -> bytes:
    """A line with its end."""
    return record + b"\n"


READERS: dict[str, tuple[Callable[..., Iterator[bytes]], Callable[[bytes], bytes]]] = {
    "recordio": (ingest.read_recordio, recordio),
    "tfrecord": (partial(ingest.read_tfrecord, check_data=True), tfrecord),
    "lines": (ingest.read_lines, line),
}


@PATIENT
@given(records=RECORDS, lines=LINES, sizes=st.lists(st.integers(1, 20), min_size=1, max_size=5))
@pytest.mark.parametrize("form", READERS)
def test_records_come_back_whatever_the_stream_gives_at_a_time(
    form: str, records: list[bytes], lines: list[bytes], sizes: list[int]
) -> None:
    """Empty records, the magic number inside, and reads that end anywhere."""
    read, write = READERS[form]
    written = lines if form == "lines" else records
    content = b"".join(map(write, written))
    assert list(read(Trickle(content, sizes))) == written
    assert list(read(io.BytesIO(content))) == written


@PATIENT
@given(records=RECORDS.filter(bool), data=st.data())
@pytest.mark.parametrize("form", ["recordio", "tfrecord"])
def test_a_stream_cut_off_inside_a_record_is_an_error_at_its_end(
    form: str, records: list[bytes], data: st.DataObject
) -> None:
    """All records before it come out; the error's place is where the stream ends."""
    read, write = READERS[form]
    content = b"".join(map(write, records))
    ends = {len(b"".join(map(write, records[:count]))) for count in range(len(records) + 1)}
    cut = data.draw(st.sampled_from([each for each in range(len(content)) if each not in ends]))
    got: list[bytes] = []
    with pytest.raises(CorruptStream) as caught:
        got.extend(read(io.BytesIO(content[:cut])))
    assert caught.value.offset == cut
    assert got == records[: sum(end <= cut for end in ends) - 1]


@PATIENT
@given(records=RECORDS.filter(bool), data=st.data())
def test_one_wrong_bit_of_a_tfrecord_is_found(records: list[bytes], data: st.DataObject) -> None:
    """The checksums cover every bit of the stream."""
    content = bytearray(b"".join(map(tfrecord, records)))
    bit = data.draw(st.integers(0, len(content) * 8 - 1))
    content[bit // 8] ^= 1 << bit % 8
    with pytest.raises(CorruptStream):
        list(ingest.read_tfrecord(io.BytesIO(content), check_data=True))


def test_the_checksum_is_crc_32c() -> None:
    """The check value of the CRC catalogue, and a record whose bytes are known: a length of 0 and no data."""
    assert crc32c(b"123456789") == 0xE3069283
    known = bytes.fromhex("0000000000000000 29039807 d8ea82a2")
    assert tfrecord(b"") == known
    assert list(ingest.read_tfrecord(io.BytesIO(known), check_data=True)) == [b""]


def test_a_tfrecords_data_is_checked_when_asked_for() -> None:
    """Checking costs seconds a gigabyte in pure Python, so it is a choice."""
    wrong = tfrecord(b"abcd").replace(b"abcd", b"abce")
    assert list(ingest.read_tfrecord(io.BytesIO(wrong))) == [b"abce"]
    with pytest.raises(CorruptStream, match=r"^TFRecord stream, byte 12: the data's checksum is wrong$"):
        list(ingest.read_tfrecord(io.BytesIO(wrong), check_data=True))


def test_a_recordio_writer_that_does_not_cut_is_read() -> None:
    """The SageMaker SDK writes the magic number inside a record as it is."""
    record = b"abcd" + MAGIC + b"e"
    assert list(ingest.read_recordio(io.BytesIO(recordio_part(record)))) == [record]


def test_parts_are_joined_as_they_are_when_asked_for() -> None:
    """AWS's TensorFlow extension puts no magic number back."""
    content = recordio_part(b"ab", 1) + recordio_part(b"cd", 2) + recordio_part(b"e", 3)
    assert list(ingest.read_recordio(io.BytesIO(content), restore_magic=False)) == [b"abcde"]
    assert list(ingest.read_recordio(io.BytesIO(content))) == [MAGIC.join([b"ab", b"cd", b"e"])]


CORRUPT: dict[str, tuple[Callable[..., Iterator[bytes]], bytes, str]] = {
    "gzip is no RecordIO": (
        ingest.read_recordio,
        b"\x1f\x8b\x08\x00" + bytes(20),
        "RecordIO stream, byte 0: magic number 0x00088b1f, must be 0xced7230a",
    ),
    "a header's rest is missing": (
        ingest.read_recordio,
        MAGIC,
        "byte 4: the stream ends after 4 of 8 bytes of a header",
    ),
    "a middle without a beginning": (
        ingest.read_recordio,
        recordio_part(b"abcd") + recordio_part(b"", 2),
        "byte 12: part flag 2, must be 0 or 1",
    ),
    "a beginning inside a record": (
        ingest.read_recordio,
        recordio_part(b"", 1) + recordio_part(b"", 0),
        "byte 8: part flag 0, must be 2 or 3",
    ),
    "a flag that nobody writes": (ingest.read_recordio, recordio_part(b"", 7), "byte 0: part flag 7, must be 0 or 1"),
    "the last part is missing": (
        ingest.read_recordio,
        recordio_part(b"", 1),
        "byte 8: the stream ends between the parts of a record",
    ),
    "padding is missing": (
        ingest.read_recordio,
        recordio_part(b"abc")[:-1],
        "byte 11: the stream ends after 0 of 1 bytes of padding",
    ),
    "text is no TFRecord": (
        ingest.read_tfrecord,
        b"label,pixel\n1,2\n",
        "TFRecord stream, byte 0: the length's checksum is wrong",
    ),
    "a record above the limit": (
        partial(ingest.read_recordio, max_record_bytes=4),
        recordio_part(b"abcd") + recordio_part(b"abcde"),
        "byte 20: a record of 5 bytes, above max_record_bytes = 4",
    ),
    "parts above the limit together": (
        partial(ingest.read_recordio, max_record_bytes=4),
        recordio_part(b"abc", 1) + recordio_part(b"", 3),
        "a record of 7 bytes, above max_record_bytes = 4",
    ),
    "a length that lies": (
        ingest.read_tfrecord,
        struct.pack("<Q", 1 << 60) + masked(crc32c(struct.pack("<Q", 1 << 60))),
        f"byte 12: a record of {1 << 60} bytes, above max_record_bytes",
    ),
    "a line above the limit": (
        partial(ingest.read_lines, max_record_bytes=4),
        b"abcd\nabcde\nabcd",
        "line stream, byte 0: a line of 5 bytes, above max_record_bytes = 4",
    ),
    "a line without an end above the limit": (
        partial(ingest.read_lines, max_record_bytes=4),
        b"abcd\nabcde",
        "a line of 5 bytes, above max_record_bytes = 4",
    ),
}


@pytest.mark.parametrize("case", CORRUPT)
@pytest.mark.parametrize("whole", [True, False], ids=["whole", "byte by byte"])
def test_corrupt_streams_are_told_in_one_line(case: str, whole: bool) -> None:
    """Format, place and problem."""
    read, content, expected = CORRUPT[case]
    with pytest.raises(CorruptStream) as caught:
        list(read(io.BytesIO(content) if whole else Trickle(content)))
    message = str(caught.value)
    # the place of a line is that of the read in which it shows
    assert (expected if whole or "line stream" not in expected else expected.split(": ")[1]) in message
    assert "\n" not in message
    assert isinstance(caught.value, ValueError)


def test_the_place_of_a_line_counts_from_the_streams_beginning() -> None:
    """Not from the beginning of the last read."""
    with pytest.raises(CorruptStream) as caught:
        list(ingest.read_lines(Trickle(b"abcd\nabcde"), max_record_bytes=4))
    assert caught.value.offset == len(b"abcd\nabcd")


def test_a_length_that_lies_reserves_no_memory() -> None:
    """A record is read in chunks: half a gigabyte that is announced is not half a gigabyte that is asked for."""
    asked: list[int] = []

    class Asked(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            asked.append(size or 0)
            return super().read(size)

    with pytest.raises(CorruptStream):
        list(ingest.read_recordio(Asked(MAGIC + struct.pack("<I", (1 << 29) - 1) + b"abc")))
    assert max(asked) <= 1 << 20


def test_records_larger_than_a_chunk_come_whole() -> None:
    """Also lines that span several reads."""
    large = os.urandom(3 * (1 << 20) + 1).replace(b"\n", b"x").replace(b"\r", b"x")
    length = struct.pack("<Q", len(large))
    unchecked = length + masked(crc32c(length)) + large + bytes(4)
    assert list(ingest.read_recordio(io.BytesIO(recordio(large) + recordio(b"after")))) == [large, b"after"]
    assert list(ingest.read_tfrecord(io.BytesIO(unchecked + tfrecord(b"after")))) == [large, b"after"]
    assert list(ingest.read_lines(io.BytesIO(line(large) + line(b"after")))) == [large, b"after"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", []),
        (b"a\nb", [b"a", b"b"]),
        (b"a\r\nb\r\n", [b"a", b"b"]),
        (b"\n\na", [b"", b"", b"a"]),
        (b"a\rb\n", [b"a\rb"]),
    ],
)
def test_lines_end_as_they_do_in_files(content: bytes, expected: list[bytes]) -> None:
    """The last one may lack its end; a carriage return is an end before a newline only."""
    assert list(ingest.read_lines(io.BytesIO(content))) == expected
    assert list(ingest.read_lines(Trickle(content))) == expected


@given(st.lists(st.integers()), st.integers(1, 20), st.integers())
def test_shuffled_keeps_every_record_and_has_no_other_order_for_a_seed(
    records: list[int], buffer_size: int, seed: int
) -> None:
    """And nothing comes earlier than the buffer can bring it."""
    places = list(ingest.shuffled(range(len(records)), buffer_size, seed))
    assert sorted(places) == list(range(len(records)))
    assert places == list(ingest.shuffled(range(len(records)), buffer_size, seed))
    assert all(record <= place + buffer_size - 1 for place, record in enumerate(places))


KNOWN_ORDER = [1, 0, 2, 5, 6, 4, 7, 9, 3, 8]


def test_shuffled_shuffles_the_same_way_everywhere() -> None:
    """Orders that are known: hosts with another Python, and next year's run, get them too."""
    assert list(ingest.shuffled(range(10), 4, seed=7)) == KNOWN_ORDER
    assert list(ingest.shuffled(range(10), 4, seed=8)) != KNOWN_ORDER
    assert list(ingest.shuffled(range(10), 1, seed=7)) == list(range(10))


def test_shuffled_holds_no_more_than_its_buffer() -> None:
    """A stream without end is shuffled, too."""
    taken = 0

    def endless() -> Iterator[int]:
        nonlocal taken
        while True:
            taken += 1
            yield taken

    shuffled = ingest.shuffled(endless(), 5, seed=0)
    for count in range(1, 20):
        next(shuffled)
        assert taken <= 5 + count


def test_grouped_gives_the_attributes_of_each_line() -> None:
    """A group that is not whole says that the number of attributes is wrong."""
    assert list(ingest.grouped(b"abcdef", 2)) == [(97, 98), (99, 100), (101, 102)]
    with pytest.raises(IngestError, match="the last group has 1 of 2 records"):
        list(ingest.grouped(b"abc", 2))


@pytest.mark.parametrize("call", [lambda: ingest.grouped([], 0), lambda: ingest.shuffled([], 0, 1)])
def test_sizes_are_checked_at_once(call: Callable[[], Any]) -> None:
    """Not when the first record is asked for."""
    with pytest.raises(IngestError, match="must be 1 or more"):
        call()


CONFIGURATION = {
    "inputdataconfig.json": {
        "train": {"TrainingInputMode": "Pipe", "S3DistributionType": "ShardedByS3Key", "RecordWrapperType": "RecordIO"},
        "images": {"ContentType": "image/png", "TrainingInputMode": "File"},
    },
    "resourceconfig.json": {
        "current_host": "algo-2",
        "hosts": ["algo-1", "algo-2", "algo-3"],
        "instance_groups": [
            {"instance_group_name": "cpu", "hosts": ["algo-1"]},
            {"instance_group_name": "gpu", "hosts": ["algo-2", "algo-3"]},
        ],
    },
    "hyperparameters.json": {"lr": "0.1", "model": "resnet", "quoted": '"text"', "sagemaker_program": "train.py"},
}


@pytest.fixture
def opt_ml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as SageMaker makes it, and no variable that leads elsewhere."""
    for name in [each for each in os.environ if each.startswith(("SM_", "TRAINING_JOB"))]:
        monkeypatch.delenv(name)
    config = tmp_path / "ml" / "input" / "config"
    config.mkdir(parents=True)
    for name, content in CONFIGURATION.items():
        (config / name).write_text(json.dumps(content))
    (tmp_path / "ml" / "input" / "data" / "images").mkdir(parents=True)
    return tmp_path / "ml"


def test_channels_are_what_sagemaker_wrote(opt_ml: Path) -> None:
    """Name, folder, mode, distribution, wrapper and content type."""
    data = opt_ml / "input" / "data"
    assert ingest.channels(opt_ml) == {
        "images": Channel("images", data / "images", "File", content_type="image/png"),
        "train": Channel("train", data / "train", "Pipe", "ShardedByS3Key", "RecordIO"),
    }
    assert ingest.channel("train", opt_ml) == ingest.channels(opt_ml)["train"]


def test_the_toolkits_variables_are_honoured(opt_ml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A root given by the script wins over them."""
    monkeypatch.setenv("SM_INPUT_DIR", str(opt_ml / "input"))
    assert ingest.channel("images").path == opt_ml / "input" / "data" / "images"
    monkeypatch.setenv("SM_CHANNEL_IMAGES", "/elsewhere")
    assert ingest.channel("images").path == Path("/elsewhere")
    assert ingest.channel("images").content_type == "image/png"
    assert ingest.channel("images", opt_ml).path == opt_ml / "input" / "data" / "images"
    monkeypatch.setenv("SM_INPUT_CONFIG_DIR", str(opt_ml / "nothing"))
    assert ingest.channels() == {}
    assert ingest.channel("images") == Channel("images", Path("/elsewhere"))


def test_a_channel_that_is_not_there_is_named_with_those_that_are(opt_ml: Path) -> None:
    """One line, no traceback of a dictionary."""
    with pytest.raises(IngestError, match=r"^channel 'test' is not part of this job; its channels: images, train$"):
        ingest.channel("test", opt_ml)
    with pytest.raises(IngestError, match=r"its channels: none \(outside SageMaker, SM_CHANNEL_<NAME>"):
        ingest.channel("test", opt_ml / "nothing")


@pytest.mark.parametrize(("content", "expected"), [("{", "is not JSON"), ("[]", "holds a list, must be an object")])
def test_a_broken_configuration_is_named(opt_ml: Path, content: str, expected: str) -> None:
    """The file, and what is wrong with it."""
    (opt_ml / "input" / "config" / "inputdataconfig.json").write_text(content)
    with pytest.raises(IngestError, match=rf"inputdataconfig\.json {expected}"):
        ingest.channels(opt_ml)


def test_the_job_knows_its_hosts_and_hyperparameters(opt_ml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values are decoded where they are JSON, and the toolkit's own are left out."""
    monkeypatch.setenv("TRAINING_JOB_NAME", "job-1")
    job = ingest.job(opt_ml)
    assert (job.current_host, job.rank, len(job.hosts), job.name) == ("algo-2", 1, 3, "job-1")
    assert job.group_hosts == ("algo-2", "algo-3")
    assert job.hyperparameters == {"lr": 0.1, "model": "resnet", "quoted": "text"}


def test_outside_sagemaker_a_job_has_one_host(tmp_path: Path) -> None:
    """So that a script runs on a laptop as it is."""
    job = ingest.job(tmp_path)
    assert (job.rank, job.hosts, job.group_hosts, job.hyperparameters) == (0, ("algo-1",), ("algo-1",), {})


@given(count=st.integers(1, 9), items=st.lists(st.integers()))
def test_the_shares_of_all_hosts_are_the_whole(count: int, items: list[int]) -> None:
    """None twice, none left out; and all of it where SageMaker has sharded already."""
    hosts = tuple(f"algo-{number + 1}" for number in range(count))
    jobs = [ingest.Job(hosts, host, {}, hosts) for host in hosts]
    whole = Channel("train", Path("/data"))
    shares = [list(each.share(whole, items)) for each in jobs]
    assert sorted(item for share in shares for item in share) == sorted(items)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    sharded = Channel("train", Path("/data"), distribution="ShardedByS3Key")
    assert list(jobs[-1].share(sharded, items)) == items
    with pytest.raises(IngestError, match=r"host algo-1 is not one of \(\): hosts"):
        jobs[0].share(whole, items, hosts=())
    if count > 1:
        assert list(jobs[-1].share(whole, items, hosts=hosts[1:])) == items[count - 2 :: count - 1]


@pytest.fixture
def images(opt_ml: Path) -> Channel:
    """A channel with folders, hidden files, links and a pipe in it."""
    channel = ingest.channel("images", opt_ml)
    for name in ("b/2.png", "b/1.png", "a.png", "b.txt", ".hidden.png", ".snapshot/old.png", "b/.part/x.png"):
        path = channel.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (channel.path / "c.png").symlink_to(channel.path / "a.png")
    (channel.path / "gone.png").symlink_to(channel.path / "nothing")
    (channel.path / "round").symlink_to(channel.path)
    os.mkfifo(channel.path / "pipe.png")
    return channel


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["a.png", "b/1.png", "b/2.png", "b.txt", "c.png"]),
        ({"pattern": "*.png"}, ["a.png", "b/1.png", "b/2.png", "c.png"]),
        (
            {"pattern": "*.png", "hidden": True},
            [".hidden.png", ".snapshot/old.png", "a.png", "b/.part/x.png", "b/1.png", "b/2.png", "c.png"],
        ),
    ],
)
def test_files_are_found_below_the_folder_in_one_order(
    images: Channel, options: dict[str, Any], expected: list[str]
) -> None:
    """Linked files are files; broken links, linked folders and pipes are not."""
    found = [path.relative_to(images.path).as_posix() for path in images.files(**options)]
    assert found == expected


def test_each_mode_has_its_own_way(opt_ml: Path) -> None:
    """The other one is refused with what to call instead, before anything is iterated."""
    with pytest.raises(IngestError, match=r"channel train is in Pipe mode, which has no files: use epochs\(\)"):
        ingest.channel("train", opt_ml).files()
    with pytest.raises(IngestError, match=r"channel images is in File mode, which has no epochs: use files\(\)"):
        ingest.channel("images", opt_ml).open_epoch(0)
    with pytest.raises(IngestError, match="there is no folder /nowhere"):
        Channel("train", Path("/nowhere")).files()


@contextmanager
def fifo(path: Path, content: bytes) -> Iterator[threading.Event]:
    """A FIFO with a writer, as SageMaker's agent is; the event says that the writer has ended. Nothing hangs."""
    os.mkfifo(path)
    done = threading.Event()

    def write() -> None:
        try:
            with path.open("wb", buffering=0) as pipe:
                view = memoryview(content)
                while view:
                    view = view[pipe.write(view) :]
        except BrokenPipeError:
            pass
        finally:
            done.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield done
    finally:
        end = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        while not done.wait(0.01):
            try:
                os.read(end, 1 << 20)
            except BlockingIOError:
                continue
        os.close(end)
        writer.join()


def test_epochs_come_one_after_the_other(opt_ml: Path) -> None:
    """Each from its own FIFO, read to its end; an empty one is an empty epoch."""
    channel = ingest.channel("train", opt_ml)
    contents = [b"".join(map(recordio, [b"a", MAGIC * 3, b""])), b"", recordio(os.urandom(300_000))]
    with (
        fifo(Path(f"{channel.path}_0"), contents[0]),
        fifo(Path(f"{channel.path}_1"), contents[1]),
        fifo(Path(f"{channel.path}_2"), contents[2]),
    ):
        first = channel.open_epoch(0).read()
        assert [first, *(stream.read() for stream in channel.epochs(2, first=1))] == contents


def test_an_epoch_that_does_not_exist_yet_is_waited_for(opt_ml: Path) -> None:
    """SageMaker makes the next FIFO when the one before is closed."""
    channel = ingest.channel("train", opt_ml)
    asked = threading.Event()
    got: list[bytes] = []

    def read() -> None:
        asked.set()
        with channel.open_epoch(0) as stream:
            got.append(stream.read())

    reader = threading.Thread(target=read)
    reader.start()
    asked.wait()
    with fifo(Path(f"{channel.path}_0"), b"late") as done:
        reader.join()
        done.wait()
    assert got == [b"late"]


def test_an_epoch_closed_early_ends_its_writer(opt_ml: Path) -> None:
    """More than a pipe holds was to come; the writer sees the end, and the next epoch can be read."""
    channel = ingest.channel("train", opt_ml)
    with fifo(Path(f"{channel.path}_0"), bytes(1 << 24)) as done, fifo(Path(f"{channel.path}_1"), b"next"):
        epochs = channel.epochs(2)
        assert next(epochs).read(1) == b"\0"
        assert next(epochs).read() == b"next"
        assert done.wait(60)


def test_an_epoch_is_opened_once(opt_ml: Path) -> None:
    """What a second reader would get is what the first one left, or nothing for ever."""
    channel = ingest.channel("train", opt_ml)
    with fifo(Path(f"{channel.path}_0"), b"once"):
        channel.open_epoch(0).close()
        with pytest.raises(IngestError, match=r"train_0 was opened before; a pipe is read once: open epoch 1$"):
            channel.open_epoch(0, timeout_seconds=0)


def test_an_opened_epoch_waits_for_a_slow_writer(opt_ml: Path) -> None:
    """An empty pipe is no end: reads block, though the opening did not."""
    channel = ingest.channel("train", opt_ml)
    with fifo(Path(f"{channel.path}_0"), b"data"), channel.open_epoch(0) as stream:
        assert os.get_blocking(stream.fileno())


def test_a_second_process_gets_no_share_of_a_pipe(opt_ml: Path) -> None:
    """Workers of a data loader would tear records to pieces."""
    channel = ingest.channel("train", opt_ml)
    script = f"""
import sys; sys.path.insert(0, {str(SOURCE.parent)!r})
import ingest
try:
    ingest.channel("train", {str(opt_ml)!r}).open_epoch(0)
except ingest.IngestError as error:
    print(error)
"""
    with fifo(Path(f"{channel.path}_0"), b"mine"), channel.open_epoch(0) as stream:
        other = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True)
        assert other.stdout.endswith("train_0 is being read already; a pipe has one reader, in one process\n")
        assert stream.read() == b"mine"


@pytest.mark.parametrize(("exists", "expected"), [(False, "for the pipe;"), (True, "for data;")])
def test_waiting_has_an_end(opt_ml: Path, exists: bool, expected: str) -> None:
    """No FIFO, or one that nobody writes to: an error instead of a job that hangs until its maximum time."""
    channel = ingest.channel("train", opt_ml)
    if exists:
        os.mkfifo(f"{channel.path}_0")
    descriptors = len(os.listdir("/dev/fd"))
    with pytest.raises(EpochTimeout, match=rf"train_0: waited 0 s {expected}"):
        channel.open_epoch(0, timeout_seconds=0)
    assert len(os.listdir("/dev/fd")) == descriptors


def test_waiting_is_not_silent(opt_ml: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """One line on the log, not one a second."""
    monkeypatch.setattr(ingest, "_SECONDS_UNTIL_NOTICE", 0.0)
    monkeypatch.setattr(ingest, "_POLL_SECONDS", 0.001)
    with pytest.raises(EpochTimeout):
        ingest.channel("train", opt_ml).open_epoch(0, timeout_seconds=0.05)
    assert [each.getMessage().rpartition("/")[2] for each in caplog.records] == ["train_0: waiting for the pipe"]


def test_a_plain_file_stands_in_for_a_pipe(opt_ml: Path) -> None:
    """For tests of scripts; it can be read again."""
    channel = ingest.channel("train", opt_ml)
    Path(f"{channel.path}_0").write_bytes(b"a\nb\n")
    for _ in range(2):
        with channel.open_epoch(0) as stream:
            assert list(ingest.read_lines(stream)) == [b"a", b"b"]


def _pythons() -> Iterator[str]:
    yield sys.executable
    for minor in range(8, 15):
        found = shutil.which(f"python3.{minor}")
        if found and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0:
            yield found


@pytest.mark.parametrize("python", dict.fromkeys(_pythons()), ids=lambda path: Path(path).name)
def test_the_one_file_is_enough(tmp_path: Path, opt_ml: Path, python: str) -> None:
    """Copied away, without site packages, in whatever Python there is: it lists the job, and shuffles alike."""
    copied = shutil.copy(SOURCE, tmp_path / "ingest.py")
    run = partial(subprocess.run, capture_output=True, text=True, cwd=tmp_path, check=True)
    listed = run([python, "-I", "-S", copied, "--root", str(opt_ml)]).stdout.splitlines()
    assert listed == [
        "host algo-2, number 1 of 3",
        f"channel images: {opt_ml}/input/data/images, File, FullyReplicated, record wrapper None",
        f"channel train: {opt_ml}/input/data/train, Pipe, ShardedByS3Key, record wrapper RecordIO",
    ]
    program = (
        f"import sys; sys.path[:0] = [{str(tmp_path)!r}]; import ingest as i; print(list(i.shuffled(range(10), 4, 7)))"
    )
    assert json.loads(run([python, "-I", "-S", "-c", program]).stdout) == KNOWN_ORDER


def test_the_one_file_fails_in_one_line(tmp_path: Path, opt_ml: Path) -> None:
    """No traceback for a file that is broken."""
    (opt_ml / "input" / "config" / "resourceconfig.json").write_text("{")
    command = [sys.executable, "-I", "-S", str(SOURCE), "--root", str(opt_ml)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"\S+resourceconfig\.json is not JSON: .+\n", done.stderr)


def test_the_one_file_is_python_3_8_and_imports_the_standard_library_only() -> None:
    """Old training images have no newer one."""
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"), feature_version=(3, 8))
    imported = {each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names}
    imported |= {node.module or "." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {each.split(".")[0] for each in imported} <= sys.stdlib_module_names | {"__future__"}


GUIDE_CONFIGURATION = {
    "images": {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated"},
    **{name: {"TrainingInputMode": "Pipe"} for name in ("train", "examples", "rows", "labelled")},
}
# what the examples of the guide find in the pipes, and what each of them prints, in the guide's order
GUIDE_PIPES = {
    "train_0": recordio(b"abc"),
    "train_1": recordio(b"abcd") + recordio(b"efgh"),
    "examples_0": tfrecord(b"") + tfrecord(b"example"),
    "rows_0": b'1,"a,b"\n2,c\n',
    "labelled_0": recordio(b"PNG") + recordio(b'{"cat": 1}'),
}
GUIDE_PRINTS = [
    "File\n1.png 1\n2.png 2\n",
    "0 3\n1 4\n1 4\n",
    "0\n7\n",
    "['1', 'a,b']\n['2', 'c']\n",
    "3 {'cat': 1}\n",
    "1 2.png\n",
]
GUIDE_EXAMPLES = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


def test_every_example_of_the_guide_is_run() -> None:
    """A further example wants a further row."""
    assert len(GUIDE_EXAMPLES) == len(GUIDE_PRINTS)


@pytest.mark.parametrize(("example", "printed"), [*zip(GUIDE_EXAMPLES, GUIDE_PRINTS, strict=False)])
def test_the_guides_examples_print_what_the_channels_hold(
    opt_ml: Path, tmp_path: Path, example: str, printed: str
) -> None:
    """Run as a script beside the copied file, on host 2 of 3, with a writer behind every pipe."""
    (opt_ml / "input" / "config" / "inputdataconfig.json").write_text(json.dumps(GUIDE_CONFIGURATION))
    for number in (1, 2):
        (opt_ml / "input" / "data" / "images" / f"{number}.png").write_bytes(bytes(number))
    shutil.copy(SOURCE, tmp_path / "ingest.py")
    (tmp_path / "train.py").write_text(example)
    environment = {"SM_INPUT_DIR": str(opt_ml / "input"), "PATH": os.environ["PATH"]}
    with ExitStack() as pipes:
        for name, content in GUIDE_PIPES.items():
            pipes.enter_context(fifo(opt_ml / "input" / "data" / name, content))
        command = [sys.executable, str(tmp_path / "train.py")]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (printed, "")
