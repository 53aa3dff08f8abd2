"""An execution of a standard machine: Amazon States Language with JSONata, on the virtual clock.

Written after the Amazon States Language specification and the Step Functions Developer Guide, and held against moto's
interpreter on a corpus of small machines. What it adds to a plain reading is what breaks machines in practice: the
history of 25,000 events, inputs and outputs of 256 KiB, errors that no Catch sees, time-outs and aborts that skip all.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from tests.simulation.clock import Clock, timestamp
from tests.simulation.jsonata import Functions
from tests.simulation.machine import Group, Machine, State
from tests.simulation.process import Course, Process
from tests.simulation.state_errors import (
    RUNTIME,
    TIMEOUT,
    StateError,
)
from tests.simulation.visit import Visit

LONGEST_HISTORY = 25_000

# events of the history: entered and exited for every state, and what lies between; a Succeed or Fail only enters
EVENTS_OF = {"Task": 2, "Parallel": 4, "Map": 4, "Pass": 2, "Wait": 2, "Choice": 2, "Succeed": 2, "Fail": 1}

Answered = Callable[[Any, "StateError | None"], None]


class Caller(Protocol):
    """What carries out the calls of Task states: answers once, with a result or an error, or never."""

    def __call__(self, execution: Execution, state: str, resource: str, arguments: Any, answer: Answered) -> None: ...


class Watcher(Protocol):
    """Is told of every state that is entered, and of the end. To stop the execution it asks the clock, not at once."""

    def entered(self, execution: Execution, state: str) -> None: ...

    def ended(self, execution: Execution) -> None: ...


class Execution:
    """One run of a machine, from its start to SUCCEEDED, FAILED, TIMED_OUT or ABORTED."""

    def __init__(
        self,
        machine: Machine,
        *,
        arn: str,
        name: str,
        input: Any,
        clock: Clock,
        caller: Caller,
        watcher: Watcher,
        seed: str,
        skew_seconds: float = 0.0,
    ) -> None:
        self.machine = machine
        self.arn = arn
        self.name = name
        self.input = input
        self.status = "RUNNING"
        self.output: Any = None
        self.error: str | None = None
        self.cause: str | None = None
        self.started = clock.now
        self.stopped: float | None = None
        self.events = 1
        self._begun = False
        self.states = 0
        self._clock = clock
        self._caller = caller
        self._watcher = watcher
        self._skew = skew_seconds
        self._chance = random.Random(f"{seed}/{name}")  # noqa: S311 - chance of a story, not of a secret
        self._functions = Functions(self._now, self._chance)
        self._start_time = timestamp(self._now())
        self._process = Process(self._course(machine.group, input, {}, None), self._finished)

    def start(self) -> None:
        self._begun = True
        if self.machine.timeout_seconds is not None:
            self._clock.call_later(self.machine.timeout_seconds, lambda: self.stop("TIMED_OUT", TIMEOUT))
        self._process.resume()

    @property
    def alive(self) -> bool:
        """Whether it runs, and not only says so: a pretended one never started."""
        return self.status == "RUNNING" and self._begun

    def stop(self, status: str, error: str | None = None, cause: str | None = None) -> None:
        """From outside, or by the clock: no Catch sees it."""
        if self.status == "RUNNING":
            self._process.cancel()
            self._end(status, None, error, cause)

    def _now(self) -> float:
        return self._clock.now + self._skew

    def _finished(self, value: Any, error: StateError | None) -> None:
        if self.status != "RUNNING":
            return
        if error is None:
            self._end("SUCCEEDED", value, None, None)
        else:
            self._end("FAILED", None, error.error, error.cause)

    def _end(self, status: str, output: Any, error: str | None, cause: str | None) -> None:
        self.status, self.output, self.error, self.cause = status, output, error, cause
        self.stopped = self._clock.now
        self._watcher.ended(self)

    # -- the course of a scope

    def _course(self, group: Group, value: Any, outer: Mapping[str, Any], item: Mapping[str, Any] | None) -> Course:
        variables = dict(outer)
        name: str | None = group.start
        while name is not None:
            state = group.states[name]
            self._enter(state)
            visit = Visit(self, state, value, variables, item)
            leaving, value, assigned = yield from getattr(visit, f"run_{state.kind.lower()}")()
            variables.update(assigned)
            name = leaving.next
        return value

    def _enter(self, state: State) -> None:
        self.states += 1
        self.count(EVENTS_OF[state.kind])
        self._watcher.entered(self, state.name)

    def count(self, events: int) -> None:
        self.events += events
        if self.events >= LONGEST_HISTORY:
            cause = f"The execution reached the maximum number of history events ({LONGEST_HISTORY})."
            raise StateError(RUNTIME, cause)

    def context(self, member: str) -> Any:
        """A member of `$states.context.Execution`."""
        return {"Id": self.arn, "Name": self.name, "Input": self.input, "StartTime": self._start_time}[member]

    @property
    def functions(self) -> Functions:
        return self._functions

    @property
    def clock(self) -> Clock:
        return self._clock

    def time(self) -> float:
        return self._now()

    def chance(self) -> float:
        return self._chance.random()

    def call(self, state: str, resource: str, arguments: Any, answer: Answered) -> None:
        self._caller(self, state, resource, arguments, answer)

    def branch(self, group: Group, value: Any, variables: Mapping[str, Any], item: Mapping[str, Any] | None) -> Course:
        """A scope inside this one: it sees the variables, and what it assigns is its own."""
        return self._course(group, value, variables, item)
