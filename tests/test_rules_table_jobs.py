"""The table of right and wrong jobs: which rules each wrong one breaks, and that right ones break none.

It goes with the table of settings (test_rules_table). The module is long because it is a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import IPv4Network
from typing import Any

import pytest
from headrace.figures.instance_types import has_local_storage, local_storage_families
from headrace.roads import (
    EFS,
    LUSTRE,
    Access,
    Compression,
    Distribution,
    InputMode,
    Place,
    PortRange,
    Reach,
    RecordWrapper,
    S3DataType,
)
from headrace.rules import UNKNOWN, Level, Rule, run_rules
from headrace.rules.channel_names import CHANNEL_NAME_RULES
from headrace.rules.channels import CHANNEL_RULES, ChannelSpec
from headrace.rules.job import JOB_RULES, GroupSpec, JobSpec
from headrace.rules.job_code import CODE_RULES, MARK_RULES
from headrace.rules.job_limits import LIMIT_RULES
from headrace.rules.launch import LAUNCH_RULES, NAMING_RULES, LaunchSpec, NamingSpec
from headrace.rules.live_network import NETWORK_RULES
from headrace.rules.location_paths import PATH_RULES
from headrace.rules.locations import BYTES_PER_GB, DATA_RULES, DataSpec, LocationSpec, ObjectSpec
from headrace.rules.lookups import LOOKUP_RULES, LookupSpec
from headrace.rules.network_facts import (
    AclEntry,
    AclFacts,
    FileSystemSpec,
    GroupFacts,
    Interface,
    LinkFacts,
    NetworkSpec,
    Opening,
    SubnetFacts,
)
from headrace.rules.placement import ZONES_RULES, PinSpec, ZonesSpec
from headrace.rules.platform_roads import LINK_RULES, ROLE_RULES, LinkSpec, RoleSpec
from headrace.rules.s3_location import LOCATION_RULES, WrittenLocation
from headrace.service_model import installed
from moto.ec2.models.instance_types import INSTANCE_TYPES

RULES: dict[type, Sequence[Rule[Any]]] = {
    ChannelSpec: CHANNEL_RULES,
    LinkSpec: LINK_RULES,
    RoleSpec: ROLE_RULES,
    JobSpec: (*CHANNEL_NAME_RULES, *JOB_RULES, *LIMIT_RULES, *CODE_RULES, *MARK_RULES),
    NamingSpec: NAMING_RULES,
    WrittenLocation: LOCATION_RULES,
    ZonesSpec: ZONES_RULES,
    LaunchSpec: LAUNCH_RULES,
    DataSpec: (*DATA_RULES, *PATH_RULES),
    NetworkSpec: NETWORK_RULES,
    LookupSpec: LOOKUP_RULES,
}

S3 = ChannelSpec(name="train", places=(Place.S3,))
FAST = replace(S3, input_mode=InputMode.FAST_FILE)
PIPE = replace(S3, input_mode=InputMode.PIPE)
ON_LUSTRE = ChannelSpec(name="train", places=(Place.LUSTRE,))
ON_EFS = ChannelSpec(name="train", places=(Place.EFS,), directory="/digits")
AUGMENTED = replace(
    PIPE,
    options={
        "data_type": S3DataType.AUGMENTED_MANIFEST_FILE,
        "attribute_names": ["source-ref", "label"],
        "record_wrapper": RecordWrapper.RECORD_IO,
    },
)
NAMED = LinkSpec(field="channels.train", platform="dev", link="data", uses_efs=True, links=("data",), has_efs=True)
ROLES = RoleSpec(platform="dev", reach=Reach.S3, reaches=(Reach.S3,), ingestion_roles=("warehouse",))
KEY = ("volume_kms_key", "arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab")
JOB = JobSpec(
    channels=(("train", ()), ("code", ())), instance_type="ml.m5.large", instance_count=1, max_runtime_seconds=3600
)
CODED = replace(JOB, entry_point="t.py", source_dir="src")
GROUPS = (
    GroupSpec(name="gpu", instance_type="ml.p3.2xlarge", instance_count=2),
    GroupSpec(name="cpu", instance_type="ml.c5.xlarge", instance_count=1),
)
CLUSTER = replace(JOB, instance_type=None, groups=GROUPS, channels=(("train", ("gpu",)),))
SPOT = replace(JOB, is_spot=True, max_wait_seconds=7200, has_checkpoints=True)
ZONES = ZonesSpec(platform_az_ids=("use1-az1", "use1-az2", "use1-az3"))
ON_1 = PinSpec(channel="images", by="FSx for Lustre", az_ids=frozenset({"use1-az1"}))
ON_1_2 = PinSpec(channel="labels", by="EFS", az_ids=frozenset({"use1-az1", "use1-az2"}))
ON_2_3 = PinSpec(channel="labels", by="EFS", az_ids=frozenset({"use1-az2", "use1-az3"}))
LAUNCH = LaunchSpec(
    job_name="headrace-dev-x",
    job_name_prefix="headrace-dev-",
    written=(("output", "s3://lake/output", "output/"), ("checkpoints.s3", "s3://lake/checkpoints/x/", "checkpoints/")),
    bucket="lake",
    role_arn="arn:aws:iam::111111111111:role/r",
    has_own_role=False,
    image="111111111111.dkr.ecr.eu-west-1.amazonaws.com/x:1",
    request_violations=(),
    names_in_use=(),
    role_exists=True,
    image_exists=True,
)
OBJECTS = (ObjectSpec(key="data/x/", size_bytes=0), *(ObjectSpec(key=f"data/x/{n}", size_bytes=9) for n in range(4)))
PLACE = LocationSpec(
    field="channels.train.s3",
    bucket="lake",
    prefix="data/x/",
    is_readable=True,
    is_copied=True,
    bucket_region="eu-west-1",
    objects=OBJECTS,
    are_all=True,
)
LINKED = replace(PLACE, field="channels.train.lustre", is_copied=False, is_linked=True)
MANIFEST = replace(
    PLACE,
    prefix="data/x.manifest",
    is_one_object=True,
    is_copied=False,
    objects=(ObjectSpec(key="data/x.manifest", size_bytes=2),),
)
DATA = DataSpec(
    region="eu-west-1",
    locations=(PLACE, LINKED, MANIFEST),
    readable_locations=("s3://lake/data/",),
    has_own_role=False,
    volume_size_gb=30,
    instance_types=("ml.m5.large",),
)
PREFIX_LIST = frozenset({"pl-1"})
OPEN = (Opening(ports=PortRange(0, 65_535), groups=frozenset({"sg-job", "sg-lustre", "sg-efs"})),)
SUBNETS = tuple(
    SubnetFacts(
        subnet_id=f"subnet-{zone}",
        az_id=f"use1-az{zone}",
        vpc_id="vpc-1",
        cidr=IPv4Network(f"10.0.{zone}.0/24"),
        free_addresses=250,
        reaches_s3=True,
    )
    for zone in (1, 2)
)
GROUP = GroupFacts(group_id="sg-job", vpc_id="vpc-1", inbound=OPEN, outbound=OPEN)
LUSTRE_GROUP, EFS_GROUP = replace(GROUP, group_id="sg-lustre"), replace(GROUP, group_id="sg-efs")
ANYBODY = {
    "Effect": "Allow",
    "Principal": {"AWS": "*"},
    "Action": ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
    "Condition": {"Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"}},
}
ONLY_TLS = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def interface(zone: int, *groups: str, subnet_id: str | None = None) -> Interface:
    """An interface with address 7 of the zone's subnet."""
    return Interface(
        az_id=f"use1-az{zone}",
        subnet_id=subnet_id or f"subnet-{zone}",
        groups=frozenset(groups),
        network=IPv4Network(f"10.0.{zone}.7/32"),
    )


