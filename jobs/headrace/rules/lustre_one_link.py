"""Rules of one link between a Lustre file system and S3 (a data repository association), taken by itself.

A link that exports deletions removes the training data itself, so a training source never exports unless somebody
asks for it in so many words. Rules of several links together are in headrace.rules.lustre_link.
Rules of our own: V66 events, V67 export on request, V68 export of deletions; V70 and
V72, of data locations, hold for links too.

Sources: Amazon FSx API Reference, CreateDataRepositoryAssociation (botocore 1.44.5 service model, read 2026-11);
Amazon FSx for Lustre User Guide, "Linking your file system to an Amazon S3 bucket" (Regions and accounts).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from headrace.rules.finding import Finding, Level, Rule, Unknown, rule
from headrace.rules.places import is_region
from headrace.rules.s3_names import bucket_rule_broken, posix_rule_broken, prefix_rule_broken
from headrace.rules.values import Switch, Text, finding, is_one_of, is_switch, members, shown

EVENTS: Final = ("NEW", "CHANGED", "DELETED")
# us-east-1 to us-west-2; AWS re:Post, "Cost effective methods for accessing S3 buckets cross-region", January 2026
CROSS_REGION_USD_PER_GB: Final = 0.02
KEY_LETS_LINK_IN: Final = "a key whose policy lets the service-linked role of Amazon FSx use it through S3"
# FSx for Lustre User Guide, "Working with server-side encrypted Amazon S3 buckets", read 2026-11
GRANT_TO_FSX: Final = (
    "see that it allows kms:Decrypt, kms:DescribeKey, kms:Encrypt, kms:GenerateDataKey* and kms:ReEncrypt* to "
    "principal AWS '*' where kms:CallerAccount is the platform's account, kms:ViaService is s3.REGION.amazonaws.com "
    "and aws:PrincipalArn is like arn:aws:iam::ACCOUNT:role/aws-service-role/s3.data-source.lustre.fsx.amazonaws.com/"
    "AWSServiceRoleForFSxS3Access_fs-*"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSpec:
    """A link of a Lustre file system to S3 (a data repository association) as asked for; None: not given.

    ``export_requested``: somebody said in so many words that files shall be written back to S3.
    ``bucket_kms_key_arn``: the key that encrypts the bucket, where the platform has not made it.
    """

    name: Text = None
    file_system_path: Text = None
    bucket: Text = None
    prefix: Text = None
    auto_import_events: tuple[str, ...] | Unknown | None = None
    auto_export_events: tuple[str, ...] | Unknown | None = None
    export_requested: Switch = None
    bucket_region: Text = None
    file_system_region: Text = None
    same_account: Switch = None
    bucket_kms_key_arn: Text = None


@rule("V13", "name", "prefix")
def prefix_is_legal(link: LinkSpec) -> Iterator[Finding]:
    """A link shows a folder of the bucket whose name is legal, for S3 and as a path."""
    allowed = prefix_rule_broken(link.prefix)
    if allowed is None and isinstance(link.prefix, str):
        allowed = "no '//'" if "//" in link.prefix else posix_rule_broken(link.prefix)
    if allowed:
        yield finding("V13", link_field(link, "prefix"), link.prefix, allowed, "write it like data/images/")


@rule("V70", "name", "bucket")
def bucket_name_is_legal(link: LinkSpec) -> Iterator[Finding]:
    """A bucket's name follows the naming rules of S3."""
    if allowed := bucket_rule_broken(link.bucket):
        yield finding("V70", link_field(link, "bucket"), link.bucket, allowed, "give the bucket's name, without s3://")


@rule("V20", "name", "bucket_region", "file_system_region", "auto_import_events")
def auto_import_in_region(link: LinkSpec) -> Iterator[Finding]:
    """Automatic import works in one Region only."""
    if _crosses_regions(link) and link.auto_import_events:
        allowed = f"a bucket in {link.file_system_region}, since automatic import does not cross Regions"
        fix = "turn auto_import_events off, or copy the data to that Region"
        yield finding("V20", link_field(link, "bucket_region"), link.bucket_region, allowed, fix)


@rule("V21", "name", "bucket_region", "file_system_region", "auto_import_events")
def import_from_region_has_price(link: LinkSpec) -> Iterator[Finding]:
    """A link to a bucket in another Region works, and each GB that is read through it is paid for."""
    for region in (link.bucket_region, link.file_system_region):
        if region is not None and not is_region(region):
            allowed = "a Region such as us-east-1"
            yield finding("V21", link_field(link, "bucket_region"), region, allowed, "give the bucket's Region")
    if _crosses_regions(link) and not link.auto_import_events:
        allowed = f"{link.file_system_region}, or about {CROSS_REGION_USD_PER_GB} $ per GB read from another Region"
        fix = "copy the data to that Region if it is read more than once"
        yield finding("V21", link_field(link, "bucket_region"), link.bucket_region, allowed, fix, Level.WARNING)


