"""The reverse of a preload: content goes from the file system, and its files stay listed.

A data repository task does it. Only what lies in S3 goes: a file that was changed and not exported stays. Read again,
a released file comes from S3 as it did at first.
Sources: FSx for Lustre User Guide, "Releasing files" and "Using data repository tasks to release files" (paths are
relative to the root of the file system, ``/`` is all of it).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from headrace import launch, service_model
from headrace.aws import Aws
from headrace.aws.data_repository_tasks import RELEASE_DATA, DataRepositoryTask
from headrace.errors import HeadraceError, InvalidInput
from headrace.platform import LustrePart, Platform
from headrace.preload.job import lustre_of
from headrace.preload.tasks import until_over
from headrace.rules.s3_names import posix_rule_broken
from headrace.sources import LustreSource


class ReleaseFailed(HeadraceError):
    """The task did not succeed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What is asked for. ``path``: of the file system, or below ``link``; ``/``: all of it.

    ``days``: only files that nobody has read for longer than this.
    """

    path: str
    link: str | None = None
    days: int = 0

    def path_on(self, platform: Platform) -> str:
        """The path in the file system, absolute. Raises InvalidInput when the platform has no such link."""
        link = None if self.link is None else LustreSource(link=self.link).link_on(platform)
        steps = [each for text in (link.path if link else "", self.path) for each in text.split("/") if each != ""]
        return f"/{'/'.join(steps)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedRelease:
    """A release that was checked. ``request``: of CreateDataRepositoryTask."""

    file_system_id: str
    path: str
    request: dict[str, Any]

    @property
    def where(self) -> str:
        """File system and path, for people."""
        return f"{self.file_system_id}:{self.path}"


def plan_release(wanted: Release, platform: Platform) -> PreparedRelease:
    """The request of a release. Calls nothing. Raises InvalidInput with everything that is wrong."""
    lustre, path = lustre_of(platform), wanted.path_on(platform)
    request = {
        "FileSystemId": lustre.file_system_id,
        "Type": RELEASE_DATA,
        "Paths": [path if path == "/" else path.lstrip("/")],
        "ReleaseConfiguration": {"DurationSinceLastAccess": {"Unit": "DAYS", "Value": wanted.days}},
        "Report": {"Enabled": False},
    }
    if problems := list(_problems(wanted, path, lustre)):
        raise InvalidInput(*problems)
    if refused := service_model.violations("fsx", "CreateDataRepositoryTask", request):
        raise InvalidInput(*map(str, refused))
    return PreparedRelease(file_system_id=lustre.file_system_id, path=path, request=request)


def prepare(wanted: Release, aws: Aws, *, platform: str | None = None) -> PreparedRelease:
    """Read the platform's record and plan. Creates nothing. Raises InvalidInput, or AwsError when a call fails."""
    return plan_release(wanted, launch.read_platform(aws, platform))


def run(prepared: PreparedRelease, aws: Aws) -> Iterator[DataRepositoryTask]:
    """Create the task and follow it; the last one is over. Raises InvalidInput or AwsError."""
    yield from until_over(aws, aws.data_repository_tasks.create(prepared.request))


def check(prepared: PreparedRelease, task: DataRepositoryTask) -> None:
    """Raises ReleaseFailed with the figures unless the task has succeeded.

    Where it has, files may have stayed all the same: those that were changed since they came from S3.
    """
    if task.lifecycle != "SUCCEEDED":
        why = " ".join((task.failure or "no reason given").split())
        raise ReleaseFailed(
            f"{prepared.where}: {task.task_id} is {task.lifecycle}: released {task.succeeded_files:,} of "
            f"{task.total_files:,} files, {task.failed_files:,} failed: {why}"
        )


def _problems(wanted: Release, path: str, lustre: LustrePart) -> Iterator[str]:
    links = ", ".join(each.path for each in lustre.links)
    if broken := posix_rule_broken(path):
        yield f"path is {wanted.path!r}; allowed: {broken}; fix: correct it"
    elif not any(_is_in(path, each.path) or _is_in(each.path, path) for each in lustre.links):
        yield (
            f"path is {path!r}; allowed: in a link ({links or 'there is none'}), since only what lies in S3 can be "
            "released; fix: name a path of a link, or --link"
        )
    if wanted.days < 0:
        yield f"days is {wanted.days}; allowed: 0 (whenever they were read) or more; fix: --days 0"


def _is_in(path: str, folder: str) -> bool:
    return f"{path.rstrip('/')}/".startswith(f"{folder.rstrip('/')}/")
