"""Rules of what a job asks for, apart from its channels' sources: Spot, warm pool, groups, keys, retries.

They look at a :class:`JobSpec` alone, so they hold before there is an account.
Sources: Amazon SageMaker API Reference, CreateTrainingJob, StoppingCondition, ResourceConfig and InstanceGroup;
Developer Guide, "Managed Spot Training", "SageMaker AI Managed Warm Pools" (considerations) and "Train Using a
Heterogeneous Cluster"; ResourceConfig.VolumeKmsKeyId for instances with local storage.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from headrace.figures.instance_types import has_local_storage
from headrace.rules.finding import Finding, Level, Rule, rule
from headrace.rules.values import finding

MAX_CHANNELS: Final = 20
MAX_KEEP_ALIVE_SECONDS: Final = 3600
MAX_INSTANCE_GROUPS: Final = 5
LONG_RUN_SECONDS: Final = 3600
MAX_SECONDS: Final = 28 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSpec:
    """A group of a heterogeneous cluster."""

    name: str
    instance_type: str
    instance_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """What a job asks for. ``channels``: name -> groups that get it, the code's own channel last.

    ``sharded_channels``: those with ShardedByS3Key. ``instance_type`` is None where ``groups`` say it.
    ``code_problems``: why the code cannot be shipped: field, value, what is allowed, fix. ``keys``: KMS keys by field,
    of which the Region must be the job's. ``ingestion_role``: the one that own ingestion names; ``has_own_role``: the
    job brings a role.
    """

    channels: tuple[tuple[str, tuple[str, ...]], ...]
    sharded_channels: tuple[str, ...] = ()
    pipe_channels: tuple[str, ...] = ()
    instance_type: str | None
    instance_count: int
    groups: tuple[GroupSpec, ...] = ()
    max_runtime_seconds: int
    is_spot: bool = False
    max_wait_seconds: int | None = None
    has_checkpoints: bool = False
    keep_alive_seconds: int | None = None
    has_volume_key: bool = False
    is_isolated: bool = False
    has_own_ingestion: bool = False
    retry_instance_types: tuple[str, ...] = ()
    retry_az_ids: tuple[str, ...] = ()
    entry_point: str | None = None
    source_dir: str | None = None
    dependencies: tuple[str, ...] = ()
    command: tuple[str, ...] | None = None
    code_problems: tuple[tuple[str, str, str, str], ...] = ()
    tag_keys: tuple[str, ...] = ()
    metric_regexes: tuple[str, ...] = ()
    checkpoint_path: str | None = None
    region: str | None = None
    image: str = ""
    keys: tuple[tuple[str, str], ...] = ()
    hyperparameters: tuple[str, ...] = ()
    ingestion_role: str | None = None
    has_own_role: bool = False

    @property
    def instance_types(self) -> tuple[str, ...]:
        """Every type that the job may run on."""
        first = () if self.instance_type is None else (self.instance_type,)
        return (*first, *(each.instance_type for each in self.groups), *self.retry_instance_types)


@rule("V51")
def channel_count(spec: JobSpec) -> Iterator[Finding]:
    """A job has 1 to 20 channels, the code's own included; one that ingests by itself may have none."""
    least, count = (0 if spec.has_own_ingestion else 1), len(spec.channels)
    if not least <= count <= MAX_CHANNELS:
        allowed = f"{least} to {MAX_CHANNELS}, the code's own included"
        fix = "join prefixes into one channel" if count else "name a channel, or say own_ingestion"
        yield finding("V51", "channels", f"{count} channels", allowed, fix)
    elif least == count and spec.entry_point is not None:
        allowed = "a channel with data; the script gets its own code and nothing else"
        fix = "name a channel, or say own_ingestion"
        yield finding("V51", "channels", "0 channels beside the code's", allowed, fix, Level.INFO)


@rule("V55")
def spot_waits_long_enough(spec: JobSpec) -> Iterator[Finding]:
    """Spot needs a maximal wait of at least the maximal runtime, and only Spot has one."""
    wait, where = spec.max_wait_seconds, "spot.max_wait_seconds"
    if spec.is_spot and (wait is None or wait < spec.max_runtime_seconds):
        allowed = f"at least max_runtime_seconds, {spec.max_runtime_seconds}: it counts waiting and running together"
        enough = max(spec.max_runtime_seconds, min(spec.max_runtime_seconds + LONG_RUN_SECONDS, MAX_SECONDS))
        yield finding("V55", where, wait, allowed, f"max_wait_seconds: {enough}")
    elif wait is not None and not spec.is_spot:
        yield finding("V55", where, wait, "a maximal wait with Spot only", "leave it out, or train on Spot")


@rule("V116")
def spot_saves_its_work(spec: JobSpec) -> Iterator[Finding]:
    """An interrupted Spot job without checkpoints begins anew: refused above one hour."""
    if not spec.is_spot or spec.has_checkpoints:
        return
    is_long = spec.max_runtime_seconds > LONG_RUN_SECONDS
    allowed = (
        f"checkpoints for a job of up to {spec.max_runtime_seconds} s on Spot, since an interruption costs all "
        "that was computed, and File mode downloads again"
    )
    fix = "checkpoints: {}, and a script that loads and saves them in /opt/ml/checkpoints"
    yield finding("V116", "checkpoints", None, allowed, fix, Level.ERROR if is_long else Level.WARNING)


