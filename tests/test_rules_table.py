"""The table of right and wrong settings: which rules each wrong one breaks, and that right ones break none.

The module is long because it is a table: a row is a setting that somebody could write, and belongs with the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import pytest
from headrace.rules import UNKNOWN, Level, Rule, run_rules
from headrace.rules.data_location import DATA_LOCATION_RULES, DataLocationSpec
from headrace.rules.efs import EFS_RULES, EfsSpec
from headrace.rules.ephemeral_platform import EPHEMERAL_PLATFORM_RULES, EphemeralPlatformSpec
from headrace.rules.idle_alarm import IDLE_ALARM_RULES, IdleAlarmSpec
from headrace.rules.lustre import LUSTRE_RULES, LustreSpec
from headrace.rules.lustre_link import LINK_RULES, LINKS_RULES, LinkSpec, LinksSpec
from headrace.rules.network import NETWORK_RULES, NetworkSpec
from headrace.rules.own_ingestion import (
    INGESTION_ROLE_RULES,
    OWN_INGESTION_RULES,
    IngestionRoleSpec,
    IngestionStatementSpec,
    OwnIngestionSpec,
)
from headrace.rules.platform_key import PLATFORM_KEY_RULES, PlatformKeySpec

RULES: dict[type, Sequence[Rule[Any]]] = {
    LustreSpec: LUSTRE_RULES,
    EfsSpec: EFS_RULES,
    NetworkSpec: NETWORK_RULES,
    LinkSpec: LINK_RULES,
    LinksSpec: LINKS_RULES,
    DataLocationSpec: DATA_LOCATION_RULES,
    PlatformKeySpec: PLATFORM_KEY_RULES,
    IngestionRoleSpec: INGESTION_ROLE_RULES,
    OwnIngestionSpec: OWN_INGESTION_RULES,
    EphemeralPlatformSpec: EPHEMERAL_PLATFORM_RULES,
    IdleAlarmSpec: IDLE_ALARM_RULES,
}

SCRATCH = LustreSpec(
    deployment_type="SCRATCH_2",
    file_system_type_version="2.15",
    storage_capacity_gib=1200,
    subnet_count=1,
    security_group_count=1,
)
PERSISTENT = replace(
    SCRATCH, deployment_type="PERSISTENT_2", per_unit_storage_throughput_mbps_per_tib=125, storage_type="SSD"
)
EFS = EfsSpec(performance_mode="generalPurpose", throughput_mode="elastic", az_count=2, encrypted=True, backup=False)
NEW = NetworkSpec(
    region="us-east-1", cidr="10.42.0.0/20", availability_zone_ids=("use1-az1", "use1-az2"), interface_endpoints=()
)
EXISTING = NetworkSpec(
    region="eu-central-1",
    existing_vpc_id="vpc-0123456789abcdef0",
    existing_subnets=(("subnet-0123456789abcdef0", "euc1-az1"), ("subnet-01234567", "euc1-az2")),
    existing_route_table_ids=("rtb-0123456789abcdef0",),
)
LINK = LinkSpec(
    name="images",
    file_system_path="/images",
    bucket="acme-training",
    prefix="data/images/",
    bucket_region="us-east-1",
    file_system_region="us-east-1",
    same_account=True,
)
OTHER_LINK = replace(LINK, name="labels", file_system_path="/labels", prefix="data/labels/")
DATA = DataLocationSpec(
    bucket="acme-training",
    prefix="data/",
    region="us-east-1",
    platform_region="us-east-1",
    account="111122223333",
    platform_account="111122223333",
)
LINKS = LinksSpec(links=(LINK, OTHER_LINK), data_locations=(DATA,), deployment_type="SCRATCH_2")
KEY_ID = "key/0a1b2c3d-0000-4000-8000-0123456789ab"
KEY = PlatformKeySpec(
    kms_key_arn=f"arn:aws:kms:us-east-1:111122223333:{KEY_ID}",
    platform_region="us-east-1",
    platform_account="111122223333",
)

READS = IngestionStatementSpec(
    actions=("redshift-data:ExecuteStatement", "glue:Get*"),
    resources=("arn:aws:redshift:us-east-1:111122223333:cluster:warehouse", "arn:aws:glue:*:111122223333:table/*/x"),
)
INGESTION = IngestionRoleSpec(role_name="warehouse", statements=(READS,))
EPHEMERAL = EphemeralPlatformSpec(max_file_systems=4, max_gib=9600, max_hours=24, link_count=1)
ROLE_ELSEWHERE = "arn:aws:iam::444455556666:role/reader"


def ingesting(**changes: Any) -> IngestionRoleSpec:
    """A role whose only statement differs from READS by ``changes``."""
    return replace(INGESTION, statements=(replace(READS, **changes),))


def name_of(value: object) -> str:
    """A part of a test's name: a rule by id and function, a row by its kind and the rules that it breaks."""
    if isinstance(value, Rule):
        return f"{value.rule_id}-{value.check.__name__}"
    return value if isinstance(value, str) else getattr(value, "__name__", type(value).__name__)


