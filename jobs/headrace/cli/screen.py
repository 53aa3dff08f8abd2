"""What every result on a screen has: the width of its console, and how times are told."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_FILE_WIDTH_CHARACTERS = 140


def result_console() -> Console:
    """The console for results on stdout: as wide as the terminal, as COLUMNS says, or as a line of a file may be."""
    from rich.console import Console

    is_measured = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(highlight=False, width=None if is_measured else _FILE_WIDTH_CHARACTERS)


def time_text(when: datetime) -> str:
    """A point in time, in UTC to the second."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