@rule("V66", "name", "auto_import_events", "auto_export_events")
def events_are_known(link: LinkSpec) -> Iterator[Finding]:
    """Events are NEW, CHANGED and DELETED, each at most once."""
    given = {"auto_import_events": link.auto_import_events, "auto_export_events": link.auto_export_events}
    for name, value in given.items():
        events = () if value is None else members(value)
        if events is None or any(not is_one_of(each, EVENTS) for each in events):
            yield finding("V66", link_field(link, name), value, f"a list of {', '.join(EVENTS)}", "correct the list")
        elif len(set(events)) < len(events):
            yield finding("V66", link_field(link, name), value, "each event once", "leave the second one out")


@rule("V67", "name", "auto_export_events", "export_requested")
def export_is_requested(link: LinkSpec) -> Iterator[Finding]:
    """A link writes back to S3 what was asked for explicitly, by request and events, and nothing else."""
    if not is_switch(link.export_requested):
        field = link_field(link, "export_requested")
        yield finding("V67", field, link.export_requested, "true or false", "give true or false, without quotes")
    elif link.auto_export_events and not link.export_requested:
        allowed = "nothing, unless export is requested: it writes into the training data"
        fix = "leave it out, or request export explicitly"
        yield finding("V67", link_field(link, "auto_export_events"), link.auto_export_events, allowed, fix)
    elif link.export_requested and not link.auto_export_events:
        allowed = f"a list of {', '.join(EVENTS)} where export is requested: without events nothing is written"
        fix = "give the events, such as NEW and CHANGED, or do not request export"
        yield finding("V67", link_field(link, "auto_export_events"), link.auto_export_events, allowed, fix)


@rule("V68", "name", "auto_export_events")
def export_of_deletions_deletes(link: LinkSpec) -> Iterator[Finding]:
    """Exporting DELETED means that deleting a file deletes the S3 object."""
    if "DELETED" in (members(link.auto_export_events) or ()):
        allowed = "NEW and CHANGED are harmless; DELETED deletes the S3 object with each file that a job deletes"
        field = link_field(link, "auto_export_events")
        yield finding("V68", field, link.auto_export_events, allowed, "leave DELETED out", Level.WARNING)


@rule("V72", "name", "same_account")
def owner_lets_link(link: LinkSpec) -> Iterator[Finding]:
    """A bucket of another account may be linked if its owner allows it as well."""
    field = link_field(link, "same_account")
    if not is_switch(link.same_account):
        yield finding("V72", field, link.same_account, "true or false", "give true or false, without quotes")
    elif link.same_account is False:
        allowed = "another account, if the bucket's policy lets Amazon FSx and the deployer use it"
        fix = "ask the owner to grant s3:Get*, s3:List* and s3:PutObject on the prefix in the bucket policy"
        yield finding("V72", field, link.same_account, allowed, fix, Level.INFO)


@rule("V24", "name", "bucket_kms_key_arn")
def key_lets_link_in(link: LinkSpec) -> Iterator[Finding]:
    """A key that the platform has not made must let Amazon FSx in, or the link cannot read the bucket."""
    if link.bucket_kms_key_arn is not None:
        field = link_field(link, "bucket_kms_key_arn")
        yield finding("V24", field, link.bucket_kms_key_arn, KEY_LETS_LINK_IN, GRANT_TO_FSX, Level.INFO)


def link_field(link: LinkSpec, name: str) -> str:
    """How a finding names a field of a link: ``links.<name of the link>.<field>``."""
    return f"links.{link.name if isinstance(link.name, str) else shown(link.name)}.{name}"


def _crosses_regions(link: LinkSpec) -> bool:
    ours, theirs = link.file_system_region, link.bucket_region
    return is_region(ours) and is_region(theirs) and ours != theirs


LINK_RULES: tuple[Rule[Any], ...] = (
    bucket_name_is_legal,
    prefix_is_legal,
    auto_import_in_region,
    import_from_region_has_price,
    events_are_known,
    export_is_requested,
    export_of_deletions_deletes,
    owner_lets_link,
    key_lets_link_in,
)
"""Rules of one :class:`LinkSpec`."""
