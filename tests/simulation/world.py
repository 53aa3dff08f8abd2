"""One world of one schedule: the clock, the services, what becomes of each call, and the record of what happened.

The record is kept by the services' own doings (a deletion that was accepted, a job that was billed), never by what a
machine says: the invariants read it. Every number of chance comes from the seed, each service with a sequence of its
own, so that a fault more in one place does not change all the others.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from tests.simulation.clock import Clock
from tests.simulation.faults import CallFaults, Faults
from tests.simulation.interpreter import Answered, Execution
from tests.simulation.machine import Machine
from tests.simulation.service_api import Action, action, misfits
from tests.simulation.simulated_event_bridge import SimulatedEventBridge
from tests.simulation.simulated_fsx import FileSystem, SimulatedFsx
from tests.simulation.simulated_monitoring import SimulatedCloudWatch, SimulatedSns
from tests.simulation.simulated_sagemaker import Job, SimulatedSageMaker
from tests.simulation.simulated_step_functions import SimulatedStepFunctions
from tests.simulation.state_errors import StateError

Operation = Callable[..., dict[str, Any]]
Teller = Callable[[float, str, str, str], None]
"""Of a story: time, who, where, what."""

ASKS_WHO_CALLS = {"createFileSystem", "deleteFileSystem", "createTrainingJob", "stopTrainingJob", "startExecution"}
SLOW_TO_ANSWER = {"createFileSystem", "createTrainingJob", "createDataRepositoryAssociation"}


@dataclass
class Deletion:
    """A DeleteFileSystem that FSx accepted."""

    time: float
    file_system: FileSystem
    caller: str | None
    mounting: list[tuple[str, float]]  # the jobs InProgress or Stopping that mount it, and for how long they exist
    seen: float  # seconds since the caller last saw the list of the jobs InProgress
    marked: str | None  # the mark of the reaper that it carried then


@dataclass
class Record:
    deletions: list[Deletion] = field(default_factory=list)
    billed: list[tuple[Job, str, str]] = field(default_factory=list)  # job, file system, its life cycle then
    calls: Counter[str] = field(default_factory=Counter)  # by execution
    undisturbed: Counter[str] = field(default_factory=Counter)  # of these, those that no fault made necessary
    visits: Counter[tuple[str, str]] = field(default_factory=Counter)  # machine, state
    starters: dict[str, str | None] = field(default_factory=dict)  # execution -> who started it
    misfits: list[str] = field(default_factory=list)  # answers of the simulation that are not of the API's shape
    struck: Counter[str] = field(default_factory=Counter)  # faults that really struck
    stops: list[tuple[Job, str]] = field(default_factory=list)  # a job, and the execution that stopped it
    looks: dict[str, float] = field(default_factory=dict)  # execution -> when it last saw the jobs InProgress
    errors: dict[str, set[str]] = field(default_factory=dict)  # execution -> the errors that its calls met


class World:
    """Services, machines and clock of one schedule. `tell` hears the story, when there is somebody to hear it."""

    def __init__(
        self,
        machines: Mapping[str, Machine],
        faults: Faults,
        seed: str,
        *,
        tell: Teller | None = None,
        check_answers: bool = False,
    ) -> None:
        self.clock = Clock()
        self.faults = faults
        self.record = Record()
        self._tell = tell
        self._check_answers = check_answers
        self._seed = seed
        self._call_chance = self.chance("calls")
        self._strikes = [each.at_most if each.at_most is not None else -1 for each in faults.calls]
        self.fsx = SimulatedFsx(self.clock, self.chance("fsx"), faults.fsx)
        self.sagemaker = SimulatedSageMaker(self.clock, self.chance("sagemaker"), faults.sagemaker, self._refusal)
        self.step_functions = SimulatedStepFunctions(self.clock, machines, faults.step_functions, self.call, seed)
        self.step_functions.watcher = self
        self.cloudwatch = SimulatedCloudWatch(self.clock, self._connections)
        self.sns = SimulatedSns(self.clock)
        self.event_bridge = SimulatedEventBridge(self.clock, self.chance("events"), faults.events, self.step_functions)
        self._services: dict[str, Any] = {
            "fsx": self.fsx,
            "sagemaker": self.sagemaker,
            "sfn": self.step_functions,
            "cloudwatch": self.cloudwatch,
            "sns": self.sns,
        }
        self.fsx.on_deletion = self._deleted
        self.sagemaker.on_billed = self._billed
        self.sagemaker.on_stopped = lambda job, caller: self.record.stops.append((job, caller))
        self.step_functions.on_started = self._started
        self.on_entered: Callable[[Execution, str, int], None] = lambda *_: None
        self.on_ended: Callable[[Execution], None] = lambda *_: None

    def chance(self, purpose: str) -> random.Random:
        return random.Random(f"{self._seed}/{purpose}")  # noqa: S311 - a story, not a secret

    def tell(self, who: str, where: str, what: str) -> None:
        if self._tell is not None:
            self._tell(self.clock.now - self.clock.start, who, where, what)

    # -- the watcher of all executions

    def entered(self, execution: Execution, state: str) -> None:
        self.record.visits[execution.machine.name, state] += 1
        self.on_entered(execution, state, self.record.visits[execution.machine.name, state])
        if self._tell is not None:
            self.tell(execution.name, state, "entered")

    def ended(self, execution: Execution) -> None:
        if self._tell is not None:
            why = f" {execution.error}: {execution.cause}" if execution.error else f" {execution.output}"
            self.tell(execution.name, "", execution.status + why)
        self.event_bridge.execution_ended(execution)
        self.on_ended(execution)

    def _started(self, execution: Execution, starter: str | None) -> None:
        self.record.starters[execution.arn] = starter
        if self._tell is not None:
            self.tell(execution.name, "", f"started: {execution.machine.name} {str(execution.input)[:300]}")

    # -- calls

    def call(self, execution: Execution, state: str, resource: str, arguments: Any, answer: Answered) -> None:
        """Carry a call out, or not, as the faults say. Raises StateError when Step Functions would not send it."""
        asked = action(resource)
        asked.check(arguments)
        record, chance = self.record, self._call_chance
        record.calls[execution.arn] += 1
        seconds = chance.uniform(0.3, 1.5) if asked.name in SLOW_TO_ANSWER else chance.uniform(0.05, 0.4)
        fault = self._fault(asked)

        def effect() -> tuple[Any, StateError | None]:
            try:
                operation = self._operation(asked)
                known = asked.name in ASKS_WHO_CALLS
                result = operation(arguments, execution.arn) if known else operation(arguments)
            except StateError as error:
                return None, error
            if asked.name == "listTrainingJobs" and arguments.get("StatusEquals") == "InProgress":
                record.looks[execution.arn] = self.clock.now
            if self._check_answers:
                shape = asked.model.output_shape
                record.misfits += [f"{asked.name}: {each}" for each in (misfits(result, shape, "") if shape else ())]
            return result, None

        def tell(outcome: tuple[Any, StateError | None], note: str = "") -> None:
            if self._tell is not None:
                said = outcome[0] if outcome[1] is None else outcome[1]
                text = f"{asked.service}:{asked.name} {str(arguments)[:400]} -> {note}{str(said)[:400]}"
                self.tell(execution.name, state, text)

        def finish(outcome: tuple[Any, StateError | None], note: str = "") -> None:
            tell(outcome, note)
            if outcome[1] is not None:
                record.errors.setdefault(execution.arn, set()).add(outcome[1].error)
            answer(*outcome)

        if fault is None:
            record.undisturbed[execution.arn] += 1
            self.clock.call_later(seconds, lambda: finish(effect()))
            return
        record.struck[fault] += 1
        self._strike(fault, asked, seconds, effect, finish, tell)

    def _strike(self, fault: str, asked: Action, seconds: float, effect: Any, finish: Any, tell: Any) -> None:
        chance, later = self._call_chance, self.clock.call_later
        service = asked.error_prefix
        if fault == "throttled":
            error = StateError(f"{service}.{service}Exception", f"Rate exceeded (Service: {service}, Status Code: 400)")
            later(seconds, lambda: finish((None, error), "throttled: "))
        elif fault == "late":
            slow = chance.uniform(20, 90)
            moment = chance.uniform(0, slow)
            outcome: list[Any] = []
            later(moment, lambda: outcome.append(effect()))
            later(slow, lambda: finish(outcome[0], "late: "))
        else:
            arrives = fault == "unanswered" or (fault == "failed" and chance.random() < 0.5)
            if arrives:
                later(seconds, lambda: tell(effect(), f"{fault}, with its effect: "))
            if fault == "failed":
                name = "InternalServerErrorException" if service == "FSx" else f"{service}Exception"
                error = StateError(f"{service}.{name}", "Internal failure (Status Code: 500)")
                later(seconds + 0.01, lambda: finish((None, error), "failed: "))
            elif chance.random() < 0.5:
                error = StateError(f"{service}.SdkClientException", "Unable to execute HTTP request: Read timed out")
                later(chance.uniform(10, 50), lambda: finish((None, error), f"{fault}: "))
            # else nobody answers at all: the TimeoutSeconds of the state is what ends it

    def _fault(self, asked: Action) -> str | None:
        for index, each in enumerate(self.faults.calls):
            if (each.only is None or each.only == asked.name) and self._strikes[index] != 0:
                found = _drawn(each, self._call_chance.random())
                if found is not None:
                    self._strikes[index] -= 1
                    return found
        return None

    def _operation(self, asked: Action) -> Operation:
        operation: Operation = getattr(self._services[asked.service], _snake(asked.name))
        return operation

    # -- what one service knows of another

    def _refusal(self, job: Job) -> str | None:
        for identity in job.file_systems():
            found = self.fsx.file_systems.get(identity)
            if found is None or not found.exists:
                return f"{identity} does not exist"
            if found.lifecycle != "AVAILABLE":
                return f"{identity} is {found.lifecycle}"
        return None

    def _connections(self, identity: str, start: float, end: float) -> int | None:
        found = self.fsx.file_systems.get(identity)
        if found is None or not found.exists:
            return None
        mounts = [job for job in self.sagemaker.jobs.values() if identity in job.file_systems()]
        connected = sum(
            job.billed_from is not None and job.billed_from < end and (job.ended is None or job.ended > start)
            for job in mounts
        )
        return connected + found.connections

    # -- the record

    def _deleted(self, file_system: FileSystem, caller: str | None) -> None:
        jobs = [job for job in self.sagemaker.jobs.values() if job.runs and file_system.id in job.file_systems()]
        mounting = [(job.name, self.clock.now - job.created) for job in jobs]
        marked = file_system.tags.get("headrace:marked")
        seen = self.clock.now - self.record.looks.get(caller or "", 0.0)
        self.record.deletions.append(Deletion(self.clock.now, file_system, caller, mounting, seen, marked))

    def _billed(self, job: Job) -> None:
        for identity in job.file_systems():
            self.record.billed.append((job, identity, self.fsx.file_systems[identity].lifecycle))


def _drawn(faults: CallFaults, number: float) -> str | None:
    if number >= faults.any:
        return None
    for name in ("throttled", "lost", "unanswered", "failed", "late"):
        number -= getattr(faults, name)
        if number < 0:
            return name
    return None


@cache
def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
