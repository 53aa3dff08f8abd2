"""The pre-flight against the embedded AWS: nothing to say of a correct job, and one rule for each thing that breaks.

The account is broken one thing at a time and mended again. What the embedded AWS cannot break (a link that FSx gives
up, a subnet without addresses) is changed in its answer on the way back.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from ipaddress import IPv4Network
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from headrace.aws import Aws
from headrace.channels import Channel
from headrace.planning import draft
from headrace.platform import DataLocation, LustrePart, Platform
from headrace.preflight import check
from headrace.roads import Distribution, RecordWrapper, S3DataType
from headrace.rules import Finding, Level
from headrace.rules.ports import denies
from headrace.sources import (
    EfsSource,
    LustreSource,
    S3FastFileSource,
    S3FileSource,
    S3Location,
    S3PipeSource,
    Source,
)
from headrace.training import InstanceGroup, TrainingJob

from tests.conftest import DeployedPlatform

IMAGE = "preflight:1"
PREFIX = "data/preflight/"


@dataclass(frozen=True)
class Account:
    """The deployed platform, the facade that looks at it, and clients that break it."""

    deployed: DeployedPlatform
    aws: Aws

    @property
    def platform(self) -> Platform:
        """What was deployed."""
        return self.deployed.platform

    @property
    def lustre(self) -> LustrePart:
        """The part of the Lustre."""
        assert self.platform.lustre is not None
        return self.platform.lustre

    def client(self, service: str) -> Any:
        """A client of the embedded AWS."""
        return self.deployed.client(service)

    def findings(self, job: TrainingJob) -> list[Finding]:
        """Everything that is said of the job."""
        return check(draft(job, self.platform), self.aws)

    def errors(self, job: TrainingJob, platform: Platform | None = None) -> set[str]:
        """The rules of level ERROR that the job breaks."""
        findings = check(draft(job, platform or self.platform), self.aws)
        return {each.rule_id for each in findings if each.level is Level.ERROR}


@pytest.fixture(scope="module")
def account(deployed: DeployedPlatform) -> Iterator[Account]:
    """The account with an image, and some objects below a prefix of its own."""
    s3 = deployed.client("s3")
    keys = [*(f"{PREFIX}good/{number}.bin" for number in range(4)), f"{PREFIX}good.manifest", f"{PREFIX}empty/"]
    keys += [f"{PREFIX}slashes//1.bin", f"{PREFIX}clash/a", f"{PREFIX}clash/a/b"]
    for key in keys:
        s3.put_object(Bucket=deployed.foundation.bucket, Key=key, Body=b"" if key.endswith("/") else b"x")
    s3.put_object(Bucket=deployed.foundation.bucket, Key=f"{PREFIX}cold/1", Body=b"x", StorageClass="GLACIER")
    deployed.push_image(IMAGE)
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in deployed.environment.items():
            patch.setenv(variable, value)
        yield Account(deployed, Aws())


def job_of(account: Account, *sources: Source, **changes: Any) -> TrainingJob:
    """A job with a channel on each source."""
    job = TrainingJob(
        name=f"{account.platform.foundation.job_name_prefix}preflight-{uuid4().hex[:8]}",
        image=IMAGE,
        instance_type="ml.m5.large",
        channels=tuple(Channel(name=f"c{index}", source=source) for index, source in enumerate(sources)),
    )
    return replace(job, **changes)


def below(account: Account, folder: str) -> S3Location:
    """A prefix of the platform's bucket."""
    return S3Location(bucket=account.platform.foundation.bucket, prefix=f"{PREFIX}{folder}")


def every_road(account: Account) -> list[Source]:
    """One source on each road."""
    place = below(account, "good/")
    s3: list[Source] = [each(location=place) for each in (S3FileSource, S3FastFileSource, S3PipeSource)]
    return [*s3, LustreSource(link="data", path="preflight/good"), EfsSource(path="/digits")]


def test_a_correct_job_on_every_road_has_nothing_against_it(account: Account) -> None:
    """Network, ports, mount name, link, mount targets, data, role, image and name: all is as it should be."""
    assert check(draft(job_of(account, *every_road(account)), account.platform), account.aws) == []


Break = Callable[[Account], AbstractContextManager[Any]]