CLOSED = interface(2, "sg-closed")
LUSTRE_FACTS = FileSystemSpec(
    field="channels.images.lustre",
    file_system_id="fs-1",
    road=LUSTRE.name,
    ports=LUSTRE.ports,
    answers=LUSTRE.answers,
    exists=True,
    vpc_id="vpc-1",
    usable_az_ids=frozenset({"use1-az1"}),
    recorded_mount_name="abcd1234",
    mount_name="abcd1234",
    interfaces=(interface(1, "sg-lustre"),),
    links=(LinkFacts(field="channels.images.lustre", path="/data", uri="s3://lake/data", lifecycle="AVAILABLE"),),
)
EFS_FACTS = FileSystemSpec(
    field="channels.labels.efs",
    file_system_id="fs-2",
    road=EFS.name,
    ports=EFS.ports,
    answers=EFS.answers,
    exists=True,
    lifecycle="available",
    vpc_id="vpc-1",
    usable_az_ids=frozenset({"use1-az1", "use1-az2"}),
    interfaces=(interface(1, "sg-efs"), interface(2, "sg-efs")),
    policy={"Statement": ANYBODY},
)
NETWORK = NetworkSpec(
    vpc_id="vpc-1",
    requested_subnet_ids=("subnet-1",),
    subnets=SUBNETS[:1],
    job_group_id="sg-job",
    groups=(GROUP, LUSTRE_GROUP, EFS_GROUP),
    instance_count=4,
    instance_types=("ml.m5.large", "ml.g5.xlarge"),
    offered=frozenset({("m5.large", "use1-az1"), ("g5.xlarge", "use1-az1")}),
    has_dns_hostnames=True,
    file_systems=(LUSTRE_FACTS, EFS_FACTS),
)


def said(spec: ChannelSpec, **options: Any) -> ChannelSpec:
    """The channel, which says this too."""
    return replace(spec, options={**spec.options, **options})


def at(place: LocationSpec, **changes: Any) -> DataSpec:
    """A job that reads one place."""
    return replace(DATA, locations=(replace(place, **changes),))


def holding(*keys: str, **changes: Any) -> DataSpec:
    """A job whose prefix holds objects of these keys, one byte each."""
    return at(PLACE, objects=tuple(ObjectSpec(key=key, size_bytes=1) for key in keys), **changes)


def mounting(spec: FileSystemSpec, **changes: Any) -> NetworkSpec:
    """A job that mounts one file system."""
    return replace(NETWORK, file_systems=(replace(spec, **changes),))


def in_both_zones(inbound: tuple[Opening, ...]) -> NetworkSpec:
    """A job in two zones that mounts the EFS, whose group has these rules."""
    groups = (GROUP, replace(EFS_GROUP, inbound=inbound))
    return replace(NETWORK, subnets=SUBNETS, file_systems=(EFS_FACTS,), groups=groups, offered=UNKNOWN)


def with_groups(*groups: GroupFacts) -> NetworkSpec:
    """The network with these groups in place of those of the same id."""
    other = {each.group_id: each for each in (*NETWORK.groups, *groups)}
    return replace(NETWORK, groups=tuple(other.values()))


def over_acl(inbound: str, outbound: str = "allow 0-65535 10.0.0.0/8", *, of: str = "subnet-1") -> NetworkSpec:
    """The network with the Lustre in another subnet, and a network ACL: entries as ``deny 988-988 10.0.0.0/8``."""

    def entries(text: str) -> tuple[AclEntry, ...]:
        parts = [each.split() for each in text.split(", ")]
        ranges = [PortRange(*(int(port) for port in ports.split("-"))) for _, ports, _ in parts]
        return tuple(
            AclEntry(allows=verb == "allow", ports=ports, network=IPv4Network(network))
            for (verb, _, network), ports in zip(parts, ranges, strict=True)
        )

    acl = AclFacts(acl_id="acl-1", subnet_ids=frozenset({of}), inbound=entries(inbound), outbound=entries(outbound))
    lustre = replace(LUSTRE_FACTS, interfaces=(interface(1, "sg-lustre", subnet_id="subnet-data"),))
    return replace(NETWORK, file_systems=(lustre,), acls=(acl,))


def opened(*ports: tuple[int, int], groups: Sequence[str] = (), networks: Sequence[str] = ()) -> tuple[Opening, ...]:
    """Openings of these ports to these groups and networks."""
    peers = {"groups": frozenset(groups), "networks": tuple(IPv4Network(each) for each in networks)}
    return tuple(Opening(ports=PortRange(*each), **peers) for each in ports)


