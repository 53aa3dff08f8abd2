"""What lies below the links of an ephemeral file system: how much there is, and what of it cannot become a file.

All of it is listed before anything is paid for: the number of objects decides how long the import may take, their
bytes how large the file system is. So the whole listing is judged, as before a preload; nothing is kept of it but the
counts, since a prefix may hold a hundred million objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from headrace.aws import Aws
from headrace.aws.objects import Objects, StoredObject
from headrace.ephemeral.associations import Association
from headrace.preload.contents import NOTHING, Contents, judged, look_through
from headrace.rules import Finding
from headrace.rules.locations import LocationSpec, linked_path_has_objects
from headrace.tally import Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """How much there is, and what the rules say of it. ``is_whole`` False: the listing was broken off."""

    contents: Contents = NOTHING
    findings: tuple[Finding, ...] = ()
    is_whole: bool = True


def survey(associations: Sequence[Association], aws: Aws, told: Told, most: int | None = None) -> Survey:
    """List all that the associations show, or the first ``most`` objects of each. Raises AwsError.

    A bucket that does not exist is the pre-flight's to tell.
    """
    store = Objects(aws.connection)
    total = Survey()
    for each in associations:
        region = store.bucket_region(each.bucket)
        if region is None:
            continue
        found = islice(store.list_objects(each.bucket, each.prefix, region), most)
        one = looked_through(each, found, aws.region, _after(total.contents.objects, told))
        total = Survey(
            contents=total.contents + one.contents,
            findings=(*total.findings, *one.findings),
            is_whole=total.is_whole and one.contents.objects != most,
        )
    return total


def _after(objects: int, told: Told) -> Told:
    return lambda what, count: told(what, objects + count)


def looked_through(
    association: Association,
    objects: Iterable[StoredObject],
    region: str,
    told: Told = lambda _what, _count: None,
) -> Survey:
    """Count the objects of one association, and hold them against the rules; a link without a file is an error."""
    where = LocationSpec(
        field=association.field,
        bucket=association.bucket,
        prefix=association.prefix,
        is_readable=True,
        is_linked=True,
        objects=(),
        are_all=True,
    )
    contents, findings = look_through(where, objects, region, told)
    if not contents.files:
        findings += judged([linked_path_has_objects], where, (), region)
    return Survey(contents=contents, findings=tuple(findings))
