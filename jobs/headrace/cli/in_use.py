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
    "`make destroy` asks this first. Ends with 1 when there is anything, and prints no list when there is not; where "
    "nothing of the platform is deployed, that is said on stderr."
)


def in_use(
    platform: PlatformName = None,
    region: Region = None,
    account: Annotated[
        str | None, typer.Option(metavar="ID", help="Refuse credentials of another account. [default: take any]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    from headrace.aws import Aws
    from headrace.ephemeral.in_use import require_account, uses
    from headrace.launch import platform_name

    name, aws = platform_name(platform), Aws(region)
    if account is not None:
        require_account(aws, account)
    looked = uses(aws, name)
    found = looked.found
    if not looked.has_record:
        typer.echo(f"nothing of platform {name} is deployed in {aws.region}: it has no record there", err=True)
    if as_json:
        typer.echo(json.dumps([{"what": each.what, "state": each.state, "fix": each.fix} for each in found]))
    else:
        for each in found:
            typer.echo(without_controls(str(each)))
    if found:
        typer.echo(f"platform {name} is in use; destroy it when these are gone", err=True)
        raise typer.Exit(1)
