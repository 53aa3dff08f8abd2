"""Options and arguments that several commands have, each said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

JobFilePath = Annotated[Path, typer.Argument(metavar="JOB_FILE", help="The job, as YAML.")]
PlatformName = Annotated[
    str | None,
    typer.Option("--platform", help="Name of the deployed platform. [default: dev]", envvar="HEADRACE_PLATFORM"),
]
PricesFile = Annotated[
    Path | None,
    typer.Option(
        "--prices",
        metavar="FILE",
        help="Prices and shapes that headrace prices update wrote. [default: those that are shipped]",
        envvar="HEADRACE_PRICES",
    ),
]
Region = Annotated[str | None, typer.Option("--region", help="AWS Region. [default: that of your AWS settings]")]
