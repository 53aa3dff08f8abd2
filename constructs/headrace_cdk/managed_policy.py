"""A managed policy made of statements, with the reasons for their wildcards where the linter looks for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from headrace_cdk.iam_naming import IamNaming
from headrace_cdk.lint_exceptions import LintException, accept
from headrace_cdk.policies import Place, Statement
from headrace_cdk.policy_size import require_size


def place_of(construct: Construct) -> Place:
    """Partition, Region and account of the stack that the construct is in."""
    stack = Stack.of(construct)
    return Place(partition=stack.partition, region=stack.region, account=stack.account)


def managed_policy(
    scope: Construct,
    construct_id: str,
    *,
    platform: str,
    purpose: str,
    statements: Sequence[Statement],
    naming: IamNaming,
    exceptions: Sequence[LintException] = (),
) -> iam.ManagedPolicy:
    """``purpose``: a few words with hyphens; part of the name. ``exceptions``: beside those for wildcards.

    Raises InvalidInput for a policy that is larger than IAM takes.
    """
    document = {"Version": "2012-10-17", "Statement": [each.to_plain() for each in statements]}
    require_size(f"{platform} {purpose}", Stack.of(scope).resolve(document))
    policy = iam.ManagedPolicy(
        scope,
        construct_id,
        managed_policy_name=naming.name(platform, Stack.of(scope).region, purpose),
        path=naming.path,
        description=f"headrace {platform}: {purpose.replace('-', ' ')}",
        document=iam.PolicyDocument.from_json(document),
    )
    accept(policy, *exceptions, *_wildcards(Stack.of(scope), statements))
    return policy


def _wildcards(stack: Stack, statements: Sequence[Statement]) -> Iterator[LintException]:
    for statement in statements:
        if statement.why_wildcard is None:
            continue
        resources = [_as_cdk_nag_writes(each) for each in stack.resolve(list(statement.resources))]
        named = [*(f"Resource::{each}" for each in resources), *(f"Action::{each}" for each in statement.actions)]
        yield LintException(
            cdk_nag=[f"AwsSolutions-IAM5[{each}]" for each in named if "*" in each],
            reason=f"{statement.sid}: {statement.why_wildcard}",
        )


def _as_cdk_nag_writes(resource: Any) -> str:
    """A resolved ARN as cdk-nag names it in a finding: references in angle brackets."""
    if isinstance(resource, str):
        return resource
    ((function, argument),) = resource.items()
    if function == "Fn::Join":
        return "".join(_as_cdk_nag_writes(piece) for piece in argument[1])
    if function == "Fn::ImportValue":
        return str(argument)
    return f"<{argument if function == 'Ref' else '.'.join(argument)}>"