RIGHT: list[Any] = [
    S3,
    FAST,
    PIPE,
    replace(S3, input_mode=InputMode.FILE),
    said(S3, data_type=S3DataType.MANIFEST_FILE, distribution=Distribution.SHARDED_BY_S3_KEY, content_type="a/b"),
    said(PIPE, compression=Compression.GZIP, record_wrapper=RecordWrapper.RECORD_IO, shuffle_seed=0),
    said(FAST, instance_groups=["gpu"]),
    AUGMENTED,
    said(AUGMENTED, attribute_names=[f"a{index}" for index in range(16)]),
    ON_LUSTRE,
    replace(ON_LUSTRE, input_mode=InputMode.FILE, directory="a/b c/ünï"),
    said(ON_LUSTRE, access=Access.READ_WRITE, path="a/b"),
    ON_EFS,
    replace(ON_EFS, directory="/"),
    said(ON_EFS, access=Access.READ_ONLY, content_type="x/y"),
    NAMED,
    LinkSpec(field="channels.train", platform="dev", links=None, has_efs=False),
    ROLES,
    replace(ROLES, reach=Reach.BOTH, ingestion_role="warehouse"),
    JOB,
    replace(JOB, channels=tuple((f"c{index}", ()) for index in range(20))),
    replace(JOB, channels=(), has_own_ingestion=True),
    replace(JOB, channels=(("a", ()), ("a_x", ()), ("b_0", ()), ("...", ())), pipe_channels=("a",)),
    replace(JOB, has_own_ingestion=True),
    replace(JOB, instance_count=2, sharded_channels=("train",)),
    replace(JOB, keep_alive_seconds=0),
    replace(JOB, has_volume_key=True),
    replace(JOB, is_isolated=True),
    replace(JOB, retry_instance_types=("ml.m5.xlarge", "ml.m4.xlarge"), retry_az_ids=("use1-az2", "use1-az1")),
    SPOT,
    replace(SPOT, max_wait_seconds=3600),
    replace(SPOT, max_runtime_seconds=86_400, max_wait_seconds=90_000),
    replace(JOB, max_runtime_seconds=28 * 86_400),
    replace(JOB, checkpoint_path="/opt/ml/checkpoints"),
    replace(JOB, checkpoint_path="/opt/ml/input_checkpoints/x"),
    replace(JOB, region="eu-west-1", image="111111111111.dkr.ecr.eu-west-1.amazonaws.com/x:1", keys=(KEY,)),
    replace(JOB, region="eu-west-1", image="x:1", keys=(("volume_kms_key", "alias/dkr.ecr.us-east-1."),)),
    replace(JOB, hyperparameters=("headrace_dataset", "epochs")),
    replace(JOB, hyperparameters=("dataset",), has_own_ingestion=True, ingestion_role="warehouse"),
    CLUSTER,
    replace(CLUSTER, retry_az_ids=("use1-az1",), sharded_channels=("train",), keep_alive_seconds=0),
    ZONES,
    replace(ZONES, wanted_az_ids=("use1-az3",), retry_az_ids=("use1-az3",)),
    replace(ZONES, pins=(ON_1, ON_1_2)),
    replace(ZONES, pins=(ON_1_2, ON_2_3), wanted_az_ids=("use1-az2", "use1-az1")),
    CODED,
    replace(CODED, dependencies=("a.py",), tag_keys=("team", "headrace"), metric_regexes=("a=([0-9.]+)",)),
    replace(JOB, command=("sh",)),
    NamingSpec("any name: the model judges it", None, 30),
    NamingSpec(None, "a" * 30, 30),
    WrittenLocation("output", "s3://lake"),
    WrittenLocation("output", "output/x"),
    LAUNCH,
    replace(LAUNCH, role_exists=False, role_arn=""),
    replace(LAUNCH, names_in_use=UNKNOWN, role_exists=UNKNOWN, image_exists=UNKNOWN),
    replace(LAUNCH, has_own_role=True, job_name="digits", written=(("output", "s3://other/x", "output/"),)),
    replace(LAUNCH, written=(("output", "s3://lake/output/a/b", "output/"),)),
    DATA,
    at(PLACE, bucket_region=UNKNOWN, objects=UNKNOWN),
    at(LINKED, bucket_region="us-east-1"),
    at(PLACE, shares=4),
    at(PLACE, shares=5, are_all=False),
    at(MANIFEST, shares=5),
    replace(at(PLACE, is_readable=False), has_own_role=True),
    holding("data/x/a", "data/x/ab", "data/x/a.b/c", "data/x/ünï côde/1"),
    at(PLACE, objects=(ObjectSpec(key="data/x/1", size_bytes=9, storage_class="GLACIER_IR"),)),
    at(PLACE, objects=(ObjectSpec(key="data/x/1", size_bytes=27 * BYTES_PER_GB),)),
    at(PLACE, is_copied=False, objects=(ObjectSpec(key="data/x/1", size_bytes=99 * BYTES_PER_GB),)),
    *(
        replace(at(PLACE, objects=(ObjectSpec(key="data/x/1", size_bytes=99 * BYTES_PER_GB),)), instance_types=types)
        for types in (("ml.g5.xlarge",), ("ml.p6-b300.48xlarge", "ml.g7.2xlarge"))
    ),
    at(PLACE, is_copied=False, is_mounted=True),
    at(PLACE, is_copied=False, is_mounted=True, prefix="", objects=UNKNOWN),
    at(PLACE, prefix="data/x"),
    holding("data/x//1", "data/x/../2", "data/x/a", "data/x/a/b", is_copied=False, is_piped=True),
    LookupSpec(denied=()),
    at(PLACE, shares=2, objects=(*(ObjectSpec(key=f"data/x/{n}", size_bytes=27 * BYTES_PER_GB) for n in range(2)),)),
    NETWORK,
    replace(NETWORK, offered=UNKNOWN),
    replace(NETWORK, file_systems=(), groups=(GROUP,)),
    replace(
        NETWORK,
        file_systems=(EFS_FACTS,),
        requested_subnet_ids=("subnet-1", "subnet-2"),
        subnets=SUBNETS,
        offered=UNKNOWN,
    ),
    replace(NETWORK, subnets=(replace(SUBNETS[0], free_addresses=8, reaches_s3=UNKNOWN),)),
    replace(NETWORK, groups=UNKNOWN, acls=UNKNOWN, has_dns_hostnames=UNKNOWN),
    replace(NETWORK, file_systems=(), has_dns_hostnames=False),
    mounting(EFS_FACTS, interfaces=UNKNOWN, policy=UNKNOWN),
    mounting(LUSTRE_FACTS, links=UNKNOWN),
    mounting(EFS_FACTS, interfaces=(interface(1, "sg-efs"), interface(2, "sg-closed"))),
    mounting(EFS_FACTS, policy=None),
    mounting(EFS_FACTS, policy={"Statement": [ANYBODY, {**ONLY_TLS, "Action": "elasticfilesystem:ClientRootAccess"}]}),
    mounting(EFS_FACTS, policy={"Statement": [ANYBODY, {**ONLY_TLS, "Principal": {"AWS": "arn:aws:iam::1:root"}}]}),
    mounting(
        EFS_FACTS,
        policy={"Statement": [ANYBODY, {**ONLY_TLS, "Condition": {"BoolIfExists": {"aws:SecureTransport": ["true"]}}}]},
    ),
    in_both_zones(opened((2049, 2049), networks=["10.0.1.0/24"]) + opened((0, 65_535), networks=["10.0.2.0/24"])),
    in_both_zones(opened((2049, 2049), networks=["10.0.1.0/25", "10.0.2.0/24", "10.0.1.128/25"])),
    over_acl("allow 0-65535 10.0.0.0/8, deny 0-65535 0.0.0.0/0"),
    over_acl("deny 22-22 0.0.0.0/0, deny 988-988 10.9.0.0/16, allow 0-65535 10.0.0.0/8"),
    over_acl("deny 988-988 10.0.1.128/25, allow 0-65535 10.0.0.0/8", of="subnet-data"),
    over_acl("deny 0-65535 0.0.0.0/0", "deny 0-65535 0.0.0.0/0", of="subnet-9"),
    replace(over_acl("deny 0-65535 0.0.0.0/0", "deny 0-65535 0.0.0.0/0"), file_systems=(LUSTRE_FACTS,)),
    mounting(LUSTRE_FACTS, lifecycle="UPDATING"),
    mounting(LUSTRE_FACTS, links=(replace(LUSTRE_FACTS.links[0], lifecycle="UPDATING"),)),
    with_groups(replace(LUSTRE_GROUP, inbound=opened((988, 988), (1018, 1020), (1021, 1023), groups=["sg-job"]))),
    with_groups(
        replace(
            GROUP,
            inbound=opened((988, 988), (1018, 1023), networks=["10.0.1.0/24"]),
            outbound=opened((988, 1023), (2049, 2049), groups=["sg-lustre", "sg-efs"]),
        ),
        replace(EFS_GROUP, inbound=opened((2049, 2049), networks=["10.0.0.0/16"]), outbound=()),
    ),
]

