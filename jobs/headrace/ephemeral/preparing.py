"""From a job to the input of its flow: planned as on a shared Lustre, listed, sized, and held against every rule.

Nothing is created. What is wrong is told together; where something is wrong already, only the beginning of the data
set is listed, since a listing may take minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from headrace import preflight
from headrace.aws import Aws
from headrace.aws.connection import AccessDenied
from headrace.ephemeral.associations import Association
from headrace.ephemeral.flows import require_part
from headrace.ephemeral.future_plan import associations_of, planned, subnet_id_of
from headrace.ephemeral.living import living
from headrace.ephemeral.machine_input import flow_input, lifetime, ready_seconds, request_bytes, requests_of
from headrace.ephemeral.sizing import Capacity, capacity_for
from headrace.ephemeral.stages import PRELOAD_SUFFIX
from headrace.ephemeral.survey import Survey, survey
from headrace.execution_history import execution_arn
from headrace.future_lustre import EphemeralLustre
from headrace.job_file import JobFile
from headrace.planning import LaunchPlan
from headrace.platform import EphemeralPart, LustreLink, Platform
from headrace.preload import preload_request
from headrace.rules import Finding, Level, Suppression, apply_suppressions, final, machine_members, require, run_rules
from headrace.rules.ephemeral import EPHEMERAL_RULES, PRELOAD_RULES, EphemeralSpec, LifetimeSpec
from headrace.rules.job import MAX_SECONDS
from headrace.rules.lustre_sizing import is_legal_capacity
from headrace.service_model import violations
from headrace.sources import LustreSource
from headrace.tally import Told
from headrace.training import TrainingJob
from headrace.training_request import image_uri

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
    preload = None
    # how long it takes is worked out from the capacity
    if wanted.preload and not is_refused and is_legal_capacity(capacity.gib):
        preload = _preload_request(plan, wanted, associations, capacity, data)
    life = _lifetime(plan, wanted, part, data, preload)
    given = _given(plan, wanted, associations, capacity, life, preload, data)
    spec = _spec(plan, job, part, wanted, associations, capacity, life, given)
    spec = replace(
        spec,
        names_in_use=_names_in_use(plan, part, wanted, aws),
        living=living(aws, part.platform),
        preload_violations=() if preload is None else tuple(violations("sagemaker", "CreateTrainingJob", preload)),
        missing_preload_image=None if preload is None else _missing_image(plan, wanted, aws),
    )
    findings += [
        *data.findings,
        *capacity.findings,
        *final(run_rules(EPHEMERAL_RULES, spec)),
        *run_rules(PRELOAD_RULES, spec),
    ]
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
    data: Survey,
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
        folder_markers=data.contents.objects - data.contents.files,
    )


def _lifetime(
    plan: LaunchPlan, wanted: EphemeralLustre, part: EphemeralPart, data: Survey, preload: dict[str, Any] | None
) -> LifetimeSpec:
    job = plan.job
    running = min(job.spot.max_wait_seconds if job.spot else job.max_runtime_seconds, MAX_SECONDS)
    return lifetime(
        ready=ready_seconds(data.contents.objects),
        preload=0 if preload is None else int(preload["StoppingCondition"]["MaxRuntimeInSeconds"]),
        running=running,
        pending=None if job.max_pending_seconds is None else min(job.max_pending_seconds, MAX_SECONDS),
        capacity_attempts=wanted.capacity_attempts,
        given_hours=wanted.lifetime_hours,
        max_hours=part.max_hours,
    )


def _preload_request(
    plan: LaunchPlan, wanted: EphemeralLustre, associations: Sequence[Association], capacity: Capacity, data: Survey
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
        image=wanted.preload_image or plan.job.image,
        instance_type=wanted.preload_instance_type,
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
        lustre_channels=_lustre_channels(plan, job),
        association_count=len(associations),
        capacity_gib=capacity.gib,
        capacity_arithmetic=capacity.arithmetic,
        is_capacity_given=wanted.storage_capacity_gib is not None,
        max_gib=part.max_gib,
        max_hours=part.max_hours,
        max_file_systems=part.max_file_systems,
        lifetime=life,
        request_members=tuple(sorted(frozenset[str]().union(*map(machine_members.named_in, requests_of(given))))),
        request_bytes=request_bytes(given),
        tag_count=max(len(each.get("Tags", ())) for each in requests_of(given)),
        # of the platform's roles, the one for file systems and the one for both are those of a job on a Lustre
        role_arn=plan.job.role_arn,
        role_arns=(*(each for each in (roles.file_systems, roles.both) if each is not None), *ingestion_roles.values()),
        retry=(*retry.instance_types, *retry.availability_zone_ids),
        wanted_az_id=wanted.availability_zone_id,
        platform_az_ids=tuple(dict.fromkeys(each.az_id for each in plan.foundation.subnets)),
    )


def _lustre_channels(plan: LaunchPlan, job: JobFile | TrainingJob) -> tuple[str, ...]:
    """Those that ask for a Lustre, though it may be for a link that is not there: that is told by itself."""
    asked = [name for name, each in job.channels.items() if each.lustre is not None] if isinstance(job, JobFile) else []
    given = () if isinstance(job, JobFile) else job.channels
    asked += [each.name for each in (*plan.job.channels, *given) if isinstance(each.source, LustreSource)]
    return tuple(dict.fromkeys(asked))


def _names_in_use(plan: LaunchPlan, part: EphemeralPart, wanted: EphemeralLustre, aws: Aws) -> tuple[str, ...]:
    """Of the names that the pre-flight has not asked for: the execution's, and those of the further jobs."""
    name = plan.job.name
    further = [f"{name}{PRELOAD_SUFFIX}"] if wanted.preload else []
    further += [f"{name}-{number}" for number in range(2, wanted.capacity_attempts + 1)]
    taken = aws.training_jobs.names_in_use(further) if further else ()
    flow = aws.executions.describe(execution_arn(part.machine_arn, name))
    return (*(() if flow is None else (name,)), *taken)


def _missing_image(plan: LaunchPlan, wanted: EphemeralLustre, aws: Aws) -> str | None:
    """The preload's image, if one is given and ECR has it not; the job's own is looked for by the pre-flight."""
    if wanted.preload_image is None:
        return None
    image = image_uri(wanted.preload_image, plan.foundation)
    # what may not be looked up is not known to be missing; the job's own image has told that already
    with suppress(AccessDenied):
        return None if aws.account.image_exists(image) else image
    return None


def _wishes_of(job: JobFile) -> EphemeralLustre:
    return EphemeralLustre(**job.ephemeral.model_dump())


def _each_once(findings: Sequence[Finding]) -> list[Finding]:
    # the pre-flight's first page may show what the whole listing shows again, with all that there is
    return list({(each.rule_id, each.field): each for each in findings}.values())
