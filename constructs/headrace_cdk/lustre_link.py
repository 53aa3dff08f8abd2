"""A link between a Lustre file system and S3: a data repository association."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from aws_cdk import Stack, Token
from aws_cdk import aws_fsx as fsx
from constructs import Construct
from headrace.platform import DataLocation, LustreLink
from headrace.rules import UNKNOWN, Rule, Unknown
from headrace.rules.data_location import DataLocationSpec
from headrace.rules.lustre_link import LINK_RULES, LINKS_RULES, LinkSpec, LinksSpec
from headrace.rules.values import Text

from headrace_cdk.rule_check import known


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Link:
    """``path`` of the file system shows what lies below ``prefix`` of ``bucket``.

    ``auto_import_events`` (NEW, CHANGED, DELETED): keep following the bucket; same Region only. Files are written
    back to S3 (``auto_export_events``) only where ``export`` says so: DELETED there deletes objects.
    ``bucket_region``, ``bucket_account``: None is the file system's own. ``bucket_kms_key_arn``: the key that
    encrypts the bucket, where the platform has not made it.
    """

    name: str
    path: str
    bucket: str
    prefix: str
    auto_import_events: tuple[str, ...] = ()
    export: bool = False
    auto_export_events: tuple[str, ...] = ()
    bucket_region: str | None = None
    bucket_account: str | None = None
    bucket_kms_key_arn: str | None = None

    @property
    def record(self) -> LustreLink:
        """What jobs need to know of it."""
        return LustreLink(name=self.name, path=self.path, bucket=self.bucket, prefix=self.prefix)


def link_spec(link: S3Link, stack: Stack) -> LinkSpec:
    """What the rules look at."""
    return LinkSpec(
        name=link.name,
        file_system_path=known(link.path),
        bucket=known(link.bucket),
        prefix=known(link.prefix),
        auto_import_events=link.auto_import_events,
        auto_export_events=link.auto_export_events,
        export_requested=link.export,
        bucket_region=known(link.bucket_region or stack.region),
        file_system_region=known(stack.region),
        bucket_kms_key_arn=known(link.bucket_kms_key_arn),
        same_account=link.bucket_account is None or _same(link.bucket_account, stack.account),
    )


def _same(bucket_account: str, account: str) -> bool | Unknown:
    return UNKNOWN if Token.is_unresolved(account) else bucket_account == account


def link_checks(
    links: Sequence[S3Link], data_locations: Sequence[DataLocation], deployment_type: str, stack: Stack
) -> list[tuple[tuple[Rule[Any], ...], LinkSpec | LinksSpec]]:
    """The rules of links with what they look at: each link by itself, and all of them together."""
    specs = [link_spec(link, stack) for link in links]
    all_links = links_spec(specs, links, data_locations, known(deployment_type))
    return [*((LINK_RULES, spec) for spec in specs), (LINKS_RULES, all_links)]


def links_spec(
    specs: Sequence[LinkSpec],
    links: Sequence[S3Link],
    data_locations: Sequence[DataLocation],
    deployment_type: Text,
) -> LinksSpec:
    """All links together. A bucket that only the deployment names is compared by its token.

    So a link that leaves ``data/`` of the platform's own bucket is found, although nobody knows its name yet.
    """
    tokens = {each.bucket for each in data_locations if Token.is_unresolved(each.bucket)}
    names = {token: f"bucket-{index}-of-this-platform" for index, token in enumerate(sorted(tokens), start=1)}
    return LinksSpec(
        links=tuple(
            replace(spec, bucket=names.get(link.bucket, spec.bucket)) for spec, link in zip(specs, links, strict=True)
        ),
        data_locations=tuple(
            DataLocationSpec(bucket=names.get(each.bucket, each.bucket), prefix=known(each.prefix))
            for each in data_locations
        ),
        deployment_type=deployment_type,
    )


def associate(scope: Construct, file_system_id: str, link: S3Link) -> fsx.CfnDataRepositoryAssociation:
    """The association as a resource. The names and sizes of all objects are imported when it is created."""
    imports, exports = link.auto_import_events, link.auto_export_events
    policies = fsx.CfnDataRepositoryAssociation.S3Property(
        auto_import_policy=(
            fsx.CfnDataRepositoryAssociation.AutoImportPolicyProperty(events=list(imports)) if imports else None
        ),
        auto_export_policy=(
            fsx.CfnDataRepositoryAssociation.AutoExportPolicyProperty(events=list(exports)) if exports else None
        ),
    )
    return fsx.CfnDataRepositoryAssociation(
        scope,
        f"Link-{link.name}",
        file_system_id=file_system_id,
        file_system_path=link.path,
        data_repository_path=f"s3://{link.bucket}/{link.prefix}",
        batch_import_meta_data_on_create=True,
        s3=policies if imports or exports else None,
    )
