"""Counts on stderr while something goes on."""

from __future__ import annotations

import sys
import time
from types import TracebackType

import typer

from headrace.cli.plain_text import without_controls


class Progress:
    """Told how many are done; says so once that takes two seconds from the first count on.

    In a terminal it is one line that changes and goes with the ``with`` block, elsewhere a line every ten seconds.
    """

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._pause_seconds = 0.2 if self._is_terminal else 10.0
        self._next_seconds: float | None = None
        self._has_line = False

    def __call__(self, what: str, count: int) -> None:
        """Tell that ``count`` of ``what`` are done."""
        now = time.monotonic()
        if self._next_seconds is None:
            # not when it was made: what was checked before a listing is not part of it
            self._next_seconds = now + 2.0
        if now < self._next_seconds:
            return
        self._next_seconds = now + self._pause_seconds
        line = without_controls(f"{count:,} {what}")
        self._has_line = self._is_terminal
        typer.echo(f"\r\x1b[K{line}" if self._is_terminal else line, err=True, nl=not self._is_terminal)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        if self._has_line:
            typer.echo("\r\x1b[K", err=True, nl=False)
