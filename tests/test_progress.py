"""Counts on stderr: when they begin to be told, and that nothing of them is left."""

from __future__ import annotations

import sys

import pytest
from headrace.cli import progress
from headrace.cli.progress import Progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds; tests set it."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_counts_are_told_two_seconds_after_the_first(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    """However long ago it was made; then every ten seconds."""
    with Progress() as told:
        for seconds, count in ((0, 1), (1.9, 2), (2.1, 3000), (12, 4), (12.2, 5)):
            clock[0] = 200 + seconds
            told("objects listed", count)
    assert capsys.readouterr().err == "3,000 objects listed\n5 objects listed\n"


def test_in_a_terminal_nothing_is_left_of_the_line(
    clock: list[float], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error begins on a line of its own; and where nothing was told, nothing is taken away."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)

    def fail() -> None:
        with Progress() as told:
            told("files", 1)
            clock[0] += 3
            told("files", 2)
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        fail()
    assert capsys.readouterr().err == "\r\x1b[K2 files\r\x1b[K"
    with Progress():
        pass
    assert capsys.readouterr().err == ""
