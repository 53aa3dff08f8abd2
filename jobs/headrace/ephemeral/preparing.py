"""From a job to the input of its flow: planned as on a shared Lustre, listed, sized, and held against every rule.

Nothing is created. What is wrong is told together; where something is wrong already, only the beginning of the data
set is listed, since a listing may take minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from headrace import preflight
from headrace.aws import Aws
from headrace.ephemeral.associations import Association
from headrace.ephemeral.flows import require_part
from headrace.ephemeral.future_plan import associations_of, planned, subnet_id_of
from headrace.ephemeral.machine_input import flow_input, lifetime, ready_seconds, request_bytes
from headrace.ephemeral.sizing import Capacity, capacity_for
from headrace.ephemeral.stages import PRELOAD_SUFFIX
from headrace.ephemeral.survey import Survey, survey
from headrace.execution_history import execution_arn
from headrace.future_lustre import EphemeralLustre
from headrace.job_file import JobFile
from headrace.planning import LaunchPlan
from headrace.platform import EphemeralPart, LustreLink, Platform
from headrace.preload import preload_request
from headrace.preload.contents import Told
from headrace.rules import Finding, Level, Suppression, apply_suppressions, final, require, run_rules
from headrace.rules.ephemeral import EPHEMERAL_RULES, EphemeralSpec, LifetimeSpec
from headrace.sources import LustreSource
from headrace.training import TrainingJob

_FIRST_OBJECTS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedFlow:
    """A flow that may be started. ``given``: the machine's input. ``findings``: warnings and remarks of the rules."""

    plan: LaunchPlan
    part: EphemeralPart
    associations: tuple[Association, ...]
    data: Survey
    capacity: Capacity
    lifetime: LifetimeSpec
    given: dict[str, Any]
    findings: tuple[Finding, ...]

    @property
    def name(self) -> str:
        """The flow's name: its execution's, and its training job's."""
        return self.plan.job.name

    @property
    def arn(self) -> str:
        """The ARN that the execution will have."""
        return execution_arn(self.part.machine_arn, self.name)


def prepare(
    job: JobFile | TrainingJob,
    aws: Aws,
    platform: Platform,
    *,
    wishes: EphemeralLustre | None = None,
    suppressions: Sequence[Suppression] = (),
    told: Told = lambda _what, _count: None,
    now: datetime | None = None,
) -> PreparedFlow:
    """Plan, look, list, judge. ``wishes``: default is what the job file says under ``ephemeral``.

    ``told`` hears how many objects are listed. Raises RuleViolations with everything that is wrong, AwsError when a
    call fails.
    """
    part = require_part(platform)
    wanted = wishes or (_wishes_of(job) if isinstance(job, JobFile) else EphemeralLustre())
    plan = planned(job, platform, part, wanted, now or datetime.now(UTC))
    findings = preflight.check(plan, aws)
    standing, _ = apply_suppressions(findings, suppressions)
    is_refused = any(each.level is Level.ERROR for each in standing)
    associations = associations_of(plan)
    data = survey(associations, aws, told, _FIRST_OBJECTS if is_refused else None)
    capacity = capacity_for(data, wanted)
    preload = _preload_request(plan, associations, capacity, data) if wanted.preload and not is_refused else None
    life = _lifetime(plan, wanted, part, data, preload)
    given = _given(plan, wanted, associations, capacity, life, preload)
    spec = _spec(plan, job, part, wanted, associations, capacity, life, given)
    spec = replace(spec, names_in_use=_names_in_use(plan, part, wanted, aws))
    findings += [*data.findings, *capacity.findings, *final(run_rules(EPHEMERAL_RULES, spec))]
    left = require(_each_once(findings), suppressions)
    return PreparedFlow(
        plan=plan,
        part=part,
        associations=associations,
        data=data,
        capacity=capacity,
        lifetime=life,
        given=given,
        findings=tuple(left),
    )


