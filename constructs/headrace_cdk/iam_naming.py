"""What enterprise accounts ask of every role and policy: a name prefix, a path, a permissions boundary."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Token
from aws_cdk import aws_iam as iam
from constructs import Construct
from headrace.errors import InvalidInput

MAX_ROLE_NAME_CHARACTERS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class IamNaming:
    """How roles and policies are named and bounded.

    ``name_prefix``: they get explicit names that begin so; None lets CloudFormation name them. ``path``: IAM path,
    such as ``/ml/``. ``permissions_boundary_arn``: managed policy that bounds every role.
    """

    name_prefix: str | None = None
    path: str = "/"
    permissions_boundary_arn: str | None = None

    def name(self, platform: str, region: str, purpose: str) -> str | None:
        """An explicit name, or None. IAM has one room for all Regions, so the Region is part of it.

        Raises InvalidInput for a name of more than 64 characters.
        """
        if self.name_prefix is None:
            return None
        name = f"{self.name_prefix}{platform}-{region}-{purpose}"
        if not Token.is_unresolved(name) and len(name) > MAX_ROLE_NAME_CHARACTERS:
            raise InvalidInput(
                f"IAM name is {name!r}, {len(name)} characters; allowed: {MAX_ROLE_NAME_CHARACTERS}; "
                "fix: a shorter iam.name_prefix or platform name"
            )
        return name

    def boundary(self, scope: Construct, construct_id: str) -> iam.IManagedPolicy | None:
        """The permissions boundary as an object of ``scope``, or None."""
        if self.permissions_boundary_arn is None:
            return None
        return iam.ManagedPolicy.from_managed_policy_arn(scope, construct_id, self.permissions_boundary_arn)
