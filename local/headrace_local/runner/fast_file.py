"""FastFile mode: the channel's folder is a read-only view of the objects, which are read when the script reads them.

All objects are listed before the script starts, as in SageMaker, and what comes later does not show. The mount lies in
the job's folder in the server's own mount namespace; the job's namespace gets it with that folder (``opt_ml.sh`` binds
it recursively). Where this machine cannot mount, the files are copied, and the job's log says so.

Source: Amazon SageMaker Developer Guide, "How Amazon SageMaker Provides Training Information": prefixes only, and the
prefix must name a folder.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Set
from pathlib import Path, PurePosixPath
from typing import Any

from headrace_local.runner import fuse_mount
from headrace_local.runner.fuse_mount import CannotMount, Mount
from headrace_local.runner.instance import Instance
from headrace_local.runner.job import JobFailed, TrainingJob
from headrace_local.runner.object_server import Shelf, object_server
from headrace_local.runner.s3_file import copy, paths_of
from headrace_local.runner.s3_objects import Listing, list_objects, share, shuffled
from headrace_local.runner.s3_storage import S3Storage
from headrace_local.runner.supply import Supply

NOTICE = (
    "headrace: this machine cannot mount FUSE ({why}); channel {channel} was copied instead, "
    "so reading shows no FastFile behaviour"
)


def bring(job: TrainingJob, channel: Mapping[str, Any], instance: Instance) -> Supply:
    """Mount this instance's share of the channel at its folder, or copy it. Raises JobFailed, in SageMaker's words."""
    source, name = channel["DataSource"]["S3DataSource"], str(channel["ChannelName"])
    listing = list_objects(job, source)
    _refuse_partial_folder(listing)
    mine = share(shuffled(listing.objects, channel, epoch=0), source, instance)
    files = paths_of(listing, mine)
    folder = instance.workspace.channel(name)
    folder.mkdir(parents=True, exist_ok=True)
    server, log = object_server(), instance.workspace.directory / f"{name}.rclone.log"
    bucket = server.put_up(Shelf(S3Storage(job.region), listing.bucket, files))
    try:
        mounted = fuse_mount.mount(bucket, folder, endpoint_url=server.endpoint_url, log=log)
        _list_first(mounted, set(files.values()))
    except CannotMount as why:
        server.take_down(bucket)
        copy(listing, files, folder, job.region)
        return Supply(notice=NOTICE.format(why=why, channel=name))

    def end() -> None:
        mounted.close()
        server.take_down(bucket)

    return Supply(end=end, failure=lambda: _failure(name, mounted))


def _refuse_partial_folder(listing: Listing) -> None:
    folder = listing.prefix if listing.prefix.endswith("/") or not listing.prefix else f"{listing.prefix}/"
    for each in listing.objects:
        if not each.key.startswith(folder):
            raise JobFailed(
                f"ClientError: Data download failed:the S3 URL s3://{listing.bucket}/{listing.prefix} of a FastFile "
                f"channel must name a folder, but it also begins the key {each.key!r}; end the URL with a slash"
            )


def _list_first(mounted: Mount, files: Set[PurePosixPath]) -> None:
    """Walk through the mount, which lists the objects once for all. Raises CannotMount when it shows other files."""
    folder = mounted.directory
    shown = {Path(parent, name) for parent, _, names in os.walk(folder) for name in names}
    if {PurePosixPath(each.relative_to(folder)) for each in shown} != files:
        why = mounted.failure() or "it shows other names than the keys of the objects"
        mounted.close()
        raise CannotMount(f"rclone: {why}")


def _failure(channel: str, mounted: Mount) -> str | None:
    why = mounted.failure()
    return None if why is None else f"InternalServerError: the FastFile mount of channel {channel} ended: {why}"
