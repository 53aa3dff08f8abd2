"""Rules of an ephemeral flow: what its machine takes, and what it may spend.

They stand between a person and a machine that cannot explain itself: an unknown member of a request, or one that is
too long, ends an execution with an error that nothing in it can catch, when the file system is paid for already. The
spending cap is the machine's own; here it is told before anything starts, with the figures.

Sources: AWS Step Functions Developer Guide, "Error handling" (States.Runtime and States.DataLimitExceeded are not
caught) and "Service quotas" (256 KiB for what a state is given); the machine's own contract (JobName, attempts).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from headrace.rules import machine_members
from headrace.rules.finding import Finding, Level, Rule, rule
from headrace.rules.lustre_link import MAX_LINKS
from headrace.rules.values import finding, finding_in_words

MAX_NAME_CHARACTERS: Final = 50
MAX_REQUEST_BYTES: Final = 100 * 1024
SECONDS_PER_HOUR: Final = 3600
MAX_TAGS: Final = 50
"""Of a training job (SageMaker API Reference, CreateTrainingJob, Tags)."""
MACHINES_TAGS: Final = 2
"""What the machine adds: headrace:owner and headrace:file-system."""

_PRELOAD_FIELDS: Final = {
    "AlgorithmSpecification.TrainingImage": "ephemeral.preload_image",
    "ResourceConfig.InstanceType": "ephemeral.preload_instance_type",
}
"""Member of the preload's request -> the field that it is made of, where one is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LifetimeSpec:
    """How long the file system may live. ``needed_seconds``: the slowest course with one attempt, as ``arithmetic``.

    ``ready_seconds``: of them, until the file system can be read. ``is_given``: by the job file.
    """

    seconds: int
    needed_seconds: int
    ready_seconds: int
    arithmetic: str
    is_given: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EphemeralSpec:
    """A flow as asked for, and what the platform's record allows; ``max_gib`` and ``max_hours`` are its cap.

    ``request_members`` (by their paths), ``request_bytes`` and ``tag_count`` (the most of one): of the requests in the
    machine's input, of which there are none in hold mode. ``preload_violations``: member, value, what is allowed.
    ``role_arn``: of the job; ``role_arns``: which the machine may pass. ``retry``: what capacity_retry names.
    ``names_in_use``: of the names that the flow's jobs would have, those that are taken.
    """

    platform: str
    job_name: str
    lustre_channels: tuple[str, ...]
    association_count: int
    capacity_gib: int
    capacity_arithmetic: str
    max_gib: int
    max_hours: int
    lifetime: LifetimeSpec
    request_members: tuple[str, ...] = ()
    request_bytes: int = 0
    tag_count: int = 0
    preload_violations: tuple[tuple[str, str, str], ...] = ()
    missing_preload_image: str | None = None
    role_arn: str | None = None
    role_arns: tuple[str, ...] = ()
    retry: tuple[str, ...] = ()
    wanted_az_id: str | None = None
    platform_az_ids: tuple[str, ...] = ()
    names_in_use: tuple[str, ...] = ()
    is_hold: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MachinesSpec:
    """A platform, and whether it has the machines of ephemeral file systems."""

    platform: str
    has_machines: bool


@rule("V150")
def platform_has_machines(spec: MachinesSpec) -> Iterator[Finding]:
    """The platform has the state machines that make a file system for a job, and take it down."""
    if not spec.has_machines:
        allowed = "a platform whose record has the part ephemeral: the machines that make and delete the file system"
        fix = "switch on ephemeral in the platform's settings and deploy, or launch without --ephemeral"
        yield finding("V150", "--ephemeral", f"asked of platform {spec.platform}", allowed, fix)


@rule("V151")
def job_reads_a_lustre(spec: EphemeralSpec) -> Iterator[Finding]:
    """A job for which a file system is made has a channel on it."""
    if not spec.lustre_channels and not spec.is_hold:
        allowed = "at least one channel with lustre: that is what the file system is made for"
        fix = "channels: {train: {lustre: LINK, path: FOLDER}}, or launch without --ephemeral"
        yield finding_in_words("V151", "channels", "without any on Lustre", allowed, fix)


