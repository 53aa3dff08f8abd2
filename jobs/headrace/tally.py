"""Files and the bytes in them: as S3 lists them, and as the script of a load counts them in the job's log."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from headrace.errors import JobFailed

_NUMBER: Final = r"[a-z]+_(files|bytes)(_e[0-9]+)?=[0-9]+"
_LINE: Final = re.compile(f"{_NUMBER}( {_NUMBER})+")


Told = Callable[[str, int], None]
"""Told what is counted, and how many there are by now."""


class CountsDiffer(JobFailed):
    """The job ended well, and still not all that S3 listed is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Files, and the bytes in them."""

    files: int
    size_bytes: int


def numbers_of(line: str) -> Mapping[str, int] | None:
    """The numbers of a line of the job's log; None where it is another line."""
    if not _LINE.fullmatch(line):
        return None
    return {name: int(number) for name, _, number in (each.partition("=") for each in line.split())}
