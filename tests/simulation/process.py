"""A course of states as a generator that the clock drives: it yields an effect and is resumed with its result.

An effect is a function that gets the process, arranges on the clock that it is resumed or fails, and may leave behind
what has to be undone when the process is cancelled.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any

from tests.simulation.clock import Clock
from tests.simulation.state_errors import StateError

Effect = Callable[["Process"], None]
Course = Generator[Effect, Any, Any]
Ended = Callable[[Any, "StateError | None"], None]


class Process:
    def __init__(self, course: Course, ended: Ended) -> None:
        self._course = course
        self._ended = ended
        self.alive = True
        self.undo: Callable[[], None] | None = None

    def resume(self, value: Any = None) -> None:
        self._go(lambda: self._course.send(value))

    def fail(self, error: StateError) -> None:
        self._go(lambda: self._course.throw(error))

    def cancel(self) -> None:
        """No step more; what it waits for is undone, and nobody is told."""
        if self.alive:
            self.alive = False
            if self.undo is not None:
                self.undo()
            self._course.close()

    def _go(self, step: Callable[[], Effect]) -> None:
        if not self.alive:
            return
        self.undo = None
        try:
            effect = step()
        except StopIteration as end:
            self.alive = False
            self._ended(end.value, None)
        except StateError as error:
            self.alive = False
            self._ended(None, error)
        else:
            effect(self)


def sleep(clock: Clock, seconds: float) -> Effect:
    def effect(process: Process) -> None:
        process.undo = clock.call_later(seconds, process.resume).cancel

    return effect


class Fan:
    """Several courses of one state, at most so many at a time; the first error ends all of them."""

    def __init__(self, clock: Clock, parent: Process, courses: Sequence[Callable[[], Course]], limit: int) -> None:
        self._clock = clock
        self._parent = parent
        self._courses = courses
        self._results: list[Any] = [None] * len(courses)
        self._running: dict[int, Process] = {}
        self._next = 0
        self._left = len(courses)
        self._over = False
        parent.undo = self._stop
        if not courses:
            self._finish(lambda: parent.resume([]))
        for _ in range(min(limit, len(courses))):
            self._start()

    def _start(self) -> None:
        if self._over or self._next >= len(self._courses):
            return
        index = self._next
        self._next += 1
        self._running[index] = Process(self._courses[index](), lambda value, error: self._ended(index, value, error))
        self._running[index].resume()

    def _ended(self, index: int, value: Any, error: StateError | None) -> None:
        self._running.pop(index, None)
        if self._over:
            return
        if error is not None:
            self._stop()
            self._finish(lambda: self._parent.fail(error))
            return
        self._results[index] = value
        self._left -= 1
        if self._left:
            self._start()
        else:
            self._finish(lambda: self._parent.resume(self._results))

    def _finish(self, action: Callable[[], None]) -> None:
        self._over = True
        self._parent.undo = self._clock.call_later(0, action).cancel

    def _stop(self) -> None:
        self._over = True
        for each in list(self._running.values()):
            each.cancel()
        self._running.clear()


def fan(clock: Clock, courses: Sequence[Callable[[], Course]], limit: int) -> Effect:
    """Resumed with the list of their results, or failed with the first error."""

    def effect(process: Process) -> None:
        Fan(clock, process, courses, limit)

    return effect
