"""An execution of a standard machine: Amazon States Language with JSONata, on the virtual clock.

Written after the Amazon States Language specification and the Step Functions Developer Guide, and held against moto's
interpreter on a corpus of small machines. What it adds to a plain reading is what breaks machines in practice: the
history of 25,000 events, inputs and outputs of 256 KiB, errors that no Catch sees, time-outs and aborts that skip all.
"""

from __future__ import annotations

import json
import marshal
import random
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

from tests.simulation.clock import Clock, seconds_of, timestamp
from tests.simulation.jsonata import Functions
from tests.simulation.machine import Bindings, Group, Leaving, Machine, State
from tests.simulation.process import Course, Process, fan, sleep
from tests.simulation.state_errors import (
    DATA_LIMIT_EXCEEDED,
    QUERY_EVALUATION_ERROR,
    RUNTIME,
    TIMEOUT,
    StateError,
    matches,
)

LONGEST_HISTORY = 25_000
LARGEST_PAYLOAD_BYTES = 262_144
LONGEST_WAIT_SECONDS = 99_999_999
MOST_ITEMS_AT_A_TIME = 40  # of an inline Map, whatever MaxConcurrency says

# events of the history: entered and exited for every state, and what lies between; a Succeed or Fail only enters
EVENTS_OF = {"Task": 2, "Parallel": 4, "Map": 4, "Pass": 2, "Wait": 2, "Choice": 2, "Succeed": 2, "Fail": 1}
EVENTS_OF_AN_ATTEMPT = 3  # scheduled, started, and succeeded, failed or timed out
EVENTS_OF_AN_ITEM = 2

Answered = Callable[[Any, "StateError | None"], None]
Left = tuple[Leaving, Any, Mapping[str, Any]]  # which way, the output, what is assigned


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


