"""Pipe mode in the embedded AWS: the bytes of every epoch, and readers that do as they like."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from headrace import ingest
from headrace_local.runner import channels, recordio
from headrace_local.runner.job import JobFailed
from headrace_local.runner.pipe import EpochWriter
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.test_local_roads_s3 import (
    BUCKET,
    CONTENTS,
    COUNTS,
    DISTRIBUTIONS,
    MAGIC,
    a_channel,
    a_job,
    bring,
    dealt,
    epochs,
    instances,
    s3_in_this_process,
)

LARGE = 1 << 20
"""More bytes than a pipe holds."""


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """An S3 in this process."""
    with s3_in_this_process() as client:
        yield client


KINDS = ("S3Prefix", "ManifestFile", "AugmentedManifestFile")
ROADS = list(itertools.product(KINDS, DISTRIBUTIONS, COUNTS, (False, True), (False, True)))


@pytest.mark.parametrize("is_shuffled", [False, True])
@pytest.mark.parametrize(("kind", "distribution", "count", "is_framed", "is_packed"), ROADS)
def test_epochs(
    s3: Any,
    tmp_path: Path,
    kind: str,
    distribution: str,
    count: int,
    is_framed: bool,
    is_packed: bool,
    is_shuffled: bool,
) -> None:
    """Every instance reads its share of each epoch: in order or shuffled anew, decompressed, framed as asked."""
    members: dict[str, Any] = {
        **({"RecordWrapperType": "RecordIO"} if is_framed else {}),
        **({"CompressionType": "Gzip"} if is_packed else {}),
        **({"ShuffleConfig": {"Seed": 7}} if is_shuffled else {}),
    }
    channel = a_channel("Pipe", kind, distribution, "packed" if is_packed else "plain", **members)
    seen = bring(tmp_path, channel, count, epochs)
    names = sorted(CONTENTS, key=str.encode) if kind == "S3Prefix" else list(reversed(CONTENTS))
    records = [_parts(name, kind) for name in names]
    read = [[_unframed(each[epoch]) if is_framed else [each[epoch]] for each in seen] for epoch in range(3)]
    if not is_shuffled:
        hands = dealt(records, distribution, count)
        assert read == [[_stream(hand, is_framed) for hand in hands]] * 3
    else:
        assert all(_is_some_deal(epoch, records, distribution, count, is_framed) for epoch in read)
        assert read[0] != read[1] != read[2]


def _parts(name: str, kind: str) -> list[bytes]:
    if kind != "AugmentedManifestFile":
        return [CONTENTS[name]]
    return [CONTENTS[name], '"café \u2028"'.encode(), b"1.5", b'{"k":[1,null]}']


def _unframed(stream: bytes) -> list[bytes]:
    return list(ingest.read_recordio(io.BytesIO(stream)))


def _stream(records: Sequence[Sequence[bytes]], is_framed: bool) -> list[bytes]:
    parts = [part for record in records for part in record]
    return parts if is_framed else [b"".join(parts)]


def _is_some_deal(
    read: list[list[bytes]], records: list[list[bytes]], distribution: str, count: int, is_framed: bool
) -> bool:
    """Whether some order of the records, dealt out, gives what the instances have read."""
    return any(
        read == [_stream(hand, is_framed) for hand in dealt(order, distribution, count)]
        for order in itertools.permutations(records)
    )


def test_one_seed_one_order(s3: Any, tmp_path: Path) -> None:
    """All instances and all runs agree; another seed gives another order."""
    orders = []
    for run, seed in enumerate((1, 1, 2)):
        channel = a_channel("Pipe", "S3Prefix", "FullyReplicated", ShuffleConfig={"Seed": seed})
        first, second = bring(tmp_path / str(run), channel, 2, epochs)
        assert first == second
        orders.append(first)
    assert orders[0] == orders[1] != orders[2]


UNREADABLE = [
    ({"CompressionType": "Gzip"}, b"plain text", "s3://roads/one/object: CompressionType is Gzip"),
    ({"CompressionType": "Gzip"}, bytes.fromhex("1f8b0800"), "s3://roads/one/object: CompressionType is Gzip"),
    ({}, None, "s3://roads/one/object: NoSuchKey"),
]


@pytest.mark.parametrize(("members", "content", "message"), UNREADABLE)
def test_an_object_that_cannot_be_streamed_fails_the_channel(
    s3: Any, tmp_path: Path, members: dict[str, Any], content: bytes | None, message: str
) -> None:
    """The stream ends where it broke, no further epoch is promised, and the channel says why."""
    s3.put_object(Bucket=BUCKET, Key="one/object", Body=content or b"listed")
    channel = a_channel("Pipe", "S3Prefix", "FullyReplicated", "one", **members)
    (instance,) = instances(tmp_path, 1)
    supply = channels.bring(a_job(channel), channel, instance)
    if content is None:
        s3.delete_object(Bucket=BUCKET, Key="one/object")
    folder = instance.workspace.channel("train").parent
    assert (folder / "train_0").read_bytes() == b""
    supply.close()
    assert message in str(supply.failure)
    assert list(folder.iterdir()) == []


Writer = Callable[[Callable[[int], Iterable[bytes]]], EpochWriter]


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    """Starts a writer of given pieces; it is closed in the end."""
    started: list[EpochWriter] = []

    def start(pieces: Callable[[int], Iterable[bytes]]) -> EpochWriter:
        started.append(EpochWriter(tmp_path / "data" / "train", pieces))
        started[-1].start()
        return started[-1]

    yield start
    for each in started:
        each.close()


def _is_over(writer: EpochWriter) -> bool:
    writer.close()
    return not writer._thread.is_alive() and writer.failure is None


def test_the_first_pipe_is_there_and_may_stay_unopened(writer: Writer) -> None:
    """A script that reads no data must not keep the job from ending."""
    idle = writer(lambda _: [b"x"])
    assert idle.fifo(0).is_fifo()
    assert _is_over(idle)


def test_the_next_pipe_is_there_before_the_last_one_ends(writer: Writer) -> None:
    """A script opens it as soon as it has read to the end; what has been read is gone."""
    endless = writer(lambda epoch: [b"epoch ", str(epoch).encode()])
    for epoch in range(4):
        with endless.fifo(epoch).open("rb") as pipe:
            assert pipe.read() == f"epoch {epoch}".encode()
            assert endless.fifo(epoch + 1).is_fifo()
    assert not endless.fifo(0).exists()
    assert _is_over(endless)


def test_a_reader_may_close_early(writer: Writer) -> None:
    """The next epoch begins at its beginning."""
    large = writer(lambda epoch: [str(epoch).encode(), bytes(LARGE)])
    for epoch in range(3):
        with large.fifo(epoch).open("rb", buffering=0) as pipe:
            assert pipe.read(1) == str(epoch).encode()
    assert _is_over(large)


def test_a_reader_that_reads_no_further_does_not_hold_up_the_end(writer: Writer) -> None:
    """The pipe is full and still open when the job is stopped."""
    stuck = writer(lambda _: [bytes(LARGE)])
    with stuck.fifo(0).open("rb", buffering=0) as pipe:
        assert pipe.read(1) == b"\0"
        assert _is_over(stuck)


def test_a_script_may_delete_its_pipes(writer: Writer) -> None:
    """The folder is the script's own."""
    robbed = writer(lambda _: [b"x"])
    robbed.fifo(0).unlink()
    assert _is_over(robbed)