def linked(*changes: dict[str, Any]) -> LinksSpec:
    """Links that differ from LINK by ``changes``, one for each; a name unless it is given."""
    names = ({"name": f"link-{index}"} | change for index, change in enumerate(changes))
    return replace(LINKS, links=tuple(replace(LINK, **change) for change in names))


RIGHT: list[Any] = [
    INGESTION,
    replace(INGESTION, role_name="w", statements=(READS,) * 10),
    ingesting(resources=("*",), reason="DescribeStatement takes no resource"),
    ingesting(actions=("sts:AssumeRole", "sts:TagSession"), resources=(ROLE_ELSEWHERE,)),
    ingesting(conditions={"StringEquals": {"aws:SourceVpc": ("vpc-1",)}, "Null": {"aws:TagKeys": ("true",)}}),
    ingesting(conditions={"ForAnyValue:StringLikeIfExists": {"aws:PrincipalTag/team": ["a*", "b"]}}),
    replace(INGESTION, statements=UNKNOWN),
    OwnIngestionSpec(names=("a", "b", "c", "d", "e")),
    SCRATCH,
    replace(SCRATCH, storage_capacity_gib=2400),
    replace(SCRATCH, storage_capacity_gib=100_800),
    replace(SCRATCH, storage_capacity_gib=None, dataset_gib=0.5),
    replace(SCRATCH, storage_capacity_gib=None, dataset_gib=90_720),
    replace(SCRATCH, data_compression_type="LZ4", weekly_maintenance_start_time="7:23:59"),
    replace(SCRATCH, data_compression_type="NONE", weekly_maintenance_start_time="1:00:00"),
    replace(SCRATCH, kms_key_given=False, security_group_count=50),
    replace(SCRATCH, automatic_backup_retention_days=0, copy_tags_to_backups=False),
    replace(SCRATCH, deployment_type=UNKNOWN, storage_capacity_gib=UNKNOWN),
    PERSISTENT,
    replace(PERSISTENT, per_unit_storage_throughput_mbps_per_tib=1000, kms_key_given=True),
    replace(PERSISTENT, storage_capacity_gib=48_000, per_unit_storage_throughput_mbps_per_tib=500),
    replace(PERSISTENT, storage_capacity_gib=None, dataset_gib=2160, data_compression_type="LZ4"),
    EFS,
    EfsSpec(az_count=1),
    replace(EFS, az_count=16, lifecycle_days=1),
    replace(EFS, throughput_mode="provisioned", provisioned_throughput_mibps=1),
    replace(EFS, throughput_mode="provisioned", provisioned_throughput_mibps=3414.0),
    replace(EFS, throughput_mode="bursting", performance_mode="maxIO"),
    replace(EFS, one_zone_az="us-east-1a", az_count=1, backup=True),
    replace(EFS, kms_key_given=True, lifecycle_days=30),
    replace(EFS, encrypted=False, lifecycle_days=365),
    EfsSpec(existing_file_system_id="fs-0123456789abcdef0", az_count=3, kms_key_given=False),
    EfsSpec(existing_file_system_id="fs-01234567", az_count=1),
    replace(EFS, throughput_mode=UNKNOWN, provisioned_throughput_mibps=UNKNOWN),
    NEW,
    replace(NEW, availability_zone_ids=None, availability_zones=("us-east-1a",)),
    replace(NEW, region="us-gov-west-1", availability_zone_ids=("usgw1-az3",)),
    replace(NEW, region="ap-southeast-2", availability_zone_ids=("apse2-az1", "apse2-az3")),
    replace(NEW, region=None),
    replace(NEW, cidr="172.31.0.0/28", availability_zone_ids=("use1-az6",), job_instances_per_zone=4),
    replace(NEW, cidr="192.168.0.0/16", interface_endpoints=("sts", "logs", "ecr.api", "ecr.dkr")),
    replace(NEW, cidr="10.0.0.0/27"),
    replace(NEW, cidr="10.0.0.0/24", job_instances_per_zone=20),
    replace(NEW, availability_zone_ids=tuple(f"use1-az{index}" for index in range(1, 17))),
    replace(NEW, existing_security_group_ids=tuple(f"sg-0123456{index}" for index in range(5))),
    replace(NEW, cidr=UNKNOWN, availability_zone_ids=(UNKNOWN, UNKNOWN)),
    EXISTING,
    replace(EXISTING, existing_subnets=(("subnet-01234567", UNKNOWN), (UNKNOWN, "euc1-az1"))),
    replace(EXISTING, existing_vpc_id=UNKNOWN, interface_endpoints=("monitoring",)),
    LINK,
    replace(LINK, auto_import_events=("NEW", "CHANGED", "DELETED")),
    replace(LINK, auto_export_events=("NEW",), export_requested=True),
    replace(LINK, bucket=UNKNOWN, bucket_region=UNKNOWN, prefix=""),
    replace(LINK, same_account=None, auto_import_events=(), auto_export_events=()),
    LINKS,
    LinksSpec(),
    replace(
        linked({"file_system_path": "/a", "prefix": ""}, {"file_system_path": "/b", "prefix": UNKNOWN}),
        data_locations=(replace(DATA, prefix=""),),
    ),
    linked({"file_system_path": "/"}),
    linked({"file_system_path": "/ns1"}, {"file_system_path": "/ns10", "prefix": "data/img/"}),
    linked({"file_system_path": "/a", "bucket": UNKNOWN}, {"file_system_path": "/b", "bucket": UNKNOWN}),
    linked(*({"file_system_path": f"/p{index}", "prefix": f"data/p{index}/"} for index in range(8))),
    replace(LINKS, data_locations=(replace(DATA, bucket="another"), replace(DATA, prefix=""))),
    DATA,
    replace(DATA, prefix=""),
    replace(DATA, bucket="a.b-c.d", prefix="Some Set/v 1/ünï/"),
    replace(DATA, bucket="b" * 63, prefix="a/" * 512),
    replace(DATA, bucket="a-1", prefix="a" * 255 + "/"),
    replace(DATA, account=None, region=None, kms_key_arn=f"arn:aws:kms:us-east-1:111122223333:{KEY_ID}"),
    replace(DATA, bucket=UNKNOWN, region=UNKNOWN, account=UNKNOWN),
    KEY,
    PlatformKeySpec(platform_region="us-east-1"),
    replace(KEY, platform_region=UNKNOWN, platform_account=UNKNOWN),
    EPHEMERAL,
    replace(EPHEMERAL, max_file_systems=1, max_gib=1200, max_hours=1, link_count=8),
    replace(EPHEMERAL, max_file_systems=100, max_gib=100_800, max_hours=168),
    replace(EPHEMERAL, max_file_systems=UNKNOWN, max_gib=UNKNOWN, max_hours=UNKNOWN),
    IdleAlarmSpec(),
    IdleAlarmSpec(idle_alarm_hours=1),
    IdleAlarmSpec(idle_alarm_hours=168),
]