@rule("V56")
def warm_pool_is_possible(spec: JobSpec) -> Iterator[Finding]:
    """A warm pool is kept for up to an hour, and not with Spot or a heterogeneous cluster."""
    seconds, where = spec.keep_alive_seconds, "keep_alive_seconds"
    if seconds is None:
        return
    if not 0 <= seconds <= MAX_KEEP_ALIVE_SECONDS:
        allowed = f"0 to {MAX_KEEP_ALIVE_SECONDS} s, as the Developer Guide has it (the API's model takes up to 21600)"
        yield finding("V56", where, seconds, allowed, f"{where}: {MAX_KEEP_ALIVE_SECONDS}")
    elif seconds and (spec.is_spot or spec.groups):
        allowed = "no warm pool with Spot or instance groups"
        yield finding("V56", where, seconds, allowed, f"leave {where} out")
    elif seconds:
        allowed = (
            f"a warm pool, billed at the instances' full price for up to {seconds} s after the job; the account's "
            "quota for warm pools is 0 until it is raised"
        )
        yield finding("V56", where, seconds, allowed, "ask Service Quotas for it once", Level.WARNING)


@rule("V117")
def groups_or_one_type(spec: JobSpec) -> Iterator[Finding]:
    """Either an instance type for all instances, or up to five groups with names of their own."""
    if bool(spec.groups) == (spec.instance_type is not None):
        given = f"{spec.instance_type} and {len(spec.groups)} groups" if spec.groups else None
        allowed = "either instance_type (with instance_count), or instance_groups"
        yield finding("V117", "instance_type", given, allowed, "give one of the two")
    if spec.groups and spec.instance_count != 1:
        allowed = "instance_count with instance_type; each group has its own"
        yield finding("V117", "instance_count", spec.instance_count, allowed, "leave it out")
    names = [each.name for each in spec.groups]
    if len(names) > MAX_INSTANCE_GROUPS or len(set(names)) < len(names):
        allowed = f"up to {MAX_INSTANCE_GROUPS} groups, each with a name of its own"
        yield finding("V117", "instance_groups", names, allowed, "rename or join groups")


@rule("V118")
def channels_name_known_groups(spec: JobSpec) -> Iterator[Finding]:
    """A channel goes to groups that the job has."""
    known = [each.name for each in spec.groups]
    for name, groups in spec.channels:
        for group in groups:
            if group not in known:
                allowed = ", ".join(known) or "no groups, since the job has no instance_groups"
                where = f"channels.{name}.instance_groups"
                yield finding("V118", where, group, allowed, "name a group of the job, or leave it out")


@rule("V119")
def volume_key_is_possible(spec: JobSpec) -> Iterator[Finding]:
    """Instances with local NVMe storage encrypt it with a key of their own."""
    for instance_type in spec.instance_types if spec.has_volume_key else ():
        if has_local_storage(instance_type):
            allowed = (
                f"no key for the volume of {instance_type}, whose local storage is encrypted by the instance itself"
            )
            yield finding("V119", "volume_kms_key", "given", allowed, "leave volume_kms_key out")


@rule("V120")
def isolation_leaves_a_way(spec: JobSpec) -> Iterator[Finding]:
    """A script without network cannot fetch its data itself."""
    if spec.is_isolated and spec.has_own_ingestion:
        allowed = "a network for a job that ingests its data itself"
        fix = "leave network_isolation out, or bring the data by channels"
        yield finding("V120", "network_isolation", True, allowed, fix)


@rule("V121")
def retries_are_new_tries(spec: JobSpec) -> Iterator[Finding]:
    """A retry names other types and zones, each once; a heterogeneous cluster has no single type to replace."""
    for where, values, first in (
        ("instance_types", spec.retry_instance_types, spec.instance_type),
        ("availability_zone_ids", spec.retry_az_ids, None),
    ):
        if len(set(values)) < len(values) or first in values:
            allowed = f"other values than the job's own{f', {first}' if first else ''}, each once"
            yield finding("V121", f"capacity_retry.{where}", list(values), allowed, "remove what is there twice")
    if spec.groups and spec.retry_instance_types:
        allowed = "no other types for a job with instance_groups"
        where = "capacity_retry.instance_types"
        yield finding("V121", where, list(spec.retry_instance_types), allowed, "retry over zones")


@rule("V122")
def sharding_has_shares(spec: JobSpec) -> Iterator[Finding]:
    """On one instance, a share is everything."""
    total = spec.instance_count if not spec.groups else sum(each.instance_count for each in spec.groups)
    if total == 1:
        for name in spec.sharded_channels:
            allowed = "a share for each of several instances; a single one gets all"
            where = f"channels.{name}.distribution"
            yield finding("V122", where, "ShardedByS3Key", allowed, "leave it out, or raise instance_count", Level.INFO)


JOB_RULES: tuple[Rule[Any], ...] = (
    channel_count,
    groups_or_one_type,
    channels_name_known_groups,
    sharding_has_shares,
    spot_waits_long_enough,
    spot_saves_its_work,
    warm_pool_is_possible,
    volume_key_is_possible,
    isolation_leaves_a_way,
    retries_are_new_tries,
)
"""Rules of one :class:`JobSpec`."""
