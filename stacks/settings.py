"""The settings of an environment, as they stand in cdk.json below ``headrace``.

A record holds what people choose; what AWS allows is the business of the rules, which the constructs run. Keys that
are left out have the defaults below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from headrace.errors import InvalidInput
from headrace.typed import read

Event = Literal["NEW", "CHANGED", "DELETED"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubnetSettings:
    """An existing subnet and its zone; ``az_name`` is needed for a One Zone EFS only."""

    subnet_id: str
    az_id: str
    az_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingNetworkSettings:
    """A VPC that is there already. ``s3_gateway_endpoint``: whether it is to be added to the route tables."""

    vpc_id: str
    subnets: tuple[SubnetSettings, ...]
    route_table_ids: tuple[str, ...]
    s3_gateway_endpoint: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """A new VPC by CIDR and zones (ids mean the same place in every account), or an existing one.

    ``interface_endpoints``: short service name -> switch, such as ``{"sts": true}``; each costs money by the hour.
    Append zones, never insert them: the addresses of a subnet follow from its place in the list.
    """

    cidr: str | None = None
    availability_zones: tuple[str, ...] | None = None
    availability_zone_ids: tuple[str, ...] | None = None
    existing: ExistingNetworkSettings | None = None
    interface_endpoints: Mapping[str, bool] = field(default_factory=dict)
    flow_logs: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketSettings:
    """The platform's bucket. ``adopt``: the name of the bucket that an earlier deployment left behind.

    ``intelligent_tiering``: of what lies below ``data/``; null is false. ``noncurrent_version_days``: how long
    overwritten and deleted objects are kept; null is 30, 0 keeps them for ever. An adopted bucket takes neither.
    """

    adopt: str | None = None
    intelligent_tiering: bool | None = None
    noncurrent_version_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataLocationSettings:
    """Training data that lies elsewhere already, read-only. ``region`` and ``account``: null is the platform's."""

    bucket: str
    prefix: str
    region: str | None = None
    account: str | None = None
    kms_key_arn: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EfsSettings:
    """The shared EFS. ``adopt``: the id of the file system that an earlier deployment left behind.

    ``zones``: which of the network's zones (or existing subnet ids) get a mount target; null is all of them.
    ``one_zone``: a One Zone file system, in the one zone of ``zones``.
    """

    enabled: bool = True
    adopt: str | None = None
    zones: tuple[str, ...] | None = None
    one_zone: bool = False
    performance_mode: str | None = None
    throughput_mode: str | None = None
    provisioned_throughput_mibps: float | None = None
    lifecycle_days: int | None = None
    backup: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSettings:
    """A link of the Lustre file system; ``bucket``: null is the platform's. Files go back only with ``export``."""

    name: str
    path: str
    prefix: str
    bucket: str | None = None
    auto_import_events: tuple[Event, ...] = ()
    export: bool = False
    auto_export_events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PreloadSettings:
    """After a deployment, what the links of the shared Lustre show is loaded by a training job, each link once.

    ``image``: ``repository:tag`` in the platform's registry, or a full URI; any with a shell. ``instance_type`` (of
    SageMaker, such as ``ml.m5.xlarge``) and ``readers`` (files read at the same time): null is chosen by the capacity.
    """

    image: str
    instance_type: str | None = None
    readers: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LustreSettings:
    """The shared Lustre file system. Give ``storage_capacity_gib`` or ``dataset_gib``.

    ``enabled``: destroy the stack ``headrace-<env>-lustre`` first, then switch it off: while that stack is there, it
    uses what the foundation exports for it, and CloudFormation refuses to take that away.
    ``zone``: which of the network's zones (or existing subnet ids) it stands in; null is the first. ``links``: where
    none is given, ``/data`` shows the bucket's ``data/``. ``idle_alarm_hours``: an alarm goes off when no client was
    there for so long, since it costs by the hour; null is no alarm. ``preload``: null loads nothing by itself.
    """

    enabled: bool = True
    deployment_type: str = "SCRATCH_2"
    storage_capacity_gib: int | None = None
    dataset_gib: float | None = None
    per_unit_storage_throughput_mbps_per_tib: int | None = None
    data_compression_type: str | None = None
    weekly_maintenance_start_time: str | None = None
    zone: str | None = None
    links: tuple[LinkSettings, ...] = (LinkSettings(name="data", path="/data", prefix="data/"),)
    idle_alarm_hours: int | None = 6
    preload: PreloadSettings | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EphemeralLinkSettings:
    """What an ephemeral Lustre may show; ``bucket``: null is the platform's. It follows nothing and writes nothing."""

    name: str
    path: str
    prefix: str
    bucket: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EphemeralSettings:
    """Lustre file systems for one job each, made and taken down by state machines, and the cap on what they spend.

    ``enabled``: the machines cost less than a dollar a month while nobody uses them, mostly the reaper's looks and the
    alarms, so they are there unless switched off. To switch them off, see that no ephemeral file system lives, destroy
    ``headrace-<env>-ephemeral`` and then ``headrace-<env>-cleanup``, and set this: while the first is there, it uses
    what the foundation exports for it. ``links``: what a job may have linked, as a whole or a folder of it; where
    none is given, ``/data`` is the bucket's ``data/``. ``max_file_systems`` and ``max_gib``: of all that live at once;
    ``max_hours``: of each. Above the cap, the machine refuses.
    """

    enabled: bool = True
    links: tuple[EphemeralLinkSettings, ...] = (EphemeralLinkSettings(name="data", path="/data", prefix="data/"),)
    max_file_systems: int = 4
    max_gib: int = 9600
    max_hours: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmSettings:
    """Who is told when something costs that nobody uses. ``emails``: addresses; each confirms the first message.

    Without them, subscribe to the topic that the output TopicArn of ``headrace-<env>-cleanup`` names.
    ``topic_arn``: a topic of SNS that is there, in the same Region, in place of the platform's own; its subscribers are
    its own business. Under a KMS key, the key's policy lets cloudwatch.amazonaws.com and the reaper's role use it.
    """

    emails: tuple[str, ...] = ()
    topic_arn: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IamSettings:
    """How roles are named and bounded, which images jobs may pull, and whether jobs must name the network.

    ``image_repository_arns``: null is every repository that lets the account in. ``require_vpc``: jobs that read S3
    alone name the platform's network too, and their role may attach to it.
    """

    name_prefix: str | None = None
    path: str = "/"
    permissions_boundary_arn: str | None = None
    image_repository_arns: tuple[str, ...] | None = None
    require_vpc: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestionStatementSettings:
    """What a role of own ingestion may do. ``conditions``: operator -> key -> list of values, as in IAM.

    ``reason``: why the actions take every resource; required where one is ``*``. There is no NotAction and no Deny.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestionSettings:
    """A role for jobs whose script reads its data itself, such as from a warehouse.

    It may do what these statements say beside what every job on S3 and file systems may. Its jobs are attached to the
    platform's network, where they open HTTPS connections to S3 and to interface endpoints and no other connections out:
    switch the endpoint of the service on in ``network.interface_endpoints``, such as ``redshift-data``. Each role takes
    2 KB of the foundation's template; above 50 KiB the CDK CLI asks for ``cdk bootstrap``, once for the account.
    """

    statements: tuple[IngestionStatementSettings, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressionSettings:
    """A rule that is not heeded, and why."""

    rule_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentSettings:
    """One environment. ``platform``: the name that jobs know it by; null is the environment's name.

    ``account``, ``region``: null takes what the CDK CLI finds. ``job_name_prefix``: null is ``<platform>-``.
    ``kms_key``: ``aws`` (AWS's own keys), ``new`` (a key of the platform, kept on destroy) or the ARN of a key. The
    roles may use no other for output and volumes: a job with keys of its own names a role of its own.
    ``own_ingestion``: name of a role -> what it may do, such as ``warehouse``; job files choose one by its name.
    ``prices``: a file of ``headrace prices update``, relative to cdk.json, for the costs that ``make deploy`` prints;
    null is what is shipped.
    """

    network: NetworkSettings
    platform: str | None = None
    account: str | None = None
    region: str | None = None
    synthesizer: Literal["bootstrapless", "default"] = "bootstrapless"
    job_name_prefix: str | None = None
    kms_key: str = "aws"
    bucket: BucketSettings = BucketSettings()
    data_locations: tuple[DataLocationSettings, ...] = ()
    efs: EfsSettings = EfsSettings()
    lustre: LustreSettings = LustreSettings(storage_capacity_gib=1200)
    ephemeral: EphemeralSettings = EphemeralSettings()
    alarms: AlarmSettings = AlarmSettings()
    iam: IamSettings = IamSettings()
    own_ingestion: Mapping[str, IngestionSettings] = field(default_factory=dict)
    suppressions: tuple[SuppressionSettings, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    prices: str | None = None


def settings_of(context: object, environment: object) -> EnvironmentSettings:
    """The settings of one environment out of the context value ``headrace``, environment name -> settings.

    Raises InvalidInput with every mistake at once: no such environment, unknown keys, wrong types.
    """
    if not isinstance(context, Mapping) or not context:
        raise InvalidInput("context key headrace is missing; allowed: environments; fix: restore it in cdk.json")
    if environment not in context:
        known = ", ".join(sorted(map(str, context)))
        raise InvalidInput(f"env is {environment!r}; allowed: {known}; fix: -c env=NAME, or add it to cdk.json")
    return read(EnvironmentSettings, context[environment], f"headrace.{environment}")