WRONG: list[tuple[Any, str]] = [
    (replace(EPHEMERAL, max_file_systems=0), "V170"),
    (replace(EPHEMERAL, max_file_systems=101), "V170"),
    (replace(EPHEMERAL, max_gib=1199), "V171"),
    (replace(EPHEMERAL, max_gib=100_801), "V171"),
    (replace(EPHEMERAL, max_gib="9600"), "V171"),
    (replace(EPHEMERAL, max_hours=0), "V172"),
    (replace(EPHEMERAL, max_hours=169), "V172"),
    (replace(EPHEMERAL, max_hours=1.5), "V172"),
    (replace(EPHEMERAL, link_count=0), "V174"),
    (EphemeralPlatformSpec(), "V170 V171 V172 V174"),
    (IdleAlarmSpec(idle_alarm_hours=0), "V173"),
    (IdleAlarmSpec(idle_alarm_hours=169), "V173"),
    (replace(INGESTION, role_name="Warehouse"), "V101"),
    (replace(INGESTION, role_name="a-name-of-17-chars"), "V101"),
    (replace(INGESTION, role_name="ware_house"), "V101"),
    (replace(INGESTION, role_name=None), "V101"),
    (OwnIngestionSpec(names=("a", "b", "c", "d", "e", "f")), "V102"),
    (replace(INGESTION, statements=()), "V103"),
    (replace(INGESTION, statements=(READS,) * 11), "V103"),
    (replace(INGESTION, statements=("redshift-data:*",)), "V103"),
    (ingesting(actions=()), "V103"),
    (ingesting(actions="glue:GetTable"), "V103"),
    (ingesting(actions=("*",)), "V103"),
    (ingesting(actions=("*:*",)), "V103"),
    (ingesting(actions=("glue:*",)), "V103"),
    (ingesting(actions=("glue:**", "glue:?*")), "V103 V103"),
    (ingesting(actions=("g*:Get",)), "V103"),
    (ingesting(actions=("glue:GetTable", "GetTable")), "V103"),
    (ingesting(actions=("iam:PassRole",)), "V104"),
    (ingesting(actions=("iam:passrole", "iam:Get*")), "V104 V104"),
    (ingesting(actions=("organizations:ListAccounts",)), "V104"),
    (ingesting(actions=("sts:Assume*",), resources=(ROLE_ELSEWHERE,)), "V104"),
    (ingesting(actions=("sts:*",), resources=(ROLE_ELSEWHERE,)), "V103 V104"),
    (ingesting(actions=("sts:AssumeRoleWithSAML",), resources=(ROLE_ELSEWHERE,)), "V104"),
    (ingesting(resources=()), "V105"),
    (ingesting(resources="*"), "V105"),
    (ingesting(resources=("*",)), "V105"),
    (ingesting(resources=("*",), reason="  "), "V105"),
    (ingesting(resources=("**",), reason="all"), "V105"),
    (ingesting(resources=("arn:aws:s3:::*",)), "V105"),
    (ingesting(resources=("arn:aws:*:*:*:*",), reason="all"), "V105"),
    (ingesting(resources=("warehouse", "arn:aws:glue:us-east-1:1:table/x")), "V105 V105"),
    (ingesting(actions=("sts:AssumeRole",), resources=("*",), reason="all"), "V105"),
    (ingesting(actions=("STS:AssumeRole",), resources=(ROLE_ELSEWHERE,)), "V103"),
    (ingesting(actions=("sts:assumerole",), resources=("arn:aws:iam::444455556666:role/*",)), "V105"),
    (ingesting(conditions=["StringEquals"]), "V106"),
    (ingesting(conditions={"StringEqual": {"aws:SourceVpc": ("vpc-1",)}}), "V106"),
    (ingesting(conditions={"NullIfExists": {"aws:SourceVpc": ("true",)}}), "V106"),
    (ingesting(conditions={"StringEquals": {}}), "V106"),
    (ingesting(conditions={"StringEquals": {"SourceVpc": ("vpc-1",)}}), "V106"),
    (ingesting(conditions={"StringEquals": {"aws:SourceVpc": ()}}), "V106"),
    (ingesting(conditions={"StringEquals": {"aws:SourceVpc": "vpc-1"}}), "V106"),
    (ingesting(conditions={"Bool": {"aws:SecureTransport": (True,)}, "No": {}}), "V106 V106"),
    (replace(SCRATCH, deployment_type="SCRATCH_1"), "V1"),
    (replace(SCRATCH, deployment_type="PERSISTENT_1"), "V1"),
    (replace(SCRATCH, deployment_type="scratch_2"), "V1"),
    (replace(SCRATCH, deployment_type=None), "V1"),
    (replace(SCRATCH, storage_capacity_gib=3600), "V2"),
    (replace(SCRATCH, storage_capacity_gib=0), "V2"),
    (replace(SCRATCH, storage_capacity_gib=-2400), "V2"),
    (replace(SCRATCH, storage_capacity_gib=600), "V2"),
    (replace(SCRATCH, storage_capacity_gib="1200"), "V2"),
    (replace(SCRATCH, storage_capacity_gib=1200.0), "V2"),
    (replace(SCRATCH, storage_capacity_gib=True), "V2"),
    (replace(SCRATCH, per_unit_storage_throughput_mbps_per_tib=200), "V3"),
    (replace(PERSISTENT, per_unit_storage_throughput_mbps_per_tib=None), "V3"),
    (replace(PERSISTENT, per_unit_storage_throughput_mbps_per_tib=200), "V3"),
    (replace(SCRATCH, kms_key_given=True), "V4"),
    (replace(SCRATCH, kms_key_given="yes"), "V4"),
    (replace(SCRATCH, storage_type="HDD"), "V5"),
    (replace(PERSISTENT, storage_type="INTELLIGENT_TIERING"), "V5"),
    (replace(SCRATCH, storage_type="HDD", drive_cache_type="READ"), "V5 V5"),
    (replace(SCRATCH, data_compression_type="GZIP"), "V6"),
    (replace(PERSISTENT, automatic_backup_retention_days=7), "V7"),
    (replace(PERSISTENT, daily_automatic_backup_start_time="05:00", copy_tags_to_backups=True), "V7 V7"),
    (replace(SCRATCH, weekly_maintenance_start_time="0:03:00"), "V8"),
    (replace(SCRATCH, weekly_maintenance_start_time="7:24:00"), "V8"),
    (replace(SCRATCH, weekly_maintenance_start_time="Sunday"), "V8"),
    (replace(SCRATCH, file_system_type_version="2.12"), "V9"),
    (replace(SCRATCH, file_system_type_version=2.15), "V9"),
    (replace(SCRATCH, file_system_type_version=None), "V9"),
    (replace(SCRATCH, subnet_count=2), "V10"),
    (replace(SCRATCH, subnet_count=0, security_group_count=51), "V10 V10"),
    (replace(SCRATCH, import_path="s3://acme/data", auto_import_policy="NEW"), "V12 V12"),
    (replace(SCRATCH, export_path="s3://acme/out", imported_file_chunk_size_mib=1024), "V12 V12"),
    (replace(SCRATCH, storage_capacity_gib=None, dataset_gib=-1), "V26"),
    (replace(SCRATCH, storage_capacity_gib=None, dataset_gib=float("nan")), "V26"),
    (replace(SCRATCH, storage_capacity_gib=None, dataset_gib="3 TB"), "V26"),
    (replace(SCRATCH, storage_capacity_gib=2400, dataset_gib=2161), "V26 V64"),
    (replace(SCRATCH, storage_capacity_gib=2400, dataset_gib=2160), "V64"),
    (replace(SCRATCH, storage_capacity_gib=None), "V64"),
    (replace(SCRATCH, backup_id="backup-0123456789abcdef0"), "V30"),
    (replace(SCRATCH, deployment_type="SCRATCH_1", storage_capacity_gib=3600, subnet_count=3), "V1 V10 V2"),
    (replace(EFS, performance_mode="fast"), "V39"),
    (replace(EFS, performance_mode="maxIO"), "V39"),
    (
        replace(EFS, performance_mode="maxIO", throughput_mode="bursting", one_zone_az="us-east-1a", az_count=1),
        "V39",
    ),
    (replace(EFS, throughput_mode="burst"), "V40"),
    (replace(EFS, throughput_mode="provisioned"), "V40"),
    (replace(EFS, throughput_mode="provisioned", provisioned_throughput_mibps=0.5), "V40"),
    (replace(EFS, throughput_mode="provisioned", provisioned_throughput_mibps=3415), "V40"),
    (replace(EFS, throughput_mode="provisioned", provisioned_throughput_mibps="100"), "V40"),
    (replace(EFS, provisioned_throughput_mibps=100), "V40"),
    (replace(EFS, encrypted=False, kms_key_given=True), "V41"),
    (replace(EFS, encrypted="true"), "V41"),
    (replace(EFS, one_zone_az="us-east-1a"), "V44"),
    (replace(EFS, one_zone_az="use1-az1", az_count=1), "V44"),
    (replace(EFS, az_count=0), "V44"),
    (replace(EFS, lifecycle_days=31), "V86"),
    (replace(EFS, lifecycle_days="30"), "V86"),
    (replace(EFS, backup="daily"), "V87"),
    (EfsSpec(existing_file_system_id="fs-0123", az_count=1), "V11"),
    (EfsSpec(existing_file_system_id="fs-01234567", az_count=1, lifecycle_days=30, backup=True), "V43 V43"),
    (EfsSpec(performance_mode="x", throughput_mode="y", az_count=0, lifecycle_days=2), "V39 V40 V44 V86"),
    (replace(NEW, cidr=None), "V77"),
    (replace(NEW, cidr="10.0.0.0/15"), "V77"),
    (replace(NEW, cidr="10.0.0.0/29"), "V77"),
    (replace(NEW, cidr="10.0.0.1/20"), "V77"),
    (replace(NEW, cidr="10.0.0.0/255.255.0.0"), "V77"),
    (replace(NEW, cidr="fd00::/20"), "V77"),
    (replace(NEW, cidr="10.0.0.0/28"), "V36"),
    (replace(NEW, cidr="10.0.0.0/26", job_instances_per_zone=5), "V36"),
    (
        replace(NEW, cidr="10.0.0.0/27", interface_endpoints=("sts", "logs", "ssm", "kms", "fsx", "states", "events")),
        "V36",
    ),
    (replace(NEW, job_instances_per_zone=0), "V36"),
    (replace(NEW, availability_zone_ids=None), "V74"),
    (replace(NEW, availability_zone_ids=()), "V74"),
    (replace(NEW, availability_zones=("us-east-1a",)), "V74"),
    (replace(NEW, availability_zone_ids=("use1-az1", "use1-az1")), "V74"),
    (replace(NEW, availability_zone_ids=None, availability_zones=("use1-az1",)), "V75"),
    (replace(NEW, availability_zone_ids=None, availability_zones="us-east-1a"), "V75"),
    (replace(NEW, availability_zone_ids=None, availability_zones=("us-east-1-atl-2a",)), "V75"),
    (replace(NEW, availability_zone_ids=("us-east-1a",)), "V76"),
    (replace(NEW, availability_zone_ids=("use1-atl2-az1", "use1-wl1-bos-wlz1")), "V76 V76"),
    (replace(NEW, availability_zone_ids=("usw2-az1", "use1-az1")), "V88"),
    (replace(NEW, availability_zone_ids=None, availability_zones=("us-west-2a",)), "V88"),
    (replace(NEW, region="Virginia"), "V88"),
    (replace(NEW, region="cn-north-1", availability_zone_ids=("cnn1-az1",)), "V90"),
    (replace(NEW, availability_zone_ids=tuple(f"use1-az{index}" for index in range(1, 18))), "V50"),
    (replace(NEW, existing_security_group_ids=tuple(f"sg-0123456{index}" for index in range(6))), "V50"),
    (replace(NEW, interface_endpoints=("s3",)), "V79"),
    (replace(NEW, interface_endpoints=("sts", "sts")), "V79"),
    (replace(NEW, interface_endpoints="sts"), "V79"),
    (replace(NEW, existing_vpc_id="vpc-01234567"), "V29 V29 V78 V78"),
    (replace(EXISTING, cidr="10.0.0.0/16"), "V29"),
    (replace(EXISTING, existing_vpc_id="vpc-xyz"), "V11"),
    (replace(EXISTING, existing_vpc_id=None), "V78"),
    (replace(EXISTING, existing_subnets=()), "V78"),
    (replace(EXISTING, existing_subnets=(("subnet-01234567", "eu-central-1a"),)), "V78"),
    (replace(EXISTING, existing_subnets=("subnet-01234567",)), "V78"),
    (replace(EXISTING, existing_subnets=(("subnet-01234567", "euc1-az1"),) * 2), "V78"),
    (replace(EXISTING, existing_subnets=(("sn-01234567", "use1-az1"),)), "V11 V88"),
    (replace(EXISTING, existing_route_table_ids=None), "V78"),
    (replace(EXISTING, existing_route_table_ids=("acl-01234567",)), "V11"),
    (replace(LINK, bucket="s3://acme-training"), "V70"),
    (replace(LINK, prefix="/data/images/"), "V13"),
    (replace(LINK, prefix="data/images"), "V13"),
    (replace(LINK, prefix="data//images/"), "V13"),
    (replace(LINK, prefix=None), "V13"),
    (replace(LINK, bucket_region="eu-west-1", auto_import_events=("NEW",)), "V20"),
    (replace(LINK, bucket_region="Ireland"), "V21"),
    (replace(LINK, auto_import_events=("CREATED",)), "V66"),
    (replace(LINK, auto_import_events=("NEW", "NEW")), "V66"),
    (replace(LINK, auto_import_events="NEW"), "V66"),
    (replace(LINK, auto_export_events=("NEW",)), "V67"),
    (replace(LINK, export_requested="yes"), "V67"),
    (replace(LINK, export_requested=True), "V67"),
    (replace(LINK, export_requested=True, auto_export_events=()), "V67"),
    (replace(LINK, same_account="no"), "V72"),
    (replace(LINKS, deployment_type="SCRATCH_1", import_path="s3://acme/data"), "V16 V16"),
    (linked(*({"file_system_path": f"/p{index}", "prefix": f"data/p{index}/"} for index in range(9))), "V17"),
    (linked({"file_system_path": "images"}), "V18"),
    (linked({"file_system_path": "/a/../b"}), "V18"),
    (linked({"file_system_path": "/ns1/"}, {"file_system_path": "/ns1/ns2", "prefix": "data/x/"}), "V18"),
    (linked({"file_system_path": "/"}, {"file_system_path": "/b", "prefix": "data/x/"}), "V18"),
    (linked({"file_system_path": "/a"}, {"file_system_path": "/b", "prefix": "data/images/cats/"}), "V18"),
    (linked({"file_system_path": "/a"}, {"file_system_path": "/a"}), "V18 V18"),
    (linked({"name": "My Link"}), "V65"),
    (LinksSpec(links="images"), "V65"),
    (replace(LINKS, links=(LINK, "labels")), "V65"),
    (linked({"name": "a"}, {"name": "a", "file_system_path": "/b", "prefix": "data/b/"}), "V65"),
    (linked({"prefix": "code/"}), "V69"),
    (linked({"bucket": "another"}), "V69"),
    (linked({"bucket": UNKNOWN, "prefix": "output/"}), "V69"),
    (replace(LINKS, data_locations=()), "V69 V69"),
    (replace(DATA, bucket="Acme"), "V70"),
    (replace(DATA, bucket="ab"), "V70"),
    (replace(DATA, bucket="10.0.0.1"), "V70"),
    (replace(DATA, bucket="xn--acme"), "V70"),
    (replace(DATA, bucket="acme--use1-az4--x-s3"), "V70"),
    (replace(DATA, bucket="acme-access-point--use1-az4--xa-s3"), "V70"),
    (replace(DATA, bucket=None), "V70"),
    (replace(DATA, prefix="data"), "V71"),
    (replace(DATA, prefix="/data/"), "V71"),
    (replace(DATA, prefix="data/*/"), "V71"),
    (replace(DATA, prefix="d" * 200 + "/" + "ü" * 200 + "/" + "e/" * 400), "V28 V71"),
    (replace(DATA, prefix=None), "V71"),
    (replace(DATA, prefix="a" * 256 + "/"), "V28"),
    (replace(DATA, prefix="data/../code/"), "V28"),
    (replace(DATA, prefix="data/a\nb/"), "V28"),
    (replace(DATA, prefix="data//images/"), "V53"),
    (replace(DATA, region="eu-west-1"), "V54"),
    (replace(DATA, region="Ireland"), "V54"),
    (replace(DATA, account=111122223333), "V72"),
    (replace(DATA, kms_key_arn="alias/data"), "V73"),
    (replace(DATA, kms_key_arn="alias/data", platform_account=UNKNOWN), "V73"),
    (replace(DATA, kms_key_arn=f"arn:aws:kms:eu-west-1:111122223333:{KEY_ID}"), "V73"),
    (replace(DATA, region=None, kms_key_arn=f"arn:aws:kms:eu-west-1:111122223333:{KEY_ID}"), "V73"),
    (replace(KEY, platform_region="eu-west-1"), "V89"),
    (replace(KEY, kms_key_arn="alias/training"), "V89"),
]

