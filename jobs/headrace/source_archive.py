"""The job's code as one archive: the same folder gives the same bytes, and nothing outside it gets in."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from headrace.errors import InvalidInput
from headrace.rules.values import shown

# Caches and environments of the machine where the code was written: of no use in the image, and large.
SKIPPED_FOLDERS = frozenset({".git", "__pycache__", ".venv", "node_modules", ".ipynb_checkpoints", ".mypy_cache"})
MAX_BYTES = 256 * 1024 * 1024


class Problem(NamedTuple):
    """Why code cannot be shipped."""

    field: str
    got: str
    allowed: str
    fix: str

    def __str__(self) -> str:
        return f"{self.field} is {self.got}; allowed: {self.allowed}; fix: {self.fix}"


class _CannotBeShipped(InvalidInput):
    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


def find_problems(source_dir: Path, entry_point: str, dependencies: Sequence[Path] = ()) -> list[Problem]:
    """Why this folder, script and further files cannot be shipped; none if they can."""
    try:
        if not source_dir.is_dir():
            return [Problem("source_dir", shown(str(source_dir)), "an existing folder", "give the script's folder")]
        problems = [*_problems_of_script(source_dir, entry_point), *_problems_of_dependencies(source_dir, dependencies)]
        if not problems:
            _shipped(source_dir, dependencies)
        return problems
    except _CannotBeShipped as refused:
        return [refused.problem]
    except OSError as error:  # a name that the file system does not take, a folder that may not be read
        allowed = f"code that can be read; here: {error.strerror}"
        return [Problem("source_dir", shown(str(source_dir)), allowed, "check source_dir, entry_point, dependencies")]


def _problems_of_script(source_dir: Path, entry_point: str) -> Iterator[Problem]:
    script, got, folder = source_dir / entry_point, shown(entry_point), shown(str(source_dir))
    if "\0" in entry_point or entry_point.startswith("-") or not script.resolve().is_relative_to(source_dir.resolve()):
        allowed = f"a script inside source_dir {folder}"
        yield Problem("entry_point", got, allowed, "give its path relative to source_dir")
    elif not script.is_file():
        yield Problem("entry_point", got, f"a file in source_dir {folder}", "check its name")
    elif not SKIPPED_FOLDERS.isdisjoint(Path(entry_point).parts):
        allowed = f"a script outside of {', '.join(sorted(SKIPPED_FOLDERS))}, which are not shipped"
        yield Problem("entry_point", got, allowed, "move the script")


def _problems_of_dependencies(source_dir: Path, dependencies: Sequence[Path]) -> Iterator[Problem]:
    taken = {each.name for each in source_dir.iterdir()}
    for each in dependencies:
        name, got = _name_in_archive(each), shown(str(each))
        if not name or not each.exists():
            yield Problem("dependencies", got, "an existing file or folder, with a name", "check its path")
        elif name in taken:
            allowed = "a name that nothing else in source_dir or dependencies has"
            yield Problem("dependencies", got, allowed, f"rename one {shown(name)}")
        taken.add(name)


def _name_in_archive(dependency: Path) -> str:
    # a link keeps its own name, by which the script imports it
    return os.path.basename(os.path.abspath(dependency))


def build(source_dir: Path, dependencies: Sequence[Path] = ()) -> bytes:
    """The files of ``source_dir``, and ``dependencies`` beside them, as .tar.gz: ordered by name, no times or owners.

    Raises InvalidInput for a link that leads out of its folder, and for more than 256 MiB of files.
    """
    stream = io.BytesIO()
    # mtime=0: the archive is the same whenever it is made
    with (
        gzip.GzipFile(fileobj=stream, mode="wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", dereference=True) as archive,
    ):
        for name, path in _shipped(source_dir, dependencies):
            archive.add(path, arcname=name, filter=_anonymous)
    return stream.getvalue()


def _shipped(source_dir: Path, dependencies: Sequence[Path]) -> list[tuple[str, Path]]:
    """Name in the archive and path of each file, in the archive's order."""
    members: list[tuple[str, Path]] = []
    total_bytes = 0
    for name, path in _members(source_dir, dependencies):
        total_bytes += path.stat().st_size
        if total_bytes > MAX_BYTES:
            got = f"{shown(str(source_dir))}, with dependencies over {MAX_BYTES >> 20} MiB of files"
            allowed = f"code, up to {MAX_BYTES >> 20} MiB"
            raise _CannotBeShipped(Problem("source_dir", got, allowed, "move data out of it, to a channel"))
        members.append((name, path))
    return sorted(members)


def _members(source_dir: Path, dependencies: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    root = source_dir.resolve()
    yield from ((path.relative_to(root).as_posix(), path) for path in _files(root, "source_dir"))
    for each in dependencies:
        name, where = _name_in_archive(each), each.resolve()
        if where.is_file():
            yield name, where
        else:
            for path in _files(where, "dependencies"):
                yield f"{name}/{path.relative_to(where).as_posix()}", path


def _files(root: Path, field: str) -> Iterator[Path]:
    for path in root.rglob("*"):
        if not SKIPPED_FOLDERS.isdisjoint(path.relative_to(root).parts):
            continue
        # a link to a folder is not followed: what it shows would be missing
        if path.is_symlink() and (path.is_dir() or not path.resolve().is_relative_to(root)):
            got = f"a folder with {shown(path.name)}, a link to {shown(str(path.resolve()))}"
            allowed = "files inside the folder, and links to such files"
            raise _CannotBeShipped(Problem(field, got, allowed, "copy in what it leads to, or remove the link"))
        if path.is_file():
            yield path


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mtime = 0
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
