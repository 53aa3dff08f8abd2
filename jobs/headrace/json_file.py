"""A file that should hold one JSON object; it may come from anywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from headrace.errors import InvalidInput

MOST_BYTES: Final = 16 << 20


def read_object(path: Path, what: str, fix: str) -> dict[str, Any]:
    """The object of a file of up to 16 MiB. ``what``: it should be; ``fix``: how one is made.

    Raises InvalidInput with one line: no such file, too large, no JSON, or JSON of another kind.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1)
        plain = json.loads(text) if len(text) <= MOST_BYTES else None
    except FileNotFoundError:
        raise InvalidInput(f"{path}: no such file; fix: {fix}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{path}: not {what}: {error}; fix: {fix}") from None
    if not isinstance(plain, dict):
        raise InvalidInput(f"{path}: not {what}; allowed: a JSON object of up to 16 MiB; fix: {fix}")
    return plain
