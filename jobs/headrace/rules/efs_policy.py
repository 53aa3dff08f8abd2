"""A rule of EFS's file-system policy: it must let in whoever comes through a mount target.

A SageMaker channel has no field for TLS, for IAM or for an access point, so a job mounts as an anonymous client
without encryption. Without a policy EFS lets such a client in; with one it needs a statement that allows it. Policies
can say more than is judged here, and SageMaker does not document how it mounts: hence a WARNING.
Sources: Amazon EFS User Guide, "Using IAM to control file system data access"; Amazon SageMaker API Reference,
FileSystemDataSource.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from headrace.rules.finding import Finding, Level, Rule, Unknown, rule
from headrace.rules.network_facts import FileSystemSpec, NetworkSpec
from headrace.rules.values import finding_in_words

_MOUNT: Final = "elasticfilesystem:ClientMount"
_TLS: Final = "aws:securetransport"
_BY_MOUNT_TARGET: Final = "elasticfilesystem:accessedviamounttarget"
_TRUE_OF_JOBS: Final = frozenset({("Bool", _TLS, "false"), ("Bool", _BY_MOUNT_TARGET, "true")})
_FALSE_OF_JOBS: Final = frozenset({("Bool", _TLS, "true"), ("Bool", _BY_MOUNT_TARGET, "false")})


@rule("V148")
def policy_lets_jobs_in(spec: NetworkSpec) -> Iterator[Finding]:
    """The file-system policy of an EFS lets anonymous clients mount it without TLS, as training jobs do."""
    for each in spec.existing_file_systems:
        if each.policy is not None and not isinstance(each.policy, Unknown):
            yield from _of_policy(each, each.policy)


def _of_policy(file_system: FileSystemSpec, policy: Mapping[str, Any]) -> Iterator[Finding]:
    statements = [
        each
        for each in _listed(policy.get("Statement"))
        if isinstance(each, Mapping) and _is_of_mount(each) and _is_for_everybody(each)
    ]
    denials = [each for each in statements if each.get("Effect") == "Deny"]
    consents = [each for each in statements if each.get("Effect") == "Allow"]
    # a condition that is not known here may hold: then a denial counts, and a consent does not
    if any(not _conditions(each) & _FALSE_OF_JOBS for each in denials):
        given = "a file-system policy that denies mounts without TLS, or anonymous ones"
    elif not any(_conditions(each) <= _TRUE_OF_JOBS for each in consents):
        given = "a file-system policy that allows no anonymous client to mount"
    else:
        return
    allowed = f"{_MOUNT} for everybody who comes through a mount target: a channel has no field for TLS or IAM"
    fix = "allow it in the file-system policy, and guard the file system by its security group"
    where = f"{file_system.file_system_id} with {given}"
    yield finding_in_words("V148", file_system.field, where, allowed, fix, Level.WARNING)


def _is_of_mount(statement: Mapping[str, Any]) -> bool:
    if "NotAction" in statement:
        return not _names_mount(statement["NotAction"])
    return _names_mount(statement.get("Action"))


def _names_mount(actions: object) -> bool:
    return any(fnmatchcase(_MOUNT.lower(), str(each).lower()) for each in _listed(actions))


def _is_for_everybody(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal")
    named = principal.get("AWS") if isinstance(principal, Mapping) else principal
    return "*" in _listed(named)


def _conditions(statement: Mapping[str, Any]) -> set[tuple[str, str, str]]:
    """Operator, key and value of each condition."""
    condition = statement.get("Condition")
    return {
        (str(operator).removesuffix("IfExists"), str(key).lower(), str(value).lower())
        for operator, keys in (condition.items() if isinstance(condition, Mapping) else ())
        for key, values in (keys.items() if isinstance(keys, Mapping) else ())
        for value in _listed(values)
    }


def _listed(value: object) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


EFS_POLICY_RULES: tuple[Rule[Any], ...] = (policy_lets_jobs_in,)
"""Rules of one :class:`NetworkSpec`: the policies of its file systems."""
