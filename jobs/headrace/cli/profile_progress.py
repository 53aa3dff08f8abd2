"""How far a listing is, on stderr: a bar, the rate, and about how long it still takes."""

from __future__ import annotations

import threading
from typing import Final

from headrace.cli.progress import ProgressLine

_BAR_CHARACTERS: Final = 24


class ListingProgress(ProgressLine):
    """Told how many files were counted and about how many come, by whichever thread."""

    def __init__(self) -> None:
        super().__init__()
        self._telling = threading.Lock()

    def __call__(self, listed: int, expected: float) -> None:
        """Tell that so many were counted, and that about ``expected`` more come; 0: nobody knows."""
        with self._telling:
            if (seconds := self.due_after()) is not None:
                self.tell(progress_line(listed, expected, seconds))


def progress_line(listed: int, expected: float, seconds: float) -> str:
    """The line: a bar where it is known about how much comes."""
    from headrace.durations import duration_text

    rate = listed / seconds if seconds else 0.0
    told = f"{listed:,} files counted, {rate:,.0f} a second"
    if expected < 1 or not rate:
        return told
    share = listed / (listed + expected)
    done = int(share * _BAR_CHARACTERS)
    bar = "█" * done + "░" * (_BAR_CHARACTERS - done)
    return f"{bar} {told}, about {100 * share:.0f} %, {duration_text(expected / rate)} to go"
