"""One state of an execution, from being entered to being left: what each type of state does, retries and catches.

All that a state evaluates sees the variables as they were when it was entered; what it assigns is there for the next.
"""

from __future__ import annotations

import json
import marshal
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.simulation.clock import seconds_of, timestamp
from tests.simulation.machine import Bindings, Leaving, State
from tests.simulation.process import Course, Process, fan, sleep
from tests.simulation.state_errors import (
    DATA_LIMIT_EXCEEDED,
    QUERY_EVALUATION_ERROR,
    RUNTIME,
    TIMEOUT,
    StateError,
    matches,
)

if TYPE_CHECKING:
    from tests.simulation.interpreter import Execution

LARGEST_PAYLOAD_BYTES = 262_144
LONGEST_WAIT_SECONDS = 99_999_999
MOST_ITEMS_AT_A_TIME = 40  # of an inline Map, whatever MaxConcurrency says
EVENTS_OF_AN_ATTEMPT = 3  # scheduled, started, and succeeded, failed or timed out
EVENTS_OF_AN_ITEM = 2

Left = tuple[Leaving, Any, Mapping[str, Any]]  # which way, the output, what is assigned


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
