"""Make a folder hold the files of a listing, copied from another folder: what ``headrace efs load`` runs in its job.

The listing (gzip, one JSON array a line: path, bytes, modified in milliseconds) is what S3 held when the job was made;
the source shows the same objects as files. A file that is there with the listed size and time is kept, so that a
second run copies only what is missing. Each file is written beside its place under a name of its own, brought to disk,
dated as its object, and renamed: nobody ever reads half a file. A file that cannot be copied does not stop the others.

Needs Python 3.8 and nothing else, and is one file, since it runs in any image. Names are hostile: they never leave the
target, no link is followed on the way, and they are printed only as quoted text.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import os
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import IO, NamedTuple

PIECE_BYTES = 8 * 1024 * 1024
PAUSE_SECONDS = 1.0
PART_PREFIX = b".headrace-part-"
COUNTERS = (
    "loaded_files",
    "loaded_bytes",
    "copied_files",
    "copied_bytes",
    "read_bytes",
    "removed_files",
    "failed_files",
)
MOST_FAILURES_SHOWN = 100
# SageMaker takes the first 1,024 characters of the file as FailureReason (CreateTrainingJob, /opt/ml/output/failure)
REASON_CHARACTERS = 1024
STOPPED_EXIT_CODE = 143


class Entry(NamedTuple):
    """A file as it shall be: its path below the folder, with ``/`` between names."""

    path: str
    size_bytes: int
    modified_milliseconds: int

    @property
    def parts(self) -> tuple[bytes, ...]:
        """The names of the path. Raises ValueError for a path that could lead elsewhere."""
        names = self.path.split("/")
        if any(name in ("", ".", "..") or "\0" in name for name in names):
            raise ValueError("not a path below the folder")
        # bytes: whatever the image's locale is, S3 keys are UTF-8
        return tuple(name.encode("utf-8") for name in names)


class Stopped(Exception):
    """The job is being stopped."""


class Counters:
    """What is done, for all threads.

    A loaded file is in its place: copied now, or found there. Read bytes are those of unfinished files, too.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._lock = threading.Lock()
        sizes = [entry.size_bytes for entry in entries]
        self.numbers = dict.fromkeys(COUNTERS, 0)
        self.totals = {"total_files": len(sizes), "total_bytes": sum(sizes)}
        self.reasons: list[str] = []

    def add(self, **amounts: int) -> None:
        """Add to the counters of these names."""
        with self._lock:
            for name, amount in amounts.items():
                self.numbers[name] += amount

    def fail(self, path: str, why: Exception) -> None:
        """Note that a file is not as it shall be; the first hundred are printed."""
        reason = (why.strerror if isinstance(why, OSError) else None) or str(why)
        with self._lock:
            self.numbers["failed_files"] += 1
            if len(self.reasons) < MOST_FAILURES_SHOWN:
                self.reasons.append(f"{path!r}: {reason}")
                say(f"error: {self.reasons[-1]}")

    @property
    def all_is_there(self) -> bool:
        """Whether nothing failed, and no file is missing."""
        with self._lock:
            return not self.reasons and self.numbers["loaded_files"] == self.totals["total_files"]

    def line(self) -> str:
        """All numbers; the job's metrics are read off this line."""
        with self._lock:
            return " ".join(f"{name}={number}" for name, number in {**self.numbers, **self.totals}.items())


class Folder:
    """The target. Directories are made as they are needed; a link or a file in the place of one is an error."""

    def __init__(self, root: str, parts: tuple[bytes, ...]) -> None:
        self._root = os.fsencode(root)
        self._base = parts
        self._known: set[tuple[bytes, ...]] = set()
        self.path = self.made(())

    def made(self, parts: tuple[bytes, ...]) -> bytes:
        """The directory of this path below the folder, there when this returns. Raises OSError."""
        whole = (*self._base, *parts)
        path = self._root
        for depth, name in enumerate(whole, start=1):
            path = os.path.join(path, name)
            if whole[:depth] not in self._known:
                self._make(path)
                self._known.add(whole[:depth])
        return path

    @staticmethod
    def _make(path: bytes) -> None:
        try:
            os.mkdir(path)
        except FileExistsError:
            if not stat.S_ISDIR(os.lstat(path).st_mode):
                raise NotADirectoryError(0, f"{os.fsdecode(path)!r} is no directory") from None


