"""Rules of a job against the platform: does it have the file system, the link and the role that the job needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from headrace.roads import Reach
from headrace.rules.finding import Finding, Rule, rule
from headrace.rules.values import finding


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSpec:
    """What a channel names, and what the platform has.

    ``links``: of its Lustre, by name; None without a Lustre. ``has_machines``: that make one for a job.
    """

    field: str
    platform: str
    link: str | None = None
    uses_efs: bool = False
    links: tuple[str, ...] | None
    has_efs: bool
    has_machines: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSpec:
    """The role that a job needs, and those of the platform.

    ``reach``: what its channels read; ``reaches``: for which the platform has a role. ``ingestion_role``: the name
    that the job gives, of the platform's ``ingestion_roles``.
    """

    platform: str
    reach: Reach
    reaches: tuple[Reach, ...]
    ingestion_role: str | None = None
    ingestion_roles: tuple[str, ...] = ()


@rule("V124")
def platform_has_the_link(spec: LinkSpec) -> Iterator[Finding]:
    """The platform has a Lustre with the link that the channel names."""
    if spec.link is None or spec.link in (spec.links or ()):
        return
    if spec.links is None:
        allowed = f"a source of platform {spec.platform}, which has no Lustre file system"
        fix = "switch it on in the platform's settings and deploy, or take another source"
        if spec.has_machines:
            fix = f"headrace train --ephemeral, which makes one for the job, or {fix}"
    else:
        allowed = f"a link of the platform's Lustre: {', '.join(spec.links) or 'it has none'}"
        fix = "name one of them, with path for what lies below it"
    yield finding("V124", f"{spec.field}.lustre", spec.link, allowed, fix)


@rule("V125")
def platform_has_efs(spec: LinkSpec) -> Iterator[Finding]:
    """The platform has an EFS when a channel reads from it."""
    if spec.uses_efs and not spec.has_efs:
        allowed = f"a source of platform {spec.platform}, which has no EFS"
        fix = "switch it on in the platform's settings and deploy, or take another source"
        yield finding("V125", f"{spec.field}.efs", "named", allowed, fix)


@rule("V129")
def platform_has_the_role(spec: RoleSpec) -> Iterator[Finding]:
    """The platform has the ingestion role that a job names, else a role that reads its channels where it runs."""
    if spec.ingestion_role is not None and spec.ingestion_role not in spec.ingestion_roles:
        allowed = f"an ingestion role of platform {spec.platform}: {', '.join(spec.ingestion_roles) or 'it has none'}"
        fix = "declare it under own_ingestion in the platform's settings and deploy"
        yield finding("V129", "own_ingestion.role", spec.ingestion_role, allowed, fix)
    elif spec.ingestion_role is None and spec.reach not in spec.reaches:
        allowed = f"the roles of platform {spec.platform}: {', '.join(spec.reaches)}"
        fix = (
            "bring a role (role_arn), or switch on in the platform's settings a file system, or require_vpc for jobs "
            "on S3 that name zones or the network"
        )
        yield finding("V129", "role_arn", f"not given, and the job needs the role {spec.reach}", allowed, fix)


LINK_RULES: tuple[Rule[Any], ...] = (platform_has_the_link, platform_has_efs)
"""Rules of one :class:`LinkSpec`."""

ROLE_RULES: tuple[Rule[Any], ...] = (platform_has_the_role,)
"""Rules of one :class:`RoleSpec`."""
