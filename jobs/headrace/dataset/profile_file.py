"""A profile as JSON: what ``headrace profile --json`` prints and ``headrace advise --profile`` reads.

The file may come from anywhere: what it holds is checked, and every mistake is told at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from headrace.dataset.profile import FORMAT_VERSION, Profile
from headrace.errors import InvalidInput
from headrace.json_file import read_object
from headrace.typed import read

_MAKE: Final = "make it with: headrace profile s3://bucket/prefix/ --json"
_MOST_PROBLEMS: Final = 20


def to_plain(profile: Profile) -> dict[str, Any]:
    """The profile for JSON."""
    return {"format_version": FORMAT_VERSION, **asdict(profile)}


def read_profile(path: Path) -> Profile:
    """The profile of a file. Raises InvalidInput with one line for each thing that is wrong with it."""
    return from_plain(read_object(path, "a profile", f"{_MAKE} > {path}"), str(path))


def from_plain(plain: dict[str, Any], name: str) -> Profile:
    """The profile that :func:`to_plain` wrote. Raises InvalidInput, each line beginning with ``name``."""
    version = plain.get("format_version")
    if version != FORMAT_VERSION:
        raise InvalidInput(f"{name}: format_version is {version!r}; allowed: {FORMAT_VERSION}; fix: {_MAKE}")
    members = {key: value for key, value in plain.items() if key != "format_version"}
    try:
        profile = read(Profile, members, name)
    except InvalidInput as error:
        raise _mistakes(error.problems) from None
    if problems := _contradictions(profile):
        raise _mistakes([f"{name}: {each}" for each in problems])
    return profile


def _mistakes(problems: Sequence[str]) -> InvalidInput:
    more = len(problems) - _MOST_PROBLEMS
    rest = [f"and {more:,} further mistakes"] if more > 0 else []
    return InvalidInput(
        *(each.partition("; fix: ")[0] + f"; fix: {_MAKE}" for each in [*problems[:_MOST_PROBLEMS], *rest])
    )


def _contradictions(profile: Profile) -> list[str]:
    found = []
    if sum(each.files for each in profile.sizes) != profile.files:
        found.append(f"files is {profile.files}, which is not the sum of the files of sizes")
    if sum(each.size_bytes for each in profile.sizes) != profile.size_bytes:
        found.append(f"size_bytes is {profile.size_bytes}, which is not the sum of the bytes of sizes")
    for number, each in enumerate(profile.sizes):
        if not (each.files > 0 and each.files * each.from_bytes <= each.size_bytes <= each.files * (each.to_bytes - 1)):
            found.append(f"sizes.{number} holds files and bytes that cannot be between its bounds")
    return found
