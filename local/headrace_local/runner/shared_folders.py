"""The folders that stand for file systems: one for each, below the server's directory, as long as the server runs."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from headrace_local.settings import JOBS_VARIABLE
from headrace_local.state import FILE_SYSTEMS


def folder_of(file_system_id: str) -> Path:
    """The root of a file system; made when it is first asked for."""
    folder = Path(os.environ[JOBS_VARIABLE]).parent / FILE_SYSTEMS / file_system_id
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def inside(root: Path, path: PurePosixPath) -> Path | None:
    """A directory of a file system, None when there is none; a symbolic link cannot lead out of it."""
    try:
        found = root.joinpath(*path.parts[1:]).resolve(strict=True)
    except OSError:
        return None
    return found if found.is_dir() and is_below(found, root) else None


def is_below(folder: Path, root: Path) -> bool:
    """Whether a folder, there or not, is in a file system: no symbolic link leads from it to another place."""
    return folder.resolve().is_relative_to(root.resolve())
