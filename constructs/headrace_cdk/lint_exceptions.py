"""How a finding of a template linter is suppressed: by name, at its resource, with a written reason.

cfn-lint and checkov read exceptions from the resource's metadata, cdk-nag and CDK's own validation from
acknowledgments; the constructs state each exception once, beside the resource that it is about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Acknowledgment, CfnResource, Validations
from constructs import Construct


@dataclass(frozen=True, slots=True, kw_only=True)
class LintException:
    """Findings of cfn-lint, checkov or cdk-nag, by rule id, that do not apply to one resource, and why."""

    reason: str
    cfn_lint: Sequence[str] = ()
    checkov: Sequence[str] = ()
    cdk_nag: Sequence[str] = ()


def accept(construct: Construct, *exceptions: LintException) -> None:
    """Write ``exceptions`` at ``construct``: a resource, or a construct with one resource as its default child."""
    resource = construct if isinstance(construct, CfnResource) else construct.node.default_child
    if not isinstance(resource, CfnResource):
        raise TypeError(f"{construct.node.path} has no resource to hold the exception")
    skips = [{"id": rule_id, "comment": exception.reason} for exception in exceptions for rule_id in exception.checkov]
    if skips:
        resource.add_metadata("checkov", {"skip": skips})
    ignored = {rule_id: exception.reason for exception in exceptions for rule_id in exception.cfn_lint}
    if ignored:
        resource.add_metadata("cfn-lint", {"config": {"ignore_checks": list(ignored)}, "reasons": ignored})
    acknowledged = [
        Acknowledgment(id=rule_id, reason=exception.reason)
        for exception in exceptions
        for rule_id in (*exception.cdk_nag, *(f"CloudFormation-Validate::{each}" for each in exception.cfn_lint))
    ]
    if acknowledged:
        Validations.of(resource).acknowledge(*acknowledged)
