"""The managed policy for people who launch jobs on ephemeral Lustre, beside the two of :class:`UserPolicy`."""

from __future__ import annotations

from constructs import Construct

from headrace_cdk import lustre_user_policies
from headrace_cdk.iam_naming import IamNaming
from headrace_cdk.machine_policies import machine_name
from headrace_cdk.managed_policy import managed_policy, place_of
from headrace_cdk.reaper import REAPER
from headrace_cdk.teardown import FLOW, TEARDOWN


class EphemeralUserPolicy(Construct):
    """``policy``: start the machines and follow them; it gives no right on a file system itself."""

    def __init__(self, scope: Construct, construct_id: str, *, platform: str, naming: IamNaming | None = None) -> None:
        """``platform``: whose machines these are."""
        super().__init__(scope, construct_id)
        flow, *others = (machine_name(platform, kind) for kind in (FLOW, TEARDOWN, REAPER))
        self.policy = managed_policy(
            self,
            "Policy",
            platform=platform,
            purpose="user-ephemeral",
            naming=naming or IamNaming(),
            statements=[
                *lustre_user_policies.run_machines(place_of(self), flow, others),
                *lustre_user_policies.judge_file_systems(),
            ],
        )