def _given(
    plan: LaunchPlan,
    wanted: EphemeralLustre,
    associations: Sequence[Association],
    capacity: Capacity,
    life: LifetimeSpec,
    preload: dict[str, Any] | None,
) -> dict[str, Any]:
    return flow_input(
        job_name=plan.job.name,
        storage_capacity_gib=capacity.gib,
        subnet_id=subnet_id_of(plan),
        associations=associations,
        ready_seconds=life.ready_seconds,
        lifetime_seconds=life.seconds,
        data_compression_type=wanted.data_compression_type,
        training_request=plan.request,
        capacity_attempts=wanted.capacity_attempts,
        preload_request=preload,
    )


def _lifetime(
    plan: LaunchPlan, wanted: EphemeralLustre, part: EphemeralPart, data: Survey, preload: dict[str, Any] | None
) -> LifetimeSpec:
    job = plan.job
    running = job.spot.max_wait_seconds if job.spot else job.max_runtime_seconds
    return lifetime(
        ready=ready_seconds(data.contents.objects),
        preload=0 if preload is None else int(preload["StoppingCondition"]["MaxRuntimeInSeconds"]),
        running=running,
        pending=job.max_pending_seconds,
        capacity_attempts=wanted.capacity_attempts,
        given_hours=wanted.lifetime_hours,
        max_hours=part.max_hours,
    )


def _preload_request(
    plan: LaunchPlan, associations: Sequence[Association], capacity: Capacity, data: Survey
) -> dict[str, Any]:
    links = [
        LustreLink(name=f"link-{number}", path=each.path, bucket=each.bucket, prefix=each.prefix)
        for number, each in enumerate(associations, start=1)
    ]
    return preload_request(
        name=f"{plan.job.name}{PRELOAD_SUFFIX}",
        platform=plan.platform,
        links=links,
        storage_capacity_gib=capacity.gib,
        contents=data.contents,
        image=plan.job.image,
        tags=plan.job.tags,
    )


def _spec(
    plan: LaunchPlan,
    job: JobFile | TrainingJob,
    part: EphemeralPart,
    wanted: EphemeralLustre,
    associations: Sequence[Association],
    capacity: Capacity,
    life: LifetimeSpec,
    given: dict[str, Any],
) -> EphemeralSpec:
    roles, ingestion_roles = plan.foundation.roles, plan.foundation.ingestion_roles
    retry = job.capacity_retry
    return EphemeralSpec(
        platform=plan.foundation.platform,
        job_name=plan.job.name,
        lustre_channels=tuple(each.name for each in plan.job.channels if isinstance(each.source, LustreSource)),
        association_count=len(associations),
        capacity_gib=capacity.gib,
        capacity_arithmetic=capacity.arithmetic,
        max_gib=part.max_gib,
        max_hours=part.max_hours,
        lifetime=life,
        request_members=tuple(given["Training"]["Request"]),
        request_bytes=request_bytes(given),
        role_arn=plan.request["RoleArn"],
        role_arns=(*(each for each in (roles.file_systems, roles.both) if each is not None), *ingestion_roles.values()),
        retry=(*retry.instance_types, *retry.availability_zone_ids),
        wanted_az_id=wanted.availability_zone_id,
        platform_az_ids=tuple(dict.fromkeys(each.az_id for each in plan.foundation.subnets)),
    )


def _names_in_use(plan: LaunchPlan, part: EphemeralPart, wanted: EphemeralLustre, aws: Aws) -> tuple[str, ...]:
    """Of the names that the pre-flight has not asked for: the execution's, and those of the further jobs."""
    name = plan.job.name
    further = [f"{name}{PRELOAD_SUFFIX}"] if wanted.preload else []
    further += [f"{name}-{number}" for number in range(2, wanted.capacity_attempts + 1)]
    taken = aws.training_jobs.names_in_use(further) if further else ()
    flow = aws.executions.describe(execution_arn(part.machine_arn, name))
    return (*(() if flow is None else (name,)), *taken)


def _wishes_of(job: JobFile) -> EphemeralLustre:
    return EphemeralLustre(**job.ephemeral.model_dump())


def _each_once(findings: Sequence[Finding]) -> list[Finding]:
    # the pre-flight's first page may show what the whole listing shows again
    return list({(each.rule_id, each.field): each for each in reversed(findings)}.values())[::-1]
