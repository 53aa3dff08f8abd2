"""The managed policy for people who use the shared Lustre, beside the two of :class:`UserPolicy`: free room on it.

It goes with the file system, and names it: what it allows is nothing on any other.
"""

from __future__ import annotations

from constructs import Construct

from headrace_cdk import lustre_user_policies
from headrace_cdk.iam_naming import IamNaming
from headrace_cdk.managed_policy import managed_policy, place_of


class LustreUserPolicy(Construct):
    """``policy``: release what lies on one file system and in S3, and follow its tasks."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: str,
        file_system_id: str,
        naming: IamNaming | None = None,
    ) -> None:
        """``platform``: whose file system it is."""
        super().__init__(scope, construct_id)
        self.policy = managed_policy(
            self,
            "Policy",
            platform=platform,
            purpose="user-lustre",
            naming=naming or IamNaming(),
            statements=[
                *lustre_user_policies.release_room(place_of(self), file_system_id),
                *lustre_user_policies.follow_lustre_tasks(),
            ],
        )
