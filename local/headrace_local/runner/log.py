"""The log of one instance: what it prints, into CloudWatch Logs line by line while it runs.

Source: Amazon SageMaker Developer Guide, "Amazon SageMaker AI logs"; CloudWatch Logs quotas (an event holds 256 KB,
an empty one is refused).
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, Queue
from threading import Thread
from typing import IO, Any

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
MAX_LINE_BYTES = 250_000
_BATCH_LINES = 500
_WAITING_LINES = 10_000


class JobLog:
    """One log stream, ``<job>/<host>-<epoch seconds>``, made at the first line. ``on_line`` sees every line too."""

    def __init__(self, logs: Any, stream: str, on_line: Callable[[str], None]) -> None:
        self._logs = logs
        self._stream = f"{stream}-{int(time.time())}"
        self._on_line = on_line
        # bounded: a script that prints faster than lines are stored waits, instead of filling the memory
        self._lines: Queue[dict[str, Any] | None] = Queue(_WAITING_LINES)
        self._reader: Thread | None = None
        self._writer = Thread(target=self._write_all, daemon=True)
        self._writer.start()

    def write(self, text: str) -> None:
        """Add one line."""
        if text:
            self._lines.put({"timestamp": int(time.time() * 1000), "message": text})
            self._on_line(text)

    def follow(self, output: IO[bytes]) -> None:
        """Add the lines of a process's output as they come."""
        self._reader = Thread(target=self._read_all, args=(output,), daemon=True)
        self._reader.start()

    def close(self, seconds: float) -> None:
        """Wait until everything is written, but no longer than ``seconds`` for output that somebody keeps open."""
        if self._reader is not None:
            self._reader.join(seconds)
        self._lines.put(None)
        self._writer.join(seconds)

    def _read_all(self, output: IO[bytes]) -> None:
        for line in iter(lambda: output.readline(MAX_LINE_BYTES), b""):
            self.write(line.decode("utf-8", "replace").rstrip("\r\n"))

    def _write_all(self) -> None:
        is_open, is_made = True, False
        while is_open:
            events = [self._lines.get()]
            with suppress(Empty):
                while len(events) < _BATCH_LINES:
                    events.append(self._lines.get_nowait())
            is_open = None not in events
            lines = [each for each in events if each is not None]
            if lines:
                try:
                    is_made = is_made or self._make_stream()
                    self._logs.put_log_events(logGroupName=LOG_GROUP, logStreamName=self._stream, logEvents=lines)
                except Exception:  # lines that cannot be stored must not hold up the job that prints them
                    traceback.print_exc()

    def _make_stream(self) -> bool:
        with suppress(self._logs.exceptions.ResourceAlreadyExistsException):
            self._logs.create_log_group(logGroupName=LOG_GROUP)
        self._logs.create_log_stream(logGroupName=LOG_GROUP, logStreamName=self._stream)
        return True
