"""The command line: one file per command, and the one place that turns errors into lines and exit codes.

Results go to stdout, everything else to stderr. Modules of this package import only typer at the top, so that
``headrace --help`` answers at once; what is heavy is imported by the command that needs it. Other distributions and
floors add commands by the entry point group ``headrace.commands``.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
from typing import Annotated, NoReturn

# What imports make stays until the end: looking for garbage among it takes a tenth of --help, and more of a plan.
gc.set_threshold(100_000)

import typer

from headrace import __version__
from headrace.cli import check, efs, list_jobs, logs, manifest, plan, status, stop, timeline, train
from headrace.cli.plain_text import without_controls
from headrace.errors import HeadraceError

INTERRUPTED_EXIT_CODE = 130
# the disk that stdout goes to is full or broken, or whoever read it has gone
_OUTPUT_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EPIPE})

# Rich's help takes longer to import than all the rest of --help.
app = typer.Typer(
    name="headrace",
    help="Training data to Amazon SageMaker by the best road.\n\n"
    "Exit codes: 0 done; 1 the job that was waited for failed, a call to AWS did, or a check found a broken rule of "
    "level ERROR; 2 the input is wrong and nothing was done; 130 interrupted.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command(name="train", help=train.HELP)(train.train)
app.command(name="check", help=check.HELP)(check.check)
app.command(name="plan", help=plan.PLAN_HELP)(plan.plan)
app.command(name="platform", help=plan.PLATFORM_HELP)(plan.platform)
app.command(name="list", help=list_jobs.HELP)(list_jobs.list_jobs)
app.command(name="status", help=status.HELP)(status.status)
app.command(name="logs", help=logs.HELP)(logs.logs)
app.command(name="stop", help=stop.HELP)(stop.stop)
app.command(name="timeline", help=timeline.HELP)(timeline.timeline)
app.add_typer(manifest.app, name="manifest")
app.add_typer(efs.app, name="efs")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    pass


def _add_commands_of_others(wanted: list[str]) -> None:
    own = {each.name for each in app.registered_commands} | {each.name for each in app.registered_groups}
    if not own.isdisjoint(wanted):
        return
    # looking through everything that is installed takes longer than to make a plan
    from importlib.metadata import entry_points

    for entry_point in entry_points(group="headrace.commands"):
        app.add_typer(entry_point.load(), name=entry_point.name)


def main() -> None:
    """Run the command line: errors of headrace become one line each on stderr, and their exit code."""
    # pydantic would look for plug-ins of its own in everything that is installed, which takes a tenth of a plan
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    _add_commands_of_others(sys.argv[1:2])
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except HeadraceError as error:
        for line in str(error).splitlines():
            typer.echo(f"error: {without_controls(line)}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED_EXIT_CODE)
    except OSError as error:
        if error.errno not in _OUTPUT_ERRORS:
            raise
        _end_without_output(error)


def _end_without_output(error: OSError) -> NoReturn:
    # what is still in the buffer would be written, and fail, once more at the very end
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if error.errno != errno.EPIPE:
        typer.echo(f"error: the output cannot be written: {error.strerror}; fix: write it elsewhere", err=True)
    sys.exit(1)
