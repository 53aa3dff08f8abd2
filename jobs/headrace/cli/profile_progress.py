"""How far a listing is, on stderr: a bar, the rate, and about how long it still takes."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Final

import typer

_FIRST_SECONDS: Final = 2.0
_BAR_CHARACTERS: Final = 24


class ListingProgress:
    """Told how many files were counted and about how many come; says so once that takes two seconds.

    In a terminal it is one line that changes and goes with the ``with`` block, elsewhere a line every ten seconds.
    """

    def __init__(self) -> None:
        """Time runs from here."""
        self._is_terminal = sys.stderr.isatty()
        self._pause_seconds = 0.2 if self._is_terminal else 10.0
        self._start_seconds = time.monotonic()
        self._next_seconds = self._start_seconds + _FIRST_SECONDS
        self._has_line = False

    def __call__(self, listed: int, expected: float) -> None:
        """Tell that so many were counted, and that about ``expected`` more come; 0: nobody knows."""
        now = time.monotonic()
        if now < self._next_seconds:
            return
        self._next_seconds = now + self._pause_seconds
        line = progress_line(listed, expected, now - self._start_seconds)
        self._has_line = self._is_terminal
        typer.echo(f"\r\x1b[K{line}" if self._is_terminal else line, err=True, nl=not self._is_terminal)

    def __enter__(self) -> ListingProgress:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        if self._has_line:
            typer.echo("\r\x1b[K", err=True, nl=False)


def progress_line(listed: int, expected: float, seconds: float) -> str:
    """The line: a bar where it is known about how much comes."""
    from headrace.cli.screen import duration_text

    rate = listed / seconds if seconds else 0.0
    told = f"{listed:,} files counted, {rate:,.0f} a second"
    if expected < 1 or not rate:
        return told
    share = listed / (listed + expected)
    done = int(share * _BAR_CHARACTERS)
    bar = "█" * done + "░" * (_BAR_CHARACTERS - done)
    return f"{bar} {told}, about {100 * share:.0f} %, {duration_text(expected / rate)} to go"
