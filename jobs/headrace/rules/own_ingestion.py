"""Rules of own ingestion: roles of jobs whose script reads its data itself, from a warehouse or another service.

The platform team writes down what such a role may do beside what every job may. It is the one place where people
write IAM statements by hand, so what would hand the account over is refused: everything, whole services, IAM itself.
There is no ``NotAction`` and no ``Deny``: a statement has actions, resources and conditions, and allows.
Rules of our own: V101 names, V102 number of roles, V103 actions, V104 rights on rights, V105 resources,
V106 conditions.

Sources: IAM User Guide, "IAM JSON policy elements" (actions compare without case, operators of conditions);
Service Authorization Reference, "Actions, resources, and condition keys for AWS STS".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from headrace.rules.finding import Finding, Rule, rule
from headrace.rules.values import Text, finding, members

MAX_ROLES: Final = 5
"""Each role is an ARN in the platform's record, which holds 4 KB, and two resources of the foundation's template."""
MAX_STATEMENTS: Final = 10

_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,15}")
_ACTION: Final = re.compile(r"[a-z0-9-]+:[A-Za-z0-9*?]+")
_ARN: Final = re.compile(r"arn:aws[a-z-]*:(?P<service>[a-z0-9-]+):[a-z0-9*-]*:([0-9]{12}|aws|\*)?:(?P<resource>[!-~]+)")
_ONLY_WILDCARDS: Final = re.compile(r"[*?/:]+")
_CONDITION_KEY: Final = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9._:/@=+-]+")
_RIGHTS_ON_RIGHTS: Final = ("iam", "organizations", "account", "sso", "identitystore")
_LEGAL_STS: Final = ("assumerole", "getcalleridentity", "tagsession")
_COMPARISONS: Final = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
CONDITION_OPERATORS: Final = (
    *(f"String{each}" for each in ("Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase")),
    *("StringLike", "StringNotLike", "Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "Null"),
    *(f"{kind}{each}" for kind in ("Numeric", "Date") for each in _COMPARISONS),
    *(f"Arn{each}" for each in ("Equals", "NotEquals", "Like", "NotLike")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestionStatementSpec:
    """One statement, as somebody wrote it. ``reason``: why it names everything, where a resource is ``*``."""

    actions: Any = ()
    resources: Any = ()
    conditions: Any = None
    reason: Text = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestionRoleSpec:
    """A role by its name, with its statements."""

    role_name: Text = None
    statements: Any = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnIngestionSpec:
    """The names of all roles of a platform."""

    names: Any = ()


@rule("V101", "role_name")
def name_is_legal(spec: IngestionRoleSpec) -> Iterator[Finding]:
    """A role's name is short and in lower case: it is part of IAM names and of what job files say."""
    if not isinstance(spec.role_name, str) or not _NAME.fullmatch(spec.role_name):
        allowed = "1 to 16 lower-case letters, digits and hyphens, a letter first"
        yield finding(
            "V101", "own_ingestion", spec.role_name, allowed, "call it after what it reads, such as warehouse"
        )


@rule("V102", "names")
def roles_are_few(spec: OwnIngestionSpec) -> Iterator[Finding]:
    """A platform has at most five such roles."""
    names = members(spec.names)
    if names is None:
        yield finding("V102", "own_ingestion", spec.names, "names of roles", "give each role by its name")
    elif len(names) > MAX_ROLES:
        allowed = f"at most {MAX_ROLES}: each takes its place in the template and in the platform's record"
        yield finding("V102", "own_ingestion", len(names), allowed, "join roles, or make another platform")


@rule("V103", "role_name", "statements")
def actions_are_named(spec: IngestionRoleSpec) -> Iterator[Finding]:
    """A role has 1 to 10 statements, each with actions that are named: never everything, never a whole service."""
    given = members(spec.statements)
    if not given or len(given) > MAX_STATEMENTS or len(list(_statements(spec))) != len(given):
        shown = spec.statements if not given else f"{len(given)} statements"
        allowed = f"1 to {MAX_STATEMENTS} statements with actions and resources"
        yield finding("V103", f"own_ingestion.{spec.role_name}.statements", shown, allowed, "say what the role may do")
    for field, statement in _statements(spec):
        actions = members(statement.actions)
        if not actions:
            fix = "list what the script calls"
            yield finding("V103", f"{field}.actions", statement.actions, "a list of actions", fix)
        for action in actions or ():
            if not isinstance(action, str) or not _ACTION.fullmatch(action) or _names_a_service(action):
                allowed = "service:Action, the service without wildcards and more of the action than wildcards"
                fix = "list the actions, or a verb of one service such as glue:Get*"
                yield finding("V103", f"{field}.actions", action, allowed, fix)


