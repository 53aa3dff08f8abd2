"""A file that appears whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from headrace.errors import InvalidInput


def write_whole(path: Path, text: str) -> None:
    """Write the text beside the file, then put it in its place. Raises InvalidInput where that cannot be."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name[:100]}.", delete=False
        ) as part:
            try:
                part.write(text)
                part.close()
                Path(part.name).chmod(0o666 & ~_umask())
                Path(part.name).replace(path)
            except BaseException:
                Path(part.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise InvalidInput(f"{path}: cannot be written: {error.strerror}; fix: write it elsewhere") from None


def _umask() -> int:
    now = os.umask(0)
    os.umask(now)
    return now
