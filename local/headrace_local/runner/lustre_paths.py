"""Where the objects of a link lie in its file system, and which of them cannot lie there at all.

A key is whatever somebody once wrote, and a job that may write can put a symbolic link in the place of any folder:
neither may lead to a file of this machine.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from headrace_local.runner.s3_storage import StoredObject
from headrace_local.runner.shared_folders import is_below

_MAX_NAME_BYTES = 255


def paths_of(
    objects: Iterable[StoredObject], prefix: str, place: Path, root: Path
) -> Iterator[tuple[Path, StoredObject]]:
    """The path of each object that can be a file: its key without the link's prefix, below the link's ``place``."""
    is_inside: dict[Path, bool] = {}
    for each in objects:
        parts = each.key.removeprefix(prefix).split("/")
        if all(map(_is_name, parts)):
            path = place.joinpath(*parts)
            if path.parent not in is_inside:
                is_inside[path.parent] = is_below(path.parent, root)
            if is_inside[path.parent]:
                yield path, each


def _is_name(part: str) -> bool:
    return part not in ("", ".", "..") and "\0" not in part and len(os.fsencode(part)) <= _MAX_NAME_BYTES
