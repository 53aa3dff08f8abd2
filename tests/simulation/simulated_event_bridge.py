"""Amazon EventBridge: the rule that starts the teardown when a flow ended badly, and the schedule of the reaper.

Deliveries are at least one and some time: late, doubled, rarely very late (User Guide, "Event bus concepts"). What the
rule matches and hands on is read off the stack's promise: statuses FAILED, TIMED_OUT and ABORTED of the flow's machine,
and nothing but its ARN as the owner.
"""

from __future__ import annotations

import random
from functools import partial
from itertools import count

from tests.simulation.clock import Clock
from tests.simulation.faults import EventFaults
from tests.simulation.interpreter import Execution
from tests.simulation.simulated_step_functions import SimulatedStepFunctions

BAD_ENDS = ("FAILED", "TIMED_OUT", "ABORTED")
REAPER_PERIOD_SECONDS = 900.0


class SimulatedEventBridge:
    def __init__(
        self, clock: Clock, chance: random.Random, faults: EventFaults, step_functions: SimulatedStepFunctions
    ) -> None:
        self._clock = clock
        self._chance = chance
        self._faults = faults
        self._step_functions = step_functions
        self._serial = count(1)
        self.under_way = 0  # deliveries

    def execution_ended(self, execution: Execution) -> None:
        if execution.machine.name != "ephemeral" or execution.status not in BAD_ENDS or self._faults.forgotten:
            return
        for _ in range(self._faults.copies):
            self.under_way += 1
            self._clock.call_later(self._faults.delay.drawn(self._chance), partial(self._deliver, execution.arn))

    def _deliver(self, owner: str) -> None:
        self.under_way -= 1
        name = f"event-{next(self._serial)}"  # a target without a name of its own gets one from the service
        self._step_functions.start("teardown", name, {"Owner": owner})

    def schedule_reaper(self, first_seconds: float) -> None:
        def run() -> None:
            self._step_functions.start("reaper", f"schedule-{next(self._serial)}", {})
            self._clock.call_later(REAPER_PERIOD_SECONDS, run)

        self._clock.call_later(first_seconds, run)
