"""What lies on a Lustre file system: files of jobs, and the objects of its links to S3.

A link's objects become files when their metadata is imported: named and sized, with nothing in them. The content
comes at the first open and stays until it is released, whatever becomes of the object afterwards; an object that has
changed or gone between import and first open cannot be read. Nothing is ever written to S3: links are not exported.

Sources: FSx for Lustre User Guide, "Linking your file system to an Amazon S3 bucket", "Importing changes", "Using data
repository tasks to release files"; Amazon FSx API Reference, AutoImportPolicy.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath
from threading import Lock, RLock
from typing import Final, NamedTuple

from headrace_local.runner import shared_folders
from headrace_local.runner.first_open import CannotWatch, first_opens
from headrace_local.runner.lustre_paths import paths_of
from headrace_local.runner.s3_storage import S3Storage, StoredObject

_IMPORT: Final = frozenset({"NEW", "CHANGED"})  # an import takes nothing away
_SAME_TIME_SECONDS: Final = 1e-3
_FILE_MODE = 0o755  # what FSx gives to objects that carry no POSIX metadata
_making = Lock()  # functools.cache lets two at once make one each


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A data repository association: objects below ``prefix`` appear below ``path``."""

    association_id: str
    region: str
    bucket: str
    prefix: str
    path: PurePosixPath
    auto_import: frozenset[str]
    """NEW, CHANGED, DELETED: what is imported by itself."""

    @property
    def uri(self) -> str:
        """The S3 URI of what is linked."""
        return f"s3://{self.bucket}/{self.prefix}"


class Counts(NamedTuple):
    """How many objects or files a task has met, and of how many it has done what it is for."""

    total: int
    succeeded: int


@dataclass(slots=True, kw_only=True)
class _File:
    link: Link
    object: StoredObject
    is_loaded: bool


