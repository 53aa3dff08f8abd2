"""The plan of a job on a Lustre to come: where that is made, and which folders it is linked to. Calls nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from headrace.ephemeral.associations import Association, association_of, without_overlap
from headrace.future_lustre import EphemeralLustre, with_future_lustre
from headrace.job_file import JobFile
from headrace.job_file.model import CapacityRetryModel
from headrace.planning import LaunchPlan, draft
from headrace.platform import EphemeralPart, Platform
from headrace.roads import LUSTRE
from headrace.sources import LustreSource
from headrace.training import CapacityRetry, TrainingJob


def planned(
    job: JobFile | TrainingJob, platform: Platform, part: EphemeralPart, wanted: EphemeralLustre, now: datetime
) -> LaunchPlan:
    """The plan of the job on a Lustre to come: in the zone that is wanted, or the first where all channels meet."""
    once = _without_retry(job)
    subnets = platform.foundation.subnets
    first = draft(once, with_future_lustre(platform, subnets[0], part.links), now=now)
    others = replace(first.zones, pins=tuple(each for each in first.zones.pins if each.by != LUSTRE.name))
    zones = others.common_az_ids if wanted.availability_zone_id is None else {wanted.availability_zone_id}
    subnet = next((each for each in subnets if each.az_id in zones), subnets[0])
    if subnet == subnets[0]:
        return first
    return draft(once, with_future_lustre(platform, subnet, part.links), now=now)


def associations_of(plan: LaunchPlan) -> tuple[Association, ...]:
    """What the file system is linked to: the folders that the job's channels read."""
    return without_overlap(
        association_of(
            each.source.link_on(plan.platform),
            each.source.path,
            f"channels.{each.name}.{'path' if each.source.path.strip('/') else 'lustre'}",
        )
        for each in plan.job.channels
        if isinstance(each.source, LustreSource)
    )


def subnet_id_of(plan: LaunchPlan) -> str:
    """Where the file system is made."""
    assert plan.platform.lustre is not None
    return plan.platform.lustre.subnet_id


def _without_retry(job: JobFile | TrainingJob) -> JobFile | TrainingJob:
    if isinstance(job, JobFile):
        return job.model_copy(update={"capacity_retry": CapacityRetryModel()})
    return replace(job, capacity_retry=CapacityRetry())