@rule("V17")
def links_fit_a_file_system(spec: EphemeralSpec) -> Iterator[Finding]:
    """The channels of a job need at most eight links of their own."""
    if spec.association_count > MAX_LINKS:
        allowed = f"at most {MAX_LINKS} folders on one file system, each linked once"
        fix = "read a folder that holds several of them"
        yield finding("V17", "channels", spec.association_count, allowed, fix)


@rule("V152")
def capacity_is_within_the_cap(spec: EphemeralSpec) -> Iterator[Finding]:
    """The file system alone is not above what all ephemeral ones may have together."""
    if spec.capacity_gib > spec.max_gib:
        got = f"{spec.capacity_gib:,} GiB ({spec.capacity_arithmetic})"
        allowed = f"at most {spec.max_gib:,} GiB, the cap of platform {spec.platform} for all that live together"
        fix = f"read less, or raise ephemeral.max_gib in the platform's settings to {spec.capacity_gib} or more"
        yield finding_in_words("V152", "ephemeral.storage_capacity_gib", got, allowed, fix)


@rule("V153")
def lifetime_is_within_the_cap(spec: EphemeralSpec) -> Iterator[Finding]:
    """The file system does not have to live longer than the platform allows."""
    life, cap_seconds = spec.lifetime, spec.max_hours * SECONDS_PER_HOUR
    wanted = life.seconds if life.is_given else life.needed_seconds
    if wanted > cap_seconds:
        got = hours_text(wanted) if life.is_given else f"{hours_text(wanted)} ({life.arithmetic})"
        fix = f"lifetime_hours: {spec.max_hours}"
        if not life.is_given:
            fix = f"a shorter max_runtime_seconds, or {fix} where the job ends before its limit"
        allowed = f"at most {spec.max_hours} h, the cap of platform {spec.platform}"
        yield finding_in_words("V153", "ephemeral.lifetime_hours", got, allowed, fix)


@rule("V154")
def name_leaves_room(spec: EphemeralSpec) -> Iterator[Finding]:
    """The name of a flow leaves room for what its further jobs and its tokens add to it."""
    if len(spec.job_name) > MAX_NAME_CHARACTERS:
        allowed = f"at most {MAX_NAME_CHARACTERS} characters with --ephemeral; this one has {len(spec.job_name)}"
        fix = "a shorter job_name or base_job_name"
        yield finding("V154", "job_name", spec.job_name, allowed, fix)


@rule("V155")
def request_is_short_enough(spec: EphemeralSpec) -> Iterator[Finding]:
    """The request fits into what a state machine hands from state to state."""
    if spec.request_bytes > MAX_REQUEST_BYTES:
        allowed = f"at most {MAX_REQUEST_BYTES:,} bytes with --ephemeral"
        fix = "put large hyperparameters or environment values into a file of source_dir"
        yield finding_in_words("V155", "request", f"{spec.request_bytes:,} bytes of JSON", allowed, fix)


@rule("V156")
def machine_may_pass_the_role(spec: EphemeralSpec) -> Iterator[Finding]:
    """The machine creates the job with one of the platform's own roles."""
    if spec.role_arn and spec.role_arn not in spec.role_arns:
        allowed = f"a role that the machine may pass: {', '.join(spec.role_arns) or 'the platform has none'}"
        fix = "leave role_arn out with --ephemeral"
        yield finding("V156", "role_arn", spec.role_arn, allowed, fix)


@rule("V157")
def members_are_known(spec: EphemeralSpec) -> Iterator[Finding]:
    """Every member of the requests is one that Step Functions is taken to hand on to SageMaker."""
    for member in sorted(set(spec.request_members) - machine_members.known()):
        allowed = f"a member that headrace takes Step Functions to know (as of {machine_members.read_on()})"
        yield finding("V157", "request", member, allowed, "leave it out with --ephemeral")


@rule("V175")
def tags_leave_room(spec: EphemeralSpec) -> Iterator[Finding]:
    """The requests of a flow have room for the tags that the machine adds to each."""
    most = MAX_TAGS - MACHINES_TAGS
    if spec.tag_count > most:
        got = f"{spec.tag_count} with those that headrace sets"
        allowed = f"at most {most} with --ephemeral: a job has up to {MAX_TAGS}, and the machine adds {MACHINES_TAGS}"
        yield finding_in_words("V175", "tags", got, allowed, f"leave {spec.tag_count - most} out")


