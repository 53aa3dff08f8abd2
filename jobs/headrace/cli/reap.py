"""``headrace reap``: what the reaper sees and decides, or the reaper itself, started by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headrace.cli.options import PlatformName, Region
from headrace.cli.plain_text import without_controls

if TYPE_CHECKING:
    from headrace.aws import Aws
    from headrace.ephemeral.reaping import Decision
    from headrace.platform import EphemeralPart

HELP = (
    "Have expired ephemeral file systems deleted that nobody takes down: what runs every quarter of an hour anyway, "
    "now.\n\n"
    "--dry-run shows each ephemeral file system of the platform, which of the conditions hold, and what the reaper "
    "would do: it marks what is due, and deletes what is still due a quarter of an hour later."
)


def reap(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the decisions, do nothing.")] = False,
    platform: PlatformName = None,
    region: Region = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the decisions as JSON.")] = False,
) -> None:
    from headrace import launch
    from headrace.aws import Aws
    from headrace.ephemeral.flows import require_part

    aws = Aws(region)
    part = require_part(launch.read_platform(aws, platform))
    if dry_run:
        _show(aws, part, as_json)
    else:
        _run(aws, part, as_json)


def _show(aws: Aws, part: EphemeralPart, as_json: bool) -> None:
    from headrace.ephemeral import reaper

    found = reaper.decisions(aws, part)
    if found and (unknown := found[0].facts.unknown_jobs):
        typer.echo(f"{unknown} job(s) may not be looked at with these rights, and count as mounting all", err=True)
    if as_json:
        typer.echo(json.dumps([_plain(each) for each in found]))
    elif found:
        _print_table(found)
    else:
        typer.echo(f"platform {part.platform} has no ephemeral file system", err=True)


def _run(aws: Aws, part: EphemeralPart, as_json: bool) -> None:
    from headrace.ephemeral import reaper

    for execution in reaper.run(aws, part):
        if not execution.is_over:
            typer.echo(f"started {execution.arn}", err=True)
    decisions = execution.output.get("Decisions", [])
    if as_json:
        typer.echo(json.dumps(decisions))
        return
    for each in decisions:
        typer.echo(without_controls(f"{each.get('Id')}: {each.get('Decision')}"))
    if not decisions:
        typer.echo("nothing has expired", err=True)


def _plain(decision: Decision) -> dict[str, Any]:
    facts = decision.facts
    return {
        "file_system_id": facts.file_system_id,
        "lifecycle": facts.lifecycle,
        "owner": facts.owner_arn,
        "expires": decision.expires,
        "marked": decision.marked,
        "mounted_by": list(facts.mounted_by),
        "unknown_jobs": facts.unknown_jobs,
        "clients": facts.clients,
        "conditions": {name.value: holds for name, holds in decision.holds.items()},
        "decision": decision.action.value,
    }


def _print_table(found: list[Decision]) -> None:
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    from headrace.cli.job_view import result_console

    conditions = list(found[0].holds)
    table = Table("file system", "flow", *conditions, "expires", "decision", box=SIMPLE, pad_edge=False)
    for each in found:
        owner = (each.facts.owner_arn or "").rpartition(":")[2]
        holds = ["yes" if each.holds[name] else "no" for name in conditions]
        row = (each.facts.file_system_id, owner, *holds, each.expires, each.action.value)
        table.add_row(*(Text(without_controls(cell)) for cell in row))
    result_console().print(table)
