"""Constructs of the foundation, made as the settings say: one function for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_kms as kms
from headrace.rules import Suppression
from headrace.rules.data_location import DATA_LOCATION_RULES, DataLocationSpec
from headrace.rules.platform_key import PLATFORM_KEY_RULES, PlatformKeySpec
from headrace_cdk.efs import SharedEfs
from headrace_cdk.iam_naming import IamNaming
from headrace_cdk.ingestion import IngestionStatement
from headrace_cdk.isolated_vpc import JobSubnet
from headrace_cdk.kms_grants import allow_lustre_links
from headrace_cdk.lustre_link import S3Link
from headrace_cdk.network import ExistingNetwork, Network
from headrace_cdk.rule_check import check, check_all, known

from stacks.settings import (
    DataLocationSettings,
    EfsSettings,
    EnvironmentSettings,
    ExistingNetworkSettings,
    IamSettings,
    IngestionSettings,
    LinkSettings,
)
from stacks.zones import subnets_in


def suppressions_of(settings: EnvironmentSettings) -> tuple[Suppression, ...]:
    """The rules that are not heeded. Raises InvalidInput where a reason is missing."""
    return tuple(Suppression(rule_id=each.rule_id, reason=each.reason) for each in settings.suppressions)


def naming_of(settings: IamSettings) -> IamNaming:
    """How roles and policies are named and bounded."""
    return IamNaming(
        name_prefix=settings.name_prefix,
        path=settings.path,
        permissions_boundary_arn=settings.permissions_boundary_arn,
    )


def ingestion_of(settings: Mapping[str, IngestionSettings]) -> dict[str, list[IngestionStatement]]:
    """What each role of own ingestion may do, by its name."""
    return {
        name: [
            IngestionStatement(
                actions=each.actions, resources=each.resources, conditions=each.conditions or None, reason=each.reason
            )
            for each in role.statements
        ]
        for name, role in settings.items()
    }


def check_data_locations(
    stack: Stack, locations: Sequence[DataLocationSettings], suppressions: Sequence[Suppression]
) -> None:
    """Run the rules over every declared location. Raises RuleViolations with the mistakes of all of them."""
    specs = [
        DataLocationSpec(
            label=f"data_locations[{index}]",
            bucket=each.bucket,
            prefix=each.prefix,
            region=each.region,
            platform_region=known(stack.region),
            account=each.account,
            platform_account=known(stack.account),
            kms_key_arn=each.kms_key_arn,
        )
        for index, each in enumerate(locations)
    ]
    check_all(stack, [(DATA_LOCATION_RULES, spec) for spec in specs], suppressions)


def make_key(stack: Stack, platform: str, choice: str, suppressions: Sequence[Suppression] = ()) -> kms.IKey | None:
    """None for ``aws``, a key that is kept on destroy for ``new``, else the key with this ARN.

    Raises RuleViolations for a key of another Region (V89).
    """
    if choice == "aws":
        return None
    if choice != "new":
        spec = PlatformKeySpec(
            kms_key_arn=known(choice), platform_region=known(stack.region), platform_account=known(stack.account)
        )
        check(stack, PLATFORM_KEY_RULES, spec, suppressions)
        return kms.Key.from_key_arn(stack, "Key", choice)
    key = kms.Key(
        stack,
        "Key",
        description=f"headrace {platform}: bucket and file systems",
        enable_key_rotation=True,
        removal_policy=RemovalPolicy.RETAIN,
    )
    allow_lustre_links(key)
    return key


def make_network(
    stack: Stack, platform: str, settings: EnvironmentSettings, suppressions: Sequence[Suppression]
) -> Network:
    """The network, with security groups for the file systems that are switched on."""
    network = settings.network
    return Network(
        stack,
        "Network",
        cidr=network.cidr,
        availability_zones=network.availability_zones,
        availability_zone_ids=network.availability_zone_ids,
        existing=None if network.existing is None else _existing(network.existing),
        interface_endpoints=[name for name, on in network.interface_endpoints.items() if on],
        flow_logs=network.flow_logs,
        lustre=settings.lustre.enabled or settings.ephemeral.enabled,
        efs=settings.efs.enabled,
        platform=platform,
        naming=naming_of(settings.iam),
        suppressions=suppressions,
    )


def _existing(settings: ExistingNetworkSettings) -> ExistingNetwork:
    return ExistingNetwork(
        vpc_id=settings.vpc_id,
        subnets=tuple(
            JobSubnet(key=each.subnet_id, subnet_id=each.subnet_id, az_id=each.az_id, az_name=each.az_name)
            for each in settings.subnets
        ),
        route_table_ids=settings.route_table_ids,
        s3_gateway_endpoint=settings.s3_gateway_endpoint,
    )


def make_efs(
    stack: Stack,
    settings: EfsSettings,
    network: Network,
    kms_key: kms.IKey | None,
    suppressions: Sequence[Suppression],
) -> SharedEfs | None:
    """The shared EFS, or None where it is switched off."""
    if not settings.enabled:
        return None
    return SharedEfs(
        stack,
        "SharedEfs",
        network=network,
        subnets=subnets_in(network.subnets, settings.zones, "efs.zones"),
        existing_file_system_id=settings.adopt,
        performance_mode=settings.performance_mode,
        throughput_mode=settings.throughput_mode,
        provisioned_throughput_mibps=settings.provisioned_throughput_mibps,
        one_zone=settings.one_zone,
        lifecycle_days=settings.lifecycle_days,
        # A file system that is adopted keeps the key that it was made with.
        kms_key=None if settings.adopt else kms_key,
        backup=settings.backup,
        suppressions=suppressions,
    )


def link_of(link: LinkSettings, own_bucket: str, settings: EnvironmentSettings) -> S3Link:
    """A link, with what is known of its bucket: the platform's own where it names none."""
    declared = next((each for each in settings.data_locations if each.bucket == link.bucket), None)
    given_key = settings.kms_key if settings.kms_key.startswith("arn:") else None
    return S3Link(
        name=link.name,
        path=link.path,
        bucket=link.bucket or own_bucket,
        prefix=link.prefix,
        auto_import_events=link.auto_import_events,
        export=link.export,
        auto_export_events=link.auto_export_events,
        bucket_region=declared.region if declared else None,
        bucket_account=declared.account if declared else None,
        bucket_kms_key_arn=given_key if link.bucket is None else declared.kms_key_arn if declared else None,
    )
