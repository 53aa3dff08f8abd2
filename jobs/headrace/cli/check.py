"""``headrace check``: hold a job against every rule and the live platform, and create nothing."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from headrace.cli.findings import Ignore, plain, suppressions_of, tell_unused
from headrace.cli.options import JobFilePath, PlatformName, Region
from headrace.cli.plain_text import without_controls

if TYPE_CHECKING:
    from headrace.rules import Finding, Suppression

HELP = (
    "Hold the job of JOB_FILE against every rule and the live platform. Creates nothing.\n\n"
    "Prints one line for each finding: ERROR would stop the job before it costs anything, WARNING names a price, INFO "
    "a condition. Ends with 1 if there is an ERROR. A job on a Lustre of its own is checked by headrace train JOB_FILE "
    "--ephemeral --dry-run."
)


def check(
    path: JobFilePath,
    platform: PlatformName = None,
    region: Region = None,
    ignored: Ignore = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    from headrace import job_file, launch, planning, preflight
    from headrace.aws import Aws
    from headrace.rules import Level, apply_suppressions

    suppressions = suppressions_of(ignored)
    job = job_file.load(path)
    aws = Aws(region)
    if "ephemeral" in job.model_fields_set:
        told = f"on a Lustre of its own it is checked by: headrace train {path} --ephemeral --dry-run"
        typer.echo(without_controls(told), err=True)
    drafted = planning.draft(job, launch.read_platform(aws, platform))
    name = drafted.foundation.platform
    typer.echo(f"checking {drafted.job.name} on platform {name} ({aws.region})", err=True)
    standing, ignored_findings = apply_suppressions(preflight.check(drafted, aws), suppressions)
    if as_json:
        _print_json(drafted.job.name, name, standing, ignored_findings)
    else:
        _print_lines(standing, ignored_findings)
    tell_unused(suppressions, (suppression for _, suppression in ignored_findings))
    if any(each.level is Level.ERROR for each in standing):
        raise typer.Exit(1)


def _print_json(
    job_name: str, platform: str, standing: list[Finding], ignored: list[tuple[Finding, Suppression]]
) -> None:
    findings = [plain(each) for each in standing] + [plain(each, why.reason) for each, why in ignored]
    typer.echo(json.dumps({"job": job_name, "platform": platform, "findings": findings}, indent=2))


def _print_lines(standing: list[Finding], ignored: list[tuple[Finding, Suppression]]) -> None:
    for finding in standing:
        typer.echo(without_controls(str(finding)))
    for finding, suppression in ignored:
        typer.echo(without_controls(f"ignored ({suppression.reason}): {finding}"))
    counts = Counter(each.level.value for each in standing)
    told = ", ".join(f"{counts[level]} {level}" for level in ("ERROR", "WARNING", "INFO") if counts[level])
    typer.echo(f"{told or 'nothing to say against it'}{f'; {len(ignored)} ignored' if ignored else ''}", err=True)