NOTED: list[tuple[Any, str, Level]] = [
    (replace(SCRATCH, storage_capacity_gib=103_200), "V38", Level.WARNING),
    (replace(SCRATCH, storage_capacity_gib=None, dataset_gib=90_721), "V38", Level.WARNING),
    (replace(LINK, bucket_region="eu-west-1"), "V21", Level.WARNING),
    (replace(LINK, auto_export_events=("NEW", "DELETED"), export_requested=True), "V68", Level.WARNING),
    (replace(LINK, same_account=False), "V72", Level.INFO),
    (replace(LINK, bucket_kms_key_arn=KEY.kms_key_arn), "V24", Level.INFO),
    (replace(KEY, platform_account="444455556666"), "V91", Level.INFO),
    (replace(DATA, account="444455556666"), "V72", Level.INFO),
    (replace(DATA, kms_key_arn=f"arn:aws:kms:us-east-1:444455556666:{KEY_ID}"), "V91", Level.INFO),
]

BROKEN: list[Any] = [*(spec for spec, _ in WRONG), *(spec for spec, _, _ in NOTED)]
# what these rules look at is never offered, or always has a condition: without a finding only where it is not given
REFUSALS = {"V12", "V24", "V30"}
ALL_RULES = [(record, each) for record, rules in RULES.items() for each in rules]


