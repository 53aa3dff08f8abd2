"""Where something new goes: nothing is there before all of it is, and nothing is left behind when it fails."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from headrace.errors import InvalidInput


@contextmanager
def into_file(path: Path) -> Iterator[BinaryIO]:
    """A file beside ``path`` that takes its place when the block ends well. Raises InvalidInput if it cannot be."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as target:
            yield target
            target.flush()
            os.fsync(target.fileno())
        part.replace(path)
    except OSError as error:
        raise InvalidInput(
            f"output is {str(path)!r}: {error.strerror or error}; fix: name a file that can be written"
        ) from None
    finally:
        # of a name that cannot be, nothing is left behind
        with suppress(OSError):
            part.unlink()


@contextmanager
def handed_to(take: Callable[[BinaryIO], None]) -> Iterator[BinaryIO]:
    """A temporary file that is handed to ``take``, from its start, when the block ends well."""
    with tempfile.TemporaryFile() as target:
        yield target
        target.seek(0)
        take(target)


def copy_to(stream: BinaryIO) -> Callable[[BinaryIO], None]:
    """A taker for :func:`handed_to` that writes everything to a stream, such as standard output."""

    def take(source: BinaryIO) -> None:
        shutil.copyfileobj(source, stream)
        stream.flush()

    return take
