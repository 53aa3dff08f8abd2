"""A second process that lists and counts: one Python interpreter counts with one processor only.

The two talk by messages over a socket pair. The helper tells how many of its streams wait; its parent sends ranges, or
asks for some. At the end the helper sends its counts. It ends with its parent, however that ends.

A helper looks for no credentials, which may mean to ask a person: it signs with those that its parent sends.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from multiprocessing.connection import Connection as Pipe
from socket import socketpair
from typing import Final

from headrace.aws.connection import AccessDenied, AwsError, Connection, Credentials
from headrace.aws.listing import Listing
from headrace.dataset.key_ranges import KeyRange
from headrace.errors import HeadraceError
from headrace.profiling.board import Board
from headrace.profiling.messages import End, Failure, Ranges, Result, Status, Task, Wanted
from headrace.profiling.streams import Streams

# not -m: what it sends would be classes of a module named __main__
_START: Final = "from headrace.profiling.helper import main; main()"
# a heap for each thread, and buffers for linear algebra, would take a quarter more memory
_SMALL: Final = {"MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1"}
_REPORT_SECONDS: Final = 0.1
_BEAT_SECONDS: Final = 5.0
_END_SECONDS: Final = 60
SILENT_SECONDS: Final = 60.0
"""A helper of which nothing is heard for so long is taken to hang; it tells how it stands far more often."""


class Helper:
    """The parent's side. Methods without a lock of their own are called with ``board.changed`` held."""

    def __init__(self, task: Task, board: Board) -> None:
        """Start the process."""
        ours, theirs = socketpair()
        with theirs:
            # whatever makes this process find headrace lets the other find it
            self._process = subprocess.Popen(
                [sys.executable, "-c", _START, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                # Ctrl-C reaches all processes of a group: the parent decides what it means; nor can it ask a terminal
                start_new_session=True,
                env=os.environ | _SMALL | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        self.status = Status()
        self._result: Result | None = None
        self._board = board
        self._sent = 0
        self._asked = 0
        self._silent_seconds = 0.0
        self._credentials = task.credentials
        self._pipe = Pipe(ours.detach())
        self._pipe.send(task)
        self._reader = threading.Thread(target=self._read, name="helper", daemon=True)
        self._reader.start()

    @property
    def free(self) -> int:
        """Streams that wait, and for which nothing is on its way."""
        return max(0, self.status.idle - (self._sent - self.status.received))

    @property
    def is_done(self) -> bool:
        """Whether it has listed all that it got."""
        return self._sent == self.status.received and not self.status.outstanding

    def exchange(self) -> None:
        """Send what is not needed here, or ask for what is."""
        board = self._board
        count = min(self.free, len(board.queue) - board.idle)
        if count > 0:
            self._send(Ranges(tuple(board.queue.pop() for _ in range(count)), board.furthest))
            self._sent += count
        wanted = max(0, board.idle - len(board.queue))
        if self.status.outstanding and wanted != self._asked:
            self._send(Wanted(wanted))
            self._asked = wanted

    def renew(self, credentials: Credentials) -> None:
        """Send credentials that it does not have. Call it without the lock."""
        if credentials != self._credentials:
            self._send(credentials)
            self._credentials = credentials

    def waited(self, seconds: float) -> None:
        """The parent has waited so long. Raises AwsError when nothing was heard of the helper for too long."""
        self._silent_seconds += seconds
        if self._silent_seconds > SILENT_SECONDS:
            raise AwsError(f"a listing process was silent for {SILENT_SECONDS:.0f} s; run the command again")

    def result(self) -> Result:
        """End the process; what it counted. Raises AwsError when it cannot tell. Call it without the lock."""
        self._send(End())
        self._reader.join(_END_SECONDS)
        self.stop()
        if self._result is None:
            raise AwsError("a listing process ended before its time; run the command again")
        return self._result

    def stop(self) -> None:
        """End the process, whatever it does. Call it without the lock."""
        self._process.kill()
        self._process.wait()

    def _send(self, message: object) -> None:
        try:
            self._pipe.send(message)
        except OSError:
            self._board.close(AwsError("a listing process ended before its time; run the command again"))

    def _read(self) -> None:
        try:
            while self._result is None:
                self._heed(self._pipe.recv())
        except (EOFError, OSError):
            self._board.close(AwsError("a listing process ended before its time; run the command again"))

    def _heed(self, message: object) -> None:
        self._silent_seconds = 0.0
        if isinstance(message, Result):
            self._result = message
        elif isinstance(message, Failure):
            denied = message.action is not None
            self._board.close(
                AccessDenied(message.message, message.action or "") if denied else AwsError(message.message)
            )
        elif isinstance(message, Ranges):
            self._asked -= len(message.ranges)
            self._board.put(message.ranges)
            self._see(message.furthest)
        elif isinstance(message, Status):
            self._see(message.furthest)
            with self._board.changed:
                self.status = message
                self._board.changed.notify_all()

    def _see(self, furthest: str) -> None:
        with self._board.changed:
            self._board.furthest = max(self._board.furthest, furthest)


class _Helping:
    """The helper's own side."""

    def __init__(self, pipe: Pipe) -> None:
        task: Task = pipe.recv()
        self._pipe = pipe
        self._board = Board()
        self._received = 0
        self._connection = Connection(task.client_region, task.credentials)
        pages = Listing(self._connection, task.bucket, task.prefix, task.region)
        self._streams = Streams(pages, self._board, task.prefix)
        self._streams.start(task.streams)

    def run(self) -> None:
        """Until the parent says that it is over, or has gone."""
        reporter = threading.Thread(target=self._report, daemon=True)
        reporter.start()
        while not isinstance(message := self._pipe.recv(), End):
            if isinstance(message, Credentials):
                self._connection.renew(message)
                continue
            with self._board.changed:
                if isinstance(message, Ranges):
                    self._received += len(message.ranges)
                    self._board.furthest = max(self._board.furthest, message.furthest)
                    self._board.queue.extend(message.ranges)
                elif isinstance(message, Wanted):
                    self._board.hungry_elsewhere = message.count
                self._board.changed.notify_all()
        self._board.close()
        reporter.join()
        self._pipe.send(Result(self._streams.counts, self._board.stretches))

    def _state(self) -> tuple[int, int, int, int]:
        board = self._board
        return self._received, board.idle, board.outstanding, board.hungry_elsewhere

    def _report(self) -> None:
        board, told = self._board, Status()
        self._seen, next_beat = self._state(), 0.0
        while not board.is_closed:
            with board.changed:
                board.changed.wait_for(lambda: self._seen != self._state(), timeout=_REPORT_SECONDS)
                away = self._given_away()
                received, idle, outstanding, _ = self._seen = self._state()
            if away:
                self._pipe.send(Ranges(away, board.furthest))
            status = Status(
                received=received,
                idle=idle,
                outstanding=outstanding,
                objects=board.objects,
                expected=board.expected,
                furthest=board.furthest,
            )
            if status != told or time.monotonic() >= next_beat:
                self._pipe.send(told := status)
                next_beat = time.monotonic() + _BEAT_SECONDS
        if board.error is not None:
            self._pipe.send(_failure(board.error))

    def _given_away(self) -> tuple[KeyRange, ...]:
        board, away = self._board, []
        while board.hungry_elsewhere > 0 and len(board.queue) > board.idle:
            away.append(board.queue.pop())
            board.hungry_elsewhere -= 1
        return tuple(away)


def _failure(error: BaseException) -> Failure:
    denied = error.action if isinstance(error, AccessDenied) else None
    return Failure(" ".join(str(error).split()) or type(error).__name__, denied)


def main() -> None:
    """List what the parent sends, over the socket whose number is the argument."""
    pipe = Pipe(int(sys.argv[1]))
    try:
        _Helping(pipe).run()
    except (EOFError, OSError):
        os._exit(1)
    except HeadraceError as error:  # it could not begin
        pipe.send(_failure(error))
