"""What a running embedded AWS leaves on disk, and how anybody knows that a process is really ours.

Everything lies in one directory (``.headrace/local`` by default): ``server.json`` (pid, port, account, region),
``server.log``, ``server.lock``, ``jobs/`` and ``file-systems/``. A pid alone proves nothing, since the system gives
numbers out again. So a process of ours holds a lock on a file from its start to its end, inherited from the one who
started it: while the lock is held, the pid written beside it is ours; when it is free, the pid is stale and nobody
touches it.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

ACCOUNT = "123456789012"
FILE_SYSTEMS = "file-systems"
"""The directory of the file systems' folders; it lies beside the jobs'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The paths below the directory of one embedded AWS."""

    directory: Path

    @property
    def state(self) -> Path:
        """The record of the running server."""
        return self.directory / "server.json"

    @property
    def lock(self) -> Path:
        """Held by the server as long as it lives."""
        return self.directory / "server.lock"

    @property
    def log(self) -> Path:
        """What the server prints."""
        return self.directory / "server.log"

    @property
    def jobs(self) -> Path:
        """One directory for each training job that runs."""
        return self.directory / "jobs"

    @property
    def file_systems(self) -> Path:
        """One directory for each file system that a job has used."""
        return self.directory / FILE_SYSTEMS


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerState:
    """The record of the running server."""

    pid: int
    port: int
    account: str
    region: str


def write_state(layout: Layout, state: ServerState) -> None:
    """Write the record in one step: nobody reads half of it."""
    fresh = layout.state.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(state)) + "\n")
    fresh.replace(layout.state)


def read_state(layout: Layout) -> ServerState | None:
    """The record of the server that runs now; None when none runs, whatever an old record says."""
    # a server that holds the lock may not have written its record yet
    return recorded(layout) if is_locked(layout.lock) else None


def recorded(layout: Layout) -> ServerState | None:
    """The record of the server that was the last to start, whether it still runs or not; None when there is none."""
    try:
        return ServerState(**json.loads(layout.state.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def is_locked(path: Path) -> bool:
    """Whether a living process holds the lock on this file."""
    with suppress(FileNotFoundError), path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextmanager
def lock_to_hand_over(path: Path) -> Iterator[int]:
    """A locked file descriptor to pass to a child, which then holds the lock for as long as it lives.

    Raises BlockingIOError when another living process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield descriptor
    finally:
        os.close(descriptor)
