"""Preload: check, list, launch, watch, compare."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from headrace import launch
from headrace.aws import Aws
from headrace.aws.data_repository_tasks import DataRepositoryTask
from headrace.aws.objects import Objects
from headrace.errors import InvalidInput
from headrace.job_description import JobDescription
from headrace.planning import LaunchPlan, plan
from headrace.platform import LustreLink, LustrePart, Platform
from headrace.preload.contents import NOTHING, Contents, look_through
from headrace.preload.counters import check_counts
from headrace.preload.estimate import Estimate, estimate
from headrace.preload.job import Preload, lustre_of, mb_per_second_of, training_job
from headrace.preload.tasks import import_to_compare, imports_of, until_over
from headrace.rules import Finding, Suppression, require, run_rules
from headrace.rules.locations import LocationSpec
from headrace.rules.lustre import LustreSpec, dataset_fits
from headrace.tally import Tally, Told


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedPreload:
    """A preload that was checked, and what it will bring. ``findings``: warnings and remarks of the rules."""

    wanted: Preload
    plan: LaunchPlan
    links: tuple[LustreLink, ...]
    contents: Contents
    findings: tuple[Finding, ...]

    @property
    def lustre(self) -> LustrePart:
        """The file system."""
        return lustre_of(self.plan.platform)

    @property
    def where(self) -> str:
        """File system and directories, for people."""
        below = self.wanted.path.strip("/")
        paths = [f"{each.path.rstrip('/')}/{below}" if below else each.path for each in self.links]
        return f"{self.lustre.file_system_id}:{' '.join(paths)}"

    @property
    def readers(self) -> int:
        """How many files are read at the same time."""
        return int(self.plan.job.environment["PRELOAD_READERS"])

    @property
    def estimate(self) -> Estimate:
        """How long it takes."""
        instance_type = self.plan.job.instance_type or ""
        return estimate(self.contents, mb_per_second_of(self.lustre), self.readers, instance_type)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreloadResult:
    """A preload that has ended well. ``found_files`` of the loaded ones were so before.

    ``import_task_id``: the task whose count was compared as well; None where there was none to compare with.
    """

    job: JobDescription
    where: str
    links: tuple[str, ...]
    loaded: Tally
    found_files: int
    import_task_id: str | None


def prepare(
    wanted: Preload,
    aws: Aws,
    *,
    platform: str | Platform | None = None,
    suppressions: Sequence[Suppression] = (),
    told: Told = lambda _what, _count: None,
) -> PreparedPreload:
    """Hold the job against every rule, and list what there is. Creates nothing.

    ``told`` hears how many objects are listed. Raises InvalidInput with what is wrong, AwsError when a call fails.
    """
    deployed, now = launch.read_platform(aws, platform), datetime.now(UTC)
    drafted = plan(training_job(wanted, deployed, NOTHING, now), deployed, suppressions=suppressions)
    findings = launch.check(drafted, aws, suppressions)
    contents, found = _listed(wanted, deployed, aws, told)
    findings += require([*found, *_fits(contents, lustre_of(deployed))], suppressions)
    return PreparedPreload(
        wanted=wanted,
        plan=plan(training_job(wanted, deployed, contents, now), deployed, suppressions=suppressions),
        links=wanted.links_on(deployed),
        contents=contents,
        findings=tuple(findings),
    )


def _listed(wanted: Preload, platform: Platform, aws: Aws, told: Told) -> tuple[Contents, list[Finding]]:
    store = Objects(aws.connection)
    contents, findings = NOTHING, list[Finding]()
    for link in wanted.links_on(platform):
        location = wanted.location_of(link)
        region = store.bucket_region(location.bucket)
        if region is None:
            raise InvalidInput(
                f"link {link.name!r} shows {location.uri}; allowed: a bucket that exists; fix: restore it"
            )
        objects = store.list_objects(location.bucket, location.prefix, region)
        where = LocationSpec(field="link", bucket=location.bucket, prefix=location.prefix, is_readable=True)
        more, found = look_through(where, objects, aws.region, told)
        contents += more
        findings += found
    if not contents.files:
        raise InvalidInput("nothing to preload: the links show no object; allowed: at least one; fix: upload the data")
    return contents, findings


def _fits(contents: Contents, lustre: LustrePart) -> list[Finding]:
    if not contents.size_bytes:
        return []
    spec = LustreSpec(dataset_gib=contents.size_gib, storage_capacity_gib=lustre.storage_capacity_gib)
    return run_rules((dataset_fits,), spec)


def await_imports(
    prepared: PreparedPreload, aws: Aws, told: Told = lambda _what, _count: None
) -> list[DataRepositoryTask] | None:
    """Wait until no task imports metadata any more: what is not imported cannot be read. All such tasks.

    None where these credentials may not look. ``told`` hears how many files are imported.
    """
    file_system_id = prepared.lustre.file_system_id
    for running in imports_of(aws, file_system_id) or ():
        for task in until_over(aws, running):
            if not task.is_over:
                told(f"files imported by {task.task_id}", task.succeeded_files)
    return imports_of(aws, file_system_id)


def run(
    prepared: PreparedPreload, aws: Aws, told: Callable[[str], None] = lambda _name: None
) -> Generator[launch.Event]:
    """Launch and watch; the last event is the job as it ended. ``told`` hears the job's name when it is created.

    Raises InvalidInput, NoCapacity or AwsError.
    """
    yield from launch.run(prepared.plan, aws, told)


def result_of(
    prepared: PreparedPreload, job: JobDescription, imports: Sequence[DataRepositoryTask] | None = None
) -> PreloadResult:
    """What came of it; ``imports`` as :func:`await_imports` gave them.

    Raises JobFailed when the job did not complete, and CountsDiffer when not all is loaded.
    """
    job.require_completed()
    task = None
    if imports and not prepared.wanted.path and prepared.contents.newest is not None:
        task = import_to_compare(imports, prepared.links, prepared.lustre.links, prepared.contents.newest)
    imported_files = None if task is None else task.succeeded_files
    loaded = check_counts(prepared.where, prepared.contents.tally, job.metrics, imported_files)
    return PreloadResult(
        job=job,
        where=prepared.where,
        links=tuple(each.name for each in prepared.links),
        loaded=loaded,
        found_files=int(job.metrics.get("found_files", 0)),
        import_task_id=None if task is None else task.task_id,
    )


def preload(
    link: str | None = None,
    *,
    image: str,
    path: str = "",
    instance_type: str | None = None,
    readers: int | None = None,
    platform: str | Platform | None = None,
    region: str | None = None,
    suppressions: Sequence[Suppression] = (),
) -> PreloadResult:
    """Read all that a link of the shared Lustre shows, and wait until all is loaded; see :class:`Preload`.

    ``platform``: its name, by default HEADRACE_PLATFORM or ``dev``, or its records, such as those of a Lustre that
    :func:`headrace.ephemeral.lustre` holds. Raises InvalidInput (nothing was created) with every
    mistake at once, JobFailed when the job fails, CountsDiffer when not all is loaded, AwsError when a call fails.
    """
    aws = Aws(region)
    wanted = Preload(link=link, path=path, image=image, instance_type=instance_type, readers=readers)
    prepared = prepare(wanted, aws, platform=platform, suppressions=suppressions)
    imports = await_imports(prepared, aws)
    ended = [event for event in run(prepared, aws) if isinstance(event, JobDescription)]
    return result_of(prepared, ended[-1], imports)
