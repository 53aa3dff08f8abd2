"""Files that get their content when somebody opens them for the first time.

A file lies there with its name, size and times, and nothing in it. Linux asks this process before an open of it goes
on (fanotify's permission events, made for hierarchical storage management, which is what Lustre does with S3): the
content is written, and the open goes on, whoever it is and by whatever path. From then on it is a file like any other.

It takes CAP_SYS_ADMIN and a kernel with CONFIG_FANOTIFY_ACCESS_PERMISSIONS. Nothing is mounted and nothing is left
behind: with this process the watch is gone. Source: fanotify_init(2), fanotify_mark(2), fanotify(7).
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from itertools import chain
from pathlib import Path
from threading import Thread
from typing import Any, Final, NamedTuple

# <sys/fanotify.h>
_CLOSE_ON_EXEC, _CLASS_PRE_CONTENT, _UNLIMITED = 0x1, 0x8, 0x30
_MARK_ADD, _MARK_REMOVE, _MARK_DONT_FOLLOW = 0x1, 0x2, 0x4
_OPEN_PERMISSION = 0x0001_0000
_ALLOW, _DENY = 0x1, 0x2
_DENY_WITH_IO_ERROR: Final = _DENY | errno.EIO << 24
_AT_FDCWD: Final = -100
_EVENT: Final = struct.Struct("=IBBHQii")
_ANSWER: Final = struct.Struct("=iI")
_EVENTS_BYTES = 4096
_LOADERS = 4


class CannotWatch(Exception):
    """Why this system does not tell of opens; one clause without a full stop."""


class _Waiting(NamedTuple):
    path: Path
    root: Path
    load: Callable[[int], None]


class FirstOpens:
    """The watch over all files that wait for their first open. Raises CannotWatch where the system has none."""

    def __init__(self) -> None:
        self._libc = _libc()
        flags = _CLASS_PRE_CONTENT | _CLOSE_ON_EXEC | _UNLIMITED
        # read-only: the file may be opened through a mount that allows nothing else
        self._group = self._libc.fanotify_init(flags, os.O_RDONLY | os.O_CLOEXEC)
        if self._group < 0:
            raise CannotWatch(f"fanotify: {os.strerror(ctypes.get_errno())}")
        self._waiting: dict[tuple[int, int], _Waiting] = {}
        self._loaders = ThreadPoolExecutor(_LOADERS, thread_name_prefix="first-open")
        Thread(target=self._serve, name="first-opens", daemon=True).start()

    def add(self, file: Path, path: Path, root: Path, load: Callable[[int], None]) -> None:
        """Have ``load`` write a file's content, to an open descriptor, before the first open of it goes on.

        Until it succeeds every open fails; it says that it cannot by OSError. ``path`` is where the file will be then,
        or else anywhere below ``root``. Raises CannotWatch.
        """
        identity = _identity(file.lstat())
        self._waiting[identity] = _Waiting(path, root, load)
        if self._mark(_MARK_ADD | _MARK_DONT_FOLLOW, _AT_FDCWD, os.fsencode(file)) != 0:
            del self._waiting[identity]
            raise CannotWatch(f"fanotify on {root}: {os.strerror(ctypes.get_errno())}")

    def forget(self, path: Path) -> None:
        """Let the file go as it is; its removal is at hand."""
        with suppress(FileNotFoundError):
            self._waiting.pop(_identity(path.lstat()), None)

    def _mark(self, flags: int, directory: int, path: bytes | None) -> int:
        return int(self._libc.fanotify_mark(self._group, flags, _OPEN_PERMISSION, directory, path))

    def _serve(self) -> None:
        while True:
            try:
                events = os.read(self._group, _EVENTS_BYTES)
            except OSError as error:  # too many open files, for one: the kernel has denied that open itself
                print(f"an open could not be watched: {error}", file=sys.stderr)  # noqa: T201 - the server's log
                continue
            while events:
                length, _, _, _, _, opened, pid = _EVENT.unpack_from(events)
                events = events[length:]
                if opened < 0:
                    continue
                if pid == os.getpid():  # a loader opens the file to write it
                    self._answer(opened, _ALLOW)
                else:
                    self._loaders.submit(self._load, opened)

    def _load(self, opened: int) -> None:
        """Let the open go on when the content is there. Nothing may go wrong unanswered: somebody waits."""
        answer = _DENY_WITH_IO_ERROR
        try:
            identity = _identity(os.fstat(opened))
            waiting = self._waiting.get(identity)
            if waiting is not None:
                _write(waiting, identity)
                self._mark(_MARK_REMOVE, opened, None)
                self._waiting.pop(identity, None)
            answer = _ALLOW
        except Exception as error:
            print(f"a file could not be loaded: {error}", file=sys.stderr)  # noqa: T201 - the server's log
        finally:
            self._answer(opened, answer)

    def _answer(self, opened: int, answer: int) -> None:
        try:
            os.write(self._group, _ANSWER.pack(opened, answer))
        except OSError:  # before Linux 6.14 a denial has no error of its own, and shows as EPERM
            with suppress(OSError):  # whoever asked has been killed
                os.write(self._group, _ANSWER.pack(opened, answer & _DENY))
        finally:
            os.close(opened)


def _write(waiting: _Waiting, identity: tuple[int, int]) -> None:
    descriptor = os.open(_path_now(waiting, identity), os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if _identity(os.fstat(descriptor)) != identity:
            raise OSError(errno.EIO, "moved while it was loaded")
        waiting.load(descriptor)
    finally:
        os.close(descriptor)


def _path_now(waiting: _Waiting, identity: tuple[int, int]) -> Path:
    for path in chain((waiting.path,), waiting.root.rglob("*")):
        with suppress(OSError):
            if _identity(path.lstat()) == identity:
                return path
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(waiting.path))


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _libc() -> Any:
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        libc.fanotify_mark.argtypes = (ctypes.c_int, ctypes.c_uint, ctypes.c_uint64, ctypes.c_int, ctypes.c_char_p)
        libc.fanotify_init.argtypes = (ctypes.c_uint, ctypes.c_uint)
    except AttributeError:
        raise CannotWatch("only Linux has fanotify") from None
    return libc


@cache
def first_opens() -> FirstOpens:
    """The watch of this process. Raises CannotWatch."""
    return FirstOpens()