WRONG: list[tuple[Any, str, str]] = [
    (replace(S3, places=()), "V107", "exactly one of s3, lustre, efs"),
    (replace(S3, places=(Place.S3, Place.EFS)), "V107", "'s3, efs'"),
    (replace(ON_LUSTRE, input_mode=InputMode.PIPE), "V108", "File with lustre"),
    (replace(ON_EFS, input_mode=InputMode.FAST_FILE), "V108", "leave input_mode out: EFS"),
    (said(FAST, data_type=S3DataType.MANIFEST_FILE), "V109", "input_mode: File or Pipe"),
    (said(FAST, data_type=S3DataType.AUGMENTED_MANIFEST_FILE), "V109", "input_mode: Pipe"),
    (said(S3, data_type=S3DataType.AUGMENTED_MANIFEST_FILE), "V109", "S3Prefix, ManifestFile in File mode"),
    (said(S3, compression=Compression.GZIP), "V110", "compression on S3 Pipe"),
    (said(FAST, record_wrapper=RecordWrapper.RECORD_IO), "V110", "record_wrapper on S3 Pipe"),
    (said(S3, access=Access.READ_WRITE), "V110", "access on FSx for Lustre, EFS"),
    (said(ON_EFS, path="a"), "V110", "path on FSx for Lustre"),
    (said(ON_EFS, shuffle_seed=3), "V110", "shuffle_seed on S3 File, S3 FastFile, S3 Pipe"),
    (said(ON_LUSTRE, distribution=Distribution.SHARDED_BY_S3_KEY, instance_groups=["a"]), "V110 V110", "takes FSx"),
    (said(ON_LUSTRE, data_type=S3DataType.S3_PREFIX), "V110", "data_type on S3"),
    (said(PIPE, attribute_names=["a"]), "V111", "data_type: AugmentedManifestFile"),
    (said(AUGMENTED, attribute_names=[]), "V111", "1 to 16"),
    (said(AUGMENTED, attribute_names=[f"a{index}" for index in range(17)]), "V111", "1 to 16"),
    (said(AUGMENTED, attribute_names=["a", "a"]), "V111", "different members"),
    (replace(ON_EFS, directory="digits"), "V114", "fix: /digits"),
    (replace(ON_EFS, directory=""), "V114", "begins with '/'"),
    (replace(ON_EFS, directory="/a//b"), "V114", "no '//'"),
    (replace(ON_EFS, directory="/a/../b"), "V114", "no directory named . or .."),
    (replace(ON_LUSTRE, directory="/digits"), "V114", "fix: digits"),
    (replace(ON_LUSTRE, directory="a\nb"), "V114", "no control characters"),
    (replace(ON_LUSTRE, directory="x" * 256), "V114", "255 bytes"),
    (replace(NAMED, links=None), "V124", "no Lustre file system"),
    (replace(NAMED, links=None, has_machines=True), "V124", "headrace train --ephemeral, which makes one for the job"),
    (replace(NAMED, link="dat"), "V124", "allowed: a link of the platform's Lustre: data"),
    (replace(NAMED, links=()), "V124", "it has none"),
    (replace(NAMED, has_efs=False), "V125", "no EFS"),
    (
        replace(ROLES, reach=Reach.FILE_SYSTEMS),
        "V129",
        "needs the role file_systems'; allowed: the roles of platform dev: s3",
    ),
    (replace(ROLES, ingestion_role="lake"), "V129", "an ingestion role of platform dev: warehouse"),
    (replace(ROLES, ingestion_role="lake", ingestion_roles=()), "V129", "it has none"),
    (replace(JOB, channels=()), "V51", "fix: name a channel, or say own_ingestion"),
    (replace(JOB, channels=tuple((f"c{index}", ()) for index in range(21))), "V51", "21 channels"),
    (replace(JOB, channels=(("train", ()), ("train", ()))), "V115", "2 channels"),
    (replace(JOB, channels=(("..", ()),)), "V115", "channels... is '..'; allowed: the name of a folder"),
    (replace(JOB, channels=((".", ()),)), "V115", "allowed: the name of a folder"),
    (replace(JOB, channels=(("a_b", ()), ("a_b_0", ())), pipe_channels=("a_b",)), "V115", "FIFO of an epoch"),
    (replace(SPOT, max_wait_seconds=3599), "V55", "at least max_runtime_seconds, 3600"),
    (replace(SPOT, max_wait_seconds=None), "V55", "not given"),
    (replace(JOB, max_wait_seconds=7200), "V55", "with Spot only"),
    (replace(SPOT, has_checkpoints=False, max_runtime_seconds=3601), "V116", "checkpoints"),
    (replace(JOB, keep_alive_seconds=3601), "V56", "0 to 3600"),
    (replace(JOB, keep_alive_seconds=-1), "V56", "0 to 3600"),
    (replace(SPOT, keep_alive_seconds=60), "V56", "no warm pool with Spot"),
    (replace(CLUSTER, keep_alive_seconds=60), "V56", "no warm pool with Spot or instance groups"),
    (replace(JOB, instance_type=None), "V117", "either instance_type"),
    (replace(CLUSTER, instance_type="ml.m5.large"), "V117", "give one of the two"),
    (replace(CLUSTER, groups=(*GROUPS, GROUPS[0])), "V117", "a name of its own"),
    (replace(CLUSTER, instance_count=7), "V117", "each group has its own"),
    (replace(JOB, instance_count=0), "V141", "instance_count is 0"),
    (replace(CLUSTER, groups=(replace(GROUPS[0], instance_count=0),)), "V141", "instance_groups.gpu.instance_count"),
    (replace(JOB, max_runtime_seconds=28 * 86_400 + 1), "V142", "fix: max_runtime_seconds: 2419200"),
    (replace(SPOT, max_wait_seconds=8_640_000), "V142", "spot.max_wait_seconds is 8640000"),
    (replace(SPOT, max_runtime_seconds=28 * 86_400 - 60), "V55", "fix: max_wait_seconds: 2419200"),
    (replace(JOB, checkpoint_path="ckpt"), "V143", "absolute path"),
    (replace(JOB, checkpoint_path="/opt/ml/input/data/train"), "V143", "/opt/ml/input"),
    (replace(JOB, checkpoint_path="/opt/ml/x/../model"), "V143", "fix: leave it out"),
    (replace(JOB, checkpoint_path="/opt/ml"), "V143", "neither above nor below"),
    (replace(JOB, checkpoint_path=""), "V143", "''"),
    (
        replace(JOB, region="us-east-1", image="111111111111.dkr.ecr.eu-west-1.amazonaws.com/x:1", keys=(KEY,)),
        "V144 V144",
        "a key in the job's Region, us-east-1",
    ),
    (
        replace(JOB, has_own_ingestion=True, hyperparameters=("x", "headrace_dataset_version")),
        "V145",
        "hyperparameters.headrace_dataset_version",
    ),
    (
        replace(CLUSTER, groups=tuple(replace(GROUPS[0], name=f"g{n}") for n in range(6)), channels=JOB.channels),
        "V117",
        "5 groups",
    ),
    (replace(CLUSTER, channels=(("train", ("tpu",)),)), "V118", "gpu, cpu"),
    (replace(JOB, channels=(("train", ("gpu",)),)), "V118", "no groups"),
    (replace(JOB, has_volume_key=True, instance_type="ml.g5.xlarge"), "V119", "ml.g5.xlarge"),
    (replace(JOB, has_volume_key=True, instance_type="ml.p6-b300.48xlarge"), "V119", "ml.p6-b300.48xlarge"),
    (replace(JOB, has_volume_key=True, retry_instance_types=("ml.p4d.24xlarge",)), "V119", "ml.p4d.24xlarge"),
    (replace(JOB, is_isolated=True, has_own_ingestion=True), "V120", "network_isolation"),
    (replace(JOB, retry_instance_types=("ml.m5.large",)), "V121", "ml.m5.large"),
    (replace(JOB, retry_az_ids=("use1-az1", "use1-az1")), "V121", "capacity_retry.availability_zone_ids"),
    (replace(CLUSTER, retry_instance_types=("ml.m5.large",)), "V121", "retry over zones"),
    (replace(ZONES, wanted_az_ids=("use1-az9", "use1-az1")), "V123", "use1-az9"),
    (replace(ZONES, wanted_az_ids=("us-east-1a",)), "V123", "use1-az1, use1-az2, use1-az3"),
    (replace(ZONES, pins=(ON_1, ON_2_3)), "V35", "channels.labels is pinned to use1-az2, use1-az3 by EFS"),
    (replace(ZONES, pins=(ON_1_2,), wanted_az_ids=("use1-az3",)), "V35", "fix: name use1-az1 or use1-az2; or no"),
    (replace(ZONES, pins=(replace(ON_1_2, az_ids=frozenset()),)), "V35", "pinned to no zone by EFS"),
    (replace(LAUNCH, job_name="digits"), "V59", "fix: headrace-dev-digits"),
    (replace(LAUNCH, role_exists=False), "V82", "role/r'; allowed: a role that exists; this is the platform's own"),
    (replace(LAUNCH, role_exists=False, has_own_role=True), "V82", "leave it out for the platform's role"),
    (replace(LAUNCH, role_exists=False, has_own_role=True, role_arn=""), "V82", "role_arn is ''"),
    (replace(LAUNCH, image_exists=False, image=""), "V83", "image is ''"),
    (replace(LAUNCH, image_exists=False), "V83", "push the image"),
    (replace(LAUNCH, names_in_use=("headrace-dev-x",)), "V84", "base_job_name"),
    (
        replace(LAUNCH, names_in_use=("headrace-dev-x", "headrace-dev-x-2")),
        "V84 V84",
        "x-2'; allowed: a name that no job",
    ),
    (
        replace(LAUNCH, request_violations=(("RoleArn", "'x'", "a pattern"),)),
        "V85",
        "role_arn is 'x'; allowed: a pattern; fix: change role_arn accordingly (RoleArn of the request)",
    ),
    (replace(LAUNCH, request_violations=(("Tags[0].Value", "300 long", "0 to 256"),)), "V85", "tags is 300 long"),
    (replace(LAUNCH, request_violations=(("HyperParameters key 'x'", "long", "256"),)), "V85", "hyperparameters is"),
    (replace(LAUNCH, request_violations=(("Environment.A", "long", "512"),)), "V85", "environment is long"),
    (replace(LAUNCH, request_violations=(("TagsX", "unknown", "Tags"),)), "V85", "TagsX is unknown"),
    (NamingSpec(None, None, 30), "V135", "exactly one of job_name and base_job_name"),
    (NamingSpec("x", "y", 30), "V135", "x beside base_job_name y"),
    (NamingSpec(None, "a b", 30), "V135", "letters, digits and hyphens"),
    (NamingSpec(None, "", 30), "V135", "up to 30 characters"),
    (NamingSpec(None, "a" * 31, 30), "V135", "shorten it"),
    (WrittenLocation("output", "https://lake/x"), "V134", "output is 'https://lake/x'; allowed: s3://bucket/prefix"),
    (WrittenLocation("output", "s3://Lake/x"), "V134", "for the bucket's name: 3 to 63 lower-case letters"),
    (WrittenLocation("output", "s3://lake//x"), "V134", "does not begin with '/'"),
    (WrittenLocation("output", "/x"), "V134", "does not begin with '/'"),
    (replace(JOB, entry_point="t.py"), "V136", "fix: give source_dir, too"),
    (replace(JOB, source_dir="src"), "V136", "fix: give entry_point, too"),
    (replace(JOB, dependencies=("a.py",)), "V136", "fix: give source_dir and entry_point, too"),
    (replace(CODED, command=("x",)), "V136", "exclude each other"),
    (
        replace(CODED, code_problems=(("source_dir", "'src'", "a folder", "make it"),)),
        "V137",
        "is 'src'; allowed: a folder",
    ),
    (replace(CODED, channels=(("code", ()), ("code", ()))), "V115", "source_dir travels in this one"),
    (replace(JOB, tag_keys=("team", "aws:x", "headrace:platform")), "V138", "['aws:x', 'headrace:platform']"),
    (replace(JOB, tag_keys=("AWS:x",)), "V138", "name them otherwise"),
    (replace(JOB, metric_regexes=("(a)", "a=.*")), "V139", "metric_definitions.1.regex is 'a=.*'"),
    (replace(JOB, metric_regexes=("(",)), "V139", "this is none: missing )"),
    (replace(LAUNCH, written=(("output", "s3://other/output", "output/"),)), "V127", "below s3://lake/output/"),
    (replace(LAUNCH, written=(("output", "s3://lake/outputs", "output/"),)), "V127", "role_arn"),
    (replace(LAUNCH, written=(("checkpoints.s3", "s3://lake/output/x", "checkpoints/"),)), "V127", "checkpoints.s3"),
    (at(PLACE, bucket_region=None, objects=UNKNOWN), "V19", "create bucket 'lake'"),
    (at(PLACE, bucket_region="us-east-1"), "V54", "launch in us-east-1"),
    (at(PLACE, objects=()), "V80", "s3://lake/data/x/"),
    (at(PLACE, objects=OBJECTS[:1]), "V80", "at least one object"),
    (at(MANIFEST, objects=()), "V80", "headrace manifest create"),
    (at(MANIFEST, objects=(ObjectSpec(key="data/x.manifest.old", size_bytes=2),)), "V80", "a manifest that exists"),
    (at(PLACE, is_readable=False), "V81", "below s3://lake/data/"),
    (at(LINKED, objects=()), "V48", "the link shows what lies there in S3"),
    (at(PLACE, shares=5), "V126", "4 object(s) for 5 instances"),
    (holding("data/x//1"), "V53", "no '//' in a key"),
    (holding("data/x/../1", "data/x/./2"), "V53", "no directory named"),
    (holding("data/x/a\tb"), "V53", "no control characters"),
    (holding("data/x/" + "é" * 128), "V53", "255 bytes"),
    (at(PLACE, prefix="data/../x/", objects=UNKNOWN), "V53", "no directory named"),
    (at(LINKED, prefix="data//x/", objects=UNKNOWN), "V53", "no '//'"),
    (holding("data/x/a", "data/x/a/b"), "V130", "'data/x/a'"),
    (holding("data/x/a/b/c", "data/x/a/b"), "V130", "also the folder"),
    (at(PLACE, objects=(ObjectSpec(key="data/x/1", size_bytes=1, storage_class="GLACIER"),)), "V27", "GLACIER"),
    (at(LINKED, objects=(ObjectSpec(key="data/x/1", size_bytes=1, storage_class="DEEP_ARCHIVE"),)), "V27", "restore"),
    (at(PLACE, objects=(ObjectSpec(key="data/x/1", size_bytes=28 * BYTES_PER_GB),)), "V52", "volume_size_gb: 31"),
    (
        replace(
            at(PLACE, objects=(ObjectSpec(key="data/x/1", size_bytes=28 * BYTES_PER_GB),)),
            instance_types=("ml.m5.large", "ml.g5.xlarge"),
        ),
        "V52",
        "volume_size_gb: 31",
    ),
    (
        at(PLACE, is_mounted=True, prefix="data/x", objects=(*OBJECTS, ObjectSpec(key="data/x.txt", size_bytes=1))),
        "V140",
        "which also begins 'data/x.txt'; allowed: a prefix that ends with '/'",
    ),
    (
        at(PLACE, is_mounted=True, prefix="data/x/1", objects=(ObjectSpec(key="data/x/1", size_bytes=1),)),
        "V140",
        "fix: data/x/1/ (or File mode)",
    ),
    (
        at(PLACE, are_all=False, objects=(ObjectSpec(key="data/x/1", size_bytes=40 * BYTES_PER_GB),)),
        "V52",
        "44 GB or more",
    ),
    (replace(NETWORK, requested_subnet_ids=("subnet-1", "subnet-9")), "V128", "subnet-9"),
    (replace(NETWORK, job_group_id="sg-9", file_systems=()), "V128", "sg-9"),
    (replace(NETWORK, groups=(replace(GROUP, vpc_id="vpc-2"), *NETWORK.groups[1:])), "V128", "sg-job"),
    (replace(NETWORK, subnets=(replace(SUBNETS[0], free_addresses=7),)), "V36", "7 free; allowed: at least 8"),
    (replace(NETWORK, subnets=(replace(SUBNETS[0], reaches_s3=False),)), "V58", "subnet subnet-1 is without a route"),
    (mounting(LUSTRE_FACTS, exists=False), "V132", "fs-1, which does not exist"),
    (mounting(LUSTRE_FACTS, lifecycle="CREATING"), "V132", "fs-1, CREATING"),
    (mounting(EFS_FACTS, lifecycle="deleting"), "V132", "fs-2, deleting"),
    (mounting(LUSTRE_FACTS, vpc_id="vpc-2"), "V31", "fs-1 in vpc-2"),
    (mounting(LUSTRE_FACTS, mount_name="fsx"), "V47", "/abcd1234 in the platform's record"),
    (
        mounting(LUSTRE_FACTS, links=(replace(LUSTRE_FACTS.links[0], lifecycle=None),)),
        "V133",
        "does not show s3://lake/data",
    ),
    (
        mounting(LUSTRE_FACTS, links=(replace(LUSTRE_FACTS.links[0], lifecycle=None, shown_below=("/data/a",)),)),
        "V133",
        "fix: hold that folder, too; this file system shows /data/a",
    ),
    (
        mounting(LUSTRE_FACTS, links=(replace(LUSTRE_FACTS.links[0], lifecycle="MISCONFIGURED"),)),
        "V133",
        "MISCONFIGURED",
    ),
    (mounting(EFS_FACTS, usable_az_ids=frozenset({"use1-az2"})), "V45", "job in use1-az1 (subnet-1)"),
    (mounting(LUSTRE_FACTS, usable_az_ids=frozenset()), "V45", "can be mounted: none"),
    (with_groups(replace(GROUP, inbound=())), "V33 V33", "TCP 988 inbound open in sg-job (job) for fs-1"),
    (with_groups(replace(GROUP, outbound=())), "V33 V33 V33", "TCP 988 outbound open in sg-job (job) for fs-1"),
    (with_groups(replace(LUSTRE_GROUP, inbound=opened((988, 988), groups=["sg-job"]))), "V33", "TCP 1018-1023 inbound"),
    (
        with_groups(replace(LUSTRE_GROUP, inbound=opened((988, 988), (1021, 1023), groups=["sg-job"]))),
        "V33",
        "1018-1023",
    ),
    (with_groups(replace(LUSTRE_GROUP, outbound=opened((988, 1023), groups=["sg-lustre"]))), "V33 V33", "outbound"),
    (with_groups(replace(LUSTRE_GROUP, inbound=opened((0, 65_535), networks=["10.0.2.0/24"]))), "V33 V33", "inbound"),
    (with_groups(replace(EFS_GROUP, inbound=opened((2048, 2048), groups=["sg-job"]))), "V33", "TCP 2049 inbound"),
    (mounting(EFS_FACTS, interfaces=(interface(1),)), "V33 V33", "for fs-2 in use1-az1"),
    (
        replace(in_both_zones(OPEN), file_systems=(replace(EFS_FACTS, interfaces=(interface(1, "sg-efs"), CLOSED)),)),
        "V33 V33",
        "closed in sg-closed",
    ),
    (in_both_zones(opened((2049, 2049), networks=["10.0.1.0/24", "10.0.2.0/25"])), "V33", "(fs-2 in use1-az2)"),
    (mounting(EFS_FACTS, interfaces=(interface(2, "sg-efs"),)), "V32", "fs-2 without a network interface in use1-az1"),
    (over_acl("deny 1000-1020 10.0.1.0/24, allow 0-65535 0.0.0.0/0"), "V147", "TCP 1018-1023 inbound denied by acl-1"),
    (over_acl("allow 0-65535 0.0.0.0/0", "allow 443-443 0.0.0.0/0, deny 0-65535 0.0.0.0/0"), "V147 V147", "outbound"),
    (over_acl("deny 988-988 10.0.0.0/16", of="subnet-data"), "V147", "of the subnet of fs-1 in use1-az1"),
]