class Loader:
    """Copies entries in threads, each of which takes the next one until there is none."""

    def __init__(
        self, source: str, folder: Folder, entries: list[Entry], counters: Counters, stop: threading.Event
    ) -> None:
        self._source = os.fsencode(source)
        self._folder = folder
        self._counters = counters
        self._entries = iter(entries)
        self._next = threading.Lock()
        self._stop = stop

    def run(self, workers: int) -> None:
        """Load everything, saying once a second how far it is. Raises Stopped."""
        threads = [threading.Thread(target=self._work, name=f"copy-{number}") for number in range(workers)]
        for thread in threads:
            thread.start()
        said = time.monotonic()
        while alive := [thread for thread in threads if thread.is_alive()]:
            alive[0].join(PAUSE_SECONDS)
            if time.monotonic() - said >= PAUSE_SECONDS:
                say(self._counters.line())
                said = time.monotonic()
        if self._stop.is_set():
            raise Stopped

    def _work(self) -> None:
        while not self._stop.is_set():
            with self._next:
                entry = next(self._entries, None)
            if entry is None:
                return
            try:
                self._load(entry)
            except Stopped:
                return
            except (OSError, ValueError) as error:
                self._counters.fail(entry.path, error)

    def _load(self, entry: Entry) -> None:
        *above, name = entry.parts
        folder = self._folder.made(tuple(above))
        place = os.path.join(folder, name)
        if is_there(place, entry):
            self._counters.add(loaded_files=1, loaded_bytes=entry.size_bytes)
            return
        part = os.path.join(folder, PART_PREFIX + hashlib.sha256(name).hexdigest()[:32].encode())
        try:
            self._copy(os.path.join(self._source, *entry.parts), part, entry)
            os.utime(part, ns=(entry.modified_milliseconds * 1_000_000,) * 2)
            os.replace(part, place)
        except BaseException:
            remove(part)
            raise
        size_bytes = entry.size_bytes
        self._counters.add(loaded_files=1, loaded_bytes=size_bytes, copied_files=1, copied_bytes=size_bytes)

    def _copy(self, source: bytes, part: bytes, entry: Entry) -> None:
        done_bytes = 0
        with open(source, "rb") as reader, opened_new(part) as writer:
            for piece in self._pieces(reader):
                writer.write(piece)
                done_bytes += len(piece)
            if done_bytes != entry.size_bytes:
                raise ValueError(f"has {done_bytes} bytes, {entry.size_bytes} were listed: the object was changed")
            writer.flush()
            os.fsync(writer.fileno())
            if os.fstat(writer.fileno()).st_ino != os.lstat(part).st_ino:
                raise ValueError("another load fills the same directory")

    def _pieces(self, reader: IO[bytes]) -> Iterator[bytes]:
        while piece := reader.read(PIECE_BYTES):
            if self._stop.is_set():
                raise Stopped
            self._counters.add(read_bytes=len(piece))
            yield piece


def opened_new(path: bytes) -> IO[bytes]:
    """A new file, open for writing, in the place of what a killed load has left."""
    try:
        return open(path, "xb")
    except FileExistsError:
        remove(path)
        return open(path, "xb")


def is_there(place: bytes, entry: Entry) -> bool:
    """Whether the file is in its place: a plain file of this size and this time."""
    try:
        found = os.lstat(place)
    except FileNotFoundError:
        return False
    same = found.st_size == entry.size_bytes and found.st_mtime_ns // 1_000_000 == entry.modified_milliseconds
    return stat.S_ISREG(found.st_mode) and same


def remove(path: bytes) -> None:
    """Remove a file, if it is there."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def prune(folder: Folder, entries: Iterable[Entry], counters: Counters) -> None:
    """Remove from the folder what the listing does not have, and then directories without a file of it."""
    files = {tuple(entry.path.encode("utf-8").split(b"/")) for entry in entries}
    needed = {path[:depth] for path in files for depth in range(len(path))}
    for directory, folders, names in os.walk(folder.path, topdown=False):
        relative = os.path.relpath(directory, folder.path)
        here = () if relative == b"." else tuple(relative.split(b"/"))
        links = [name for name in folders if os.path.islink(os.path.join(directory, name))]
        for name in [*names, *links]:
            if (*here, name) not in files:
                counters.add(removed_files=attempt(os.unlink, os.path.join(directory, name), counters))
        for name in set(folders) - set(links):
            if (*here, name) not in needed:
                attempt(os.rmdir, os.path.join(directory, name), counters)


def attempt(deed: Callable[[bytes], None], path: bytes, counters: Counters) -> bool:
    """Do it to the path; whether that worked. A failure is counted."""
    try:
        deed(path)
    except OSError as error:
        counters.fail(os.fsdecode(path), error)
        return False
    return True


def read_listing(path: str) -> list[Entry]:
    """The entries of a listing, in its order."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [Entry(*json.loads(line)) for line in lines]


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def arguments() -> argparse.Namespace:
    """What the job was told."""
    parser = argparse.ArgumentParser(description="Make a folder hold the files of a listing.")
    parser.add_argument("--source", required=True, help="folder that shows the objects")
    parser.add_argument("--target", required=True, help="root of the file system")
    parser.add_argument("--directory", required=True, help="directory of the file system to fill, made if need be")
    parser.add_argument("--listing", required=True)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--prune", action="store_true", help="remove what is not listed")
    parser.add_argument("--failure-file", help="where the reason of a failure is written")
    return parser.parse_args()


def end(reason: str, failure_file: str | None) -> None:
    """Say why the job fails, in its log and to SageMaker."""
    say(reason)
    if failure_file is not None:
        with open(failure_file, "w", encoding="utf-8") as stream:
            stream.write(reason[:REASON_CHARACTERS])


def filled(options: argparse.Namespace, stop: threading.Event, counters: Counters, entries: list[Entry]) -> None:
    """Bring the directory to what is listed. Raises OSError when it cannot be made, and Stopped."""
    parts = tuple(name.encode("utf-8") for name in options.directory.split("/") if name)
    folder = Folder(options.target, parts)
    if options.prune:
        prune(folder, entries, counters)
    Loader(options.source, folder, entries, counters, stop).run(options.workers)


def main() -> int:
    """Load; 0 when every listed file is in its place."""
    options = arguments()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    stop = threading.Event()
    # the script is the container's first process, which no signal ends that it does not handle
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    entries = read_listing(options.listing)
    counters = Counters(entries)
    say(counters.line())
    try:
        filled(options, stop, counters, entries)
    except Stopped:
        end("stopped; run it again to copy what is missing", options.failure_file)
        return STOPPED_EXIT_CODE
    except OSError as error:
        end(f"directory {options.directory!r} cannot be made: {error.strerror}", options.failure_file)
        return 1
    if counters.reasons:
        reason = f"{counters.numbers['failed_files']} file(s) failed: {'; '.join(counters.reasons)}"
        end(reason, options.failure_file)
    say(counters.line())
    return 0 if counters.all_is_there else 1


if __name__ == "__main__":
    sys.exit(main())
