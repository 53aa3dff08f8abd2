"""Counts on stderr while something goes on."""

from __future__ import annotations

import sys
import time

import typer

from headrace.cli.plain_text import without_controls


class Progress:
    """Told how many are done; says so once that takes two seconds.

    In a terminal it is one line that changes, elsewhere a line every ten seconds.
    """

    def __init__(self) -> None:
        """The clock starts."""
        self._is_terminal = sys.stderr.isatty()
        self._pause_seconds = 0.2 if self._is_terminal else 10.0
        self._next_seconds = time.monotonic() + 2.0
        self._has_line = False

    def __call__(self, what: str, count: int) -> None:
        """Tell that ``count`` of ``what`` are done."""
        now = time.monotonic()
        if now < self._next_seconds:
            return
        self._next_seconds = now + self._pause_seconds
        line = without_controls(f"{count:,} {what}")
        self._has_line = self._is_terminal
        typer.echo(f"\r\x1b[K{line}" if self._is_terminal else line, err=True, nl=not self._is_terminal)

    def finish(self) -> None:
        """Take the line away."""
        if self._has_line:
            typer.echo("\r\x1b[K", err=True, nl=False)
