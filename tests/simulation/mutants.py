"""Machines with one deliberate fault each. A harness that lets one of them pass is worth nothing.

Each is a small change of the definitions as they are loaded: what a hurried edit could do. `shows_under` is the failure
mode that brings it to light; with it an invariant cries out within `caught_within` seeds, and a test holds each mutant
to that. `python -m tests.simulation.mutants` tells after how many seeds of the soak each is caught.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from typer import echo

from tests.simulation.definitions import compiled, definitions
from tests.simulation.drawing import drawn
from tests.simulation.invariants import breaches
from tests.simulation.schedule import Schedule

SEEDS = 2000  # of the soak, before a mutant counts as not caught

Change = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Mutant:
    change: Change
    shows_under: str
    caught_within: int

    @property
    def name(self) -> str:
        return self.change.__name__

    def definitions(self) -> dict[str, Any]:
        changed = deepcopy(dict(definitions()))
        self.change(changed)
        assert changed != definitions(), f"{self.name} changes nothing: the machines are other than it thinks"
        return changed


def _states(all_of_them: dict[str, Any], machine: str) -> dict[str, Any]:
    found: dict[str, Any] = all_of_them[machine]["States"]
    return found


def _work(all_of_them: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = _states(all_of_them, "ephemeral")["Work"]["Branches"][0]["States"]
    return found


def _replaced(place: dict[str, Any], field: str, old: str, new: str) -> None:
    assert old in place[field], f"{old!r} is not in {place[field]!r}"
    place[field] = place[field].replace(old, new)


def no_catch(machines: dict[str, Any]) -> None:
    """Nothing catches what goes wrong in the work."""
    del _states(machines, "ephemeral")["Work"]["Catch"]


def token_per_attempt(machines: dict[str, Any]) -> None:
    """A create that is tried again is another create."""
    token = "{% $token & '-' & $string($states.context.State.RetryCount) %}"
    _states(machines, "ephemeral")["CreateFileSystem"]["Arguments"]["ClientRequestToken"] = token


def no_look_after_a_failed_create(machines: dict[str, Any]) -> None:
    """A create without an answer counts as none."""
    _states(machines, "ephemeral")["CreateFileSystem"]["Catch"][0]["Next"] = "Raise"


def one_look_after_a_failed_create(machines: dict[str, Any]) -> None:
    """The teardown looks once, and the request was still on its way."""
    choices = _states(machines, "teardown")["IsFound"]["Choices"]
    choices[:] = [each for each in choices if each["Next"] != "WaitToLookAgain"]
    del _states(machines, "teardown")["WaitToLookAgain"]


def one_phase_reaper(machines: dict[str, Any]) -> None:
    """What is due is deleted at once."""
    is_due = _states(machines, "reaper")["Judge"]["ItemProcessor"]["States"]["IsDue"]
    _replaced(is_due, "Output", "'MARK'", "'DELETE'")


def reaper_of_running_owners(machines: dict[str, Any]) -> None:
    """Expired is expired, whoever still works on it; and the teardown believes the reaper."""
    states = _states(machines, "reaper")["Judge"]["ItemProcessor"]["States"]
    states["DescribeOwner"]["Assign"]["ownerEnded"] = True
    _states(machines, "teardown")["DoesOwnerOfOneRun"] = {"Type": "Pass", "Next": "TakeNext"}


def reaper_by_tags_alone(machines: dict[str, Any]) -> None:
    """Whose tags they are does not matter."""
    states = _states(machines, "reaper")["Judge"]["ItemProcessor"]["States"]
    states["DescribeOwner"]["Assign"]["ownerEnded"] = "{% $states.result.Status != 'RUNNING' %}"


def reaper_over_jobs(machines: dict[str, Any]) -> None:
    """A job that mounts it is no reason to keep it."""
    states = _states(machines, "reaper")
    _replaced(
        states["Judge"]["ItemProcessor"]["States"]["IsDue"], "Output", "$not($isMounted) and $clients = 0", "true"
    )
    start = states["TakeDown"]["ItemProcessor"]["States"]["StartTeardown"]["Arguments"]
    _replaced(start, "Input", "'StopJobs': false", "'StopJobs': true")


def reaper_of_one_page(machines: dict[str, Any]) -> None:
    del _states(machines, "reaper")["IsAnyExpired"]["Choices"][0]


def silent_reaper(machines: dict[str, Any]) -> None:
    _states(machines, "reaper")["IsAnythingToTell"]["Choices"][0]["Next"] = "Done"
    del _states(machines, "reaper")["Tell"]


def teardown_of_one_page(machines: dict[str, Any]) -> None:
    del _states(machines, "teardown")["IsFound"]["Choices"][0]


def teardown_by_tags_alone(machines: dict[str, Any]) -> None:
    """When it was made does not matter, nor which file system it says to be, nor that there are several."""
    find = _states(machines, "teardown")["FindFileSystems"]["Assign"]
    _replaced(find, "queue", "FileSystemId in Tags[Key = 'headrace:file-system'].Value", "true")
    _replaced(find, "queue", "($wanted = null or FileSystemId = $wanted)", "true")
    choices = _states(machines, "teardown")["IsFound"]["Choices"]
    choices[:] = [each for each in choices if each["Condition"] != "{% $count($queue) > 1 %}"]
    _replaced(find, "queue", "and $toMillis(CreationTime) >= $from", "")
    _replaced(find, "queue", "and ($until = null or $toMillis(CreationTime) <= $until)", "")


def teardown_under_jobs(machines: dict[str, Any]) -> None:
    """No job is stopped before the delete."""
    _states(machines, "teardown")["Look"]["Next"] = "WhatToDo"
    _states(machines, "teardown")["WhatToDo"]["Default"] = "ListTasks"
    for name in ("BeginLookingForJobs", "ListJobs", "DescribeJobs", "AreAllJobsSeen", "StopJobs"):
        del _states(machines, "teardown")[name]


def teardown_that_only_asks_to_stop(machines: dict[str, Any]) -> None:
    """Jobs are stopped, and nobody waits for them."""
    _states(machines, "teardown")["StopJobs"]["Next"] = "ListTasks"


def teardown_that_does_not_wait(machines: dict[str, Any]) -> None:
    """An accepted delete counts as done, and nobody looks again."""
    _states(machines, "teardown")["Delete"]["Next"] = "TakeNext"
    _states(machines, "ephemeral")["IsTornDown"]["Choices"][1]["Next"] = "HowToEnd"
    del _states(machines, "ephemeral")["ConfirmItIsGone"]


def impatient_teardown_by_event(machines: dict[str, Any]) -> None:
    """The description of an execution is believed at once, though it may be seconds old."""
    del _states(machines, "teardown")["MayBeTornDown"]["Choices"][0]
    del _states(machines, "teardown")["WaitForOwner"]


def teardown_that_gives_up_soon(machines: dict[str, Any]) -> None:
    """Whose it is cannot be told for some minutes, and that is the end of it."""
    for retrier in _states(machines, "teardown")["DescribeOwner"]["Retry"]:
        retrier["MaxAttempts"] = min(retrier["MaxAttempts"], 4)


def teardown_that_repeats_its_delete(machines: dict[str, Any]) -> None:
    """A delete whose answer was lost is sent again without another look at the jobs."""
    retrier = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 30, "MaxAttempts": 12, "BackoffRate": 1}
    _states(machines, "teardown")["Delete"]["Retry"] = [retrier]


def copies_are_believed(machines: dict[str, Any]) -> None:
    """Which file system the tags say to be on does not matter."""
    itself = "FileSystemId in Tags[Key = 'headrace:file-system'].Value"
    _replaced(_states(machines, "teardown")["FindFileSystems"]["Assign"], "queue", itself, "true")
    _replaced(_states(machines, "reaper")["FindFileSystems"]["Assign"], "candidates", itself, "true")


def teardown_silent_about_lost_tags(machines: dict[str, Any]) -> None:
    del _states(machines, "teardown")["FindFileSystems"]["Assign"]["failures"]


def import_not_awaited(machines: dict[str, Any]) -> None:
    _work(machines)["IsImported"]["Choices"][0]["Condition"] = (
        "{% $states.input.Lifecycle in ['EXECUTING', 'SUCCEEDED'] %}"
    )


def preload_not_verified(machines: dict[str, Any]) -> None:
    choices = _work(machines)["JudgeJob"]["Choices"]
    choices[:] = [each for each in choices if each["Next"] != "PreloadIncomplete"]
    del _work(machines)["PreloadIncomplete"]


def no_cap(machines: dict[str, Any]) -> None:
    choices = _states(machines, "ephemeral")["IsBelowCap"]["Choices"]
    choices[:] = [each for each in choices if each["Next"] != "CapReached"]
    del _states(machines, "ephemeral")["CapReached"]


def one_count(machines: dict[str, Any]) -> None:
    """What others create at the same time does not matter."""
    _work(machines)["WaitToCountAgain"]["Next"] = "DescribeFileSystem"
    for name in ("CountOlder", "IsStillBelowCap", "IsAboveCap"):
        del _work(machines)[name]


def impatient(machines: dict[str, Any]) -> None:
    """It looks every five seconds."""
    _states(machines, "ephemeral")["Begin"]["Assign"]["pollSeconds"] = 5


def error_swallowed(machines: dict[str, Any]) -> None:
    _states(machines, "ephemeral")["Raise"]["Error"] = "Ephemeral.Failed"


MUTANTS = (
    Mutant(no_catch, "training_goes_wrong", 20),
    Mutant(token_per_attempt, "lost_create_reply", 20),
    Mutant(no_look_after_a_failed_create, "lost_create_reply", 20),
    Mutant(one_look_after_a_failed_create, "create_under_way", 20),
    Mutant(one_phase_reaper, "left_over", 20),
    Mutant(reaper_of_running_owners, "few_others", 20),
    Mutant(reaper_by_tags_alone, "copied_tags", 20),
    Mutant(reaper_over_jobs, "few_others", 20),
    Mutant(reaper_of_one_page, "crowd", 20),
    Mutant(silent_reaper, "left_over", 20),
    Mutant(teardown_of_one_page, "crowd", 20),
    Mutant(teardown_by_tags_alone, "copied_tags", 20),
    Mutant(teardown_under_jobs, "stop_denied", 20),
    Mutant(teardown_that_only_asks_to_stop, "stop_denied", 20),
    Mutant(teardown_that_does_not_wait, "training_goes_wrong", 20),
    Mutant(impatient_teardown_by_event, "event_ahead", 20),
    Mutant(teardown_that_gives_up_soon, "owner_unknown", 20),
    Mutant(teardown_that_repeats_its_delete, "guest_in_the_end", 20),
    Mutant(copies_are_believed, "copied_tags", 20),
    Mutant(teardown_silent_about_lost_tags, "owner_lost", 20),
    Mutant(import_not_awaited, "import_goes_wrong", 20),
    Mutant(preload_not_verified, "preload_goes_wrong", 20),
    Mutant(no_cap, "at_the_cap", 20),
    Mutant(one_count, "started_together", 20),
    Mutant(impatient, "creation_slow", 20),
    Mutant(error_swallowed, "link_goes_wrong", 20),
)


def caught_by(mutant: Mutant, seeds: range, always: str | None = None) -> tuple[int, str] | None:
    """The first of the seeds that catches it, and the invariant that cries out."""
    changed = compiled(mutant.definitions())
    for seed in seeds:
        plan = drawn(str(seed), changed, always)
        found = breaches(Schedule(changed, plan, str(seed)).run())
        if found:
            return seed, found[0].partition(":")[0]
    return None


if __name__ == "__main__":
    for each in MUTANTS:
        caught = caught_by(each, range(SEEDS))
        echo(f"{each.name:34} " + ("NOT CAUGHT" if caught is None else f"seed {caught[0]:4}  {caught[1]}"))
