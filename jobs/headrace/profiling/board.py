"""The board where streams find ranges of keys to list, and hang out what they give away.

A stream that has none waits; one that is busy sees after each page whether others wait, and cuts the rest of its range.
Only the stream that lists a range changes it, between two pages. So no key is listed twice, and none is left out.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from headrace.dataset.key_ranges import KeyRange
from headrace.dataset.stretches import Stretch


class Board:
    """Ranges of one process. ``changed`` guards it, and tells of every change.

    ``hungry_elsewhere``: streams of other processes that wait. ``furthest``: the last key that was seen anywhere.
    """

    def __init__(self) -> None:
        """An empty board."""
        self.changed = threading.Condition()
        self.queue: deque[KeyRange] = deque()
        self.idle = 0
        self.busy = 0
        self.hungry_elsewhere = 0
        self.objects = 0
        self.stretches: list[Stretch] = []
        self.error: BaseException | None = None
        self._is_closed = False
        self.furthest = ""
        self._expected: dict[int, tuple[float, str | None]] = {}

    @property
    def outstanding(self) -> int:
        """Ranges that are not listed to their end."""
        return len(self.queue) + self.busy

    @property
    def is_closed(self) -> bool:
        """Whether streams are to stop."""
        return self._is_closed

    @property
    def expected(self) -> float:
        """About how many objects are still to come in the ranges that are listed here.

        Of the range beyond which no key was seen yet nobody knows how much of it is empty: it does not count.
        """
        told = tuple(self._expected.copy().values())
        return sum(expected for expected, until in told if until is not None and until < self.furthest)

    def put(self, ranges: Sequence[KeyRange]) -> None:
        """Hang out ranges for whoever waits."""
        with self.changed:
            self.queue.extend(ranges)
            self.changed.notify_all()

    def take(self) -> KeyRange | None:
        """Wait for a range; None when there will be none."""
        with self.changed:
            self.idle += 1
            self.changed.notify_all()
            while not (self.queue or self._is_closed):
                self.changed.wait()
            self.idle -= 1
            if self._is_closed:
                return None
            self.busy += 1
            return self.queue.popleft()

    def tell(self, stream: int, objects: int, expected: float, last: str | None, until: str | None) -> None:
        """A stream has listed so many more objects, up to ``last``, and expects about so many more up to ``until``."""
        with self.changed:
            self.objects += objects
            self.furthest = max(self.furthest, last or "")
            self._expected[stream] = expected, until

    def finish(self, stream: int, stretch: Stretch) -> None:
        """The range that the stream took is listed to its end."""
        with self.changed:
            self.busy -= 1
            self._expected.pop(stream, None)
            self.stretches.append(stretch)
            self.changed.notify_all()

    def wanted(self) -> int:
        """How many parts a busy stream is asked to give away now."""
        with self.changed:
            wanted = self.idle + self.hungry_elsewhere - len(self.queue)
            return -(-wanted // max(1, self.busy)) if wanted > 0 else 0

    def close(self, error: BaseException | None = None) -> None:
        """Let all streams stop; the first error is kept."""
        with self.changed:
            self.error = self.error or error
            self._is_closed = True
            self.changed.notify_all()
