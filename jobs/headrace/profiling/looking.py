"""Looking into a few files of each of the most frequent formats: what they are, by their first bytes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final

from headrace.aws.connection import AccessDenied, AwsError, Connection
from headrace.aws.s3 import S3
from headrace.dataset.contents import FIRST_BYTES, Content, agreed, content_of, is_container_suffix
from headrace.dataset.profile import Profile

MOST_FORMATS: Final = 12
"""Formats that are looked into; the rest is little, and each file is a request."""
_THREADS: Final = 16

FirstBytes = Callable[[bytes], bytes | None]
"""The first bytes of a file by its key or path; None where they cannot be had."""


def with_contents(profile: Profile, examples: dict[str, list[bytes]], first_bytes: FirstBytes) -> Profile:
    """The profile with what the files of its formats are. ``examples``: suffix -> keys of a few files.

    Without the right to read them the profile says so in a note.
    """
    asked = {each.suffix: examples.get(each.suffix, []) for each in profile.formats[:MOST_FORMATS]}
    keys = [key for some in asked.values() for key in some]
    try:
        with ThreadPoolExecutor(_THREADS) as threads:
            found = dict(zip(keys, threads.map(_looking(first_bytes), keys), strict=True))
    except AccessDenied as error:
        note = f"what the files hold was not looked at: {error.action} is missing"
        profile, found = replace(profile, notes=(*profile.notes, note)), {}
    formats = []
    for each in profile.formats:
        content = agreed(found.get(key) for key in asked.get(each.suffix, ()))
        name, is_container = (content.name, content.is_container) if content else (None, None)
        by_suffix = is_container_suffix(each.suffix)
        formats.append(replace(each, content=name, is_container=by_suffix if is_container is None else is_container))
    return replace(profile, formats=tuple(formats))


def first_bytes_in_s3(connection: Connection, bucket: str, region: str) -> FirstBytes:
    """The first bytes of objects of a bucket. An archived object has none; nor has one that S3 fails to give."""
    s3 = S3(connection)

    def read(key: bytes) -> bytes | None:
        try:
            return s3.first_bytes(bucket, key.decode(), region, FIRST_BYTES)
        except AccessDenied:
            raise
        except AwsError:
            return None

    return read


def first_bytes_below(root: Path) -> FirstBytes:
    """The first bytes of files below a folder."""
    import os

    def read(path: bytes) -> bytes | None:
        try:
            with open(os.path.join(os.fsencode(root), path), "rb") as file:
                return file.read(FIRST_BYTES)
        except OSError:
            return None

    return read


def _looking(first_bytes: FirstBytes) -> Callable[[bytes], Content | None]:
    def look(key: bytes) -> Content | None:
        first = first_bytes(key)
        return None if first is None else content_of(first)

    return look
