"""Listing all below a prefix of S3, with many streams, in as many processes as there are processors."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Final

from headrace.aws.connection import Connection
from headrace.aws.listing import Listing
from headrace.dataset.counts import Counts
from headrace.dataset.key_ranges import KeyRange
from headrace.dataset.stretches import Stretch, joined
from headrace.profiling.board import Board
from headrace.profiling.helper import Helper
from headrace.profiling.messages import Task
from headrace.profiling.streams import Streams

STREAMS: Final = 32
MOST_PROCESSES: Final = 4
HELP_FROM_OBJECTS: Final = 50_000
"""A further process takes half a second to start; fewer objects are listed by then."""
_TICK_SECONDS: Final = 0.2

Told = Callable[[int, float], None]
"""Told how many objects were listed, and about how many are still to come."""


def list_all(
    connection: Connection,
    bucket: str,
    prefix: str,
    region: str,
    told: Told = lambda _listed, _expected: None,
    *,
    processes: int | None = None,
) -> tuple[Counts, Stretch]:
    """Count all objects whose key begins with the prefix, each once.

    ``processes``: how many at the most; default: the processors that this one may use. Raises AccessDenied without
    s3:ListBucket.
    """
    return _Run(connection, bucket, prefix, region, processes or available_processes()).all(told)


def available_processes() -> int:
    """As many processes as this one may use processors, within bounds."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MOST_PROCESSES, usable)


class _Run:
    def __init__(self, connection: Connection, bucket: str, prefix: str, region: str, processes: int) -> None:
        self._board = Board()
        self._stopped = threading.Event()
        self._connection = connection
        pages = Listing(connection, bucket, prefix, region, pause=self._stopped.wait)
        self._streams = Streams(pages, self._board, prefix)
        self._share = max(1, STREAMS // processes)
        self._place = bucket, prefix, region
        self._most_helpers = processes - 1
        self._helpers: list[Helper] = []

    def all(self, told: Told) -> tuple[Counts, Stretch]:
        board = self._board
        board.put([KeyRange()])
        self._streams.start(self._share)
        try:
            while self._goes_on():
                listed = board.objects + sum(each.status.objects for each in self._helpers)
                told(listed, board.expected + sum(each.status.expected for each in self._helpers))
            board.close()
            return self._sum()
        finally:
            board.close()
            self._stopped.set()
            for each in self._helpers:
                each.stop()

    def _goes_on(self) -> bool:
        """Wait a little, and share the work among the processes; whether there is more to wait for."""
        board, started = self._board, time.monotonic()
        with board.changed:
            state = self._state()
            board.changed.wait_for(lambda: board.is_closed or state != self._state(), timeout=_TICK_SECONDS)
            if board.error is not None:
                raise board.error
            for each in self._helpers:
                each.exchange()
            board.hungry_elsewhere = sum(each.free for each in self._helpers)
            is_over = not board.outstanding and all(each.is_done for each in self._helpers)
            wants_help = board.objects >= HELP_FROM_OBJECTS and not self._helpers and not is_over
        self._attend(time.monotonic() - started)
        if wants_help:
            task = self._task()
            self._helpers += [Helper(task, board) for _ in range(self._most_helpers)]
        return not is_over

    def _attend(self, waited_seconds: float) -> None:
        """Keep the helpers' credentials fresh, and see that they live."""
        for each in self._helpers:
            each.renew(self._connection.credentials())
            # no more than a tick: a command that was stopped for a while has heard nothing, either
            each.waited(min(waited_seconds, _TICK_SECONDS))

    def _task(self) -> Task:
        bucket, prefix, region = self._place
        return Task(
            client_region=self._connection.region,
            bucket=bucket,
            prefix=prefix,
            region=region,
            streams=self._share,
            credentials=self._connection.credentials(),
        )

    def _state(self) -> tuple[object, ...]:
        board = self._board
        return board.idle, board.busy, len(board.queue), *(each.status for each in self._helpers)

    def _sum(self) -> tuple[Counts, Stretch]:
        counts, stretches = self._streams.counts, self._board.stretches
        for each in self._helpers:
            result = each.result()
            counts.join(result.counts)
            stretches = [*stretches, *result.stretches]
        return counts, joined(stretches)
