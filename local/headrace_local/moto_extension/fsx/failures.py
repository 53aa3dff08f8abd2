"""Creations that fail: a way to see how a client takes it.

What fails stands in the variable HEADRACE_LOCAL_FSX_FAILS of the server's environment, or in the file ``fsx-fails`` of
its directory, which may change while it runs: ``file-system``, ``association``, ``task``, separated by commas or lines.
What is made then is FAILED as soon as it would have been there, with a message in its FailureDetails.
"""

from __future__ import annotations

from typing import Final, Literal

from headrace_local.settings import FSX_FAILS_VARIABLE, words_of

FSX_FAILS_FILE: Final = "fsx-fails"
Kind = Literal["file-system", "association", "task"]


def failure_of(kind: Kind) -> str | None:
    """The message with which a new resource of this kind will fail; None for one that will not."""
    if kind not in words_of(FSX_FAILS_VARIABLE, FSX_FAILS_FILE):
        return None
    return f"The embedded AWS was told that every {kind} fails."
