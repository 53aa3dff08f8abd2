"""Channels from file systems: EFS and FSx for Lustre.

A file system is a folder of this machine that outlives jobs; a channel shows a directory of it in its own folder, and
``ro`` cannot be written. Before that, everything is asked that decides on AWS whether the file system can be mounted:
existence, mount name, zones, mount targets and security groups. What is wrong there fails the job after it has
started, as it does on AWS; the words are those of the mount programs where they are known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from headrace_local.runner import command, efs_channel, lustre_channel
from headrace_local.runner.instance import Instance
from headrace_local.runner.job import JobFailed, TrainingJob
from headrace_local.runner.mount_request import CannotMount, MountRequest
from headrace_local.runner.supply import Supply
from headrace_local.runner.workspace import Bind

Channel = Mapping[str, Any]

MOUNTS: Final[Mapping[str, Callable[[MountRequest], tuple[Path, str | None]]]] = {
    "EFS": efs_channel.mount,
    "FSxLustre": lustre_channel.mount,
}
"""FileSystemType -> the directory that a channel shows, and a notice for the log, if any. Raises CannotMount."""

_NO_READ_ONLY: Final = (
    "headrace: this system allows no mount namespace, so the read-only channel {name} can be written: do not rely on it"
)


def refusals(channel: Channel, request: Mapping[str, Any]) -> Iterator[str]:
    """What speaks against the channel before anything starts, without its name."""
    path = channel["DataSource"]["FileSystemDataSource"]["DirectoryPath"]
    if "VpcConfig" not in request:
        yield "a file system is reached inside its VPC only: VpcConfig is required"
    if not path.startswith("/") or ".." in path.split("/") or not path.isprintable():
        yield f"DirectoryPath {path!r} must be an absolute path without '..'"


def bring(job: TrainingJob, channel: Channel, instance: Instance) -> Supply:
    """Show the channel's directory in its folder. Raises JobFailed."""
    source, name = channel["DataSource"]["FileSystemDataSource"], channel["ChannelName"]
    request = MountRequest(
        region=job.region,
        file_system_id=source["FileSystemId"],
        directory=PurePosixPath(source["DirectoryPath"]),
        vpc_config=job.request["VpcConfig"],
    )
    try:
        directory, notice = MOUNTS[source["FileSystemType"]](request)
    except CannotMount as why:
        raise JobFailed(
            f"ClientError: Unable to mount file system {request.file_system_id} for channel {name}: {why}"
        ) from None
    shown = _show(directory, instance, name, is_read_only=source["FileSystemAccessMode"] == "ro")
    return Supply(notice="\n".join(each for each in (notice, shown) if each) or None)


def _show(directory: Path, instance: Instance, name: str, *, is_read_only: bool) -> str | None:
    folder = instance.workspace.channel(name)
    if command.mount_prefix() is None:
        folder.symlink_to(directory, target_is_directory=True)
        return _NO_READ_ONLY.format(name=name) if is_read_only else None
    folder.mkdir()
    instance.workspace.binds.append(Bind(source=directory, target=folder, read_only=is_read_only))
    return None