class Visit:
    """One state, from being entered to being left."""

    def __init__(
        self, execution: Execution, state: State, value: Any, variables: dict[str, Any], item: Mapping[str, Any] | None
    ) -> None:
        self._execution = execution
        self._state = state
        self._input = value
        self._variables = variables
        self._item = item
        self._entered = execution.time()
        self._retries = 0
        self._parts = {"input": value}
        self._bound = Bindings(variables, self, execution.functions)

    def part(self, name: str) -> Any:
        """A part of `$states`: input, and result or errorOutput when the state is left."""
        return self._parts[name]

    def context(self, group: str, member: str) -> Any:
        """A member of the context object."""
        if group == "Execution":
            return self._execution.context(member)
        if group == "Map":
            assert member == "Item"
            if self._item is None:
                raise KeyError(group)
            return self._item
        made = {"Name": self._state.name, "RetryCount": self._retries, "EnteredTime": timestamp(self._entered)}
        return {"State": made}[group][member]

    def _field(self, name: str, default: Any = None) -> Any:
        made = self._state.fields.get(name)
        return default if made is None else made(self._bound)

    def _left(self, leaving: Leaving, default: Any, more: Mapping[str, Any]) -> Left:
        """All that is assigned sees the variables as they were before."""
        self._parts = {"input": self._input, **more}
        bound = self._bound
        assigned = {} if leaving.assign is None else leaving.assign(bound)
        output = default if leaving.output is None else leaving.output(bound)
        _limited(output, f"The output of the state '{self._state.name}'")
        if assigned:
            _limited(assigned, f"What the state '{self._state.name}' assigns")
        return leaving, output, assigned

    # -- the states

    def run_pass(self) -> Course:
        yield from ()
        return self._left(self._state.leaving, self._input, {})

    run_succeed = run_pass

    def run_fail(self) -> Course:
        yield from ()
        error, cause = self._field("Error", ""), self._field("Cause", "")
        if not isinstance(error, str) or not isinstance(cause, str):
            raise StateError(QUERY_EVALUATION_ERROR, f"Error and Cause of '{self._state.name}' are to be strings")
        if error.startswith("States."):
            raise StateError(RUNTIME, f"A Fail state may not raise {error}: names in States. are reserved")
        raise StateError(error, cause)

    def run_wait(self) -> Course:
        if "Timestamp" in self._state.fields:
            seconds = self._moment(self._field("Timestamp")) - self._entered
        else:
            seconds = self._number("Seconds", 0)
        yield sleep(self._execution.clock, seconds)
        return self._left(self._state.leaving, self._input, {})

    def run_choice(self) -> Course:
        yield from ()
        for rule in self._state.rules:
            met = rule.condition(self._bound)
            if not isinstance(met, bool):
                raise StateError(
                    QUERY_EVALUATION_ERROR, f"A condition of '{self._state.name}' is {met!r}, not a boolean"
                )
            if met:
                return self._left(rule.leaving, self._input, {})
        if self._state.leaving.next is None:
            raise StateError(
                RUNTIME, f"No rule of '{self._state.name}' matches and it has no Default (NoChoiceMatched)"
            )
        return self._left(self._state.leaving, self._input, {})

    def run_task(self) -> Course:
        return (yield from self._answered(self._task))

    def run_parallel(self) -> Course:
        return (yield from self._answered(self._parallel))

    def run_map(self) -> Course:
        return (yield from self._answered(self._map))

    # -- what can be retried and caught

    def _answered(self, attempt: Callable[[], Course]) -> Course:
        counts = [0] * len(self._state.retriers)
        while True:
            try:
                result = yield from attempt()
                return self._left(self._state.leaving, result, {"result": result})
            except StateError as error:
                failed = error
            seconds = self._retry(counts, failed.error)
            if seconds is None:
                return self._caught(failed)
            yield sleep(self._execution.clock, seconds)
            self._retries += 1
            self._parts = {"input": self._input}

    def _retry(self, counts: list[int], error: str) -> float | None:
        """Seconds until the next attempt. The first retrier that matches decides, and each has a count of its own."""
        for index, retrier in enumerate(self._state.retriers):
            if matches(retrier.errors, error):
                if counts[index] >= retrier.max_attempts:
                    return None
                counts[index] += 1
                return retrier.delay(counts[index] - 1, self._execution.chance)
        return None

    def _caught(self, error: StateError) -> Left:
        for catcher in self._state.catchers:
            if matches(catcher.errors, error.error):
                output = error.output()
                return self._left(catcher.leaving, output, {"errorOutput": output})
        raise error

    def _task(self) -> Course:
        arguments = self._field("Arguments", {})
        _limited(arguments, f"The arguments of the state '{self._state.name}'")
        seconds = self._number("TimeoutSeconds", 1) if "TimeoutSeconds" in self._state.fields else LONGEST_WAIT_SECONDS
        self._execution.count(EVENTS_OF_AN_ATTEMPT)

        def effect(process: Process) -> None:
            def answer(value: Any, error: StateError | None) -> None:
                if timer.pending:
                    timer.cancel()
                    process.resume(value) if error is None else process.fail(error)

            late = StateError(TIMEOUT, f"The task of the state '{self._state.name}' was not answered in {seconds} s")
            timer = self._execution.clock.call_later(seconds, lambda: process.fail(late))
            process.undo = timer.cancel
            try:
                self._execution.call(self._state.name, self._state.resource, arguments, answer)
            except StateError as error:  # refused by Step Functions itself: an unknown argument
                answer(None, error)

        result = yield effect
        _limited(result, f"The result of the task in the state '{self._state.name}'")
        return result

    def _parallel(self) -> Course:
        value = self._field("Arguments", self._input)
        branch = self._execution.branch
        courses = [partial(branch, group, value, self._variables, self._item) for group in self._state.groups]
        return (yield fan(self._execution.clock, courses, len(courses)))

    def _map(self) -> Course:
        items = self._field("Items", self._input)
        if isinstance(items, dict):
            items = [{"Key": key, "Value": value} for key, value in items.items()]
        if not isinstance(items, list):
            raise StateError(QUERY_EVALUATION_ERROR, f"Items of '{self._state.name}' is {items!r}, not an array")
        self._execution.count(EVENTS_OF_AN_ITEM * len(items))
        limit = min(self._state.max_concurrency or MOST_ITEMS_AT_A_TIME, MOST_ITEMS_AT_A_TIME)
        courses = [self._item_course(index, each) for index, each in enumerate(items)]
        return (yield fan(self._execution.clock, courses, limit))

    def _item_course(self, index: int, each: Any) -> Callable[[], Course]:
        item = {"Index": index, "Value": each}

        def course() -> Course:
            value = each
            if "ItemSelector" in self._state.fields:
                outer, self._item = self._item, item
                value = self._field("ItemSelector")
                self._item = outer
            return (yield from self._execution.branch(self._state.groups[0], value, self._variables, item))

        return course

    # -- fields with a type

    def _number(self, field: str, least: int) -> int:
        value = self._field(field)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= LONGEST_WAIT_SECONDS:
            raise StateError(
                QUERY_EVALUATION_ERROR, f"{field} of '{self._state.name}' is {value!r}, not a whole number"
            )
        return value

    def _moment(self, value: Any) -> float:
        try:
            return seconds_of(value)
        except (TypeError, ValueError):
            raise StateError(QUERY_EVALUATION_ERROR, f"Timestamp of '{self._state.name}' is {value!r}") from None


def _limited(value: Any, what: str) -> None:
    """States.DataLimitExceeded above 256 KiB as JSON. Marshalled it is about as long, and that is quickly known."""
    if len(marshal.dumps(value, 2)) * 2 < LARGEST_PAYLOAD_BYTES:
        return
    size = len(json.dumps(value, separators=(",", ":")).encode())
    if size > LARGEST_PAYLOAD_BYTES:
        cause = f"{what} is {size} bytes as JSON; at most {LARGEST_PAYLOAD_BYTES} are allowed"
        raise StateError(DATA_LIMIT_EXCEEDED, cause)
