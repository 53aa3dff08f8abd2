"""``headrace profile``: what a data set is, on one screen: people look before they read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headrace.cli.options import Region

if TYPE_CHECKING:
    from headrace.dataset.profile import Profile
    from headrace.profiling.taking import Told

HELP = (
    "Show what a data set is: files, bytes, sizes, formats, folders, storage classes, and what no road can take.\n\n"
    "LOCATION is s3://bucket/prefix/, or a folder of this machine; an EFS is profiled where it is mounted, with "
    "--where efs. All objects are listed, some hundred thousand a second; --sample estimates, and --inventory reads "
    "what S3 wrote down. headrace advise --profile FILE takes what --json prints; see docs/profile.md."
)

_S3 = "s3://"
_Where = Annotated[str | None, typer.Option(metavar="local|efs", help="What the folder is. [default: local]")]
_Inventory = Annotated[
    str | None, typer.Option(metavar="URI", help="s3://bucket/…/manifest.json of an S3 Inventory to read instead.")
]


def profile(
    location: Annotated[str, typer.Argument(metavar="LOCATION", help="s3://bucket/prefix/, or a folder.")],
    where: _Where = None,
    sample: Annotated[bool, typer.Option("--sample", help="Estimate, with its interval; see docs/profile.md.")] = False,
    inventory: _Inventory = None,
    no_contents: Annotated[bool, typer.Option("--no-contents", help="Read no file's first bytes.")] = False,
    region: Region = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the profile as JSON.")] = False,
) -> None:
    from headrace.cli.profile_progress import ListingProgress

    with ListingProgress() as progress:
        found = taken(location, where, sample, inventory, region, progress, looks=not no_contents)
    if as_json:
        from headrace.dataset import to_plain

        typer.echo(json.dumps(to_plain(found), indent=2))
        return
    from headrace.cli.profile_view import screen
    from headrace.cli.screen import result_console

    console = result_console()
    for part in screen(found, console.width):
        console.print(part)


def taken(
    location: str,
    where: str | None,
    sample: bool,
    inventory: str | None,
    region: str | None,
    progress: Told,
    *,
    looks: bool,
) -> Profile:
    """The profile of a location, taken now. Raises InvalidInput for options that do not go with it."""
    _require_options(location, where, sample, inventory)
    from headrace.dataset.profile import Where
    from headrace.profiling import taking

    if not location.startswith(_S3):
        root = Path(location.removeprefix("file://"))
        return taking.profile_folder(root, Where(where or Where.LOCAL), progress, looks=looks)
    from headrace.aws.connection import Connection
    from headrace.sources import parse_s3_location

    place = parse_s3_location(location, default_bucket="")
    connection = Connection(region)
    if inventory is not None:
        from headrace.profiling.inventory import profile_inventory

        source = parse_s3_location(inventory, default_bucket="")
        return profile_inventory(connection, place, source, progress, looks=looks)
    if sample:
        from headrace.profiling.sampled import profile_sampled

        return profile_sampled(connection, place, progress, looks=looks)
    return taking.profile_s3(connection, place, progress, looks=looks)


def _require_options(location: str, where: str | None, sample: bool, inventory: str | None) -> None:
    from headrace.errors import InvalidInput

    problems = []
    is_s3 = location.startswith(_S3)
    if not location.removeprefix("file://"):
        problems.append(f"LOCATION is {location!r}; allowed: s3://bucket/prefix/, file://… or a path; fix: give one")
    if "://" in location and not is_s3 and not location.startswith("file://"):
        problems.append(f"LOCATION is {location!r}; allowed: s3://bucket/prefix/, file://… or a path; fix: write it so")
    if where not in (None, "local", "efs"):
        problems.append(f"--where is {where!r}; allowed: local, efs; fix: choose one of them")
    if where is not None and is_s3:
        problems.append("--where is given beside an s3:// URI; allowed: only for a folder; fix: leave it out")
    if sample and not is_s3:
        problems.append("--sample is given for a folder; allowed: only below s3://; fix: leave it out")
    if inventory is not None and not is_s3:
        problems.append("--inventory is given for a folder; allowed: only below s3://; fix: leave it out")
    if inventory is not None and not (inventory.startswith(_S3) and inventory.removeprefix(_S3).partition("/")[2]):
        allowed = "s3://bucket/…/manifest.json"
        problems.append(f"--inventory is {inventory!r}; allowed: {allowed}; fix: give the URI of the manifest")
    if inventory is not None and sample:
        problems.append("--sample is given beside --inventory; allowed: one of them; fix: leave one out")
    if problems:
        raise InvalidInput(*problems)
