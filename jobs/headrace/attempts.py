"""The attempts of a launch: the same job on one type after another, in one zone after another, for want of capacity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from headrace.placement import Attempt, attempts, subnets_in
from headrace.platform import Platform, Subnet
from headrace.rules.placement import ZonesSpec
from headrace.training import MAX_JOB_NAME_CHARACTERS, TrainingJob, needs_vpc
from headrace.training_request import build_request


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAttempt:
    """One CreateTrainingJob: its request, and the subnets in it. Further ones are for want of capacity."""

    request: dict[str, Any]
    subnets: tuple[Subnet, ...]

    @property
    def name(self) -> str:
        """TrainingJobName; each attempt has its own, since a name is never free again."""
        return str(self.request["TrainingJobName"])


def planned_attempts(job: TrainingJob, platform: Platform, zones: ZonesSpec) -> tuple[PlannedAttempt, ...]:
    """The job's attempts in their order, at least one: each listed type in each listed zone where the job can run."""
    foundation = platform.foundation
    is_attached = needs_vpc(job) or foundation.require_vpc
    # where there is no zone, V35 or V123 has refused the job; the request is shown all the same
    anywhere = (subnets_in(zones, platform) or foundation.subnets) if is_attached else ()
    retry = job.capacity_retry
    possible_az_ids = [each for each in retry.availability_zone_ids if subnets_in(zones, platform, each)]
    planned: list[PlannedAttempt] = []
    # where none of the zones to be tried is possible, the types are tried wherever the job can run
    for attempt in attempts(retry.instance_types, possible_az_ids):
        subnets = anywhere if attempt.az_id is None else subnets_in(zones, platform, attempt.az_id)
        planned.append(_planned(job, platform, subnets, attempt, len(planned)))
    return tuple(planned)


def _planned(
    job: TrainingJob, platform: Platform, subnets: tuple[Subnet, ...], attempt: Attempt, number: int
) -> PlannedAttempt:
    suffix = f"-{number + 1}" if number else ""
    named = build_request(job, platform, subnets, attempt)
    named["TrainingJobName"] = job.name[: MAX_JOB_NAME_CHARACTERS - len(suffix)] + suffix if suffix else job.name
    return PlannedAttempt(request=named, subnets=subnets)
