"""``headrace reap``: what the reaper sees and decides, or the reaper itself, started by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headrace.cli.options import PlatformName, Region
from headrace.cli.plain_text import without_controls

if TYPE_CHECKING:
    from headrace.aws import Aws
    from headrace.ephemeral.reaping import Condition, Decision, FileSystemFacts
    from headrace.platform import EphemeralPart

HELP = (
    "Have expired ephemeral file systems deleted that nobody takes down: what runs every quarter of an hour anyway, "
    "now.\n\n"
    "--dry-run shows each ephemeral file system of the platform, what the reaper would do, and what is against "
    "deleting it: it marks what is due, and deletes what is still due a quarter of an hour later."
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
        for each in found:
            typer.echo(without_controls(_line(each)))
    else:
        typer.echo(f"platform {part.platform} has no ephemeral file system", err=True)


def _run(aws: Aws, part: EphemeralPart, as_json: bool) -> None:
    from headrace.ephemeral import reaper

    for execution in reaper.run(aws, part):
        if not execution.is_over:
            typer.echo(f"started {execution.arn}", err=True)
    decisions = execution.output.get("Decisions", [])
    if as_json:
        typer.echo(json.dumps([_plain_of_machine(each) for each in decisions]))
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


def _plain_of_machine(decided: Mapping[str, Any]) -> dict[str, Any]:
    """A decision of the machine in the same words; what it does not tell is null."""
    from headrace.ephemeral.reaping import Condition

    clients = decided.get("Clients")
    is_known = clients is not None and clients >= 0
    holds = {
        # of others it takes no notice
        Condition.OWNED: True,
        Condition.ITSELF: decided.get("IsItself"),
        Condition.LIVING: True,
        Condition.EXPIRED: decided.get("Expired"),
        Condition.OWNER_ENDED: decided.get("OwnerEnded"),
        Condition.UNMOUNTED: None if decided.get("Mounted") is None else not decided["Mounted"],
        Condition.NO_CLIENTS: None if clients is None else clients == 0,
    }
    return {
        "file_system_id": decided.get("Id"),
        "lifecycle": None,
        "owner": decided.get("Owner"),
        "expires": decided.get("Expires"),
        "marked": decided.get("Marked"),
        "mounted_by": None,
        "unknown_jobs": None,
        "clients": clients if is_known else None,
        "conditions": {name.value: holds[name] for name in Condition},
        "decision": decided.get("Decision"),
    }


def _line(decision: Decision) -> str:
    """One line, however long, since an id that is cut is none."""
    from headrace.execution_history import name_of

    facts = decision.facts
    owner = name_of(facts.owner_arn or "") or "nobody"
    against = [_against(name, facts) for name, holds in decision.holds.items() if not holds]
    told = f"{facts.file_system_id} of {owner}: {decision.action.value}; expires {decision.expires}"
    marked = f"; marked {decision.marked}" if decision.marked else ""
    return f"{told}{marked}; " + (f"against deleting: {', '.join(against)}" if against else "nothing against deleting")


def _against(condition: Condition, facts: FileSystemFacts) -> str:
    """What is the case where a condition does not hold."""
    from headrace.ephemeral.reaping import Condition

    owner = facts.owner
    reasons = {
        Condition.OWNED: "it lacks the tag of this platform or of an owner",
        Condition.ITSELF: f"its tags are those of {facts.itself_tag}",
        Condition.LIVING: "it is being deleted already",
        Condition.EXPIRED: "it has not expired",
        Condition.OWNER_ENDED: "its owner is not known"
        if not owner.is_known
        else "its flow runs"
        if owner.is_running
        else "it was not made while its flow ran",
        Condition.UNMOUNTED: " and ".join(
            filter(
                None,
                (
                    f"mounted by {', '.join(facts.mounted_by)}" if facts.mounted_by else "",
                    f"{facts.unknown_jobs} training job(s) may not be looked at" if facts.unknown_jobs else "",
                ),
            )
        ),
        Condition.NO_CLIENTS: "its clients cannot be counted"
        if facts.clients is None
        else f"it has had {facts.clients:g} client(s) in the last quarter of an hour",
    }
    return reasons[condition]
