"""Text of others, made safe for a terminal.

Log lines, failure reasons and names in messages may hold escape sequences, which a terminal obeys: titles, colours,
answers typed in the user's name. Every control character goes, those of ISO 6429's upper half too.
"""

from __future__ import annotations

import unicodedata


def without_controls(text: str) -> str:
    """``text`` without control characters, line breaks and tabs excepted."""
    return "".join(each for each in text if each in "\n\t" or unicodedata.category(each) != "Cc")


def counted(number: int, thing: str) -> str:
    """So many of a thing whose plural ends with s: ``1 file``, ``2,400 files``."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
