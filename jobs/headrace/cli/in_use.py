"""``headrace in-use``: what stands against destroying a platform."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from headrace.cli.options import PlatformName, Region
from headrace.cli.plain_text import without_controls

HELP = (
    "List what a platform is used for: ephemeral file systems that live, flows that run, jobs that mount the shared "
    "Lustre.\n\n"
    "`make destroy` asks this first. Ends with 1 when there is anything, and prints nothing when there is not, also "
    "where nothing is deployed."
)


def in_use(
    platform: PlatformName = None,
    region: Region = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    from headrace.aws import Aws
    from headrace.ephemeral.in_use import uses
    from headrace.launch import DEFAULT_PLATFORM

    name = platform or DEFAULT_PLATFORM
    found = uses(Aws(region), name)
    if as_json:
        typer.echo(json.dumps([{"what": each.what, "state": each.state, "fix": each.fix} for each in found]))
    else:
        for each in found:
            typer.echo(without_controls(str(each)))
    if found:
        typer.echo(f"platform {name} is in use; destroy it when these are gone", err=True)
        raise typer.Exit(1)
