"""The folder of one instance of a running job, and the process that runs in it.

The processes of an instance form a group of their own and hold a lock on ``process.lock``, inherited like the
server's: so that whoever ends the server can end the jobs too, even after the server itself has been killed, and no
foreign process. The folder is ``jobs/<job>/<host>``.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from headrace_local.runner.fuse_mount import unmount_all
from headrace_local.state import is_locked


@dataclass(frozen=True, slots=True, kw_only=True)
class Bind:
    """A file or folder that the job's mount namespace shows at another place."""

    source: Path
    target: Path
    read_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The paths of one instance. ``opt_ml`` is what its command sees as ``/opt/ml``."""

    directory: Path
    binds: list[Bind] = field(default_factory=list, compare=False)
    """What the command's mount namespace shows besides ``/opt/ml``; filled before the command starts."""

    @property
    def opt_ml(self) -> Path:
        """What SageMaker's containers call ``/opt/ml``."""
        return self.directory / "ml"

    @property
    def mount_stage(self) -> Path:
        """Where the command's view of ``/opt`` is put together; empty for everybody else."""
        return self.directory / "opt"

    @property
    def temporary(self) -> Path:
        """The command's TMPDIR."""
        return self.directory / "tmp"

    @property
    def host_names(self) -> Path:
        """What the command sees as ``/etc/hosts``."""
        return self.directory / "hosts"

    @property
    def lock(self) -> Path:
        """Held by the instance's processes as long as one of them lives."""
        return self.directory / "process.lock"

    @property
    def group_file(self) -> Path:
        """The process group of the instance."""
        return self.directory / "process.group"

    def channel(self, name: str) -> Path:
        """The data of one channel."""
        return self.opt_ml / "input" / "data" / name


def end_instance(workspace: Workspace) -> None:
    """Kill what still runs of an instance; nothing happens when nothing does."""
    if not is_locked(workspace.lock):
        return
    with suppress(FileNotFoundError, ValueError, ProcessLookupError):
        os.killpg(int(workspace.group_file.read_text()), signal.SIGKILL)


def end_all_jobs(jobs: Path) -> None:
    """Kill what still runs of any job whose folder lies below ``jobs``, and take away what is mounted there."""
    if jobs.is_dir():
        for each in jobs.glob("*/*/"):
            end_instance(Workspace(directory=each))
        unmount_all(jobs)
