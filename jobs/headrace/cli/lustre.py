"""``headrace lustre``: what is done with the shared Lustre; so far, to free room on it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from headrace.cli.options import PlatformName, Region
from headrace.cli.plain_text import counted, without_controls
from headrace.cli.progress import Progress

if TYPE_CHECKING:
    from headrace.aws import Aws
    from headrace.aws.data_repository_tasks import DataRepositoryTask
    from headrace.preload.release import PreparedRelease

HELP = "Free room on the shared Lustre."

app = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode=None)

RELEASE_HELP = (
    "Free the room that files below PATH take on the shared Lustre.\n\n"
    "They stay listed, and come from S3 again when they are read, or preloaded. A file that was changed on the file "
    "system and not exported is left as it is. Waits until the task has ended; ends with 1 when it fails."
)


# a callback keeps 'release' a command of its own as long as it is the only one
@app.callback()
def _group() -> None:
    pass


@app.command("release", help=RELEASE_HELP)
def release(
    path: Annotated[
        str, typer.Argument(metavar="PATH", help="Directory or file of the file system: /data/digits; / is all of it.")
    ],
    link: Annotated[str | None, typer.Option(metavar="NAME", help="PATH is below this link: / is all of it.")] = None,
    days: Annotated[
        int, typer.Option(metavar="N", help="Only files that nobody has read for more than N days; 0: all.")
    ] = 0,
    platform: PlatformName = None,
    region: Region = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the exact request, create nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    from headrace.aws import Aws
    from headrace.preload import release as room

    aws = Aws(region)
    prepared = room.prepare(room.Release(path=path, link=link, days=days), aws, platform=platform)
    verb = "would release" if dry_run else "releasing"
    read = f" that were not read for {days} days" if days else ""
    typer.echo(without_controls(f"{verb} files{read} in {prepared.where}"), err=True)
    if dry_run:
        typer.echo(json.dumps(prepared.request, indent=2))
        return
    task = _run(prepared, aws)
    room.check(prepared, task)
    if not (task.total_files or task.succeeded_files or task.failed_files):
        age = f", or read within {days} days" if days else ""
        told = f"nothing was there to be released in {prepared.where}: no such path, no file in it{age}"
        typer.echo(without_controls(told), err=True)
    if as_json:
        counts = {"released_files": task.succeeded_files, "kept_files": task.failed_files}
        plain = {"task_id": task.task_id, "file_system_id": prepared.file_system_id, "path": prepared.path}
        typer.echo(json.dumps({**plain, **counts}))
        return
    kept = f", {task.failed_files:,} stayed" if task.failed_files else ""
    released = counted(task.succeeded_files, "file")
    typer.echo(without_controls(f"released {released} in {prepared.where}{kept}; {task.task_id}"))


def _run(prepared: PreparedRelease, aws: Aws) -> DataRepositoryTask:
    from headrace.preload import release as room

    task: DataRepositoryTask | None = None
    try:
        with Progress() as progress:
            for task in room.run(prepared, aws):
                progress(f"of {task.total_files:,} files released ({task.lifecycle})", task.succeeded_files)
    except KeyboardInterrupt:
        if task is not None:
            typer.echo(f"the task goes on: {task.task_id}", err=True)
        raise
    assert task is not None
    return task
