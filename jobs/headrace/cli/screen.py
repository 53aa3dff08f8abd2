"""What every result on a screen has: the width of its console, and how durations and times are told."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_FILE_WIDTH_CHARACTERS = 140
_MINUTE_SECONDS, _HOUR_SECONDS = 60, 3600


def result_console() -> Console:
    """The console for results on stdout: as wide as the terminal, as COLUMNS says, or as a line of a file may be."""
    from rich.console import Console

    is_measured = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(highlight=False, width=None if is_measured else _FILE_WIDTH_CHARACTERS)


def duration_text(seconds: float) -> str:
    """A duration as people say it: ``12.3 s``, ``2 min 3 s``, ``1 h 5 min``."""
    if seconds < _MINUTE_SECONDS:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _HOUR_SECONDS:
        return f"{whole // _MINUTE_SECONDS} min {whole % _MINUTE_SECONDS} s"
    return f"{whole // _HOUR_SECONDS} h {whole % _HOUR_SECONDS // _MINUTE_SECONDS} min"


def time_text(when: datetime) -> str:
    """A point in time, in UTC to the second."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
