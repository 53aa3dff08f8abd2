"""The table of right and wrong jobs: which rules each wrong one breaks, and that right ones break none.

It goes with the table of settings (test_rules_table). The module is long because it is a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import IPv4Network
from typing import Any

import pytest
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
from headrace.rules.channels import CHANNEL_RULES, ChannelSpec
from headrace.rules.job import JOB_RULES, GroupSpec, JobSpec
from headrace.rules.launch import LAUNCH_RULES, LaunchSpec
from headrace.rules.live_network import (
    NETWORK_RULES,
    FileSystemSpec,
    GroupFacts,
    LinkFacts,
    NetworkSpec,
    Opening,
    Peer,
    SubnetFacts,
)
from headrace.rules.locations import BYTES_PER_GB, DATA_RULES, DataSpec, LocationSpec, ObjectSpec
from headrace.rules.placement import ZONES_RULES, PinSpec, ZonesSpec
from headrace.rules.platform_roads import LINK_RULES, ROLE_RULES, LinkSpec, RoleSpec

RULES: dict[type, Sequence[Rule[Any]]] = {
    ChannelSpec: CHANNEL_RULES,
    LinkSpec: LINK_RULES,
    RoleSpec: ROLE_RULES,
    JobSpec: JOB_RULES,
    ZonesSpec: ZONES_RULES,
    LaunchSpec: LAUNCH_RULES,
    DataSpec: DATA_RULES,
    NetworkSpec: NETWORK_RULES,
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
JOB = JobSpec(
    channels=(("train", ()), ("code", ())), instance_type="ml.m5.large", instance_count=1, max_runtime_seconds=3600
)
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
    is_name_in_use=False,
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
    peer=Peer(groups=frozenset({"sg-lustre"}), networks=(IPv4Network("10.0.1.7/32"),)),
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
    peer=Peer(groups=frozenset({"sg-efs"})),
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


def with_groups(*groups: GroupFacts) -> NetworkSpec:
    """The network with these groups in place of those of the same id."""
    other = {each.group_id: each for each in (*NETWORK.groups, *groups)}
    return replace(NETWORK, groups=tuple(other.values()))


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
    replace(JOB, has_own_ingestion=True),
    replace(JOB, instance_count=2, sharded_channels=("train",)),
    replace(JOB, keep_alive_seconds=0),
    replace(JOB, has_volume_key=True),
    replace(JOB, is_isolated=True),
    replace(JOB, retry_instance_types=("ml.m5.xlarge", "ml.m4.xlarge"), retry_az_ids=("use1-az2", "use1-az1")),
    SPOT,
    replace(SPOT, max_wait_seconds=3600),
    replace(SPOT, max_runtime_seconds=86_400, max_wait_seconds=90_000),
    CLUSTER,
    replace(CLUSTER, retry_az_ids=("use1-az1",), sharded_channels=("train",), keep_alive_seconds=0),
    ZONES,
    replace(ZONES, wanted_az_ids=("use1-az3",), retry_az_ids=("use1-az3",)),
    replace(ZONES, pins=(ON_1, ON_1_2)),
    replace(ZONES, pins=(ON_1_2, ON_2_3), wanted_az_ids=("use1-az2", "use1-az1")),
    LAUNCH,
    replace(LAUNCH, is_name_in_use=UNKNOWN, role_exists=UNKNOWN, image_exists=UNKNOWN),
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
    replace(
        at(PLACE, objects=(ObjectSpec(key="data/x/1", size_bytes=99 * BYTES_PER_GB),)), instance_types=("ml.g5.xlarge",)
    ),
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
    (replace(JOB, channels=()), "V51", "0 channels"),
    (replace(JOB, channels=tuple((f"c{index}", ()) for index in range(21))), "V51", "21 channels"),
    (replace(JOB, channels=(("train", ()), ("train", ()))), "V115", "2 channels"),
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
    (
        replace(CLUSTER, groups=tuple(replace(GROUPS[0], name=f"g{n}") for n in range(6)), channels=JOB.channels),
        "V117",
        "5 groups",
    ),
    (replace(CLUSTER, channels=(("train", ("tpu",)),)), "V118", "gpu, cpu"),
    (replace(JOB, channels=(("train", ("gpu",)),)), "V118", "no groups"),
    (replace(JOB, has_volume_key=True, instance_type="ml.g5.xlarge"), "V119", "ml.g5.xlarge"),
    (replace(JOB, has_volume_key=True, retry_instance_types=("ml.p4d.24xlarge",)), "V119", "ml.p4d.24xlarge"),
    (replace(JOB, is_isolated=True, has_own_ingestion=True), "V120", "network_isolation"),
    (replace(JOB, retry_instance_types=("ml.m5.large",)), "V121", "ml.m5.large"),
    (replace(JOB, retry_az_ids=("use1-az1", "use1-az1")), "V121", "capacity_retry.availability_zone_ids"),
    (replace(CLUSTER, retry_instance_types=("ml.m5.large",)), "V121", "retry over zones"),
    (replace(ZONES, wanted_az_ids=("use1-az9", "use1-az1")), "V123", "use1-az9"),
    (replace(ZONES, wanted_az_ids=("us-east-1a",)), "V123", "use1-az1, use1-az2, use1-az3"),
    (replace(ZONES, pins=(ON_1, ON_2_3)), "V35", "channels.labels is pinned to use1-az2, use1-az3 by EFS"),
    (replace(ZONES, pins=(ON_1_2,), wanted_az_ids=("use1-az3",)), "V35", "channels.labels"),
    (replace(ZONES, pins=(replace(ON_1_2, az_ids=frozenset()),)), "V35", "pinned to no zone by EFS"),
    (replace(LAUNCH, job_name="digits"), "V59", "fix: headrace-dev-digits"),
    (replace(LAUNCH, role_exists=False), "V82", "role/r"),
    (replace(LAUNCH, image_exists=False), "V83", "push the image"),
    (replace(LAUNCH, is_name_in_use=True), "V84", "base_job_name"),
    (
        replace(LAUNCH, request_violations=(("RoleArn", "'x'", "a pattern"),)),
        "V85",
        "RoleArn is 'x'; allowed: a pattern",
    ),
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
    (mounting(EFS_FACTS, peer=Peer(groups=frozenset())), "V33 V33", "for fs-2"),
]

NOTED: list[tuple[Any, str, Level, str]] = [
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
