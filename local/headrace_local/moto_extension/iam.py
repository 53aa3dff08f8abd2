"""Roles and managed policies in CloudFormation: moto attaches no managed policy to a role, and deletes none."""

from __future__ import annotations

from headrace_local.moto_extension.clients import client
from headrace_local.moto_extension.cloudformation.resource_types import COMPLETIONS, DELETIONS, Properties


def attach_policies(region: str, role: str, properties: Properties) -> None:
    """The managed policies that a role names."""
    for arn in properties.get("ManagedPolicyArns", []):
        client("iam", region).attach_role_policy(RoleName=role, PolicyArn=arn)


def _delete_role(region: str, role: str, _properties: Properties) -> None:
    iam = client("iam", region)
    for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=role, PolicyArn=policy["PolicyArn"])
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        iam.delete_role_policy(RoleName=role, PolicyName=name)
    iam.delete_role(RoleName=role)


def _delete_policy(region: str, arn: str, _properties: Properties) -> None:
    iam = client("iam", region)
    for role in iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"]:
        iam.detach_role_policy(RoleName=role["RoleName"], PolicyArn=arn)
    iam.delete_policy(PolicyArn=arn)


def install() -> None:
    """Complete roles; delete both as the service wants it."""
    COMPLETIONS["AWS::IAM::Role"] = attach_policies
    DELETIONS["AWS::IAM::Role"] = _delete_role
    DELETIONS["AWS::IAM::ManagedPolicy"] = _delete_policy
