"""A name on the command line: of a training job, or of the flow that makes a file system for one.

The job is asked for first, so that a plain job costs one call and needs no platform.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from headrace.cli.plain_text import without_controls
from headrace.errors import InvalidInput

if TYPE_CHECKING:
    from headrace.aws import Aws
    from headrace.ephemeral.flows import PlatformFlow
    from headrace.job_description import JobDescription


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a name stands for: a job, a flow, or a flow that has come to a job."""

    name: str
    job: JobDescription | None
    flow: PlatformFlow | None


def look_up(aws: Aws, name: str, platform: str | None) -> Named:
    """The job or the flow of this name. Raises InvalidInput when there is neither."""
    try:
        job = aws.training_jobs.describe(name)
    except InvalidInput:
        if (flow := _flow(aws, name, None, platform)) is not None:
            return Named(name=name, job=None, flow=flow)
        raise
    return Named(name=name, job=job, flow=_flow(aws, name, job, platform))


def look_up_all(aws: Aws, names: Sequence[str], platform: str | None) -> list[Named]:
    """Each of them, once. Raises InvalidInput with a line for each name that stands for nothing."""
    found: list[Named] = []
    problems: list[str] = []
    for name in dict.fromkeys(names):
        try:
            found.append(look_up(aws, name, platform))
        except InvalidInput as unknown:
            problems.extend(unknown.problems)
    if problems:
        raise InvalidInput(*problems)
    return found


def _flow(aws: Aws, name: str, job: JobDescription | None, platform: str | None) -> PlatformFlow | None:
    from headrace.aws.connection import AccessDenied
    from headrace.ephemeral import flows

    try:
        return flows.find(aws, name, job, platform)
    except (InvalidInput, AccessDenied) as error:
        # without a platform, or the right to ask, there is no flow to be found; but there may be a job
        if job is not None:
            typer.echo(without_controls(f"{name} is taken for a job without a flow: {error}"), err=True)
        return None
