"""One schedule: the flows, whatever else is in the account, what goes wrong, and the machines until all is over.

It runs until the last deadline has passed, or until nothing is left that anything could still do: then it is judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from tests.simulation.bystanders import Present, appear
from tests.simulation.definitions import MAX_HOURS
from tests.simulation.faults import HOUR, MINUTE, Bystander, Faults, Guest
from tests.simulation.interpreter import Execution
from tests.simulation.machine import Machine
from tests.simulation.requests import JOB, SPOILT, flow_input
from tests.simulation.simulated_event_bridge import REAPER_PERIOD_SECONDS
from tests.simulation.simulated_fsx import FileSystem
from tests.simulation.world import Teller, World

# From the expiry: the next run of the reaper marks, the second after it deletes (the mark is 15 minutes old then, to
# the second), each of them up to 15 minutes off; the teardown itself may take two hours with a file system that does
# not want to go, and half an hour is for runs that faults have spoilt.
DEADLINE_SECONDS = 3 * REAPER_PERIOD_SECONDS + 2 * HOUR + 30 * MINUTE


class Schedule:
    def __init__(
        self,
        machines: Mapping[str, Machine],
        plan: Faults,
        seed: str,
        *,
        tell: Teller | None = None,
        check_answers: bool = False,
    ) -> None:
        self.plan = plan
        self.seed = seed
        self.world = World(machines, plan, seed, tell=tell, check_answers=check_answers)
        self.flows: list[Execution] = []
        self.present: list[Present] = []
        self.ended_from_outside: list[Execution] = []
        self.ended_at: list[str] = []  # machine/state, for the account of what was covered
        self._endings = list(plan.endings)
        self._times_left = [ending.times for ending in plan.endings]
        self._pending = 0  # what is still to appear or to happen by the plan
        self._guests = list(plan.guests)
        self._serial = 0
        lifetime = plan.lifetime_seconds
        if any(edit.key == "headrace:expires" for edit in plan.tag_edits):  # then the platform's longest counts
            lifetime = MAX_HOURS * HOUR
        self.expiry = self.world.clock.start + lifetime
        self.deadline = self.expiry + DEADLINE_SECONDS

    @property
    def flow(self) -> Execution:
        return self.flows[0]

    def run(self) -> Schedule:
        world, plan = self.world, self.plan
        world.sagemaker.imported_files = plan.fsx.objects
        world.on_entered, world.on_ended = self._entered, self._ended
        world.fsx.on_tagged, world.fsx.on_available = self._tagged, self._available
        for bystander in plan.bystanders:
            if bystander.kind != "copied after":
                self._later(bystander.appears_seconds, partial(self._appears, bystander))
        value = flow_input(plan, JOB)
        if plan.spoiled is not None:
            SPOILT[plan.spoiled](value)
        if plan.job_name_taken:
            world.sagemaker.start_other(JOB, "fs-00000000000000099", plan.lifetime_seconds)
        self.flows.append(world.step_functions.start("ephemeral", JOB, value))
        for number in range(plan.neighbours):
            start = plan.neighbours_span.drawn(world.chance(f"neighbour-{number}"))
            self._later(start, partial(self._neighbour, f"dev-other-{number}"))
        for guest in plan.guests:
            if guest.when == "expired":
                self._later(plan.lifetime_seconds + guest.delay_seconds, partial(self._visits, guest))
        if plan.hold_ends_seconds is not None:
            self._later(plan.hold_ends_seconds, partial(self._stop, self.flow, "ABORTED", None))
        if plan.asked_too_early_seconds is not None:
            ask = partial(world.step_functions.start, "teardown", "by-hand", {"Owner": self.flow.arn})
            self._later(plan.asked_too_early_seconds, ask)
        world.event_bridge.schedule_reaper(world.chance("reaper").uniform(0, REAPER_PERIOD_SECONDS))
        self._run_to_the_end()
        return self

    def _run_to_the_end(self) -> None:
        """Quarter of an hour by quarter of an hour, until nothing is left to do, or the deadline of all is over."""
        clock = self.world.clock
        while clock.now < self.deadline and not self._over():
            clock.run_until(clock.now + REAPER_PERIOD_SECONDS)
            for job in self.world.sagemaker.jobs.values():  # who uses a file system puts its end off
                used_until = clock.now if job.ended is None else job.ended
                if used_until > self.expiry:
                    self.deadline = max(self.deadline, used_until + DEADLINE_SECONDS)

    def _over(self) -> bool:
        world = self.world
        if self._pending or world.event_bridge.under_way or any(flow.status == "RUNNING" for flow in self.flows):
            return False
        if any(each.file_system.exists for each in self.present):
            return False  # the reaper is to have had its time with them
        return not (
            any(each.exists for each in world.fsx.file_systems.values())
            or any(each.alive for each in world.step_functions.executions.values())
            or any(job.runs for job in world.sagemaker.jobs.values())
        )

    # -- what the plan lets happen

    def _later(self, seconds: float, action: Any) -> None:
        self._pending += 1

        def happens() -> None:
            self._pending -= 1
            action()

        self.world.clock.call_later(seconds, happens)

    def _neighbour(self, name: str) -> None:
        plan = replace(self.plan, preload=False, links=1, mode="train", lifetime_seconds=self.plan.lifetime_seconds)
        self.flows.append(self.world.step_functions.start("ephemeral", name, flow_input(plan, name)))
        self.deadline = max(self.deadline, self.world.clock.now + plan.lifetime_seconds + DEADLINE_SECONDS)

    def _appears(self, bystander: Bystander) -> None:
        self._serial += 1
        present = appear(self.world, bystander, self._serial, self._own)
        if present is None:
            return
        self.present.append(present)
        self.world.tell("plan", "", f"{present.kind}: {present.file_system.id} {present.file_system.tags}")
        self.deadline = max(self.deadline, self.world.clock.now + DEADLINE_SECONDS)

    def _own(self) -> FileSystem | None:
        """The flow's own file system, also when it is gone: its tags may have been written down."""
        for each in self.world.fsx.file_systems.values():
            if each.creator == self.flow.arn:
                return each
        return None

    def _visits(self, guest: Guest) -> None:
        own = self._own()
        if own is None or own.lifecycle != "AVAILABLE":  # nobody starts a job on what is going
            return
        self._serial += 1
        job = self.world.sagemaker.start_other(f"guest-{self._serial}", own.id, guest.seconds)
        self.world.tell("plan", "", f"somebody's job {job.name} mounts {own.id}")

    def _entered(self, execution: Execution, state: str, visit: int) -> None:
        if state == "Hold":
            self._guests_come("hold")
        for index, ending in enumerate(self._endings):
            if not self._times_left[index] or execution in self.flows[1:]:
                continue
            if (ending.machine, ending.state) == (execution.machine.name, state) and visit >= ending.visit:
                self._times_left[index] -= 1
                self._later(ending.delay_seconds, partial(self._stop, execution, ending.status, ending.error, state))

    def _stop(self, execution: Execution, status: str, error: str | None, state: str = "Hold") -> None:
        if execution.status == "RUNNING":
            self.ended_from_outside.append(execution)
            self.ended_at.append(f"{execution.machine.name}/{state}")
            execution.stop(status, error, None if error is None else "as the schedule wants it")

    def _ended(self, execution: Execution) -> None:
        if self.flows and execution is self.flow:
            self._guests_come("ended")
            for bystander in self.plan.bystanders:
                if bystander.kind == "copied after":
                    self._later(after_the_window(bystander), partial(self._appears, bystander))

    def _tagged(self, file_system: FileSystem, tags: Mapping[str, str]) -> None:
        if "headrace:marked" in tags and file_system.creator == self.flow.arn:
            self._guests_come("marked")

    def _guests_come(self, when: str) -> None:
        for guest in [each for each in self._guests if each.when == when]:
            self._guests.remove(guest)
            self._later(guest.delay_seconds, partial(self._visits, guest))

    def _available(self, file_system: FileSystem) -> None:
        if file_system.creator == self.flow.arn:
            for edit in self.plan.tag_edits:
                self._later(edit.delay_seconds, partial(self._edits, file_system, edit.key, edit.value))

    def _edits(self, file_system: FileSystem, key: str, value: str | None) -> None:
        if value is None:
            file_system.tags.pop(key, None)
        else:
            file_system.tags[key] = value
        self.world.tell("plan", "", f"{key} of {file_system.id} is now {value!r}")


def after_the_window(bystander: Bystander) -> float:
    """Seconds after the end of the flow: later than a clock that is wrong, or a request under way, would explain."""
    return 16 * MINUTE + bystander.appears_seconds