def test_a_script_in_the_way_of_the_next_pipe_is_told(writer: Writer) -> None:
    """A file of the script's where the next FIFO belongs."""
    blocked = writer(lambda _: [b"x"])
    blocked.fifo(1).touch()
    assert blocked.fifo(0).read_bytes() == b""
    blocked.close()
    assert "File exists" in str(blocked.failure)


def test_pieces_are_made_as_they_are_read(writer: Writer) -> None:
    """An epoch larger than memory must not be put together before it is written."""
    made = []

    def pieces(_: int) -> Iterator[bytes]:
        for number in range(1000):
            made.append(number)
            yield bytes(LARGE)

    lazy = writer(pieces)
    with lazy.fifo(0).open("rb", buffering=0) as pipe:
        assert pipe.read(1) == b"\0"
    assert _is_over(lazy)
    assert len(made) < 1000


def test_a_failure_in_an_epoch_is_kept(writer: Writer) -> None:
    """As the reason of the job's failure; the reader sees the end of the stream."""

    def pieces(epoch: int) -> Iterator[bytes]:
        yield b"x"
        if epoch == 1:
            raise JobFailed("ClientError: gone")

    failing = writer(pieces)
    assert failing.fifo(0).read_bytes() == b"x"
    assert failing.fifo(1).read_bytes() == b"x"
    failing.close()
    assert failing.failure == "ClientError: gone"
    assert not failing.fifo(2).exists()


FRAMES = [
    (b"", "0a23d7ce 00000000"),
    (b"a", "0a23d7ce 01000000 61000000"),
    (b"abcd", "0a23d7ce 04000000 61626364"),
    # the magic number at a multiple of four: a first part before it, a last part after it
    (MAGIC, "0a23d7ce 00000020  0a23d7ce 00000060"),
    (b"abcd" + MAGIC + b"e", "0a23d7ce 04000020 61626364  0a23d7ce 01000060 65000000"),
    (MAGIC + MAGIC, "0a23d7ce 00000020  0a23d7ce 00000040  0a23d7ce 00000060"),
    # elsewhere it is data
    (b"a" + MAGIC, "0a23d7ce 05000000 610a23d7 ce000000"),
]


@pytest.mark.parametrize(("record", "frame"), FRAMES)
def test_frames_byte_by_byte(record: bytes, frame: str) -> None:
    """As the format's definition has them (dmlc-core, recordio.h)."""
    assert recordio.framed(record) == bytes.fromhex(frame)


@settings(deadline=None)
@given(st.lists(st.lists(st.one_of(st.just(MAGIC), st.binary(max_size=5))).map(b"".join)))
def test_what_is_framed_comes_back(records: list[bytes]) -> None:
    """Through the reader that training scripts use, whatever the records hold."""
    assert _unframed(b"".join(recordio.framed(each) for each in records)) == records


def test_a_record_too_long_for_its_frame_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The length has 29 bits."""
    monkeypatch.setattr(recordio, "MAX_RECORD_BYTES", 3)
    assert recordio.framed(b"abc")
    with pytest.raises(ValueError, match="a record of 4 bytes; RecordIO holds at most 3"):
        recordio.framed(b"abcd")
