"""Pipe mode: the records of a channel come through FIFOs, one for each epoch.

``/opt/ml/input/data/<channel>_0`` is there before the command starts; as soon as the command opens the FIFO of one
epoch, that of the next is there too. An epoch ends when everything is written, or when the reader closes early. The
FIFO of an epoch that has ended is gone. There is no last epoch: the command stops when it has read enough.

A thread writes, and never blocks: a script may open no FIFO, leave one half read, or delete it, and the thread must
end all the same. Source: Amazon SageMaker Developer Guide, "How Amazon SageMaker Provides Training Information".
"""

from __future__ import annotations

import errno
import os
import select
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Any

from headrace_local.runner.instance import Instance
from headrace_local.runner.job import JobFailed, TrainingJob
from headrace_local.runner.pipe_records import Encoder, records_of
from headrace_local.runner.s3_objects import share, shuffled
from headrace_local.runner.s3_storage import S3Storage
from headrace_local.runner.supply import Supply

_WRITE_BYTES = 1 << 16
_POLL_SECONDS = 0.01


def bring(job: TrainingJob, channel: Mapping[str, Any], instance: Instance) -> Supply:
    """Make the first FIFO and start the writer. Raises JobFailed, in SageMaker's words."""
    records = records_of(job, channel)
    source = channel["DataSource"]["S3DataSource"]
    encoder = Encoder(channel, S3Storage(job.region))

    def pieces(epoch: int) -> Iterator[bytes]:
        for record in share(shuffled(records, channel, epoch), source, instance):
            yield from encoder.encode(record)

    writer = EpochWriter(instance.workspace.channel(channel["ChannelName"]), pieces)
    writer.start()
    return Supply(end=writer.close, failure=lambda: writer.failure)


class _Closed(Exception):
    """The writer has been asked to end."""


class EpochWriter:
    """Writes the pieces of epoch after epoch until it is closed or fails.

    ``failure`` is a FailureReason, and None while all is well.
    """

    def __init__(self, channel: Path, pieces: Callable[[int], Iterable[bytes]]) -> None:
        self.failure: str | None = None
        self._channel = channel
        self._pieces = pieces
        self._closing = Event()
        self._thread = Thread(target=self._write_epochs, name=f"pipe-{channel.name}", daemon=True)

    def start(self) -> None:
        """Make the first FIFO and write into it as soon as somebody reads."""
        self._channel.parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(self.fifo(0))
        self._thread.start()

    def fifo(self, epoch: int) -> Path:
        """The FIFO of an epoch."""
        return self._channel.with_name(f"{self._channel.name}_{epoch}")

    def close(self) -> None:
        """End the writer, whether it waits for a reader, waits for a reader to read, or writes."""
        self._closing.set()
        self._thread.join()

    def _write_epochs(self) -> None:
        try:
            for epoch in count():
                self._write_epoch(epoch)
        except Exception as error:
            self.failure = _reason(error)

    def _write_epoch(self, epoch: int) -> None:
        descriptor = self._open(self.fifo(epoch))
        try:
            os.mkfifo(self.fifo(epoch + 1))
            for piece in self._pieces(epoch):
                self._write(descriptor, piece)
        except BrokenPipeError:
            pass  # the reader has enough of this epoch
        except Exception as error:
            # before the reader sees the end of the stream; and nobody shall wait for an epoch that never comes
            self.failure = _reason(error)
            self.fifo(epoch + 1).unlink(missing_ok=True)
            raise
        finally:
            self.fifo(epoch).unlink(missing_ok=True)
            os.close(descriptor)

    def _open(self, fifo: Path) -> int:
        while True:
            try:
                return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
            except OSError as error:
                if error.errno != errno.ENXIO:  # nobody reads yet
                    raise
            if self._closing.wait(_POLL_SECONDS):
                raise _Closed

    def _write(self, descriptor: int, piece: bytes) -> None:
        until_ready = select.poll()
        until_ready.register(descriptor, select.POLLOUT)
        rest = memoryview(piece)
        while rest:
            if self._closing.is_set():
                raise _Closed
            try:
                rest = rest[os.write(descriptor, rest[:_WRITE_BYTES]) :]
            except BlockingIOError:
                until_ready.poll(_POLL_SECONDS * 1000)


def _reason(error: Exception) -> str | None:
    if isinstance(error, _Closed | FileNotFoundError):  # the job has ended, or the script has deleted its FIFOs
        return None
    if isinstance(error, JobFailed):
        return str(error)
    return f"InternalServerError: the embedded AWS failed: {type(error).__name__}: {error}"
