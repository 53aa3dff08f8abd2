"""The virtual clock: a queue of what happens next. Time passes only from one happening to the next.

Happenings of the same instant keep the order in which they were asked for, so that a run depends on nothing but its
seed. A service may have a clock of its own that is wrong by some seconds (`skewed`).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count

EPOCH_SECONDS = 1_800_000_000.0  # a whole second in January 2027: timestamps in stories are easy to read
Action = Callable[[], None]


class Timer:
    """Something that will happen, unless it is cancelled."""

    __slots__ = ("_action",)

    def __init__(self, action: Action) -> None:
        self._action: Action | None = action

    def cancel(self) -> None:
        self._action = None

    def fire(self) -> bool:
        """Let it happen, once; False when it was cancelled."""
        action, self._action = self._action, None
        if action is None:
            return False
        action()
        return True

    @property
    def pending(self) -> bool:
        return self._action is not None


class Clock:
    def __init__(self, start: float = EPOCH_SECONDS) -> None:
        self.now = start
        self.start = start
        self._queue: list[tuple[float, int, Timer]] = []
        self._serial = count()

    def call_later(self, seconds: float, action: Action) -> Timer:
        timer = Timer(action)
        heapq.heappush(self._queue, (self.now + max(0.0, seconds), next(self._serial), timer))
        return timer

    def call_at(self, time: float, action: Action) -> Timer:
        return self.call_later(time - self.now, action)

    def run_until(self, time: float, stop: Callable[[], bool] = lambda: False) -> None:
        """Let everything happen that is due by this time, or until `stop` says so after one of them."""
        while self._queue and self._queue[0][0] <= time:
            due, _, timer = heapq.heappop(self._queue)
            if timer.pending:
                self.now = due
                timer.fire()
                if stop():
                    return
        self.now = max(self.now, time)


def timestamp(seconds: float) -> str:
    """As every service of AWS writes it through Step Functions: UTC, milliseconds, Z."""
    return datetime.fromtimestamp(round(seconds, 3), UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def seconds_of(text: str) -> float:
    """The moment that an RFC 3339 text names; ValueError when it names none."""
    moment = datetime.fromisoformat(text)
    if "T" not in text or moment.tzinfo is None:
        raise ValueError(f"{text!r} is not an RFC 3339 timestamp with a time zone")
    return moment.timestamp()
