"""``headrace preload``: load what the shared Lustre shows from S3, before a job reads it."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headrace.cli.findings import Ignore, suppressions_of
from headrace.cli.options import PlatformName, Region
from headrace.cli.plain_text import without_controls
from headrace.cli.progress import Progress

if TYPE_CHECKING:
    from headrace.aws import Aws
    from headrace.preload import PreloadResult, PreparedPreload

HELP = (
    "Load what the platform's Lustre shows from S3, by a training job that reads every file.\n\n"
    "Files that are loaded already are left: run again, it goes on. Waits until the job has ended, and compares the "
    "files and bytes that it loaded with those that S3 listed before. Ends with 1 when not all is loaded."
)


def preload(
    link: Annotated[
        str | None, typer.Argument(metavar="LINK", help="Name of the link. [default: all links]", show_default=False)
    ] = None,
    path: Annotated[str, typer.Option(metavar="SUB", help="Only this directory below the link.")] = "",
    image: Annotated[
        str | None, typer.Option(help="Any ECR image with a shell: repository:tag, or its full URI. [required]")
    ] = None,
    instance_type: Annotated[
        str | None, typer.Option(help="The job's instance type. [default: by the file system's capacity]")
    ] = None,
    readers: Annotated[
        int | None,
        typer.Option(metavar="N", help="Files read at the same time. [default: by the capacity, 16 or more]"),
    ] = None,
    platform: PlatformName = None,
    region: Region = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, print the exact request, create nothing.")
    ] = False,
    ignored: Ignore = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    from headrace import preload as room
    from headrace.aws import Aws

    suppressions = suppressions_of(ignored)
    wanted = room.Preload(link=link, path=path, image=image, instance_type=instance_type, readers=readers)
    aws = Aws(region)
    typer.echo(without_controls(f"checking {link or 'all links'} and the platform ({aws.region})"), err=True)
    with Progress() as told:
        prepared = room.prepare(wanted, aws, platform=platform, suppressions=suppressions, told=told)
    _tell(prepared, dry_run)
    if dry_run:
        typer.echo(json.dumps(prepared.plan.request, indent=2))
        return
    result = _run(prepared, aws)
    typer.echo(json.dumps(plain(result)) if as_json else _text(result))


def _tell(prepared: PreparedPreload, dry_run: bool) -> None:
    for finding in prepared.findings:
        typer.echo(without_controls(str(finding)), err=True)
    contents, expected, verb = prepared.contents, prepared.estimate, "would load" if dry_run else "loading"
    typer.echo(
        without_controls(
            f"{verb} {contents.files:,} files, {contents.size_bytes:,} bytes, into {prepared.where}\n"
            f"about {duration(expected.seconds)} with {prepared.readers} readers on {prepared.plan.job.instance_type}: "
            f"{expected.bound.value}"
        ),
        err=True,
    )


def _run(prepared: PreparedPreload, aws: Aws) -> PreloadResult:
    from headrace import preload as room
    from headrace.cli.load_view import run_to_end
    from headrace.preload.counters import arrived_bytes

    with Progress() as told:
        imports = room.await_imports(prepared, aws, told)
    job = run_to_end(partial(room.run, prepared, aws), prepared.contents.tally, arrived_bytes)
    return room.result_of(prepared, job, imports)


def _text(result: PreloadResult) -> str:
    found = f", of which {result.found_files:,} were before" if result.found_files else ""
    return without_controls(
        f"{result.loaded.files:,} files, {result.loaded.size_bytes:,} bytes loaded in {result.where}{found}; "
        f"{result.job.name}"
    )


def duration(seconds: float) -> str:
    """A duration that is not known to the second, for people."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{seconds / 3600:.1f} h"


def plain(result: PreloadResult) -> dict[str, Any]:
    """The result for ``--json``; the fields are documented in docs/preload.md."""
    return {
        "name": result.job.name,
        "arn": result.job.arn,
        "status": result.job.status,
        "file_system_id": result.where.partition(":")[0],
        "links": list(result.links),
        "loaded_files": result.loaded.files,
        "loaded_bytes": result.loaded.size_bytes,
        "found_files": result.found_files,
        "import_task_id": result.import_task_id,
        "billable_seconds": result.job.billable_seconds,
    }
