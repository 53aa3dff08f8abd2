"""``headrace advise``: which road a data set wants, how long it takes, what it costs, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headrace.advisor.question import MODEL_GB_DEFAULT, Goal, ReadOrder
from headrace.cli.options import PricesFile

if TYPE_CHECKING:
    from headrace.advisor.advice import Advice
    from headrace.advisor.question import Question
    from headrace.advisor.wiring import Wiring
    from headrace.dataset import Profile
    from headrace.figures.snapshot import Snapshot

HELP = (
    "Say which road a data set wants: seconds and money of each, why the best one wins, what would change that.\n\n"
    "LOCATION is listed now (s3://bucket/prefix/ or a folder); with --profile a file of `headrace profile --json` is "
    "read, and nothing is called. --samples-per-second is what one instance computes when it never waits for data: "
    "take it from a short run, or from a run on data in memory. Ends with 2 where the question contradicts itself."
)


def advise(
    instance: Annotated[str, typer.Option(help="The job's instance type, such as ml.g5.2xlarge.")],
    location: Annotated[
        str | None, typer.Argument(metavar="[LOCATION]", help="s3://bucket/prefix/ or a folder.", show_default=False)
    ] = None,
    profile: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A profile, from headrace profile --json.", show_default=False)
    ] = None,
    epochs: Annotated[float, typer.Option(help="Passes over the data.")] = 1,
    samples_per_second: Annotated[
        float | None, typer.Option(metavar="N", help="What an instance computes when data is there.")
    ] = None,
    samples: Annotated[int | None, typer.Option(metavar="N", help="Of an epoch. [default: one for each file]")] = None,
    prepared_samples_per_second: Annotated[
        float | None, typer.Option(metavar="N", help="What an instance's CPUs decode and augment. [default: enough]")
    ] = None,
    access: Annotated[
        ReadOrder, typer.Option(help="Whether files are read from beginning to end, or samples anywhere in them.")
    ] = ReadOrder.SEQUENTIAL,
    readers: Annotated[
        int | None, typer.Option(metavar="N", help="Files that an instance reads at once. [default: its vCPUs]")
    ] = None,
    instances: Annotated[int, typer.Option(metavar="N", help="Instances of the job.")] = 1,
    sharded: Annotated[bool, typer.Option("--sharded", help="Each instance gets its share of the objects.")] = False,
    jobs: Annotated[int, typer.Option(metavar="N", help="Jobs that read the same data, one after the other.")] = 1,
    packing: Annotated[bool, typer.Option(help="Whether the script could read shards of many samples.")] = True,
    image_gb: Annotated[
        float | None, typer.Option(metavar="N", help="Size of the training image. [default: a usual one]")
    ] = None,
    model_gb: Annotated[float, typer.Option(help="Size of the model that is uploaded.")] = MODEL_GB_DEFAULT,
    volume_gb: Annotated[
        int | None, typer.Option(metavar="N", help="Of each instance. [default: what File mode copies, and room]")
    ] = None,
    warm: Annotated[bool, typer.Option("--warm", help="The job finds a warm pool.")] = False,
    spot_saving: Annotated[
        float | None, typer.Option(metavar="PERCENT", help="On Spot, which costs so much less.")
    ] = None,
    interruptions: Annotated[float | None, typer.Option(metavar="N", help="Of a job on Spot. [default: 1]")] = None,
    checkpoint_minutes: Annotated[
        float | None, typer.Option(metavar="N", help="Between two checkpoints on Spot. [default: 10]")
    ] = None,
    by: Annotated[Goal, typer.Option(help="What the best road is best in.")] = Goal.COST,
    shared_lustre: Annotated[
        int, typer.Option(metavar="GIB", help="A shared Lustre of this capacity stands, and holds the data.")
    ] = 0,
    region: Annotated[
        str | None, typer.Option(help="Whose prices count. [default: the bucket's, or us-east-1]")
    ] = None,
    prices: PricesFile = None,
    write: Annotated[
        Path | None, typer.Option(metavar="JOB.yaml", help="Write a job file for the winner; needs --like or --image.")
    ] = None,
    like: Annotated[
        Path | None, typer.Option(metavar="JOB_FILE", help="Of --write: take everything else from this job file.")
    ] = None,
    image: Annotated[str | None, typer.Option(help="The job's image, for --write: repository:tag, or a URI.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a report as one page.")] = None,
    shows_all: Annotated[bool, typer.Option("--all", help="Show every road, not only the best eight.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the advice as JSON.")] = False,
) -> None:
    from headrace.advisor.asking import Asked, question_about
    from headrace.cli.advised_job import require_report, wiring_for, wished, write_job, write_report
    from headrace.dataset.profile import Where, profile_of_sizes
    from headrace.figures.snapshot import read_snapshot

    asked = Asked(
        instance=instance,
        instances=instances,
        epochs=epochs,
        samples=samples,
        samples_per_second=samples_per_second,
        prepared_samples_per_second=prepared_samples_per_second,
        access=access,
        readers=readers,
        jobs=jobs,
        can_pack=packing,
        image_gb=image_gb,
        model_gb=model_gb,
        sharded=sharded,
        warm=warm,
        volume_gb=volume_gb,
        spot_saving_percent=spot_saving,
        interruptions=interruptions,
        checkpoint_minutes=checkpoint_minutes,
        by=by,
        region=region,
        shared_lustre=shared_lustre,
    )
    wish = wished(write, image, like)
    if html is not None:
        require_report(html)
    snapshot = read_snapshot(prices)
    if location is not None and profile is None:
        # what is wrong is told before hours are spent on listing
        question_about(profile_of_sizes(location, Where.S3, {1: 1 << 40}), asked, snapshot)
    data = _profile(location, profile, region)
    advice = _advise(question_about(data, asked, snapshot), snapshot)
    wiring = wiring_for(advice, wish)
    if write is not None:
        write_job(advice, wiring, wish)
    if html is not None:
        write_report(advice, html)
    _print(advice, wiring, as_json, shows_all)
    if advice.winner is None:
        raise typer.Exit(1)


def _profile(location: str | None, profile: Path | None, region: str | None) -> Profile:
    from headrace.dataset import read_profile
    from headrace.errors import InvalidInput

    if (location is None) == (profile is None):
        given = "both" if location else "neither"
        raise InvalidInput(
            f"LOCATION and --profile: {given} given; allowed: one of them; fix: headrace advise s3://bucket/prefix/ …"
        )
    if profile is not None:
        return read_profile(profile)
    from headrace.cli.profile import taken
    from headrace.cli.profile_progress import ListingProgress

    with ListingProgress() as progress:
        return taken(location or "", None, False, None, region, progress, looks=True)


def _advise(question: Question, snapshot: Snapshot) -> Advice:
    from headrace.advisor.advice import advise as advised
    from headrace.figures.instance_types import all_instance_types

    priced = {name for item, name in question.prices.of if item.value == "training_hour"}
    others = [each for name, each in all_instance_types(snapshot).items() if name in priced]
    return advised(question, others)


def _print(advice: Advice, wiring: Wiring | None, as_json: bool, shows_all: bool) -> None:
    if as_json:
        from headrace.advisor.plain import to_plain

        wired = None if wiring is None else {"settings": wiring.settings, "job": wiring.job, "steps": wiring.steps}
        typer.echo(json.dumps({**to_plain(advice), "wiring": wired}))
        return
    from headrace.cli.advice_view import screen
    from headrace.cli.screen import result_console

    console = result_console()
    for part in screen(advice, wiring, shows_all=shows_all):
        console.print(part, soft_wrap=getattr(part, "no_wrap", None) is True)
