"""What ``headrace advise`` hands on: how the winner is made, and the files that it writes: a job, a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from headrace.cli.plain_text import without_controls

if TYPE_CHECKING:
    from headrace.advisor.advice import Advice
    from headrace.advisor.wiring import Wiring


_JOB_MARK: Final = b"as headrace advise says for"
_REPORT_MARK: Final = b"headrace advise"
_MARK_WITHIN_BYTES: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Wished:
    """``path``: of the job file that is written, if one is. ``like``: what an existing one says, without defaults."""

    path: Path | None = None
    image: str | None = None
    like: Mapping[str, Any] | None = None

    @property
    def known_image(self) -> str | None:
        """The image that was given, or that of the existing file."""
        return self.image or (None if self.like is None else str(self.like["image"]))


def wished(path: Path | None, image: str | None, like: Path | None) -> Wished:
    """Reads the job file that ``--like`` names. Raises InvalidInput for one that is none, and for half of a wish."""
    from headrace.errors import InvalidInput

    if path is not None and not (image or like):
        raise InvalidInput(
            "--write is given alone; allowed: with --like, a job file, or --image, the job's; fix: --image digits:1"
        )
    if path is not None:
        _require_replaceable("--write", path, _JOB_MARK)
    if like is None:
        return Wished(path=path, image=image)
    if path is None:
        raise InvalidInput("--like is given alone; allowed: with --write, a file to be written; fix: --write job.yaml")
    return Wished(path=path, image=image, like=_as_it_is(like, path.parent))


def _as_it_is(job_path: Path, folder: Path) -> dict[str, Any]:
    """What a job file says, and no defaults; its code as seen from another folder."""
    import os

    from headrace import job_file

    job = job_file.load(job_path)
    plain: dict[str, Any] = job.model_dump(mode="json", exclude_unset=True)
    if job.source_dir is not None:
        plain["source_dir"] = os.path.relpath(job.source_dir, folder)
    if job.dependencies:
        plain["dependencies"] = [os.path.relpath(each, folder) for each in job.dependencies]
    return plain


def require_report(path: Path) -> None:
    """Raises InvalidInput where a report cannot be written: for want of a library, or over somebody else's file."""
    from headrace.advisor.report import require_libraries

    require_libraries()
    _require_replaceable("--html", path, _REPORT_MARK)


def _require_replaceable(option: str, path: Path, mark: bytes) -> None:
    """A file that is there already is one of ours, or it stays."""
    from headrace.errors import InvalidInput

    try:
        with path.open("rb") as file:
            begins = file.read(_MARK_WITHIN_BYTES)
    except OSError:
        return  # nothing that could be lost; what else is wrong is told when it is written
    if mark not in begins:
        allowed = "a new file, or one that headrace advise wrote"
        raise InvalidInput(f"{option} is {str(path)!r}, which is there; allowed: {allowed}; fix: name another")


def write_report(advice: Advice, path: Path) -> None:
    """Write the page."""
    from headrace.advisor.plain import to_plain
    from headrace.advisor.report import render
    from headrace.delivery import into_file

    typer.echo("drawing the page", err=True)
    page = render(to_plain(advice))
    with into_file(path) as file:
        file.write(page.encode())
    typer.echo(without_controls(f"wrote {path}"), err=True)


def wiring_for(advice: Advice, wish: Wished) -> Wiring | None:
    """How the winner is made; None where no job could read the data set, and stderr says why."""
    from headrace.advisor.wiring import IMAGE, wiring_of
    from headrace.dataset.profile import Where
    from headrace.errors import InvalidInput

    if advice.winner is None:
        return None
    path = "job.yaml" if wish.path is None else str(wish.path)
    try:
        return wiring_of(advice.winner, advice.question, wish.known_image or IMAGE, path)
    except InvalidInput as error:
        if wish.path is not None:
            raise InvalidInput(*(f"--write: {each}" for each in error.problems)) from None
        # of what lies here, the notes say it
        for each in error.problems if advice.question.profile.where is not Where.LOCAL else ():
            typer.echo(without_controls(f"no job file can be made: {each}"), err=True)
        return None


def write_job(advice: Advice, wiring: Wiring | None, wish: Wished) -> None:
    """Write the job file, and say what there is to know of it."""
    import yaml

    from headrace.advisor.merging import merged
    from headrace.delivery import into_file
    from headrace.errors import InvalidInput

    assert wish.path is not None
    if wiring is None or advice.winner is None:
        raise InvalidInput(
            f"--write is given for {advice.question.profile.location}; allowed: a data set that a road can bring; "
            "fix: see why each is not possible (without --write)"
        )
    job, told = dict(wiring.job), ["add source_dir and entry_point, or what your image needs"]
    if wish.like is not None:
        both = merged(advice.winner, advice.question, wiring.job, wish.like)
        job, told = {**both.job, **({"image": wish.image} if wish.image else {})}, list(both.told)
    # a location is somebody else's text, and must not end the comment
    about = " ".join(without_controls(advice.question.profile.location).split())
    head = f"# {advice.winner.variant.name}, as headrace advise says for {about}\n"
    with into_file(wish.path) as file:
        file.write(f"{head}{yaml.safe_dump(job, sort_keys=False, allow_unicode=True)}".encode())
    for line in (f"wrote {wish.path}", *told):
        typer.echo(without_controls(line), err=True)
