"""Step Functions as the machines call it: executions by name, and their description, which may be some seconds old.

Written after the Step Functions API Reference: StartExecution is idempotent for a name and the same input while that
execution runs, and DescribeExecution is eventually consistent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.simulation.clock import Clock, timestamp
from tests.simulation.data_repositories import ACCOUNT, REGION
from tests.simulation.faults import StepFunctionsFaults
from tests.simulation.interpreter import Caller, Execution, Watcher
from tests.simulation.machine import Machine
from tests.simulation.state_errors import StateError
from tests.simulation.visit import LARGEST_PAYLOAD_BYTES

PREFIX = f"arn:aws:states:{REGION}:{ACCOUNT}"
MACHINE_PREFIX = "headrace-dev-"  # machines are named by what they do; the platform's name is before it
LONGEST_NAME = 80


def machine_arn(name: str) -> str:
    return f"{PREFIX}:stateMachine:{MACHINE_PREFIX}{name}"


def execution_arn(machine: str, name: str) -> str:
    return f"{PREFIX}:execution:{MACHINE_PREFIX}{machine}:{name}"


class SimulatedStepFunctions:
    def __init__(
        self, clock: Clock, machines: Mapping[str, Machine], faults: StepFunctionsFaults, caller: Caller, seed: str
    ) -> None:
        self._clock = clock
        self._machines = {machine_arn(name): machine for name, machine in machines.items()}
        self._faults = faults
        self._caller = caller
        self._seed = seed
        self.executions: dict[str, Execution] = {}
        self.watcher: Watcher | None = None
        self.on_started: Callable[[Execution, str | None], None] = lambda *_: None

    def start(self, machine: str, name: str, value: Any, caller: str | None = None) -> Execution:
        """A new execution. Its first state runs at once."""
        assert self.watcher is not None
        execution = Execution(
            self._machines[machine_arn(machine)],
            arn=execution_arn(machine, name),
            name=name,
            input=value,
            clock=self._clock,
            caller=self._caller,
            watcher=self.watcher,
            seed=self._seed,
            skew_seconds=self._faults.skew_seconds,
        )
        self.executions[execution.arn] = execution
        self.on_started(execution, caller)
        self._clock.call_later(0.05, execution.start)
        return execution

    def pretend(self, name: str, status: str, started: float, stopped: float | None) -> Execution:
        """An execution of the flow that is known, and does nothing: an owner of something."""
        assert self.watcher is not None
        execution = Execution(
            self._machines[machine_arn("ephemeral")],
            arn=execution_arn("ephemeral", name),
            name=name,
            input={},
            clock=self._clock,
            caller=self._caller,
            watcher=self.watcher,
            seed=self._seed,
        )
        execution.started, execution.stopped, execution.status = started, stopped, status
        self.executions[execution.arn] = execution
        return execution

    def start_execution(self, arguments: Mapping[str, Any], caller: str | None) -> dict[str, Any]:
        machine = self._machines.get(arguments["StateMachineArn"])
        if machine is None:
            raise StateError("Sfn.StateMachineDoesNotExistException", f"{arguments['StateMachineArn']} does not exist")
        name, text = arguments["Name"], arguments["Input"]
        if not 0 < len(name) <= LONGEST_NAME:
            raise StateError("Sfn.InvalidNameException", f"Invalid Name: '{name}'")
        if len(text) > LARGEST_PAYLOAD_BYTES:
            raise StateError("Sfn.InvalidExecutionInputException", "The input is too long")
        value = json.loads(text)
        known = self.executions.get(execution_arn(machine.name, name))
        if known is None:
            known = self.start(machine.name, name, value, caller)
        elif known.status != "RUNNING" or known.input != value:
            raise StateError("Sfn.ExecutionAlreadyExistsException", f"Execution Already Exists: '{known.arn}'")
        return {"ExecutionArn": known.arn, "StartDate": self._time(known.started)}

    def describe_execution(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        arn = arguments["ExecutionArn"]
        if not arn.startswith("arn:aws:states:"):
            raise StateError("Sfn.InvalidArnException", f"Invalid Arn: '{arn}'")
        known = self.executions.get(arn)
        seen = self._clock.now - self._faults.stale_seconds
        if known is None or known.started > seen:
            raise StateError("Sfn.ExecutionDoesNotExistException", f"Execution Does Not Exist: '{arn}'")
        ended = known.stopped is not None and known.stopped <= seen
        described = {
            "ExecutionArn": arn,
            "StateMachineArn": machine_arn(known.machine.name),
            "Name": known.name,
            "Status": known.status if ended else "RUNNING",
            "StartDate": self._time(known.started),
            "Input": json.dumps(known.input),
        }
        if ended:
            assert known.stopped is not None
            described["StopDate"] = self._time(known.stopped)
            if known.output is not None:
                described["Output"] = json.dumps(known.output)
            if known.error is not None:
                described["Error"] = known.error
            if known.cause is not None:
                described["Cause"] = known.cause
        return described

    def _time(self, seconds: float) -> str:
        return timestamp(seconds + self._faults.skew_seconds)
