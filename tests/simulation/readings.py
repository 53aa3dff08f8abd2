"""What the invariants ask of a schedule that is over, read off the record of what really happened."""

from __future__ import annotations

from tests.simulation.definitions import PLATFORM
from tests.simulation.interpreter import Execution
from tests.simulation.schedule import Schedule
from tests.simulation.simulated_fsx import FileSystem

TAGS = ("headrace:platform", "headrace:owner", "headrace:job", "headrace:expires")


def created_by_flows(schedule: Schedule) -> list[FileSystem]:
    return [each for each in schedule.world.fsx.file_systems.values() if each.creator is not None]


def end_of(each: FileSystem) -> float:
    return float("inf") if each.gone is None else each.gone


def teardowns_after(schedule: Schedule, flow: Execution) -> list[Execution]:
    """The teardowns for this owner that began when it had ended."""
    executions = schedule.world.step_functions.executions.values()
    found = [each for each in executions if each.machine.name == "teardown" and each.input.get("Owner") == flow.arn]
    return [each for each in found if flow.stopped is not None and each.started >= flow.stopped]


def reaper_behind(schedule: Schedule, caller: str | None) -> Execution | None:
    """The run of the reaper that started this teardown; None: something else did."""
    starter = schedule.world.record.starters.get(caller or "")
    found = schedule.world.step_functions.executions.get(starter or "")
    return found if found is not None and found.machine.name == "reaper" else None


def is_tagged(each: FileSystem) -> bool:
    return each.tags.get("headrace:platform") == PLATFORM and "headrace:owner" in each.tags


def left_to_themselves(schedule: Schedule) -> list[Execution]:
    """The executions that really ran, and that no fault of the schedule ended from outside."""
    ended = {each.arn for each in schedule.ended_from_outside}
    return [each for each in schedule.world.step_functions.executions.values() if each.states and each.arn not in ended]
