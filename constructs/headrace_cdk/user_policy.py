"""The managed policy for people who launch jobs: exactly what the job side calls, and nothing that creates."""

from __future__ import annotations

from collections.abc import Sequence

from constructs import Construct
from headrace.platform import DataLocation

from headrace_cdk import policies, user_policies
from headrace_cdk.iam_naming import IamNaming
from headrace_cdk.managed_policy import managed_policy, place_of
from headrace_cdk.network import Network
from headrace_cdk.roles import TrainingRoles


class UserPolicy(Construct):
    """``policy``: attach it to the group, role or permission set of the people who launch."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: str,
        network: Network,
        roles: TrainingRoles,
        bucket_name: str,
        data_locations: Sequence[DataLocation],
        job_name_prefix: str,
        image_repository_arns: Sequence[str] | None = None,
        kms_key_arns: Sequence[str] = (),
        require_vpc: bool = False,
        naming: IamNaming | None = None,
    ) -> None:
        """``require_vpc``: refuse jobs that do not name the platform's subnets. The rest as for TrainingRoles."""
        super().__init__(scope, construct_id)
        place, naming = place_of(self), naming or IamNaming()
        statements = [
            *user_policies.read_platform_record(place, platform),
            *policies.list_data(place, data_locations),
            *user_policies.handle_own_objects(place, bucket_name),
            *policies.use_keys(place, kms_key_arns),
            *user_policies.launch_jobs(
                place,
                job_name_prefix,
                [subnet.subnet_id for subnet in network.subnets],
                [network.security_groups.jobs.security_group_id],
                require_vpc=require_vpc,
            ),
            *user_policies.pass_roles([role.role_arn for role in roles.all]),
            *user_policies.read_job_logs(place),
            *user_policies.check_images(image_repository_arns or policies.any_repository(place)),
            *user_policies.look_at_network(),
        ]
        self.policy = managed_policy(
            self, "Policy", platform=platform, purpose="user", statements=statements, naming=naming
        )
