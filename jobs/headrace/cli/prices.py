"""``headrace prices``: what is known of prices and instance types, and how it is brought up to date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headrace.cli.options import PricesFile
from headrace.cli.plain_text import counted, without_controls
from headrace.cli.progress import Progress

if TYPE_CHECKING:
    from headrace.aws import Aws
    from headrace.figures.price_list import Answers
    from headrace.figures.snapshot import Snapshot
    from headrace.figures.updating import Told

HELP = "Prices of AWS and shapes of instance types: what is known, and how to bring it up to date."

app = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode=None)

UPDATE_HELP = (
    "Write the prices and instance types of Regions, as AWS tells them today, to a file.\n\n"
    "Commit the file, and name it with --prices, HEADRACE_PRICES, or the setting prices. What the file, or else the "
    "shipped figures, knows of other Regions stays. An item is left out, and named, where the Price List has no single "
    "price for it. Needs pricing:GetProducts and ec2:DescribeInstanceTypes, and costs nothing."
)
SHOW_HELP = "Print the prices that are known, with their dates and sources; with --instance-type, its shape too."
_NEEDED = "pricing:GetProducts and ec2:DescribeInstanceTypes"


@app.command("update", help=UPDATE_HELP)
def update(
    regions: Annotated[
        list[str] | None,
        typer.Option("--region", metavar="REGION", help="AWS Region; repeatable. [default: that of your AWS settings]"),
    ] = None,
    output: Annotated[Path, typer.Option(metavar="FILE", help="Where to write.")] = Path("prices.json"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    import json
    from datetime import UTC, datetime

    from headrace.aws import Aws
    from headrace.delivery import into_file
    from headrace.figures.snapshot import to_plain, to_text
    from headrace.figures.updating import updated

    today = datetime.now(UTC).date().isoformat()
    older = _older(output)
    with into_file(output) as file, Progress() as progress:
        asked = [_ask(aws, today, progress) for aws in map(Aws, dict.fromkeys(regions) if regions else (None,))]
        snapshot = updated(older, [told for told, _ in asked], today)
        file.write(to_text(to_plain(snapshot)).encode())
    for told, answers in asked:
        shapes = counted(len(told.descriptions), "instance type")
        typer.echo(f"{told.prices.region}: {counted(len(told.prices.of), 'price')}, {shapes}", err=True)
        for line in answers.left_out:
            typer.echo(without_controls(f"left out: {line}"), err=True)
    if as_json:
        left_out = {told.prices.region: answers.left_out for told, answers in asked}
        typer.echo(json.dumps({"output": str(output), "date": today, "left_out": left_out}))
    else:
        typer.echo(str(output))


def _older(output: Path) -> Snapshot:
    """What is to be brought up to date. Raises InvalidInput when a file is there that is no snapshot."""
    from os.path import lexists

    from headrace.errors import InvalidInput
    from headrace.figures.snapshot import read_snapshot

    try:
        return read_snapshot(output)
    except InvalidInput as error:
        if not lexists(output):
            return read_snapshot()
        line = f"--output is {str(output)!r}, which is not replaced; allowed: a new file, or one of prices update"
        raise InvalidInput(*error.problems, f"{line}; fix: remove it, or name another") from None


def _ask(aws: Aws, today: str, progress: Progress) -> tuple[Told, Answers]:
    """What AWS tells of a Region. Raises AwsError when it may not be asked, InvalidInput when it knows no price."""
    from functools import partial

    from headrace.aws.connection import AccessDenied, AwsError
    from headrace.errors import InvalidInput
    from headrace.figures.price_list import QUESTIONS, prices_of
    from headrace.figures.updating import Told

    typer.echo(f"asking AWS for the prices of {without_controls(aws.region)}", err=True)
    answers = []
    try:
        for question in QUESTIONS:
            service = question.service_code
            told = partial(progress, f"products of {service}")
            answers.append((question, aws.price_list.products(service, question.filters(aws.region), told)))
        descriptions = aws.price_list.instance_types(_training_types())
    except AccessDenied as error:
        raise AwsError(f"{error.action} is not allowed; this command needs {_NEEDED}; nothing was written") from None
    result = prices_of(aws.region, answers, today)
    if not result.prices.of:
        raise InvalidInput(
            f"region is {aws.region!r}, of which the Price List knows no price; allowed: a Region of AWS; "
            "fix: correct --region; nothing was written"
        )
    return Told(prices=result.prices, descriptions=descriptions), result


def _training_types() -> list[str]:
    """EC2's names for the types of SageMaker's API."""
    from headrace.service_model import installed

    return [each.removeprefix("ml.") for each in installed("sagemaker").shapes["TrainingInstanceType"]["enum"]]


@app.command("show", help=SHOW_HELP)
def show(
    region: Annotated[str | None, typer.Option(help="AWS Region. [default: all that are known]")] = None,
    instance_types: Annotated[
        list[str] | None, typer.Option("--instance-type", metavar="TYPE", help="Such as ml.g5.xlarge; repeatable.")
    ] = None,
    prices: PricesFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    from headrace.cli import prices_view
    from headrace.figures.prices import Item
    from headrace.figures.snapshot import read_snapshot

    snapshot = read_snapshot(prices)
    where = "shipped with headrace" if prices is None else str(prices)
    typer.echo(without_controls(f"figures of {snapshot.date}, {where}"), err=True)
    names = _known(instance_types or [], snapshot)
    if as_json:
        typer.echo(prices_view.as_json(snapshot, region, names))
        return
    if region is not None and region not in snapshot.prices:
        known = ", ".join(snapshot.prices) or "none"
        typer.echo(without_controls(f"no price of {region} is known; known: {known}"), err=True)
    prices_view.print_tables(snapshot, region, names)
    for name in names:
        if not any(each.price(Item.TRAINING_HOUR, name) for each in snapshot.prices.values()):
            typer.echo(f"{name}: the price of its training hour is not known", err=True)


def _known(names: list[str], snapshot: Snapshot) -> list[str]:
    """The names, if all are known. Raises InvalidInput with a line for each that is not."""
    from headrace.errors import InvalidInput
    from headrace.figures.instance_types import instance_type

    problems: list[str] = []
    for name in names:
        try:
            instance_type(name, snapshot)
        except InvalidInput as error:
            problems.extend(error.problems)
    if problems:
        raise InvalidInput(*problems)
    return names