@rule("V104", "role_name", "statements")
def rights_stay_what_they_are(spec: IngestionRoleSpec) -> Iterator[Finding]:
    """No statement gives rights on rights: nothing of IAM or Organizations, of STS only what assumes a named role."""
    for field, statement in _statements(spec):
        for action in _texts(statement.actions):
            service, _, name = action.lower().partition(":")
            if service in _RIGHTS_ON_RIGHTS:
                fix = "leave it out: a job that reads data passes, makes and changes no roles"
                yield finding("V104", f"{field}.actions", action, f"no action of {service}", fix)
            elif service == "sts" and name not in _LEGAL_STS:
                allowed = "sts:AssumeRole, sts:TagSession and sts:GetCallerIdentity, without wildcards"
                yield finding("V104", f"{field}.actions", action, allowed, "name the one that the script needs")


@rule("V105", "role_name", "statements")
def resources_are_named(spec: IngestionRoleSpec) -> Iterator[Finding]:
    """Resources are ARNs; one that names everything needs a reason, and a role to assume is named in full."""
    for field, statement in _statements(spec):
        resources = members(statement.resources)
        if not resources:
            allowed, fix = "a list of ARNs", 'list what the script reads, or "*" with a reason'
            yield finding("V105", f"{field}.resources", statement.resources, allowed, fix)
        for resource in resources or ():
            yield from _judged_resource(f"{field}.resources", resource, statement)


def _judged_resource(field: str, resource: object, statement: IngestionStatementSpec) -> Iterator[Finding]:
    arn = _ARN.fullmatch(resource) if isinstance(resource, str) else None
    if resource != "*" and arn is None:
        allowed = 'an ARN, arn:aws:service:region:account:resource, or "*"'
        yield finding("V105", field, resource, allowed, "look the ARN up in the service's console")
    elif _assumes_roles(statement) and any(each in str(resource) for each in "*?"):
        allowed = "the ARN of one role where the action is sts:AssumeRole"
        yield finding("V105", field, resource, allowed, "name the role in full, in a statement of its own")
    elif (arn is None or _ONLY_WILDCARDS.fullmatch(arn["resource"])) and not _has_reason(statement):
        allowed = "ARNs of what the script reads; everything only with a reason"
        fix = 'name the resources, or add "reason": why the actions take no resource'
        yield finding("V105", field, resource, allowed, fix)


@rule("V106", "role_name", "statements")
def conditions_are_legal(spec: IngestionRoleSpec) -> Iterator[Finding]:
    """Conditions are IAM's: operator, then key, then a list of values."""
    for field, statement in _statements(spec):
        conditions = {} if statement.conditions is None else statement.conditions
        if not isinstance(conditions, Mapping):
            allowed = "an object of operators"
            yield finding("V106", f"{field}.conditions", conditions, allowed, "write operator, key and values")
            continue
        for operator, keys in conditions.items():
            if not _is_operator(operator):
                allowed = f"{', '.join(CONDITION_OPERATORS)}, with ForAnyValue:, ForAllValues: and IfExists"
                yield finding("V106", f"{field}.conditions", operator, allowed, "correct the operator")
            elif not isinstance(keys, Mapping) or not keys or not all(map(_is_condition, keys.items())):
                allowed = "keys such as aws:SourceVpc, each with a list of texts"
                yield finding("V106", f"{field}.conditions.{operator}", keys, allowed, "correct key and values")


def _statements(spec: IngestionRoleSpec) -> Iterator[tuple[str, IngestionStatementSpec]]:
    """Each statement with the place where it was written."""
    for index, each in enumerate(members(spec.statements) or ()):
        if isinstance(each, IngestionStatementSpec):
            yield f"own_ingestion.{spec.role_name}.statements[{index}]", each


def _texts(value: object) -> list[str]:
    return [each for each in members(value) or () if isinstance(each, str)]


def _names_a_service(action: str) -> bool:
    return _ONLY_WILDCARDS.fullmatch(action.partition(":")[2]) is not None


def _assumes_roles(statement: IngestionStatementSpec) -> bool:
    return any(each.lower() == "sts:assumerole" for each in _texts(statement.actions))


def _has_reason(statement: IngestionStatementSpec) -> bool:
    return isinstance(statement.reason, str) and bool(statement.reason.strip())


def _is_operator(operator: object) -> bool:
    if not isinstance(operator, str):
        return False
    name = operator.removeprefix("ForAnyValue:").removeprefix("ForAllValues:")
    return name in CONDITION_OPERATORS or (
        name != "NullIfExists" and name.removesuffix("IfExists") in CONDITION_OPERATORS
    )


def _is_condition(item: tuple[object, object]) -> bool:
    key, values = item
    is_key = isinstance(key, str) and _CONDITION_KEY.fullmatch(key) is not None
    given = members(values) or ()
    return is_key and bool(given) and len(_texts(values)) == len(given)


INGESTION_ROLE_RULES: tuple[Rule[Any], ...] = (
    name_is_legal,
    actions_are_named,
    rights_stay_what_they_are,
    resources_are_named,
    conditions_are_legal,
)
"""Rules of one :class:`IngestionRoleSpec`."""
OWN_INGESTION_RULES: tuple[Rule[Any], ...] = (roles_are_few,)
"""Rules of the :class:`OwnIngestionSpec` of a platform."""
