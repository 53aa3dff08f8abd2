"""``headrace manifest``: make manifests, and find what SageMaker would choke on before a job is paid for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from headrace.cli.plain_text import without_controls
from headrace.cli.progress import Progress

if TYPE_CHECKING:
    from headrace.manifests import ManifestReport

HELP = "Make and check manifests: lists of S3 objects that a channel reads."

app = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode=None)

CREATE_HELP = (
    "Write a manifest to OUTPUT: a path, s3://bucket/key, or - for standard output.\n\n"
    "From what lies below --prefix; from a list of S3 URIs, or of keys below --prefix (--from); or, as an augmented "
    "manifest, from a CSV of labels (--labels). OUTPUT appears when all of it is written, and not at all after a "
    "mistake."
)
CHECK_HELP = (
    "Find what SageMaker would choke on in MANIFEST: a path, or s3://bucket/key.\n\n"
    "Reads it once, in flat memory, and lists what it names. Exit codes: 0 nothing of level ERROR, 1 there is, 2 it "
    "cannot be read."
)
_Suffix = Annotated[list[str] | None, typer.Option(help="Only keys of the listing that end so; may be repeated.")]
_ListFile = Annotated[
    str | None, typer.Option("--from", "--list", metavar="FILE", help="S3 URIs or keys, one a line; - reads stdin.")
]
_Region = Annotated[str | None, typer.Option(help="The job's Region. [default: that of your AWS settings]")]


@app.command("create", help=CREATE_HELP)
def create(
    output: Annotated[str, typer.Argument(metavar="OUTPUT", help="Where the manifest goes.")],
    prefix: Annotated[str | None, typer.Option(help="s3://bucket/folder/ that holds the objects.")] = None,
    suffix: _Suffix = None,
    list_file: _ListFile = None,
    null: Annotated[bool, typer.Option("--null", help="NUL ends the items of the list, as of find -print0.")] = False,
    labels: Annotated[str | None, typer.Option(metavar="CSV", help="A table of labels; - reads stdin.")] = None,
    reference_column: Annotated[str, typer.Option(help="The column that names the objects.")] = "source-ref",
    numbers: Annotated[
        str, typer.Option(metavar="COLUMNS", help="Columns, with commas, whose values are numbers.")
    ] = "",
    region: _Region = None,
) -> None:
    from headrace.cli import manifest_files

    content = manifest_files.Content(
        prefix=prefix,
        suffixes=tuple(suffix or ()),
        list_file=list_file,
        separator=b"\0" if null else b"\n",
        labels=labels,
        reference_column=reference_column,
        number_columns=_names(numbers),
        region=region,
    )
    opened = manifest_files.opened_output(output, region)
    with Progress() as progress, content.opened() as source, opened as target:
        count = content.write(target, source, progress)
    typer.echo(without_controls(f"{_objects(count)} in {output}"), err=True)


@app.command("check", help=CHECK_HELP)
def check(
    manifest: Annotated[str, typer.Argument(metavar="MANIFEST", help="The manifest.")],
    augmented: Annotated[bool, typer.Option("--augmented", help="It is an augmented manifest: JSON Lines.")] = False,
    attribute_names: Annotated[
        str, typer.Option(metavar="NAMES", help="The job's AttributeNames, with commas; implies --augmented.")
    ] = "",
    no_objects: Annotated[bool, typer.Option("--no-objects", help="Read the file only; no call to AWS.")] = False,
    region: _Region = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    from headrace.cli.manifest_files import local_copy, lookup_for
    from headrace.manifests import AugmentedManifest, PlainManifest, check_manifest

    names = _names(attribute_names)
    form = AugmentedManifest(names) if augmented or names else PlainManifest()
    with Progress() as progress, local_copy(manifest, region) as path:
        lookup = None if no_objects else lookup_for(manifest, region)
        report = check_manifest(path, form, name=manifest, lookup=lookup, progress=progress)
    typer.echo(json.dumps(report.to_json(), indent=2) if as_json else without_controls(report_text(report)))
    if report.has_errors:
        raise typer.Exit(1)


def report_text(report: ManifestReport) -> str:
    """The report for people: each finding with its further places, and a line that sums up."""
    from headrace.rules.manifest import place_text
    from headrace.rules.values import shown

    lines: list[str] = []
    for finding, tally in report.findings:
        lines.append(str(finding))
        for place in tally.places[1:]:
            parts = (place_text(place, report.unit), "" if place.value is None else shown(place.value))
            lines.append("    " + ": ".join(each for each in parts if each))
        if tally.total > len(tally.places):
            lines.append(f"    and {tally.total - len(tally.places):,} more")
    looked_up = "looked up in S3" if report.looked_up else "not looked up in S3"
    verdict = "SageMaker would choke on it" if report.has_errors else "nothing that SageMaker would choke on"
    lines.append(f"{report.name}: {_objects(report.reference_count)} named, {looked_up}: {verdict}")
    return "\n".join(lines)


def _objects(count: int) -> str:
    return "1 object" if count == 1 else f"{count:,} objects"


def _names(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(",")) if text.strip() else ()