@rule("V83")
def image_of_the_preload_is_there(spec: EphemeralSpec) -> Iterator[Finding]:
    """The image that is given for the preload exists in ECR."""
    if spec.missing_preload_image is not None:
        allowed = "an image in Amazon ECR with a shell: account.dkr.ecr.region.amazonaws.com/repository:tag"
        fix = "push the image, correct its name, or leave it out for the job's own"
        yield finding("V83", "ephemeral.preload_image", spec.missing_preload_image, allowed, fix)


@rule("V85")
def preload_is_one_that_the_service_takes(spec: EphemeralSpec) -> Iterator[Finding]:
    """The request of the preload fits the service's model."""
    for member, got, allowed in spec.preload_violations:
        field = _PRELOAD_FIELDS.get(member, f"preload.{member}")
        yield finding_in_words("V85", field, got, allowed, f"correct or leave out {field.rpartition('.')[2]}")


@rule("V158")
def retries_are_the_machines(spec: EphemeralSpec) -> Iterator[Finding]:
    """Where AWS has no capacity the machine tries the same job again: other types and zones are not tried."""
    if spec.retry:
        allowed = "nothing with --ephemeral, where it is not heeded: the file system is in one zone"
        fix = "ephemeral.capacity_attempts, which is how often the job is created"
        yield finding_in_words("V158", "capacity_retry", ", ".join(spec.retry), allowed, fix, Level.WARNING)


@rule("V159")
def zone_is_the_platforms(spec: EphemeralSpec) -> Iterator[Finding]:
    """The zone in which the file system is wanted is one where the platform has a subnet."""
    if spec.wanted_az_id is not None and spec.wanted_az_id not in spec.platform_az_ids:
        allowed = f"a zone where the platform has a subnet: {', '.join(spec.platform_az_ids)}"
        yield finding("V159", "ephemeral.availability_zone_id", spec.wanted_az_id, allowed, "name one of them, or none")


@rule("V160")
def lifetime_is_long_enough(spec: EphemeralSpec) -> Iterator[Finding]:
    """A lifetime that is given lets the file system become ready, and the job run for as long as it may."""
    life = spec.lifetime
    if not life.is_given:
        return
    got, field = hours_text(life.seconds), "ephemeral.lifetime_hours"
    if life.seconds <= life.ready_seconds:
        allowed = f"more than {hours_text(life.ready_seconds)}, the time that it may take until it can be read"
        yield finding_in_words("V160", field, got, allowed, "a longer lifetime")
    elif life.seconds < life.needed_seconds and not spec.is_hold:
        allowed = (
            f"{hours_text(life.needed_seconds)} for the slowest course ({life.arithmetic}); the job is stopped then"
        )
        fix = "a shorter max_runtime_seconds, or no lifetime_hours"
        yield finding_in_words("V160", field, got, allowed, fix, Level.WARNING)


@rule("V84")
def names_of_the_flow_are_free(spec: EphemeralSpec) -> Iterator[Finding]:
    """The names of the flow, of its preload and of further attempts are free."""
    for name in spec.names_in_use:
        allowed = "names that no job and no flow has or had: the flow's own, its preload's, those of further attempts"
        yield finding("V84", "job_name", name, allowed, "choose another, or use base_job_name, which adds the time")


def hours_text(seconds: int) -> str:
    """Seconds as hours, for a finding."""
    return f"{seconds / SECONDS_PER_HOUR:.2f} h".replace(".00 h", " h")


MACHINES_RULES: tuple[Rule[Any], ...] = (platform_has_machines,)
"""Rules of one :class:`MachinesSpec`."""

EPHEMERAL_RULES: tuple[Rule[Any], ...] = (
    job_reads_a_lustre,
    links_fit_a_file_system,
    zone_is_the_platforms,
    capacity_is_within_the_cap,
    lifetime_is_within_the_cap,
    lifetime_is_long_enough,
    name_leaves_room,
    names_of_the_flow_are_free,
    machine_may_pass_the_role,
    members_are_known,
    tags_leave_room,
    request_is_short_enough,
    retries_are_the_machines,
)
"""Rules of one :class:`EphemeralSpec`: nothing can be made of what breaks them."""

PRELOAD_RULES: tuple[Rule[Any], ...] = (image_of_the_preload_is_there, preload_is_one_that_the_service_takes)
"""Rules of one :class:`EphemeralSpec` that may be suppressed, as they may for the job itself."""