NOTED: list[tuple[Any, str, Level, str]] = [
    (replace(NETWORK, has_dns_hostnames=False), "V37", Level.WARNING, "enableDnsHostnames of vpc-1 is off"),
    (
        with_groups(replace(EFS_GROUP, inbound=(Opening(ports=PortRange(0, 65_535), prefix_lists=PREFIX_LIST),))),
        "V33",
        Level.WARNING,
        "for prefix list pl-1",
    ),
    (mounting(EFS_FACTS, policy={"Statement": []}), "V148", Level.WARNING, "allows no anonymous client"),
    (mounting(EFS_FACTS, policy={"Statement": [ANYBODY, ONLY_TLS]}), "V148", Level.WARNING, "denies mounts without"),
    (
        mounting(EFS_FACTS, policy={"Statement": {**ANYBODY, "Principal": {"AWS": "arn:aws:iam::1:role/r"}}}),
        "V148",
        Level.WARNING,
        "guard the file system by its security group",
    ),
    (
        mounting(
            EFS_FACTS,
            policy={
                "Statement": [
                    ANYBODY,
                    {
                        "Effect": "Deny",
                        "Principal": "*",
                        "NotAction": "elasticfilesystem:Describe*",
                        "Condition": {"StringNotEquals": {"aws:PrincipalAccount": "111111111111"}},
                    },
                ]
            },
        ),
        "V148",
        Level.WARNING,
        "or anonymous ones",
    ),
    (at(PLACE, is_mounted=True, prefix="data/x"), "V140", Level.WARNING, "fix: data/x/ (or File mode)"),
    (
        replace(JOB, has_own_ingestion=True, ingestion_role="warehouse", has_own_role=True),
        "V146",
        Level.INFO,
        "leave role_arn out",
    ),
    (
        LookupSpec(denied=(("iam:GetRole", ("role_arn",)),)),
        "V149",
        Level.WARNING,
        "without iam:GetRole, so nothing was checked of: role_arn",
    ),
    (said(AUGMENTED, record_wrapper=RecordWrapper.NONE), "V112", Level.WARNING, "RecordIO"),
    (said(S3, shuffle_seed=0), "V113", Level.INFO, "shuffle in the script"),
    (said(FAST, shuffle_seed=1), "V113", Level.INFO, "Pipe mode"),
    (replace(SPOT, has_checkpoints=False), "V116", Level.WARNING, "costs all"),
    (replace(JOB, keep_alive_seconds=60), "V56", Level.WARNING, "billed"),
    (
        replace(ZONES, pins=(ON_1_2,), wanted_az_ids=("use1-az1", "use1-az3"), retry_az_ids=("use1-az1", "use1-az3")),
        "V131",
        Level.INFO,
        "zones where the job can run: use1-az1; this one is passed over",
    ),
    (
        replace(
            ZONES,
            wanted_az_ids=("use1-az1", "use1-az2"),
            pins=(ON_1_2,),
            retry_az_ids=("use1-az3",),
        ),
        "V131",
        Level.INFO,
        "none is left, so no zone is tried by itself",
    ),
    (replace(CODED, channels=(("code", ()),)), "V51", Level.INFO, "0 channels beside the code's"),
    (replace(JOB, sharded_channels=("train",)), "V122", Level.INFO, "a single one gets all"),
    (
        replace(CLUSTER, groups=GROUPS[1:], channels=JOB.channels, sharded_channels=("a",)),
        "V122",
        Level.INFO,
        "a share",
    ),
    (
        replace(NETWORK, instance_types=("ml.m5.large", "ml.p5.48xlarge")),
        "V57",
        Level.WARNING,
        "none of the job's zones",
    ),
    (
        replace(NETWORK, file_systems=(), instance_types=("ml.m5.large",), subnets=SUBNETS),
        "V57",
        Level.WARNING,
        "not in use1-az2",
    ),
    (
        replace(NETWORK, file_systems=(), offered=UNKNOWN, subnets=(SUBNETS[0], replace(SUBNETS[1], free_addresses=0))),
        "V36",
        Level.WARNING,
        "subnet subnet-2 is 0 free",
    ),
]