def _group_of_lustre(account: Account) -> str:
    groups = account.client("ec2").describe_security_groups()["SecurityGroups"]
    (found,) = [
        each["GroupId"]
        for each in groups
        if each["VpcId"] == account.platform.foundation.vpc_id and "FSx for Lustre" in each["Description"]
    ]
    return str(found)


@contextmanager
def _without_port(account: Account, group_id: str, first: int, *, inbound: bool) -> Iterator[None]:
    """A security group without its rule for these ports."""
    ec2 = account.client("ec2")
    described = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"][0]
    rules = described["IpPermissions" if inbound else "IpPermissionsEgress"]
    # an empty list beside the groups is refused when it is sent back
    rule = [{key: value for key, value in each.items() if value} for each in rules if each.get("FromPort") == first]
    direction = "ingress" if inbound else "egress"
    getattr(ec2, f"revoke_security_group_{direction}")(GroupId=group_id, IpPermissions=rule)
    try:
        yield
    finally:
        getattr(ec2, f"authorize_security_group_{direction}")(GroupId=group_id, IpPermissions=rule)


@contextmanager
def _without_route_to_s3(account: Account) -> Iterator[None]:
    ec2, subnet_id = account.client("ec2"), account.lustre.subnet_id
    filters = [{"Name": "association.subnet-id", "Values": [subnet_id]}]
    table = ec2.describe_route_tables(Filters=filters)["RouteTables"][0]
    (association,) = [each for each in table["Associations"] if each.get("SubnetId") == subnet_id]
    empty = ec2.create_route_table(VpcId=table["VpcId"])["RouteTable"]["RouteTableId"]
    moved = ec2.replace_route_table_association(
        AssociationId=association["RouteTableAssociationId"], RouteTableId=empty
    )
    try:
        yield
    finally:
        ec2.replace_route_table_association(AssociationId=moved["NewAssociationId"], RouteTableId=table["RouteTableId"])


def _answering(service: str, operation: str, change: Callable[[dict[str, Any]], None]) -> Break:
    """The account answers one operation otherwise."""

    @contextmanager
    def broken(account: Account) -> Iterator[None]:
        events = account.aws.connection.client(service).meta.events
        event = f"after-call.{service}.{operation}"

        def changed(parsed: dict[str, Any], **_: Any) -> None:
            change(parsed)

        events.register(event, changed)
        try:
            yield
        finally:
            events.unregister(event, changed)

    return broken


@contextmanager
def _replying(account: Account, service: str, operation: str, status: int, answer: dict[str, Any]) -> Iterator[None]:
    """One operation is not sent, and has this answer."""
    events = account.aws.connection.client(service).meta.events
    event = f"before-call.{service}.{operation}"

    def reply(**_: Any) -> tuple[Any, dict[str, Any]]:
        return SimpleNamespace(status_code=status), {**answer, "ResponseMetadata": {}}

    events.register(event, reply)
    try:
        yield
    finally:
        events.unregister(event, reply)


def _set(member: str, **values: Any) -> Callable[[dict[str, Any]], None]:
    """Every element of a list in the answer has these values."""

    def change(parsed: dict[str, Any]) -> None:
        for each in parsed[member]:
            each.update(values)

    return change


