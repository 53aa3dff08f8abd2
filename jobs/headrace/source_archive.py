"""The job's code as one archive: the same folder gives the same bytes, and nothing outside it gets in."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from headrace.errors import InvalidInput

# Caches and environments of the machine where the code was written: of no use in the image, and large.
SKIPPED_FOLDERS = frozenset({".git", "__pycache__", ".venv", "node_modules", ".ipynb_checkpoints", ".mypy_cache"})
MAX_BYTES = 256 * 1024 * 1024


def find_problems(source_dir: Path, entry_point: str, dependencies: Sequence[Path] = ()) -> list[str]:
    """Why this folder, script and further files cannot be shipped, one line each; none if they can."""
    if not source_dir.is_dir():
        return [f"source_dir is {str(source_dir)!r}; allowed: an existing folder; fix: give the folder of the script"]
    return [*_problems_of_script(source_dir, entry_point), *_problems_of_dependencies(source_dir, dependencies)]


def _problems_of_script(source_dir: Path, entry_point: str) -> Iterator[str]:
    script = source_dir / entry_point
    if "\0" in entry_point or entry_point.startswith("-") or not script.resolve().is_relative_to(source_dir.resolve()):
        yield (
            f"entry_point is {entry_point!r}; allowed: a script inside source_dir {str(source_dir)!r}; "
            "fix: give its path relative to source_dir"
        )
    elif not script.is_file():
        yield (
            f"entry_point is {entry_point!r}; allowed: a file in source_dir {str(source_dir)!r}; fix: check its name"
        )


def _problems_of_dependencies(source_dir: Path, dependencies: Sequence[Path]) -> Iterator[str]:
    taken = {each.name for each in source_dir.iterdir()}
    for each in dependencies:
        name = each.resolve().name
        if not each.exists():
            yield f"dependencies has {str(each)!r}; allowed: an existing file or folder; fix: check its path"
        elif name in taken:
            yield (
                f"dependencies has {str(each)!r}; allowed: a name that nothing else in source_dir or dependencies "
                f"has; fix: rename one {name!r}"
            )
        taken.add(name)


def build(source_dir: Path, dependencies: Sequence[Path] = ()) -> bytes:
    """The files of ``source_dir``, and ``dependencies`` beside them, as .tar.gz: ordered by name, no times or owners.

    Raises InvalidInput for a link that leads out of its folder, and for more than 256 MiB of files.
    """
    total_bytes = 0
    stream = io.BytesIO()
    # mtime=0: the archive is the same whenever it is made
    with (
        gzip.GzipFile(fileobj=stream, mode="wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", dereference=True) as archive,
    ):
        for name, path in sorted(_members(source_dir.resolve(), dependencies)):
            total_bytes += path.stat().st_size
            if total_bytes > MAX_BYTES:
                raise InvalidInput(
                    f"source_dir is {str(source_dir)!r} with over {MAX_BYTES >> 20} MiB of files; allowed: code, "
                    f"up to {MAX_BYTES >> 20} MiB; fix: move data out of it, to a channel"
                )
            archive.add(path, arcname=name, filter=_anonymous)
    return stream.getvalue()


def _members(root: Path, dependencies: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    yield from ((path.relative_to(root).as_posix(), path) for path in _files(root))
    for each in (dependency.resolve() for dependency in dependencies):
        if each.is_file():
            yield each.name, each
        else:
            yield from ((path.relative_to(each.parent).as_posix(), path) for path in _files(each))


def _files(root: Path) -> Iterator[Path]:
    for path in root.rglob("*"):
        if SKIPPED_FOLDERS.isdisjoint(path.relative_to(root).parts) and path.is_file():
            if not path.resolve().is_relative_to(root):
                raise InvalidInput(
                    f"source_dir has {path.name!r}, a link to {str(path.resolve())!r}; allowed: files inside the "
                    "folder; fix: copy the file in, or remove the link"
                )
            yield path


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mtime = 0
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
