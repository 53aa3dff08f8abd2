"""Walking through a folder, in threads: on a network file system each directory is waited for.

Links to files count as what they lead to, links to folders are not followed, and what is neither is no data.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from headrace.dataset.counts import Counts
from headrace.dataset.pages import Page, page_of
from headrace.dataset.summary import Folders
from headrace.errors import InvalidInput

THREADS: Final = 16
_BATCH_FILES: Final = 5000
_MOST_PROBLEMS: Final = 3

Told = Callable[[int, float], None]


def walk(root: Path, told: Told = lambda _listed, _expected: None) -> tuple[Counts, Folders, tuple[str, ...]]:
    """Count all files below a folder; with notes. Raises InvalidInput for what is no folder, or cannot be read."""
    if not root.is_dir():
        what = "no such folder" if not root.exists() else "it is a file"
        raise InvalidInput(f"location is {str(root)!r}: {what}; allowed: a folder, or s3://bucket/prefix/")
    walking = _Walk(root)
    walking.run(told)
    if walking.problems:
        more = len(walking.problems) - _MOST_PROBLEMS
        told_problems = walking.problems[:_MOST_PROBLEMS]
        raise InvalidInput(*told_problems, *([f"and {more:,} more that cannot be read"] if more > 0 else []))
    notes = []
    if walking.links:
        notes.append(f"{walking.links:,} link(s) to folders, or to nothing, were not followed")
    return walking.counts, Folders(folders=walking.folders, most_files=walking.most_files), tuple(notes)


class _Walk:
    def __init__(self, root: Path) -> None:
        self.counts = Counts(b"")
        self.folders = self.most_files = self.links = 0
        self.problems: list[str] = []
        self._root = root
        # the last folder that was found is walked through first: so few wait, however many there are
        self._waiting = [b""]
        self._busy = 0
        self._is_stopped = False
        self._changed = threading.Condition()
        self._counting = threading.Lock()

    def run(self, told: Told) -> None:
        with ThreadPoolExecutor(THREADS, thread_name_prefix="walk") as threads:
            running = [threads.submit(self._work) for _ in range(THREADS)]
            try:
                while not all(each.done() for each in running):
                    with self._changed:
                        self._changed.wait(0.2)
                    told(self.counts.files, 0.0)
            finally:
                with self._changed:
                    self._is_stopped = True
                    self._changed.notify_all()
            for each in running:
                each.result()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or not self._busy or self._is_stopped)
                if self._is_stopped or not self._waiting:
                    return
                folder = self._waiting.pop()
                self._busy += 1
            try:
                self._walk_through(folder)
            finally:
                with self._changed:
                    self._busy -= 1
                    self._changed.notify_all()

    def _walk_through(self, folder: bytes) -> None:
        files = 0
        names: list[bytes] = []
        sizes: list[int] = []
        try:
            with os.scandir(os.path.join(os.fsencode(self._root), folder)) as entries:
                for each in entries:
                    if self._is_stopped:
                        return
                    size_bytes = self._size_of(each, folder)
                    if size_bytes is not None:
                        names.append(folder + each.name)
                        sizes.append(size_bytes)
                    if len(names) >= _BATCH_FILES:
                        files += self._count(page_of(names, sizes))
                        names, sizes = [], []
        except OSError as error:
            self._note(folder, error)
        files += self._count(page_of(names, sizes))
        with self._counting:
            self.folders += files > 0
            self.most_files = max(self.most_files, files)

    def _size_of(self, each: os.DirEntry[bytes], folder: bytes) -> int | None:
        """The bytes of a file; None of what is none. A folder is put to those that wait."""
        try:
            if each.is_dir(follow_symlinks=False):
                with self._changed:
                    self._waiting.append(folder + each.name + b"/")
                    self._changed.notify()
            elif each.is_file():
                return each.stat().st_size
            elif each.is_symlink():
                with self._counting:
                    self.links += 1
        except FileNotFoundError:
            return None  # it went while it was looked at
        except OSError as error:
            if error.errno == errno.ELOOP:  # a link that leads to itself leads to nothing
                with self._counting:
                    self.links += 1
                return None
            self._note(folder + each.name, error)
        return None

    def _count(self, page: Page) -> int:
        with self._counting:
            self.counts.add(page)
        return len(page)

    def _note(self, path: bytes, error: OSError) -> None:
        name = os.fsdecode(os.path.join(os.fsencode(self._root), path))
        is_denied = error.errno in (errno.EACCES, errno.EPERM)
        fix = "run as somebody who may read it" if is_denied else "see to the disk or the mount, and run it again"
        with self._counting:
            self.problems.append(f"{name!r} cannot be read: {error.strerror}; fix: {fix}")