BREAKS: dict[str, tuple[Break, set[str]]] = {
    "no route to S3": (_without_route_to_s3, {"V58"}),
    "Lustre takes port 988 only": (lambda a: _without_port(a, _group_of_lustre(a), 1018, inbound=True), {"V33"}),
    "Lustre takes no port 988": (lambda a: _without_port(a, _group_of_lustre(a), 988, inbound=True), {"V33"}),
    "Lustre cannot call back": (lambda a: _without_port(a, _group_of_lustre(a), 988, inbound=False), {"V33"}),
    "jobs take no call back": (
        lambda a: _without_port(a, a.platform.foundation.job_security_group_id, 1018, inbound=True),
        {"V33"},
    ),
    "jobs reach no EFS": (
        lambda a: _without_port(a, a.platform.foundation.job_security_group_id, 2049, inbound=False),
        {"V33"},
    ),
    "mount targets are gone": (
        _answering("efs", "DescribeMountTargets", lambda parsed: parsed.update(MountTargets=[])),
        {"V45"},
    ),
    "interfaces are gone": (
        _answering("ec2", "DescribeNetworkInterfaces", lambda parsed: parsed.update(NetworkInterfaces=[])),
        {"V32"},
    ),
    "a mount target is not there yet": (
        _answering("efs", "DescribeMountTargets", _set("MountTargets", LifeCycleState="creating")),
        {"V45"},
    ),
    "the EFS is deleted": (
        _answering("efs", "DescribeFileSystems", _set("FileSystems", LifeCycleState="deleting")),
        {"V132"},
    ),
    "the Lustre is not there yet": (
        _answering("fsx", "DescribeFileSystems", _set("FileSystems", Lifecycle="CREATING")),
        {"V132"},
    ),
    "the Lustre is in another VPC": (
        _answering("fsx", "DescribeFileSystems", _set("FileSystems", VpcId="vpc-2")),
        {"V31"},
    ),
    "the Lustre is in another subnet": (
        _answering("fsx", "DescribeFileSystems", _set("FileSystems", SubnetIds=["subnet-2"])),
        {"V45"},
    ),
    "a link is misconfigured": (
        _answering("fsx", "DescribeDataRepositoryAssociations", _set("Associations", Lifecycle="MISCONFIGURED")),
        {"V133"},
    ),
    "a link is gone": (
        _answering("fsx", "DescribeDataRepositoryAssociations", lambda parsed: parsed.update(Associations=[])),
        {"V133"},
    ),
    "a subnet is full": (_answering("ec2", "DescribeSubnets", _set("Subnets", AvailableIpAddressCount=1)), {"V36"}),
    "the subnets are gone": (
        _answering("ec2", "DescribeSubnets", lambda parsed: parsed.update(Subnets=[])),
        {"V128"},
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_each_thing_that_breaks_in_the_network_is_found_by_its_rule(account: Account, name: str) -> None:
    """That rule, and no other; once it is mended, nothing is left to say."""
    breaking, expected = BREAKS[name]
    job = job_of(account, *every_road(account))
    with breaking(account):
        assert account.errors(job) == expected
    assert account.errors(job) == set()


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("good/", set()),
        ("nothing/", {"V80"}),
        ("empty/", {"V80"}),
        ("slashes/", {"V53"}),
        ("clash/", {"V130"}),
        ("cold/", {"V27"}),
        ("../", {"V53", "V80"}),
    ],
)
def test_what_lies_in_s3_is_looked_at(account: Account, folder: str, expected: set[str]) -> None:
    """The first page of a prefix tells what would fail the download."""
    assert account.errors(job_of(account, S3FileSource(location=below(account, folder)))) == expected


@pytest.mark.parametrize(("prefix", "level"), [("goo", Level.ERROR), ("good", Level.ERROR), ("cold", Level.WARNING)])
def test_fast_file_wants_a_folder(account: Account, prefix: str, level: Level) -> None:
    """A prefix that is part of a name fails the job; without its slash, a folder may be taken for another."""
    job = job_of(account, S3FastFileSource(location=below(account, prefix)))
    (finding,) = [each for each in account.findings(job) if each.rule_id == "V140"]
    assert finding.level is level
    assert f"fix: {PREFIX}{prefix}/" in str(finding)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"\x89PNG", {"V60", "V92"}),
        (b"", {"V60"}),
        (b'["a", "b"]', {"V60"}),
        (b'[{"prefix": "s3://lake/x/"}, "a"]', set()),
        (b'[{"prefix": "s3://lake/x/"}, ' + b'"%s", ' % (b"k" * 200) * 500, set()),
        (b'[{"prefix": "lake/x/"}, ' + b'"%s", ' % (b"k" * 200) * 500, {"V93"}),
        (b"x" * 100_000, {"V60"}),
    ],
    ids=["png", "empty", "no-prefix", "right", "long", "long-and-wrong", "long-and-none"],
)
def test_the_beginning_of_a_manifest_is_read(account: Account, body: bytes, expected: set[str]) -> None:
    """What is no manifest at all is told before the job starts; a long one is not read to its end."""
    place = below(account, "manifests/x.manifest")
    account.client("s3").put_object(Bucket=place.bucket, Key=place.prefix, Body=body)
    assert account.errors(job_of(account, S3FileSource(location=place, data_type=S3DataType.MANIFEST_FILE))) == expected


