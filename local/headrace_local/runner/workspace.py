"""The folder of one running job, and the process that runs in it.

A job's processes form a group of their own and hold a lock on ``process.lock``, inherited like the server's: so that
whoever ends the server can end the jobs too, even after the server itself has been killed, and no foreign process.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from headrace_local.state import is_locked


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The paths of one job. ``opt_ml`` is what the job sees as ``/opt/ml``."""

    directory: Path

    @property
    def opt_ml(self) -> Path:
        """What SageMaker's containers call ``/opt/ml``."""
        return self.directory / "ml"

    @property
    def mount_stage(self) -> Path:
        """Where the job's view of ``/opt`` is put together; empty for everybody else."""
        return self.directory / "opt"

    @property
    def lock(self) -> Path:
        """Held by the job's processes as long as one of them lives."""
        return self.directory / "process.lock"

    @property
    def group_file(self) -> Path:
        """The process group of the job."""
        return self.directory / "process.group"

    def channel(self, name: str) -> Path:
        """The data of one channel."""
        return self.opt_ml / "input" / "data" / name


def end_job(workspace: Workspace) -> None:
    """Kill what still runs of a job; nothing happens when nothing does."""
    if not is_locked(workspace.lock):
        return
    with suppress(FileNotFoundError, ValueError, ProcessLookupError):
        os.killpg(int(workspace.group_file.read_text()), signal.SIGKILL)


def end_all_jobs(jobs: Path) -> None:
    """Kill what still runs of any job whose folder lies below ``jobs``."""
    if jobs.is_dir():
        for each in jobs.iterdir():
            end_job(Workspace(directory=each))