@dataclass(slots=True, kw_only=True)
class LustreFiles:
    """The content of one file system, below ``root``."""

    root: Path
    _links: dict[str, Link] = field(default_factory=dict)
    _files: dict[Path, _File] = field(default_factory=dict)
    _unwatched: str | None = None
    _changing: RLock = field(default_factory=RLock)

    def link(self, link: Link, *, is_imported: bool) -> None:
        """Add a link, and import its metadata where that is asked for (BatchImportMetaDataOnCreate)."""
        with self._changing:
            self._links[link.association_id] = link
            self._place(link).mkdir(parents=True, exist_ok=True)
            if is_imported:
                self._bring_in(link, _IMPORT)

    def unlink(self, association_id: str, *, with_files: bool) -> None:
        """End a link. Files that have not been loaded cannot be read from now on."""
        with self._changing:
            if self._links.pop(association_id, None) is None or not with_files:
                return
            for path, each in list(self._files.items()):
                if each.link.association_id == association_id:
                    self._remove(path)

    def follow(self) -> None:
        """Import what has changed in S3, for each link as its AutoImportPolicy says."""
        with self._changing:
            for link in self._links.values():
                if link.auto_import:
                    self._bring_in(link, link.auto_import)

    def is_linked(self, uri: str | None = None) -> bool:
        """Whether there is any link, or one to which an S3 URI belongs."""
        return any(uri is None or f"{uri.rstrip('/')}/".startswith(each.uri) for each in self._links.values())

    def import_metadata(self, uris: Sequence[str] = ()) -> Counts:
        """Import what is new or changed, of all links or below some S3 URIs only."""
        with self._changing:
            results = [self._bring_in(link, _IMPORT, _prefixes(link, uris)) for link in self._links.values()]
        return Counts(*(sum(counts) for counts in zip(*results, strict=True))) if results else Counts(0, 0)

    def _bring_in(self, link: Link, events: Collection[str], prefixes: tuple[str, ...] | None = None) -> Counts:
        objects = S3Storage(link.region).listing(link.bucket, link.prefix)
        if objects is None:  # the bucket has gone, and nobody tells of its objects any more
            return Counts(0, 0)
        met = [each for each in objects if prefixes is None or each.key.startswith(prefixes)]
        listed = dict(paths_of(met, link.prefix, self._place(link), self.root))
        for path, found in listed.items():
            known = self._files.get(path)
            if known is None and "NEW" in events:
                self._add(path, link, found)
            elif known is not None and known.object.etag != found.etag and "CHANGED" in events:
                self._remove(path)
                self._add(path, link, found)
        if "DELETED" in events:
            for path in [path for path, each in self._files.items() if each.link == link and path not in listed]:
                self._remove(path)
        total = sum(not each.key.endswith("/") for each in met)
        return Counts(total, sum(path in self._files for path in listed))

    def release(self, paths: Sequence[str]) -> Counts:
        """Take the content away again of files that are as they came from S3; the next open loads it anew.

        ``paths`` are of the file system; whoever has a file open keeps what he reads.
        """
        places = [self.root.joinpath(each.lstrip("/")) for each in paths]
        with self._changing:
            loaded = [
                (path, each)
                for path, each in self._files.items()
                if each.is_loaded and any(path == place or place in path.parents for place in places)
            ]
            released = [path for path, each in loaded if self._is_unchanged(path, each)]
            for path in released:
                self._add(path, self._files[path].link, self._files[path].object, is_there=True)
        return Counts(len(loaded), len(released))

    def _is_unchanged(self, path: Path, imported: _File) -> bool:
        if imported.link.association_id not in self._links or not self._is_own_file(path):
            return False
        found = path.stat()
        is_of_then = abs(found.st_mtime - imported.object.modified.timestamp()) < _SAME_TIME_SECONDS
        return is_of_then and found.st_size == imported.object.size > 0

    def load_unwatched(self) -> str | None:
        """Load everything where the system tells of no opens, and say why it does not; else do nothing.

        Raises OSError when an object cannot be read.
        """
        with self._changing:
            if self._unwatched is not None:
                for path, each in self._files.items():
                    if not each.is_loaded and self._is_own_file(path):
                        self._load_now(path, each)
            return self._unwatched

    def discard(self) -> None:
        """Remove everything; the file system has been deleted."""
        with self._changing:
            self._links.clear()
            for path in list(self._files):
                self._remove(path)
            shutil.rmtree(self.root, ignore_errors=True)

    def _place(self, link: Link) -> Path:
        return self.root.joinpath(*link.path.parts[1:])

    def _add(self, path: Path, link: Link, found: StoredObject, *, is_there: bool = False) -> None:
        """Make the file, empty inside, unless something else is in its place; or make it anew where it is."""
        imported = _File(link=link, object=found, is_loaded=found.size == 0)
        # it appears when it is watched, so that nobody ever reads the nothing in it
        hidden = self.root.with_name(f"{self.root.name}.new")
        with os.fdopen(os.open(hidden, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, _FILE_MODE), "wb") as file:
            file.truncate(found.size)
        _set_time(hidden, found)
        if not imported.is_loaded:
            self._watch(hidden, path, imported)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if is_there:
                os.replace(hidden, path)
            else:
                os.link(hidden, path)
            self._files[path] = imported
        except OSError:
            with suppress(CannotWatch):
                first_opens().forget(hidden)
        finally:
            hidden.unlink(missing_ok=True)

    def _watch(self, hidden: Path, path: Path, imported: _File) -> None:
        try:
            first_opens().add(hidden, path, self.root, lambda descriptor: self._load(descriptor, imported))
        except CannotWatch as reason:
            self._unwatched = str(reason)

    def _is_own_file(self, path: Path) -> bool:
        return path.is_file() and not path.is_symlink() and shared_folders.is_below(path.parent, self.root)

    def _load_now(self, path: Path, imported: _File) -> None:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "wb") as file:
            self._load(file.fileno(), imported)

    def _load(self, descriptor: int, imported: _File) -> None:
        link, found = imported.link, imported.object
        if link.association_id not in self._links:
            raise OSError(errno.EIO, "its link has been deleted", found.key)
        if os.fstat(descriptor).st_size == found.size:  # else a job has cut it short: it is the job's file now
            content = S3Storage(link.region).read_unchanged(link.bucket, found.key, found.etag)
            if content is None:
                raise OSError(errno.EIO, "the object has changed or gone since it was imported", found.key)
            _write_all(descriptor, content)
            _set_time(descriptor, found)
        imported.is_loaded = True

    def _remove(self, path: Path) -> None:
        del self._files[path]
        with suppress(CannotWatch):
            first_opens().forget(path)
        # something else may be in its place by now, put there by a job
        with suppress(OSError):
            if shared_folders.is_below(path.parent, self.root):
                path.unlink()


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    written = 0
    while written < len(view):
        written += os.pwrite(descriptor, view[written:], written)


def _set_time(file: Path | int, found: StoredObject) -> None:
    seconds = found.modified.timestamp()
    os.utime(file, (seconds, seconds))


def _prefixes(link: Link, uris: Sequence[str]) -> tuple[str, ...] | None:
    """The beginnings of a link's keys that the URIs name; None for all."""
    if not uris:
        return None
    below = (each for each in uris if f"{each.rstrip('/')}/".startswith(link.uri))
    return tuple(each.removeprefix(f"s3://{link.bucket}/") for each in below)


@cache
def _make(file_system_id: str) -> LustreFiles:
    return LustreFiles(root=shared_folders.folder_of(file_system_id))


def files_of(file_system_id: str) -> LustreFiles:
    """The content of a file system; the same for everybody who asks, at whatever time."""
    with _making:
        return _make(file_system_id)
