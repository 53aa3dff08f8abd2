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
from collections.abc import Mapping
from importlib import import_module
from typing import Annotated, Final, NoReturn

# What imports make stays until the end: looking for garbage among it takes a tenth of --help, and more of a plan.
gc.set_threshold(100_000)

import typer

from headrace import __version__
from headrace.cli.plain_text import without_controls
from headrace.errors import HeadraceError

INTERRUPTED_EXIT_CODE = 130
# the disk that stdout goes to is full or broken, or whoever read it has gone
_OUTPUT_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EPIPE})

_HELP: Final = (
    "Training data to Amazon SageMaker by the best road.\n\n"
    "Exit codes: 0 done; 1 the job that was waited for failed, a call to AWS did, or a check found a broken rule of "
    "level ERROR; 2 the input is wrong and nothing was done; 130 interrupted."
)
# name -> module, function and help text of a command
_COMMANDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "train": ("train", "train", "HELP"),
    "check": ("check", "check", "HELP"),
    "plan": ("plan", "plan", "PLAN_HELP"),
    "platform": ("plan", "platform", "PLATFORM_HELP"),
    "list": ("list_jobs", "list_jobs", "HELP"),
    "status": ("status", "status", "HELP"),
    "logs": ("logs", "logs", "HELP"),
    "stop": ("stop", "stop", "HELP"),
    "profile": ("profile", "profile", "HELP"),
    "timeline": ("timeline", "timeline", "HELP"),
    "advise": ("advise", "advise", "HELP"),
    "preload": ("preload", "preload", "HELP"),
    "reap": ("reap", "reap", "HELP"),
    "in-use": ("in_use", "in_use", "HELP"),
}
_GROUPS: Final = ("manifest", "efs", "lustre", "prices")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    pass


def command_line(first_word: str | None) -> typer.Typer:
    """The command that is asked for; all of them, those of others too, where it is none of ours.

    typer looks at every command that it has, and looking through all that is installed for others takes longer still.
    """
    # Rich's help takes longer to import than all the rest of --help.
    app = typer.Typer(
        name="headrace",
        help=_HELP,
        callback=_options,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    is_ours = first_word in _COMMANDS or first_word in _GROUPS
    for name, (module, function, help_text) in _COMMANDS.items():
        if name == first_word or not is_ours:
            room = import_module(f"headrace.cli.{module}")
            app.command(name=name, help=getattr(room, help_text))(getattr(room, function))
    for name in _GROUPS:
        if name == first_word or not is_ours:
            app.add_typer(import_module(f"headrace.cli.{name}").app, name=name)
    if not is_ours:
        from importlib.metadata import entry_points

        for entry_point in entry_points(group="headrace.commands"):
            app.add_typer(entry_point.load(), name=entry_point.name)
    return app


def main() -> None:
    """Run the command line: errors of headrace become one line each on stderr, and their exit code."""
    # pydantic would look for plug-ins of its own in everything that is installed, which takes a tenth of a plan
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        try:
            command_line(sys.argv[1] if len(sys.argv) > 1 else None)()
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
