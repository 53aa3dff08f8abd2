"""Load: list, check, launch, watch, compare."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from headrace import launch
from headrace.aws import Aws
from headrace.aws.objects import Objects, StoredObject
from headrace.efs_load.counters import check_counts
from headrace.efs_load.job import DEFAULT_INSTANCE_TYPE, DEFAULT_WORKERS, LISTING, EfsLoad, training_job
from headrace.efs_load.listing import findings_of, listed, tally_of, write_listing
from headrace.errors import InvalidInput
from headrace.job_description import JobDescription
from headrace.planning import LaunchPlan, plan
from headrace.rules import Finding, Suppression, require
from headrace.sources import S3Location
from headrace.tally import Tally, Told


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedLoad:
    """A load that was checked, and what it will bring. ``findings``: warnings and remarks of the rules."""

    plan: LaunchPlan
    source: S3Location
    file_system_id: str
    directory: str
    objects: tuple[StoredObject, ...]
    findings: tuple[Finding, ...]

    @property
    def listed(self) -> Tally:
        """What S3 holds."""
        return tally_of(self.objects)

    @property
    def where(self) -> str:
        """File system and directory, for people."""
        return f"{self.file_system_id}:{self.directory}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """A load that has ended well. ``loaded`` is in its place, of which ``copied`` was brought there by this job."""

    job: JobDescription
    source: S3Location
    file_system_id: str
    directory: str
    loaded: Tally
    copied: Tally
    removed_files: int


def prepare(
    wanted: EfsLoad,
    aws: Aws,
    *,
    platform: str | None = None,
    suppressions: Sequence[Suppression] = (),
    told: Told = lambda _what, _count: None,
) -> PreparedLoad:
    """List what there is and hold the job against every rule. Creates nothing.

    ``told`` hears how many objects are listed. Raises InvalidInput with what is wrong, AwsError when a call fails.
    """
    deployed = launch.read_platform(aws, platform)
    job = training_job(wanted, deployed.foundation, datetime.now(UTC))
    source = wanted.source(deployed.foundation.bucket)
    drafted = plan(job, deployed, suppressions=suppressions)
    findings = launch.check(drafted, aws, suppressions)
    objects = _objects(source, aws, told)
    findings += require(findings_of(source, objects, aws.region), suppressions)
    assert deployed.foundation.efs is not None
    return PreparedLoad(
        plan=drafted,
        source=source,
        file_system_id=deployed.foundation.efs.file_system_id,
        directory=wanted.target(source),
        objects=objects,
        findings=tuple(findings),
    )


def _objects(source: S3Location, aws: Aws, told: Told) -> tuple[StoredObject, ...]:
    store = Objects(aws.connection)
    region = store.bucket_region(source.bucket)
    if region is None:
        raise InvalidInput(f"prefix is {source.uri}; allowed: a bucket that exists; fix: correct the bucket's name")
    objects = listed(store.list_objects(source.bucket, source.prefix, region), told)
    if not objects:
        # even where V80 is ignored: with prune, a prefix mistyped would empty the directory
        raise InvalidInput(f"prefix is {source.uri}; allowed: a folder with at least one object; fix: correct it")
    return objects


def run(prepared: PreparedLoad, aws: Aws, told: Callable[[str], None] = lambda _name: None) -> Generator[launch.Event]:
    """Launch and watch; the last event is the job as it ended. ``told`` hears the job's name when it is created.

    Raises InvalidInput, NoCapacity or AwsError.
    """
    with tempfile.TemporaryDirectory(prefix="headrace-") as folder:
        listing = Path(folder, LISTING)
        write_listing(listing, prepared.source, prepared.objects)
        job = replace(prepared.plan.job, dependencies=(str(listing),))
        yield from launch.run(replace(prepared.plan, job=job), aws, told)


def result_of(prepared: PreparedLoad, job: JobDescription) -> LoadResult:
    """What came of it. Raises JobFailed when the job did not complete, and CountsDiffer when not all is there."""
    job.require_completed()
    check_counts(prepared.where, prepared.listed, job.metrics)
    numbers = {name: int(value) for name, value in job.metrics.items()}
    return LoadResult(
        job=job,
        source=prepared.source,
        file_system_id=prepared.file_system_id,
        directory=prepared.directory,
        loaded=prepared.listed,
        copied=Tally(files=numbers.get("copied_files", 0), size_bytes=numbers.get("copied_bytes", 0)),
        removed_files=numbers.get("removed_files", 0),
    )


def load(
    prefix: str,
    *,
    image: str,
    directory: str | None = None,
    instance_type: str = DEFAULT_INSTANCE_TYPE,
    workers: int = DEFAULT_WORKERS,
    prune: bool = False,
    platform: str | None = None,
    region: str | None = None,
    suppressions: Sequence[Suppression] = (),
) -> LoadResult:
    """Fill a directory of the platform's EFS from S3, and wait until all is there; see :class:`EfsLoad`.

    ``platform``: default is HEADRACE_PLATFORM, or ``dev``. Raises InvalidInput (nothing was created) with every
    mistake at once, JobFailed when the job fails, CountsDiffer when not all is there, AwsError when a call fails.
    """
    aws = Aws(region)
    wanted = EfsLoad(
        prefix=prefix,
        image=image,
        directory=directory,
        instance_type=instance_type,
        workers=workers,
        prune=prune,
    )
    prepared = prepare(wanted, aws, platform=platform, suppressions=suppressions)
    ended = [event for event in run(prepared, aws) if isinstance(event, JobDescription)]
    return result_of(prepared, ended[-1])
