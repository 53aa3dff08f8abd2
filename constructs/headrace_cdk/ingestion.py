"""Own ingestion: what a role of jobs whose script reads its data itself may do, as the platform team wrote it down.

Such a job gets its data from a warehouse, a stream or another service, which no table of roads knows. So its rights are
declared by name, judged by rules, and added to those of a job that reaches S3 and file systems: it may have channels,
too, and it is attached to the platform's network, through whose endpoints the service is reached.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from constructs import Construct
from headrace.rules import UNKNOWN, Suppression
from headrace.rules.own_ingestion import (
    INGESTION_ROLE_RULES,
    OWN_INGESTION_RULES,
    IngestionRoleSpec,
    IngestionStatementSpec,
    OwnIngestionSpec,
)

from headrace_cdk.policies import Statement, allow
from headrace_cdk.rule_check import check_all, known

NAMED_BY_THE_PLATFORM_TEAM = "the platform team's own_ingestion names these resources"


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestionStatement:
    """Actions on resources, where ``conditions`` (operator -> key -> values) hold.

    ``reason``: why the actions take every resource; needed where one is ``*``.
    """

    actions: Sequence[str]
    resources: Sequence[str]
    conditions: Mapping[str, Mapping[str, Sequence[str]]] | None = None
    reason: str | None = None


def check_ingestion(
    scope: Construct,
    ingestion: Mapping[str, Sequence[IngestionStatement]],
    suppressions: Sequence[Suppression] = (),
) -> None:
    """Run the rules over every role. Raises RuleViolations with the mistakes of all of them."""
    checks = [(INGESTION_ROLE_RULES, _spec(name, statements)) for name, statements in ingestion.items()]
    check_all(scope, [(OWN_INGESTION_RULES, OwnIngestionSpec(names=tuple(ingestion))), *checks], suppressions)


def _spec(name: str, statements: Sequence[IngestionStatement]) -> IngestionRoleSpec:
    specs = [
        IngestionStatementSpec(
            actions=tuple(each.actions), resources=tuple(each.resources), conditions=each.conditions, reason=each.reason
        )
        for each in statements
    ]
    written = [[*each.actions, *each.resources] for each in statements]
    return IngestionRoleSpec(role_name=name, statements=UNKNOWN if known(written) is UNKNOWN else tuple(specs))


def ingest_itself(statements: Sequence[IngestionStatement]) -> list[Statement]:
    """The statements as every other, each with an id."""
    return [
        allow(
            f"Ingest{index}",
            each.actions,
            each.resources,
            {operator: _plain(keys) for operator, keys in (each.conditions or {}).items()} or None,
            why_wildcard=each.reason or NAMED_BY_THE_PLATFORM_TEAM,
        )
        for index, each in enumerate(statements)
    ]


def _plain(keys: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    # CDK takes lists, and settings are tuples.
    return {key: list(values) for key, values in keys.items()}
