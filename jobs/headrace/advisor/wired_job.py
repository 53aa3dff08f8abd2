"""The job file of a plan: instances, volume, limits, and a channel."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from headrace.advisor.plans import Plan
from headrace.advisor.question import Question
from headrace.advisor.shape import volume_gb
from headrace.figures.prices import Item
from headrace.roads import S3_FILE
from headrace.rules.job import MAX_KEEP_ALIVE_SECONDS, MAX_SECONDS

CHANNEL: Final = "train"
_SHORTEST_LIMIT_SECONDS: Final = 86_400
_SPOT_WAIT: Final = 2


def job_of(plan: Plan, question: Question, image: str, channel: Mapping[str, Any]) -> dict[str, Any]:
    """A new job file: the plan's channel and fleet, and limits that leave room."""
    fleet = question.fleet
    job: dict[str, Any] = {
        "base_job_name": "advised",
        "image": image,
        "instance_type": fleet.instance_type.name,
        "instance_count": fleet.instances,
        "channels": {CHANNEL: dict(channel)},
    }
    is_copied = plan.variant.road is S3_FILE
    copied = question.profile.size_bytes / fleet.shares if is_copied else 0
    if volume := volume_gb(question, copied):
        job["volume_size_gb"] = volume
    runtime = math.ceil(min(MAX_SECONDS, max(_SHORTEST_LIMIT_SECONDS, 2 * plan.billed_seconds.high)))
    job["max_runtime_seconds"] = runtime
    if fleet.is_warm:
        job["keep_alive_seconds"] = MAX_KEEP_ALIVE_SECONDS
    if fleet.spot is not None:
        job["spot"] = {"max_wait_seconds": min(MAX_SECONDS, _SPOT_WAIT * runtime)}
        job["checkpoints"] = {}
    return job


def pool_note(question: Question) -> tuple[str, ...]:
    """What a warm pool costs while it waits, if there is one."""
    fleet = question.fleet
    if not fleet.is_warm:
        return ()
    usd = question.prices.usd(Item.TRAINING_HOUR, fleet.instance_type.name)
    told = "its full price" if usd is None else f"${usd * fleet.instances:,.2f}"
    return (
        f"the warm pool costs {told} for each hour that it waits: set keep_alive_seconds to what lies between two "
        "jobs; the first one finds none",
    )