@pytest.mark.parametrize("spec", RIGHT, ids=name_of)
def test_right_settings_break_no_rule(spec: Any) -> None:
    """A setting that AWS and headrace take has no finding at all, of any level."""
    assert run_rules(RULES[type(spec)], spec) == []


@pytest.mark.parametrize(("spec", "expected"), WRONG, ids=name_of)
def test_wrong_settings_break_exactly_these_rules(spec: Any, expected: str) -> None:
    """A wrong setting has one ERROR for each mistake in it, and nothing else."""
    findings = run_rules(RULES[type(spec)], spec)
    assert sorted(each.rule_id for each in findings) == expected.split()
    assert {each.level for each in findings} == {Level.ERROR}


@pytest.mark.parametrize(("spec", "rule_id", "level"), NOTED, ids=name_of)
def test_settings_with_a_price_are_noted(spec: Any, rule_id: str, level: Level) -> None:
    """A setting that works but has a price or a condition is a WARNING or an INFO, and no ERROR."""
    assert [(each.rule_id, each.level) for each in run_rules(RULES[type(spec)], spec)] == [(rule_id, level)]


@pytest.mark.parametrize(("record", "rule"), ALL_RULES, ids=name_of)
def test_findings_carry_the_id_of_their_rule(record: type, rule: Rule[Any]) -> None:
    """A finding is suppressed and looked up by the id of the rule that made it."""
    for spec in BROKEN:
        if type(spec) is record:
            assert {each.rule_id for each in rule(spec)} <= {rule.rule_id}


