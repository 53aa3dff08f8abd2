"""The command line: one file per command, and the one place that turns errors into lines and exit codes.

Results go to stdout, everything else to stderr. Modules of this package import only typer at the top, so that
``headrace --help`` answers at once; what is heavy is imported by the command that needs it. Other distributions and
floors add commands by the entry point group ``headrace.commands``.
"""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from typing import Annotated

import typer

from headrace import __version__
from headrace.cli import train
from headrace.cli.plain_text import without_controls
from headrace.errors import HeadraceError

INTERRUPTED_EXIT_CODE = 130

# Rich's help takes longer to import than all the rest of --help.
app = typer.Typer(
    name="headrace",
    help="Training data to Amazon SageMaker by the best road.\n\n"
    "Exit codes: 0 done; 1 the job failed, or a call to AWS did; 2 the input is wrong and nothing was created; "
    "130 interrupted.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command(name="train", help=train.HELP)(train.train)


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


def main() -> None:
    """Run the command line: errors of headrace become one line each on stderr, and their exit code."""
    for entry_point in entry_points(group="headrace.commands"):
        app.add_typer(entry_point.load(), name=entry_point.name)
    try:
        app()
    except HeadraceError as error:
        for line in str(error).splitlines():
            typer.echo(f"error: {without_controls(line)}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED_EXIT_CODE)