ALL_RULES = [(record, rule) for record, rules in RULES.items() for rule in rules]
BROKEN = [spec for spec, *_ in (*WRONG, *NOTED)]


def name_of(value: object) -> str:
    """A part of a test's name: a rule by id, a row by its kind."""
    return value.rule_id if isinstance(value, Rule) else value if isinstance(value, str) else type(value).__name__


@pytest.mark.parametrize("spec", RIGHT, ids=name_of)
def test_right_jobs_break_no_rule(spec: Any) -> None:
    """Nothing to say."""
    assert run_rules(RULES[type(spec)], spec) == []


@pytest.mark.parametrize(("spec", "rule_ids", "expected"), WRONG, ids=name_of)
def test_wrong_jobs_break_the_rules_of_their_row(spec: Any, rule_ids: str, expected: str) -> None:
    """These rules and no other, as errors, with the value and what would be right."""
    findings = run_rules(RULES[type(spec)], spec)
    assert [each.rule_id for each in findings] == rule_ids.split()
    assert {each.level for each in findings} == {Level.ERROR}
    assert any(expected in str(each) for each in findings), findings


@pytest.mark.parametrize(("spec", "rule_id", "level", "expected"), NOTED, ids=name_of)
def test_what_has_a_price_is_noted(spec: Any, rule_id: str, level: Level, expected: str) -> None:
    """It works, at a price or with a condition: no ERROR."""
    (finding,) = run_rules(RULES[type(spec)], spec)
    assert (finding.rule_id, finding.level) == (rule_id, level)
    assert expected in str(finding)


