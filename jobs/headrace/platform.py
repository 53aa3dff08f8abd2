"""The contract between what was deployed and who uses it.

Each stack writes one SSM parameter, ``/headrace/<platform>/<part>``, whose value is one of the records below as
JSON; the job side reads them all by path. The stacks write these types, the jobs read these types, and nobody needs
to know a stack's name, an export or a subnet id. A part that is absent is a road that is not there.

``SCHEMA`` is raised when a change is not readable by older job sides: a field that a job side does not know is left,
so a new one with a default raises nothing. The JSON schema is docs/platform-record.schema.json.
Sources: SSM standard parameters hold 4 KB (AWS Systems Manager User Guide, "Managing parameter tiers").
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Final

from headrace.errors import InvalidInput

SCHEMA = 1
MAX_PARAMETER_BYTES = 4096

# What marks a platform's resources as its own. The machines' definitions spell these names out once more.
PLATFORM_TAG: Final = "headrace:platform"
OWNER_TAG: Final = "headrace:owner"
"""On an ephemeral file system and its jobs: the execution that made them. The shared file system never has it."""
EXPIRES_TAG: Final = "headrace:expires"
FILE_SYSTEM_TAG: Final = "headrace:file-system"
"""On an ephemeral file system its own id, so that a copy of its tags is known as one; on a job that which it reads."""
MARKED_TAG: Final = "headrace:marked"
"""When the reaper found a file system due for the first time."""


def parameter_path(platform: str) -> str:
    """The SSM path below which all parts of one platform lie."""
    return f"/headrace/{platform}/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet:
    """A subnet for jobs. ``az_id`` (``use1-az1``) names the same place in every account; a zone's name does not."""

    subnet_id: str
    az_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataLocation:
    """Where training data may be read: everything below ``prefix`` (which ends in ``/``, or is empty) of ``bucket``."""

    bucket: str
    prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """ARNs of the execution roles by what they may reach; None where the road is switched off."""

    s3: str
    file_systems: str | None = None
    both: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Efs:
    """A shared EFS and the zones that hold a mount target of it."""

    file_system_id: str
    az_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundationPart:
    """What lives as long as the platform: network, bucket, roles, EFS.

    ``job_name_prefix``: the roles trust only jobs whose name begins so. ``data_locations``: the bucket's own ``data/``
    first, then what else may be read. ``bucket`` holds ``code/``, ``output/`` and ``checkpoints/``, too.
    ``require_vpc``: every job is attached to the platform's subnets, those that read S3 only as well.
    ``ingestion_roles``: name -> ARN of the roles of jobs whose script reads its data itself.
    """

    part: ClassVar[str] = "foundation"

    platform: str
    region: str
    account: str
    vpc_id: str
    subnets: tuple[Subnet, ...]
    job_security_group_id: str
    bucket: str
    data_locations: tuple[DataLocation, ...]
    roles: Roles
    job_name_prefix: str
    kms_key_arn: str | None = None
    efs: Efs | None = None
    require_vpc: bool = False
    ingestion_roles: Mapping[str, str] = field(default_factory=dict)
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class LustreLink:
    """A data repository association: ``path`` in the file system shows what lies below ``prefix`` of ``bucket``."""

    name: str
    path: str
    bucket: str
    prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LustrePart:
    """The shared Lustre file system, which may be destroyed and made again while the foundation stays.

    ``per_unit_storage_throughput_mbps_per_tib``: of a persistent one; 0, or None, where it has none or nobody has said.
    """

    part: ClassVar[str] = "lustre"

    platform: str
    file_system_id: str
    mount_name: str
    subnet_id: str
    az_id: str
    storage_capacity_gib: int
    links: tuple[LustreLink, ...]
    per_unit_storage_throughput_mbps_per_tib: int | None = None
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class EphemeralPart:
    """The machines that make a Lustre file system for one job and take it down again.

    ``links``: what such a file system may show. ``max_file_systems``, ``max_gib`` (of all that live together) and
    ``max_hours`` (how long one may live): the spending cap, which the machine keeps itself.
    """

    part: ClassVar[str] = "ephemeral"

    platform: str
    machine_arn: str
    teardown_machine_arn: str
    reaper_machine_arn: str
    links: tuple[LustreLink, ...]
    max_file_systems: int
    max_gib: int
    max_hours: int
    schema: int = SCHEMA


PlatformPart = FoundationPart | LustrePart | EphemeralPart
PARTS: Mapping[str, type[FoundationPart] | type[LustrePart] | type[EphemeralPart]] = {
    FoundationPart.part: FoundationPart,
    LustrePart.part: LustrePart,
    EphemeralPart.part: EphemeralPart,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """Everything that was deployed under one name."""

    foundation: FoundationPart
    lustre: LustrePart | None = None
    ephemeral: EphemeralPart | None = None


def parameter_name(part: PlatformPart) -> str:
    """The SSM parameter that holds this part."""
    return parameter_path(part.platform) + part.part


def to_plain(part: PlatformPart) -> dict[str, Any]:
    """The part as plain lists and dicts, fields that are None left out (a parameter holds 4 KB)."""
    plain: dict[str, Any] = _without_none(asdict(part))
    return plain


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_none(item) for item in value]
    return value


def json_schema() -> dict[str, Any]:
    """The JSON schema of each part, by the part's name."""
    # pydantic takes 0.1 s to import; synth writes records without it
    from pydantic import TypeAdapter

    return {name: TypeAdapter[PlatformPart](record).json_schema() for name, record in PARTS.items()}


def parse_part(name: str, text: str) -> PlatformPart:
    """Read one part from the text of its parameter ``name``.

    Raises InvalidInput when the text is no such record, or was written by a headrace with a newer schema.
    """
    from pydantic import TypeAdapter, ValidationError

    part = name.rsplit("/", 1)[-1]
    record = PARTS.get(part)
    if record is None:
        raise InvalidInput(f"platform record {name}: unknown part {part!r}; known: {', '.join(sorted(PARTS))}")
    try:
        plain = json.loads(text)
    except ValueError as error:
        raise InvalidInput(f"platform record {name}: not JSON ({error}); deploy the stack again") from None
    schema = plain.get("schema") if isinstance(plain, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        raise InvalidInput(
            f"platform record {name}: schema is {schema}, this headrace reads up to {SCHEMA}; upgrade headrace"
        )
    try:
        return TypeAdapter[PlatformPart](record).validate_python(plain)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise InvalidInput(f"platform record {name}: {problems}; deploy the stack again") from None


def parse_platform(platform: str, parameters: Mapping[str, str]) -> Platform:
    """Read a platform from its SSM parameters, full name -> text. Parts that this version does not know are left.

    Raises InvalidInput when there is no foundation, or a part cannot be read.
    """
    known = {name: text for name, text in parameters.items() if name.rsplit("/", 1)[-1] in PARTS}
    parts = [parse_part(name, text) for name, text in known.items()]
    foundation = next((part for part in parts if isinstance(part, FoundationPart)), None)
    if foundation is None:
        raise InvalidInput(
            f"platform {platform!r}: no record at {parameter_path(platform)}foundation; deploy it first "
            "(make deploy), or name another with --platform and check the Region"
        )
    lustre = next((part for part in parts if isinstance(part, LustrePart)), None)
    ephemeral = next((part for part in parts if isinstance(part, EphemeralPart)), None)
    return Platform(foundation=foundation, lustre=lustre, ephemeral=ephemeral)