def test_the_beginning_of_an_augmented_manifest_is_read(account: Account) -> None:
    """Its lines have the attributes that the channel names."""
    place = below(account, "manifests/x.jsonl")
    line = b'{"source-ref": "s3://lake/data/1", "label": 3}\n'
    account.client("s3").put_object(Bucket=place.bucket, Key=place.prefix, Body=line * 3000)
    for names, expected in ((("source-ref", "label"), set()), (("source-ref", "class"), {"V98"})):
        source = S3PipeSource(
            location=place,
            data_type=S3DataType.AUGMENTED_MANIFEST_FILE,
            attribute_names=names,
            record_wrapper=RecordWrapper.RECORD_IO,
        )
        assert account.errors(job_of(account, source)) == expected


def test_a_vpc_without_dns_hostnames_is_noted(account: Account) -> None:
    """File systems are mounted by name."""
    job, ec2, vpc_id = job_of(account, *every_road(account)), account.client("ec2"), account.platform.foundation.vpc_id
    ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsHostnames={"Value": False})
    try:
        (finding,) = account.findings(job)
    finally:
        ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsHostnames={"Value": True})
    assert (finding.rule_id, finding.level) == ("V37", Level.WARNING)


def test_an_efs_that_wants_tls_is_noted(account: Account) -> None:
    """A channel has no field for it."""
    denial = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "*"}
    only_tls = {**denial, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    policy = {"Policy": json.dumps({"Statement": [only_tls]})}
    # the embedded AWS keeps no policy of a template, and takes none back
    with _replying(account, "efs", "DescribeFileSystemPolicy", 200, policy):
        (finding,) = account.findings(job_of(account, EfsSource(path="/digits")))
    assert (finding.rule_id, finding.level) == ("V148", Level.WARNING)


def test_network_acls_are_read_as_the_vpc_has_them(account: Account) -> None:
    """The default one guards the job's subnets, and lets everything pass."""
    acls = account.aws.network.acls(account.platform.foundation.vpc_id)
    (acl,) = [each for each in acls if account.lustre.subnet_id in each.subnet_ids]
    anywhere = IPv4Network("10.0.0.0/8")
    assert acl.inbound[0].allows
    assert not denies(acl.inbound, 988, anywhere)
    assert not denies(acl.outbound, 988, anywhere)


def test_a_lustre_channel_shows_what_lies_in_s3(account: Account) -> None:
    """A path that is not there would be an empty directory; an archived object cannot be loaded."""
    assert account.errors(job_of(account, LustreSource(link="data", path="preflight/nothing"))) == {"V48"}
    assert account.errors(job_of(account, LustreSource(link="data", path="preflight/cold"))) == {"V27"}


def test_more_instances_than_objects_leave_some_without_a_share(account: Account) -> None:
    """Four objects, five instances; with four there is one for each."""
    source = S3FileSource(location=below(account, "good/"), distribution=Distribution.SHARDED_BY_S3_KEY)
    assert account.errors(job_of(account, source, instance_count=5)) == {"V126"}
    assert account.errors(job_of(account, source, instance_count=4)) == set()


def test_shares_are_those_of_the_groups_that_a_channel_goes_to(account: Account) -> None:
    """Four objects: enough for the group of four, and too few for both groups."""
    groups = tuple(InstanceGroup(name=f"g{n}", instance_type="ml.m5.large", instance_count=n) for n in (4, 2))
    for names, expected in ((("g4",), set()), ((), {"V126"}), (("g2", "g4"), {"V126"})):
        source = S3FileSource(
            location=below(account, "good/"), distribution=Distribution.SHARDED_BY_S3_KEY, instance_groups=names
        )
        assert account.errors(job_of(account, source, instance_type=None, instance_groups=groups)) == expected


def test_keys_are_no_paths_in_pipe_mode(account: Account) -> None:
    """No file is made of them."""
    for folder in ("slashes/", "clash/"):
        assert account.errors(job_of(account, S3PipeSource(location=below(account, folder)))) == set()


def test_a_record_that_is_out_of_date_is_found(account: Account) -> None:
    """The Lustre was made anew: another mount name, another id, a link to another prefix."""
    job = job_of(account, LustreSource(link="data", path="preflight/good"))
    lustre = account.lustre
    link = replace(lustre.links[0], prefix="data/preflight/")
    for changes, expected in (
        ({"mount_name": "fsx"}, {"V47"}),
        ({"file_system_id": "fs-0123456789abcdef0"}, {"V132"}),
        ({"links": (link,)}, {"V133", "V48"}),
    ):
        platform = replace(account.platform, lustre=replace(lustre, **changes))
        assert account.errors(job, platform) == expected


def test_a_bucket_of_another_region_and_one_that_is_not_there(account: Account) -> None:
    """Each bucket is asked once, where it lies."""
    name = f"elsewhere-{uuid4().hex[:8]}"
    s3 = account.client("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket=name, Key="data/1", Body=b"x")
    locations = tuple(DataLocation(bucket=each, prefix="") for each in (name, "no-such-bucket-here"))
    platform = replace(account.platform, foundation=replace(account.platform.foundation, data_locations=locations))
    for bucket, expected in ((name, {"V54"}), ("no-such-bucket-here", {"V19"})):
        source = S3FileSource(location=S3Location(bucket=bucket, prefix="data/"))
        assert account.errors(job_of(account, source), platform) == expected


def test_the_launch_itself_is_looked_at(account: Account) -> None:
    """The role, the image and the name."""
    source = S3FileSource(location=below(account, "good/"))
    assert account.errors(job_of(account, source, image="nothing:1")) == {"V83"}
    role = "arn:aws:iam::123456789012:role/nobody"
    assert account.errors(job_of(account, source, role_arn=role)) == {"V82"}
    job = job_of(account, source, command=("true",))
    account.client("sagemaker").create_training_job(**draft(job, account.platform).request)
    assert account.errors(job) == {"V84"}


def test_twenty_channels_need_one_call_of_each_kind(account: Account) -> None:
    """However many channels: one call of each kind, and one for each bucket and prefix."""
    job = job_of(account, *(source for _ in range(4) for source in every_road(account)))
    calls: Counter[str] = Counter()

    def count(model: Any, **_: Any) -> None:
        calls[f"{model.service_model.service_name}.{model.name}"] += 1

    events = [account.aws.connection.client(service).meta.events for service in SERVICES]
    for each in events:
        each.register("before-call", count)
    try:
        findings = check(draft(job, account.platform), account.aws)
    finally:
        for each in events:
            each.unregister("before-call", count)
    assert len(job.channels) == 20
    assert findings == []
    assert calls == Counter(dict.fromkeys(ASKED, 1))


SERVICES = ("ec2", "ecr", "efs", "fsx", "iam", "s3", "sagemaker")
ASKED = (
    *(f"ec2.Describe{each}" for each in ("Subnets", "RouteTables", "VpcEndpoints", "SecurityGroups")),
    *(f"ec2.Describe{each}" for each in ("NetworkInterfaces", "InstanceTypeOfferings", "NetworkAcls", "VpcAttribute")),
    *("fsx.DescribeFileSystems", "fsx.DescribeDataRepositoryAssociations"),
    *("efs.DescribeFileSystems", "efs.DescribeFileSystemPolicy", "efs.DescribeMountTargets"),
    *("sagemaker.DescribeTrainingJob", "iam.GetRole", "ecr.BatchGetImage"),
    *("s3.HeadBucket", "s3.ListObjectsV2"),
)


@pytest.mark.parametrize("asked", ASKED)
def test_what_may_not_be_looked_up_is_told_and_refuses_no_job(account: Account, asked: str) -> None:
    """One WARNING that names the missing permission, whichever it is; all other facts are judged as before."""
    service, operation = asked.split(".")
    refusal = {"Code": "AccessDenied", "Message": f"not authorized to perform: {asked.replace('.', ':')}"}
    with _replying(account, service, operation, 403, {"Error": refusal}):
        (finding,) = account.findings(job_of(account, *every_road(account)))
    assert (finding.rule_id, finding.level) == ("V149", Level.WARNING)
    assert f"without {service}:{operation}, " in finding.got
