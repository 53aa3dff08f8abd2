"""What is going on, on stderr: a line that changes in a terminal, and a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Final, Self

import typer

from headrace.cli.plain_text import without_controls

_FIRST_SECONDS: Final = 2.0
_TERMINAL_PAUSE_SECONDS: Final = 0.2
_FILE_PAUSE_SECONDS: Final = 10.0


class ProgressLine:
    """Tells once that takes two seconds from the first time on.

    In a terminal it is one line that changes and goes with the ``with`` block, elsewhere a line every ten seconds.
    """

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._pause_seconds = _TERMINAL_PAUSE_SECONDS if self._is_terminal else _FILE_PAUSE_SECONDS
        self._start_seconds: float | None = None
        self._next_seconds = 0.0
        self._has_line = False

    def due_after(self) -> float | None:
        """Seconds since the first time that this was asked, where something is to be told now; else None."""
        now = time.monotonic()
        if self._start_seconds is None:
            # not when it was made: what was checked before a listing is not part of it
            self._start_seconds = now
            self._next_seconds = now + _FIRST_SECONDS
        if now < self._next_seconds:
            return None
        self._next_seconds = now + self._pause_seconds
        return now - self._start_seconds

    def tell(self, text: str) -> None:
        """Show the line."""
        line = without_controls(text)
        self._has_line = self._is_terminal
        typer.echo(f"\r\x1b[K{line}" if self._is_terminal else line, err=True, nl=not self._is_terminal)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        if self._has_line:
            typer.echo("\r\x1b[K", err=True, nl=False)


class Progress(ProgressLine):
    """Told how many are done."""

    def __call__(self, what: str, count: int) -> None:
        """Tell that ``count`` of ``what`` are done."""
        if self.due_after() is not None:
            self.tell(f"{count:,} {what}")