def test_findings_say_what_to_do_on_one_line() -> None:
    """Every finding has its field, value, rule and fix on a single line."""
    for finding in (each for spec in BROKEN for each in run_rules(RULES[type(spec)], spec)):
        assert all((finding.field, finding.got, finding.allowed, finding.fix))
        assert len(str(finding).splitlines()) == 1


@pytest.mark.parametrize(("record", "rule"), ALL_RULES, ids=name_of)
def test_each_rule_has_wrong_and_right_rows(record: type, rule: Rule[Any]) -> None:
    """Each rule is broken by a row of the table, and kept by a row that gives something it reads."""
    assert any(type(spec) is record and any(rule(spec)) for spec in BROKEN)
    read = [name for name in rule.reads if name not in ("name", "label")]
    given = [getattr(spec, name) for spec in RIGHT if type(spec) is record for name in read]
    assert any(value not in (None, UNKNOWN, ()) for value in given) != (rule.rule_id in REFUSALS)


def test_table_is_as_large_as_promised() -> None:
    """The table has at least 60 wrong and 40 right combinations of Lustre, EFS and network, all different."""
    assert len({repr(spec) for spec, _ in WRONG}) == len(WRONG) >= 60
    assert len({repr(spec) for spec in RIGHT}) == len(RIGHT) >= 40


class Recorder:
    """A record that remembers which of its fields were read."""

    def __init__(self, spec: Any) -> None:
        self.spec, self.read = spec, set[str]()

    def __getattr__(self, name: str) -> Any:
        self.read.add(name)
        return getattr(self.spec, name)


@pytest.mark.parametrize(("record", "rule"), ALL_RULES, ids=name_of)
def test_rules_read_only_what_they_declare(record: type, rule: Rule[Any]) -> None:
    """A rule reads no field that it does not declare, so that it is skipped whenever such a field is UNKNOWN."""
    for spec in (each for each in (*RIGHT, *BROKEN) if type(each) is record):
        recorder = Recorder(spec)
        list(rule.check(recorder))
        assert recorder.read <= set(rule.reads) <= {each.name for each in fields(record)}


@pytest.mark.parametrize(("record", "rule"), ALL_RULES, ids=name_of)
def test_rules_are_skipped_where_a_field_is_unknown(record: type, rule: Rule[Any]) -> None:
    """A rule that a row breaks says nothing once any field that it reads is known at deploy time only."""
    for spec in (each for each in BROKEN if type(each) is record):
        for name in rule.reads:
            assert list(rule(replace(spec, **{name: UNKNOWN}))) == []