@pytest.mark.parametrize(("record", "rule"), ALL_RULES, ids=name_of)
def test_each_rule_is_seen_to_fail_and_to_hold(record: type, rule: Rule[Any]) -> None:
    """A rule without a wrong row is one that nobody saw fail; what it finds carries its own id."""
    found = [finding for spec in BROKEN if type(spec) is record for finding in rule(spec)]
    assert {each.rule_id for each in found} == {rule.rule_id}
    assert any(type(spec) is record and not list(rule(spec)) for spec in RIGHT)


def test_families_with_local_storage_are_those_of_the_service() -> None:
    """Each is one of training instances; moto keeps EC2's own description of the types, of all but a few."""
    shapes = installed("sagemaker").shapes
    types = [each.removeprefix("ml.") for each in shapes["TrainingInstanceType"]["enum"]]
    assert {each.split(".")[0] for each in types} >= local_storage_families()
    known = {each: INSTANCE_TYPES[each]["InstanceStorageSupported"] for each in types if each in INSTANCE_TYPES}
    assert {each.split(".")[0] for each in set(types) - set(known)} == {"p2", "p3", "p6e-gb200"}
    assert {each: has_local_storage(f"ml.{each}") for each in known} == known


def test_findings_say_what_to_do_on_one_line() -> None:
    """Every finding has its field, value, rule and fix on a single line."""
    for finding in (each for spec in BROKEN for each in run_rules(RULES[type(spec)], spec)):
        assert all((finding.field, finding.got, finding.allowed, finding.fix))
        assert len(str(finding).splitlines()) == 1
        assert len(str(finding)) < 1000


def test_no_row_stands_twice() -> None:
    """A copy would only look like proof."""
    assert len({repr(spec) for spec in RIGHT}) == len(RIGHT)
    assert len({repr(spec) for spec in BROKEN}) == len(BROKEN)
