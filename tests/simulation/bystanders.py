"""Other file systems in the account: what they are, and whether anything may delete them.

Only what was left over by an owner that ended may go, and only when nobody uses it. Everything else lives, whatever
its tags say: it belongs to another platform, is shared, belongs to an owner that runs, or carries somebody's tags.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.simulation.clock import timestamp
from tests.simulation.definitions import PLATFORM
from tests.simulation.faults import HOUR, MINUTE, Bystander
from tests.simulation.simulated_fsx import FileSystem
from tests.simulation.simulated_step_functions import execution_arn
from tests.simulation.world import World

DAY = 24 * HOUR


@dataclass
class Present:
    """One that is there. `doomed`: the reaper is to find it."""

    file_system: FileSystem
    kind: str
    doomed: bool


def appear(world: World, plan: Bystander, number: int, own: Callable[[], FileSystem | None]) -> Present | None:
    """Add the file system to the account. None when what it copies from does not exist."""
    made = KINDS[plan.kind](world, number, own)
    if made is None:
        return None
    made.mount_name = f"other{number:03d}"
    made.connections = plan.clients if plan.kind not in DOOMED else 0
    return Present(made, plan.kind, plan.kind in DOOMED)


def _owned(world: World, platform: str, owner: str, created: float, expires: float, extra: str = "job") -> FileSystem:
    tags = {
        "headrace:platform": platform,
        "headrace:owner": owner,
        "headrace:job": f"{platform}-{extra}",
        "headrace:expires": timestamp(expires),
    }
    return world.fsx.add(tags=tags, created=created)


def _other_platform(world: World, number: int, _: Callable[[], FileSystem | None]) -> FileSystem:
    now = world.clock.now
    owner = world.step_functions.pretend(f"prod-{number}", "SUCCEEDED", now - DAY, now - HOUR)
    return _owned(world, "prod", owner.arn, now - DAY + MINUTE, now - HOUR)


def _shared(world: World, number: int, _: Callable[[], FileSystem | None]) -> FileSystem:
    tags = {"headrace:platform": PLATFORM, "headrace:part": "lustre", "Name": f"shared-{number}"}
    return world.fsx.add(tags=tags, created=world.clock.now - 9 * DAY)


def _untagged(world: World, number: int, _: Callable[[], FileSystem | None]) -> FileSystem:
    many = {f"team:note-{index}": f"{number} " + "x" * 90 for index in range(number % 12)}
    return world.fsx.add(tags=many, created=world.clock.now - 2 * DAY)


def _much_tagged(world: World, number: int, _: Callable[[], FileSystem | None]) -> FileSystem:
    """As many tags as there may be, each as long as it may be."""
    tags = {f"{index:02d}-{'k' * 125}": "v" * 256 for index in range(50)}
    return world.fsx.add(tags=tags, created=world.clock.now - 2 * DAY - number)


def _running_owner(world: World, number: int, _: Callable[[], FileSystem | None]) -> FileSystem:
    """Its time is over by its tag, and its owner is still at it."""
    now = world.clock.now
    owner = world.step_functions.pretend(f"dev-long-{number}", "RUNNING", now - DAY, None)
    return _owned(world, PLATFORM, owner.arn, now - DAY + MINUTE, now - HOUR)


def _orphan(world: World, number: int, _: Callable[[], FileSystem | None]) -> FileSystem:
    now = world.clock.now
    owner = world.step_functions.pretend(f"dev-gone-{number}", "ABORTED", now - DAY, now - DAY + HOUR)
    return _owned(world, PLATFORM, owner.arn, now - DAY + MINUTE, now - HOUR)


def _orphan_in_use(world: World, number: int, own: Callable[[], FileSystem | None]) -> FileSystem:
    made = _orphan(world, 1000 + number, own)
    seconds = world.chance(f"in-use-{number}").uniform(0.5 * HOUR, 3 * HOUR)
    world.sagemaker.start_other(f"somebodys-job-{number}", made.id, seconds)
    return made


def _forgotten_owner(world: World, number: int, _: Callable[[], FileSystem | None]) -> FileSystem:
    """Older than Step Functions remembers executions: 90 days."""
    now = world.clock.now
    return _owned(world, PLATFORM, execution_arn("ephemeral", f"dev-old-{number}"), now - 91 * DAY, now - 90 * DAY)


def _copied(world: World, own: Callable[[], FileSystem | None], created: float) -> FileSystem | None:
    source = own()
    return None if source is None else world.fsx.add(tags=source.tags, created=created)


def _copied_before(world: World, number: int, own: Callable[[], FileSystem | None]) -> FileSystem | None:
    """Made long before the flow; its team copied the flow's tags onto it."""
    return _copied(world, own, world.clock.start - DAY - number)


def _copied_after(world: World, number: int, own: Callable[[], FileSystem | None]) -> FileSystem | None:
    """Made with the flow's tags when the flow is over: the schedule sees to that."""
    return _copied(world, own, world.clock.now)


def _copied_meanwhile(world: World, number: int, own: Callable[[], FileSystem | None]) -> FileSystem | None:
    """Made with the flow's tags while the flow runs."""
    return _copied(world, own, world.clock.now)


KINDS: dict[str, Callable[[World, int, Callable[[], FileSystem | None]], FileSystem | None]] = {
    "other platform": _other_platform,
    "shared": _shared,
    "untagged": _untagged,
    "much tagged": _much_tagged,
    "running owner": _running_owner,
    "orphan": _orphan,
    "orphan in use": _orphan_in_use,
    "forgotten owner": _forgotten_owner,
    "copied before": _copied_before,
    "copied after": _copied_after,
    "copied meanwhile": _copied_meanwhile,
}
DOOMED = frozenset({"orphan", "orphan in use", "forgotten owner"})
