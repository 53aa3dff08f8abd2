"""Rules of all links of one Lustre file system: how they stand to each other, to the data and to the file system.

FSx refuses overlapping links one after the other, when the file system is already paid for. What a link must be by
itself is in headrace.rules.lustre_one_link, and offered here as well.
Rules of our own: V65 names, V69 data locations. A value inside a link or location that only the deployment will know
is UNKNOWN, and what depends on it is skipped.

Sources: Amazon FSx API Reference, CreateDataRepositoryAssociation: FileSystemPath, DataRepositoryPath (botocore
1.44.5 service model); Amazon FSx for Lustre User Guide, "Linking your file system to an Amazon S3 bucket": eight
links, none on SCRATCH_1 (both read 2026-11).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

from headrace.rules.data_location import DataLocationSpec, lies_below
from headrace.rules.finding import UNKNOWN, Finding, Rule, Unknown, rule
from headrace.rules.lustre_one_link import LINK_RULES, LinkSpec, link_field
from headrace.rules.s3_names import posix_rule_broken
from headrace.rules.values import Text, finding, members

__all__ = ["LINKS_RULES", "LINK_RULES", "LinkSpec", "LinksSpec"]

MAX_LINKS: Final = 8
MAX_PATH_CHARACTERS: Final = 4096

_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinksSpec:
    """All links of one file system, the data locations they may show, and what the file system is.

    ``data_locations``: the platform bucket's own ``data/`` and every declared location; their bucket and prefix are
    read. ``import_path``: the legacy link, which excludes all others.
    """

    links: tuple[LinkSpec, ...] | Unknown | None = ()
    data_locations: tuple[DataLocationSpec, ...] | Unknown | None = ()
    deployment_type: Text = None
    import_path: Text = None


@rule("V16", "links", "deployment_type", "import_path")
def file_system_takes_links(spec: LinksSpec) -> Iterator[Finding]:
    """Links exclude the legacy ImportPath, and SCRATCH_1 takes none."""
    if not spec.links:
        return
    if spec.deployment_type == "SCRATCH_1":
        allowed = "SCRATCH_2 or PERSISTENT_2, since SCRATCH_1 takes no data repository association"
        yield finding("V16", "deployment_type", spec.deployment_type, allowed, "SCRATCH_2")
    if spec.import_path is not None:
        allowed = "nothing beside links: the two ways to link a file system exclude each other"
        yield finding("V16", "import_path", spec.import_path, allowed, "leave it out")


@rule("V17", "links")
def at_most_eight(spec: LinksSpec) -> Iterator[Finding]:
    """A file system has at most eight links."""
    count = len(_links(spec))
    if count > MAX_LINKS:
        yield finding("V17", "links", count, f"at most {MAX_LINKS}", "link a folder that holds several of them")


@rule("V18", "links")
def links_do_not_overlap(spec: LinksSpec) -> Iterator[Finding]:
    """File-system paths are absolute; neither paths nor S3 prefixes overlap; ``/`` is only for a single link."""
    links = _links(spec)
    for link in links:
        path = link.file_system_path
        if path is not UNKNOWN and (allowed := _path_rule_broken(path)):
            yield finding("V18", link_field(link, "file_system_path"), path, allowed, "write it like /images")
    for one, other in combinations(links, 2):
        if _overlap(_with_slash(one.file_system_path), _with_slash(other.file_system_path)):
            allowed = f"no path that holds {one.name}'s, {one.file_system_path!r}, or lies in it"
            field, fix = link_field(other, "file_system_path"), "give each link a folder of its own"
            yield finding("V18", field, other.file_system_path, allowed, fix)
        if one.bucket == other.bucket is not UNKNOWN and _overlap(one.prefix, other.prefix):
            allowed = f"no prefix that holds {one.name}'s, {one.prefix!r}, or lies in it"
            yield finding("V18", link_field(other, "prefix"), other.prefix, allowed, "link the outer prefix once")


@rule("V65", "links")
def names_are_legal(spec: LinksSpec) -> Iterator[Finding]:
    """A link has a short name of its own, by which jobs ask for it."""
    if members(spec.links) is None or len(_links(spec)) < len(members(spec.links) or ()):
        yield finding("V65", "links", spec.links, "a list of links", "write each link with its name")
    seen: list[object] = []
    for link in _links(spec):
        field = link_field(link, "name")
        if link.name is not UNKNOWN and not (isinstance(link.name, str) and _NAME.fullmatch(link.name)):
            allowed = "1 to 32 lower-case letters, digits and hyphens, a letter first"
            yield finding("V65", field, link.name, allowed, "rename the link, such as images")
        elif link.name is not UNKNOWN and link.name in seen:
            yield finding("V65", field, link.name, "each name once", "rename one of the links")
        seen.append(link.name)


@rule("V69", "links", "data_locations")
def links_show_data_locations(spec: LinksSpec) -> Iterator[Finding]:
    """A link shows what the platform's roles may read: ``data/`` of its bucket, or a declared data location."""
    locations = [each for each in members(spec.data_locations) or () if isinstance(each, DataLocationSpec)]
    known = ", ".join(_uri(each.bucket, each.prefix) for each in locations)
    for link in _links(spec):
        if not any(lies_below(link.bucket, link.prefix, each) for each in locations):
            got = _uri(link.bucket, link.prefix)
            allowed = f"below data/ of the platform's bucket or a data location ({known or 'none is known'})"
            fix = "move the data there, or declare it as a data location"
            yield finding("V69", link_field(link, "prefix"), got, allowed, fix)


def _links(spec: LinksSpec) -> tuple[LinkSpec, ...]:
    return tuple(each for each in members(spec.links) or () if isinstance(each, LinkSpec))


def _uri(*parts: object) -> str:
    shown_parts = (f"({part.value})" if isinstance(part, Unknown) else str(part) for part in parts)
    return f"s3://{'/'.join(shown_parts)}"


def _path_rule_broken(path: object) -> str | None:
    if not isinstance(path, str) or not path.startswith("/"):
        return "an absolute path, such as /images"
    if "//" in path or len(path) > MAX_PATH_CHARACTERS:
        return f"at most {MAX_PATH_CHARACTERS} characters and no '//'"
    return posix_rule_broken(path)


def _overlap(one: object, other: object) -> bool:
    if not isinstance(one, str) or not isinstance(other, str):
        return False
    return one.startswith(other) or other.startswith(one)


def _with_slash(path: object) -> object:
    return f"{path.rstrip('/')}/" if isinstance(path, str) else path


LINKS_RULES: tuple[Rule[Any], ...] = (
    names_are_legal,
    at_most_eight,
    links_do_not_overlap,
    links_show_data_locations,
    file_system_takes_links,
)
"""Rules of a :class:`LinksSpec`: how links stand to each other and to the file system."""
