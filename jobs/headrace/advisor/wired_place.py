"""Where a data set lies, as its road can name it: a key, a folder, or the folder of its shards.

S3 matches a prefix as text, so File and Pipe mode take one object by its key, and several by how their names begin.
What is mounted is a folder: in FastFile mode (rule V140), through a Lustre link and in EFS. What else lies in that
folder is shown, too.
Shards lie beside the files that they are made of, so that no road takes both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from headrace.advisor.question import Question
from headrace.advisor.shape import packing_of
from headrace.advisor.variants import Variant
from headrace.dataset.profile import Profile, Where
from headrace.errors import InvalidInput
from headrace.roads import S3_FILE, S3_PIPE
from headrace.rules.location_paths import path_rule_broken
from headrace.rules.s3_location import location_rule_broken
from headrace.rules.s3_names import prefix_rule_broken
from headrace.rules.values import shown

DATA: Final = "data/"
_SHARDS: Final = "packed"


@dataclass(frozen=True, slots=True, kw_only=True)
class WiredPlace:
    """What is named in S3. ``prefix``: by the channel, a key or a folder. ``folder``: which holds it all, for links.

    ``notes``: what is to be done before, and what else is shown.
    """

    bucket: str
    prefix: str
    folder: str
    notes: tuple[str, ...] = ()

    @property
    def uri(self) -> str:
        """The folder, as ``s3://bucket/folder/``."""
        return f"s3://{self.bucket}/{self.folder}"

    @property
    def is_below_data(self) -> bool:
        """Whether it lies where every platform's jobs may read, taking its bucket for the platform's."""
        return self.folder.startswith(DATA)

    @property
    def below_data(self) -> str:
        """The folder below ``data/``, without a slash at its end."""
        return self.folder.removeprefix(DATA).rstrip("/")


def wired_place(variant: Variant, question: Question) -> WiredPlace:
    """Raises InvalidInput for a data set that is not where a job reads, or whose name no platform takes."""
    location = question.profile.location
    if question.profile.where is not Where.S3 or not location.startswith("s3://"):
        raise InvalidInput(
            f"the data set is {shown(location)}; allowed: a prefix in S3, for a job file; fix: upload it "
            "(aws s3 sync), and profile the prefix"
        )
    if broken := location_rule_broken(location):
        allowed, fix = broken
        raise InvalidInput(f"the data set is {shown(location)}; allowed: {allowed}; fix: copy it to {fix}")
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    place = _packed(bucket, prefix, question) if variant.is_packed else _as_it_is(bucket, prefix, variant, question)
    if not place.is_below_data and (
        allowed_prefix := prefix_rule_broken(place.folder) or path_rule_broken(place.folder)
    ):
        raise InvalidInput(
            f"the data set lies in {shown(place.uri)}; allowed: {allowed_prefix}, for what is declared as a data "
            "location; fix: copy it to another prefix"
        )
    return place


def _as_it_is(bucket: str, prefix: str, variant: Variant, question: Question) -> WiredPlace:
    if not prefix:
        return WiredPlace(bucket=bucket, prefix="", folder="", notes=(_whole(bucket),))
    if prefix.endswith("/"):
        return WiredPlace(bucket=bucket, prefix=prefix, folder=prefix)
    parent, name = _parent(prefix)
    if _is_folder(question.profile):
        note = (
            f"the job reads the folder s3://{bucket}/{prefix}/; where {name} is only the beginning of names, move them "
            "into a folder, and profile that"
        )
        return WiredPlace(bucket=bucket, prefix=f"{prefix}/", folder=f"{prefix}/", notes=(note,))
    if variant.road in (S3_FILE, S3_PIPE):
        return WiredPlace(bucket=bucket, prefix=prefix, folder=parent, notes=() if parent else (_whole(bucket),))
    what = name if question.profile.files == 1 else f"what begins with {name}"
    note = (
        f"{what} lies in s3://{bucket}/{parent}, which is what {variant.road.name} can name: all else in that folder "
        "is brought or shown, too; copy it to a folder of its own where that is much"
    )
    return WiredPlace(bucket=bucket, prefix=parent, folder=parent, notes=(note,) if parent else (note, _whole(bucket)))


def _is_folder(profile: Profile) -> bool:
    """Whether a prefix without a slash names a folder, and no object, nor the beginning of names of several.

    Depths are counted from the end of the prefix, so that all files of a folder have a slash there.
    """
    tree = profile.tree
    return profile.files != 1 if tree is None else tree.depth_mean >= 1


def _whole(bucket: str) -> str:
    return (
        f"these settings let the platform's jobs read all of bucket {bucket}: move the data into a folder where that "
        "is too much, or where the bucket is the platform's own"
    )


def _packed(bucket: str, prefix: str, question: Question) -> WiredPlace:
    source = prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
    shards = _shards_folder(source)
    place = WiredPlace(bucket=bucket, prefix=shards, folder=shards)
    return replace(place, notes=tuple(_packing_notes(place, prefix, question)))


def _packing_notes(place: WiredPlace, prefix: str, question: Question) -> Iterator[str]:
    packing = packing_of(question.profile, question.speeds)
    location = question.profile.location
    small = "" if packing is None else f"{packing.small_files:,} "
    also = (
        ""
        if packing is None or not packing.kept_files
        else f", and copy the other {packing.kept_files:,} files there, too"
    )
    yield f"pack the {small}small files of {location} into shards below {place.uri}{also}"
    if place.folder.startswith(prefix):
        yield f"whatever reads {location} as a whole takes the shards, too, from then on: name {place.uri} instead"


def _shards_folder(source: str) -> str:
    """Beside the source; inside where nothing is beside it that a platform's jobs may read."""
    if source in ("", DATA):
        return f"{source}{_SHARDS}/"
    parent, name = _parent(source.rstrip("/"))
    return f"{parent}{_SHARDS}-{name}/"


def _parent(key: str) -> tuple[str, str]:
    head, slash, name = key.rpartition("/")
    return f"{head}{slash}", name
