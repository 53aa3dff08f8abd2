"""``headrace efs``: what is done with the platform's EFS; so far, to fill it."""

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
    from headrace.efs_load import LoadResult, PreparedLoad

HELP = "Fill the platform's EFS."

app = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode=None)

LOAD_HELP = (
    "Copy what lies below PREFIX in S3 to the platform's EFS, by a training job of its own.\n\n"
    "Files that are there already, with the object's size and time, are kept: run again, it copies what is missing. "
    "Waits until the job has ended, and compares the files and bytes that it loaded with those that S3 listed before. "
    "Ends with 1 when not all is there."
)


# a callback keeps 'load' a command of its own as long as it is the only one
@app.callback()
def _group() -> None:
    pass


@app.command("load", help=LOAD_HELP)
def load(
    prefix: Annotated[
        str, typer.Argument(metavar="PREFIX", help="s3://bucket/folder/, or a folder in the platform's bucket.")
    ],
    image: Annotated[
        str | None,
        typer.Option(help="Any ECR image with Python 3.8 or later: repository:tag, or its full URI. [required]"),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(metavar="DIRECTORY", help="Directory of the EFS. [default: the prefix's path: /data/digits]"),
    ] = None,
    instance_type: Annotated[str, typer.Option(help="The job's instance type.")] = "ml.m5.large",
    workers: Annotated[int, typer.Option(metavar="N", help="Files that are copied at the same time.")] = 32,
    prune: Annotated[bool, typer.Option("--prune", help="Remove files from the directory that are not in S3.")] = False,
    platform: PlatformName = None,
    region: Region = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, print the exact request, create nothing.")
    ] = False,
    ignored: Ignore = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    from headrace import efs_load
    from headrace.aws import Aws

    suppressions = suppressions_of(ignored)
    wanted = efs_load.EfsLoad(
        prefix=prefix, image=image, directory=to, instance_type=instance_type, workers=workers, prune=prune
    )
    aws = Aws(region)
    typer.echo(without_controls(f"checking {prefix} and the platform ({aws.region})"), err=True)
    with Progress() as told:
        prepared = efs_load.prepare(wanted, aws, platform=platform, suppressions=suppressions, told=told)
    _tell(prepared, dry_run)
    if dry_run:
        typer.echo(json.dumps(prepared.plan.request, indent=2))
        return
    result = _run(prepared, aws)
    typer.echo(json.dumps(plain(result)) if as_json else _text(result, prepared))


def _tell(prepared: PreparedLoad, dry_run: bool) -> None:
    for finding in prepared.findings:
        typer.echo(without_controls(str(finding)), err=True)
    verb = "would load" if dry_run else "loading"
    typer.echo(
        without_controls(
            f"{verb} {prepared.listed.files:,} files, {prepared.listed.size_bytes:,} bytes, "
            f"from {prepared.source.uri} to {prepared.where}"
        ),
        err=True,
    )


def _run(prepared: PreparedLoad, aws: Aws) -> LoadResult:
    from headrace import efs_load
    from headrace.cli.load_view import run_to_end
    from headrace.efs_load.counters import arrived_bytes

    job = run_to_end(partial(efs_load.run, prepared, aws), prepared.listed, arrived_bytes)
    return efs_load.result_of(prepared, job)


def _text(result: LoadResult, prepared: PreparedLoad) -> str:
    removed = f", removed {result.removed_files:,}" if result.removed_files else ""
    return without_controls(
        f"{result.loaded.files:,} files, {result.loaded.size_bytes:,} bytes in {prepared.where}: "
        f"copied {result.copied.files:,}{removed}; {result.job.name}"
    )


def plain(result: LoadResult) -> dict[str, Any]:
    """The result for ``--json``; the fields are documented in docs/efs-load.md."""
    return {
        "name": result.job.name,
        "arn": result.job.arn,
        "status": result.job.status,
        "source": result.source.uri,
        "file_system_id": result.file_system_id,
        "directory": result.directory,
        "loaded_files": result.loaded.files,
        "loaded_bytes": result.loaded.size_bytes,
        "copied_files": result.copied.files,
        "copied_bytes": result.copied.size_bytes,
        "removed_files": result.removed_files,
        "billable_seconds": result.job.billable_seconds,
    }
