"""The managed policies for people who launch jobs: exactly what the job side calls, and nothing that creates.

There are two, since both grow: one with subnets and roles, one with data locations. IAM takes 6,144 characters in each.
"""

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
    """``policy`` and ``data_policy``: attach both to the group, role or permission set of the people who launch."""

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
        data_kms_key_arns: Sequence[str] = (),
        require_vpc: bool = False,
        naming: IamNaming | None = None,
    ) -> None:
        """``require_vpc``: refuse jobs that do not name the platform's subnets. The rest as for TrainingRoles."""
        super().__init__(scope, construct_id)
        place, naming = place_of(self), naming or IamNaming()
        self.policy = managed_policy(
            self,
            "Policy",
            platform=platform,
            purpose="user",
            naming=naming,
            statements=[
                *user_policies.read_platform_record(place, platform),
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
                *user_policies.look_at_file_systems(),
                *user_policies.look_at_capacity(),
            ],
        )
        self.data_policy = managed_policy(
            self,
            "DataPolicy",
            platform=platform,
            purpose="user-data",
            naming=naming,
            statements=[
                *policies.list_data(place, data_locations),
                *user_policies.handle_own_objects(place, bucket_name),
                *user_policies.handle_manifests(place, bucket_name, data_locations),
                *policies.use_keys(place, kms_key_arns),
                *policies.decrypt_data(place, data_kms_key_arns),
            ],
        )
