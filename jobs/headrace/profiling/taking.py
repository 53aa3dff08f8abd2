"""Taking the profile of a data set, wherever it lies."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from headrace.aws.connection import AccessDenied, Connection
from headrace.aws.s3 import S3
from headrace.dataset.profile import Profile, Where
from headrace.dataset.summary import profile_of
from headrace.errors import InvalidInput
from headrace.profiling.listed import list_all
from headrace.profiling.local import walk
from headrace.profiling.looking import first_bytes_below, first_bytes_in_s3, with_contents
from headrace.sources import S3Location

Told = Callable[[int, float], None]
"""Told how many files were counted, and about how many are still to come; 0: nobody knows."""


def profile_s3(connection: Connection, location: S3Location, told: Told, *, looks: bool = True) -> Profile:
    """List all below a prefix. ``looks``: whether to read the first bytes of a few objects.

    Raises InvalidInput for a bucket or prefix that is not there, or may not be listed.
    """
    region = bucket_region(connection, location)
    try:
        counts, stretch = list_all(connection, location.bucket, location.prefix, region, told)
    except AccessDenied as error:
        raise no_rights(location, error) from None
    require_files(counts.files, location)
    profile = profile_of(counts, stretch, location.uri, Where.S3)
    profile = replace(profile, region=region, taken=now())
    if not looks:
        return profile
    return with_contents(profile, counts.examples, first_bytes_in_s3(connection, location.bucket, region))


def profile_folder(root: Path, where: Where, told: Told, *, looks: bool = True) -> Profile:
    """Walk through a folder: of this machine, or of an EFS where it is mounted. Raises InvalidInput for none.

    The location of an EFS's folder is that within the file system, as a job's channel names it.
    """
    counts, folders, notes = walk(root, told)
    if not counts.files:
        raise InvalidInput(f"location is {str(root)!r}: no file lies below it; fix: correct the path")
    # a path may be no UTF-8, and then nothing that can be written
    place = within_efs(root) if where is Where.EFS else root
    location = os.fsencode(place).decode("utf-8", "backslashreplace")
    profile = replace(profile_of(counts, folders, location, where), taken=now())
    if where is Where.EFS:
        notes = (*notes, f"{root} is {location} within the EFS, as the mount points of this machine have it")
    profile = replace(profile, notes=(*profile.notes, *notes))
    return with_contents(profile, counts.examples, first_bytes_below(root)) if looks else profile


def within_efs(root: Path) -> Path:
    """A folder as the file system knows it that is mounted at or above it: what a job's channel names."""
    folder = root.resolve()
    mount = next(each for each in (folder, *folder.parents) if os.path.ismount(each))
    return Path("/") / folder.relative_to(mount)


def bucket_region(connection: Connection, location: S3Location) -> str:
    """The bucket's Region. Raises InvalidInput when there is no such bucket."""
    region = S3(connection).bucket_region(location.bucket)
    if region is None:
        raise InvalidInput(f"location is {location.uri!r}: no such bucket; fix: correct its name")
    return region


def require_files(files: int, location: S3Location) -> None:
    """Raise InvalidInput when nothing was found."""
    if not files:
        raise InvalidInput(
            f"location is {location.uri!r}: no object lies below it; "
            "fix: correct the prefix (it is matched letter by letter)"
        )


def no_rights(location: S3Location, error: AccessDenied) -> InvalidInput:
    """What to say when S3 does not let these credentials list."""
    return InvalidInput(
        f"location is {location.uri!r}: {error.action} on arn:aws:s3:::{location.bucket} is missing, or its "
        "requester is to pay, which headrace does not offer; "
        f"fix: have it allowed for this prefix, or use other credentials ({error})"
    )


def now() -> str:
    """When a profile is taken, ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")
